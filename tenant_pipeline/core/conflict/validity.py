"""Valid time: values that held one after the other do not contradict each other."""

from __future__ import annotations

from collections.abc import Sequence

from tenant_pipeline.core.conflict.comparison import Candidate

VALID_AT_DIFFERENT_TIMES = "valid_at_different_times"


def hold_together(some: Sequence[Candidate], others: Sequence[Candidate]) -> bool:
    """Whether any of these candidates and any of the others are said to hold at one time.

    A candidate without a valid time holds always; times are ISO 8601 text, and an end is the last day on which the
    value holds.
    """
    return any(_overlap(one, other) for one in some for other in others)


def _overlap(one: Candidate, other: Candidate) -> bool:
    return not (_ends_before(one, other) or _ends_before(other, one))


def _ends_before(one: Candidate, other: Candidate) -> bool:
    """Whether the one has ended when the other begins; a coarser date covers all that begins with it.

    Where such a date is an interval itself, the one may hold to its end, and the other from its beginning.
    """
    end, beginning = one.valid_to.rpartition("/")[2], other.valid_from.partition("/")[0]
    digits = min(len(end), len(beginning))
    return end[:digits] < beginning[:digits]
