"""What is known of an entity is the same wherever it was packed on its way."""

from __future__ import annotations

import json
import pickle

from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.linking.features import LINKING_PROPERTIES, Features

STATED = st.lists(
    st.tuples(st.sampled_from(LINKING_PROPERTIES), st.text(min_size=1), st.sampled_from(["", "th", "en"]))
)


def known(stated: list[tuple[str, str, str]]) -> Features:
    features = Features("ent-1", "EventVenue", "t00001")
    for property_, value, lang in stated:
        features.add(property_, value, lang, identifying=property_ == "identifier")
    return features


@given(STATED)
def test_packed_features_tell_what_the_features_did(stated: list[tuple[str, str, str]]) -> None:
    features = known(stated)
    sent = pickle.loads(pickle.dumps(features.packed()))
    assert json.loads(sent.as_text()) == features.as_json() == json.loads(features.as_text())
    assert sent == features
    assert sent.digest("1") == features.digest("1")


@given(STATED, STATED)
def test_what_came_packed_is_merged_and_added_to_as_any(
    stated: list[tuple[str, str, str]], more: list[tuple[str, str, str]]
) -> None:
    whole, sent = known(stated), known(stated).packed()
    assert sent.merged_with(known(more).packed()) == whole.merged_with(known(more))
    for property_, value, lang in more:
        for each in (whole, sent):
            each.add(property_, value, lang, identifying=property_ == "identifier")
    assert json.loads(sent.as_text()) == whole.as_json()
