"""What is promised about what was seen: nothing that was is forgotten, and little else is taken for it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.seen_filter import SeenFilter

_KEYS = st.one_of(st.text(), st.tuples(st.text(), st.text(), st.text()))


@given(first=st.lists(_KEYS), later=st.lists(_KEYS))
def test_whatever_was_added_may_have_been_seen(first: list[object], later: list[object]) -> None:
    seen = SeenFilter()
    assert not any(seen.may_have_seen(first))
    seen.add(first)
    seen.add(later)
    assert all(seen.may_have_seen([*later, *first]))


def test_of_what_was_never_added_hardly_anything_is_taken_for_seen() -> None:
    seen = SeenFilter()
    for batch in range(100):
        seen.add([f"key {batch} {number}" for number in range(10_000)])
    assert sum(seen.may_have_seen([f"other {number}" for number in range(100_000)])) < 10
