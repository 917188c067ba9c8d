"""What the knowledge base rested on is told from the records, whatever came back and whatever never got through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.stage import STAGES, Stage
from tenant_pipeline.services.retention.standings import READ_WITHIN, Trail

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
VERSIONS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, len(STAGES))), max_size=12)
"""The content of each version, and through how many stages it comes."""


def _records(versions: list[tuple[str, int]]) -> list[dict[str, Any]]:
    """The records of a source with a version a day: a stage keeps one for each input, the last two for each taking."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    taken_in, taking = "", 0
    for number, (content, stages) in enumerate(versions, 1):
        digest = content
        for stage in STAGES[:stages]:
            if stage is Stage.LINK and content != taken_in:
                taken_in, taking = content, taking + 1
            code = str(taking) if stage in (Stage.LINK, Stage.ASSEMBLE) else ""
            output = f"{stage} {code} of {digest}"
            found.setdefault(
                (stage, digest, code),
                {"stage": str(stage), "input_digest": digest, "output_digest": output, "finished_at": _at(number)},
            )
            digest = output
    return sorted(found.values(), key=lambda row: row["finished_at"])


def _at(number: int) -> datetime:
    return BEGIN + number * DAY


@given(VERSIONS)
def test_what_was_assembled_stands_until_something_else_is(versions: list[tuple[str, int]]) -> None:
    standings = Trail(_records(versions)).standings()
    in_force = ""
    for number, (content, stages) in enumerate(versions, 1):
        in_force = content if stages == len(STAGES) else in_force
        now = [each for each in standings if each.since <= _at(number) < (each.until or _at(number + 1))]
        assert [each.unit for each in now] == ([in_force] if in_force else [])
    assert [each.until for each in standings] == [*(each.since for each in standings[1:]), None][: len(standings)]
    assert all(len(each.outputs) == len(STAGES) for each in standings)


@given(VERSIONS, st.integers(0, 14 * 24))
def test_a_release_rests_on_what_was_in_force_when_it_was_built(versions: list[tuple[str, int]], hours: int) -> None:
    built = BEGIN + timedelta(hours=hours, minutes=1)
    standings = Trail(_records(versions)).standings()
    in_force = [each for each in standings if each.since <= built]
    found = [each for each in standings if each.may_be_in([built])]
    assert set(in_force[-1:]) <= set(found)
    assert all(each.since <= built + READ_WITHIN for each in found)
    assert all(each.until is None or each.until >= built - READ_WITHIN for each in found)
    assert not any(each.may_be_in([]) for each in standings)


def test_what_is_assembled_while_a_release_is_read_and_what_it_supersedes_may_both_be_in_it() -> None:
    before, after = Trail(_records([("a", len(STAGES)), ("b", len(STAGES))])).standings()
    soon = after.since + READ_WITHIN / 2
    assert before.may_be_in([soon])
    assert after.may_be_in([soon])
    assert not before.may_be_in([BEGIN, after.since + 2 * READ_WITHIN])
    assert after.may_be_in([BEGIN, after.since + 2 * READ_WITHIN])
