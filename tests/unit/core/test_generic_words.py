"""What an organisation is called is told from what persons are called."""

from __future__ import annotations

import pytest

from tenant_pipeline.core.generic_words import ORGANISATION_WORDS, is_called_like_an_organisation
from tenant_pipeline.pii.recognisers import latin_names
from tests.unit.pii.staff import STAFF


def test_no_person_is_called_what_tells_an_organisation() -> None:
    known = {name.lower() for name in latin_names.given_names() | latin_names.family_names()}
    assert sorted(ORGANISATION_WORDS & known) == []
    assert not [name for name in STAFF if is_called_like_an_organisation(name)]


@pytest.mark.parametrize(
    "name",
    [
        "Patong Beach Hotel",
        "RESTAURANT Kan Eang",
        "Andaman Events Co., Ltd.",
        "โรงแรมป่าตอง",
        "ร้านอาหาร กันเอง",
        "普吉海滩酒店",
    ],
)
def test_an_organisation_is_told_by_a_word_of_its_name(name: str) -> None:
    assert is_called_like_an_organisation(name)


@pytest.mark.parametrize(
    "name", ["Park Min-jun", "James Hall", "Hotelier Sam", "สมชาย โรงแรมป่าตอง", "สวนีย์ ใจดี", "高中心", ""]
)
def test_what_may_be_a_persons_name_tells_none(name: str) -> None:
    assert not is_called_like_an_organisation(name)
