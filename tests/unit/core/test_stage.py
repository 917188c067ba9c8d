"""No row is ever lost: the law that every stage is held to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.errors import ConservationError
from tenant_pipeline.core.stage import STAGES, Stage, StageCount, conserve_chain

counts = st.integers(0, 10**9)


def test_there_are_nine_stages_and_each_follows_the_one_before() -> None:
    assert len(STAGES) == 9
    assert [stage.before for stage in STAGES] == [None, *STAGES[:-1]]
    assert STAGES[0] is Stage.RECEIVE
    assert STAGES[-1] is Stage.ASSEMBLE


@given(out=counts, rejected=counts, quarantined=counts)
def test_rows_that_are_accounted_for_pass(out: int, rejected: int, quarantined: int) -> None:
    count = StageCount("row", out + rejected + quarantined, out, rejected, quarantined, out, "record")
    assert count.conserve("here") is count


@given(out=counts, rejected=counts, quarantined=counts, off=st.integers(1, 10**9), sign=st.sampled_from((-1, 1)))
def test_a_lost_or_invented_row_is_an_error(out: int, rejected: int, quarantined: int, off: int, sign: int) -> None:
    count = StageCount("row", out + rejected + quarantined + sign * off, out, rejected, quarantined, out, "record")
    with pytest.raises(ConservationError, match="accounted for"):
        count.conserve("here")


def test_what_one_stage_emits_must_come_in_at_the_next() -> None:
    emitted = StageCount("row", 3, 3, 0, 0, 12, "record")
    conserve_chain((StageCount("record", 12, 12, 0, 0, 12, "record"),), emitted, "here")
    with pytest.raises(ConservationError, match="upstream emitted 12 record rows"):
        conserve_chain((StageCount("record", 11, 11, 0, 0, 11, "record"),), emitted, "here")
    with pytest.raises(ConservationError, match="statement"):
        conserve_chain((StageCount("statement", 12, 12, 0, 0, 12, "statement"),), emitted, "here")


def test_a_chain_within_a_stage_is_held_too() -> None:
    objects = StageCount("object", 2, 1, 0, 1, 10, "row")
    conserve_chain((objects, StageCount("row", 10, 9, 1, 0, 9, "record")), None, "here")
    with pytest.raises(ConservationError):
        conserve_chain((objects, StageCount("row", 9, 9, 0, 0, 9, "record")), None, "here")
