"""The server's sentences in the language of whoever asks; what people wrote, and problems, as they are."""

from __future__ import annotations

import re

import httpx
import pytest

from tenant_pipeline.core.sentences.reading import teller
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.linking.comparators.evidence import Evidence
from tenant_pipeline.linking.score import Match, Score
from tenant_pipeline.services.link_explanations import as_told
from tenant_pipeline.services.registry import register_tenant
from tenant_pipeline.services.roles import grant_role
from tests.api.conftest import Served
from tests.integration.conflict_statements import Sources

TENANT = TenantId("three-tongues")
FROM_A_PERSON = "Its sources no longer disagree."
LATIN_WORD = re.compile(r"[A-Za-z]{2,}")


@pytest.fixture(scope="module")
def tongues(served: Served) -> Sources:
    """A tenant whose two sources give one hall two postal codes, for a person to decide."""
    name = {"th": "สามภาษา", "en": "Three tongues", "zh": "三语"}
    register_tenant(served.runtime, TENANT, name=name, domain="tongues.example", tier="pilot", actor="test")
    grant_role(served.runtime, TENANT, person="rin", role="reviewer", granted_by="test")
    made = Sources(served.runtime, TENANT)
    made.say(1, ("postalCode", "", "83000"), ("name", "en", "Phuket Hall"), tier=1)
    made.say(2, ("postalCode", "", "83100"), tier=1)
    return made


def _ask(rin: httpx.Client, path: str, language: str, **headers: str) -> httpx.Response:
    return rin.get(f"/api/tenant/{TENANT}{path}", headers={"Accept-Language": language, **headers})


def test_why_a_conflict_is_one_is_told_in_the_readers_language(served: Served, tongues: Sources) -> None:
    conflict = tongues.item(property="postalCode")["conflict_id"]
    with served.client("rin", TENANT) as rin:
        english = rin.get(f"/api/tenant/{TENANT}/conflicts/{conflict}")
        thai, chinese = (_ask(rin, f"/conflicts/{conflict}", language) for language in ("th-TH,en;q=0.5", "zh"))
        listed = _ask(rin, "/conflicts", "zh").json()["items"]
    assert english.json()["proposal"]["explanation"][0].startswith("The codes differ")
    assert "ต้องให้คนตัดสิน: แหล่งข้อมูลระดับ 1 ขัดแย้งกัน" in thai.json()["proposal"]["explanation"]
    assert "需要人工决定：第 1 级来源相互矛盾。" in chinese.json()["proposal"]["explanation"]
    assert chinese.json()["proposal"]["explanation"] in [each["explanation"] for each in listed]
    for told in (thai.json(), chinese.json()):
        for sentence in (*told["proposal"]["explanation"], *(each["says"] for each in told["choices"])):
            assert not LATIN_WORD.search(sentence)
        assert told["candidates_digest"] == english.json()["candidates_digest"]
    assert [each.headers["content-language"] for each in (english, thai, chinese)] == ["en", "th", "zh"]


def test_why_a_dimension_has_its_band_is_told_in_the_readers_language(served: Served, tongues: Sources) -> None:
    with served.client("rin", TENANT) as rin:
        for language in ("th", "zh"):
            coverage = _ask(rin, "/coverage", language).json()
            explained = _ask(rin, "/coverage/explanation", language).json()
            sentences = [
                *coverage["reasons"],
                *_ask(rin, "/overview", language).json()["why_not_green"],
                *(each["explanation"] for each in (*coverage["dimensions"], *explained["dimensions"])),
                *(group for each in explained["dimensions"] for group in each["groups"]),
                *(lift["lacks"] for each in explained["dimensions"] for lift in each["lifts"]),
            ]
            assert len(sentences) > 20
            assert [each for each in sentences if LATIN_WORD.search(each)] == []


def test_each_language_is_kept_apart_by_whoever_keeps_answers(served: Served, tongues: Sources) -> None:
    with served.client("rin", TENANT) as rin:
        thai, chinese = _ask(rin, "/links", "th"), _ask(rin, "/links", "zh")
        assert thai.json() == chinese.json()
        assert thai.headers["etag"] != chinese.headers["etag"]
        assert _ask(rin, "/links", "zh", **{"If-None-Match": thai.headers["etag"]}).status_code == 200
        again = _ask(rin, "/links", "th", **{"If-None-Match": thai.headers["etag"]})
    for answer in (thai, again):
        assert answer.headers["vary"] == "Accept-Language"
        assert answer.headers["content-language"] == "th"
    assert (again.status_code, again.content) == (304, b"")


def test_what_a_person_wrote_and_what_is_refused_stay_as_they_are(served: Served, tongues: Sources) -> None:
    conflict = tongues.item(property="postalCode")
    place, thai = f"/api/tenant/{TENANT}/conflicts/{conflict['conflict_id']}", {"Accept-Language": "th"}
    said = {
        "decision": "candidate",
        "number": 1,
        "digest": conflict["candidates_digest"],
        "role": "reviewer",
        "reason": FROM_A_PERSON,
    }
    with served.client("rin", TENANT) as rin:
        rin.post(f"{place}/signature", json=said, headers=thai).raise_for_status()
        tongues.say(2, ("postalCode", "", "83120"), tier=1)
        reasons = [each["reason"] for each in rin.get(place, headers=thai).json()["signatures"]]
        refused = rin.get(f"/api/tenant/{TENANT}/conflicts/con-none", headers=thai)
    assert reasons == [FROM_A_PERSON, "ค่าที่เสนอหรือกฎที่ใช้เปลี่ยนไป"]
    assert refused.json()["title"] == "There is no such conflict"
    assert "content-language" not in refused.headers


def test_the_parts_of_a_links_score_are_told_with_their_weights(served: Served) -> None:
    score = Score(4.5, Match.SAME, (Evidence("website", 5.4, "They share a website."), Evidence("own", 1.0, "Mine.")))
    told = as_told(score.explanation(), teller("zh", served.runtime.contracts.labels))
    assert told["parts"] == [
        {"comparator": "website", "bits": 5.4, "says": "网站相同。"},
        {"comparator": "own", "bits": 1.0, "says": "Mine."},
    ]
    assert told["bits"] == 4.5
