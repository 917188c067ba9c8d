"""When a new version of a feed waits for a person."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.feed.profile import Expectations, FeedProfile, reasons_to_wait

FIELDS = frozenset({("id", "name", "opened")})
BEFORE = FeedProfile(100, FIELDS)
PROFILES = st.builds(
    FeedProfile,
    st.integers(0, 10**9),
    st.frozensets(st.lists(st.text(max_size=8), max_size=4).map(tuple), max_size=3),
)


def _codes(new: FeedProfile, before: FeedProfile | None = BEFORE, **expected: float) -> list[str]:
    reasons = reasons_to_wait(new, before, Expectations(**expected), {})  # type: ignore[arg-type]
    return [reason.partition(":")[0] for reason in reasons]


def test_what_looks_as_before_flows_on() -> None:
    assert _codes(FeedProfile(100, FIELDS)) == []
    assert _codes(FeedProfile(50, FIELDS)) == []
    assert _codes(FeedProfile(100_000, FIELDS)) == []


def test_what_shrinks_by_more_than_is_expected_waits() -> None:
    assert _codes(FeedProfile(49, FIELDS)) == ["shrunk"]
    assert _codes(FeedProfile(49, FIELDS), most_loss=0.6) == []
    assert _codes(FeedProfile(99, FIELDS), most_loss=0.0) == ["shrunk"]
    assert _codes(FeedProfile(0, FIELDS), most_loss=1.0) == []


def test_a_field_that_goes_or_comes_is_named() -> None:
    changed = FeedProfile(100, frozenset({("id", "name", "closed")}))
    (reason,) = reasons_to_wait(changed, BEFORE, Expectations(), {})
    assert reason == "schema-changed: without opened, with closed"
    assert _codes(FeedProfile(100, frozenset({("name", "id", "opened")}))) == ["schema-changed"]


def test_the_first_version_needs_but_the_least_rows() -> None:
    assert _codes(FeedProfile(3, FIELDS), None) == []
    assert _codes(FeedProfile(3, FIELDS), None, least_rows=4) == ["too-few-rows"]


def test_what_cannot_be_read_waits_and_says_why() -> None:
    assert reasons_to_wait(BEFORE, BEFORE, Expectations(), {"file 1": "it is broken"}) == (
        "unreadable: file 1: it is broken",
    )


@given(PROFILES)
def test_a_profile_is_kept_as_it_is(profile: FeedProfile) -> None:
    assert FeedProfile.from_json(profile.as_json()) == profile


@given(PROFILES)
def test_the_same_again_never_waits(profile: FeedProfile) -> None:
    assert reasons_to_wait(profile, profile, Expectations(), {}) == ()
