"""What becomes an item of the conflict matrix, what is proposed, and what a sign-off covers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_pipeline.core.conflict import find, validity
from tenant_pipeline.core.conflict.comparators.registry import compare
from tenant_pipeline.core.conflict.comparison import Candidate, Compared, ConflictItem, Verdict
from tenant_pipeline.core.conflict.find import find_conflicts
from tenant_pipeline.core.conflict.resolution import MOST_VALUES, propose
from tenant_pipeline.core.conflict.standing import SourceStanding
from tenant_pipeline.core.vocabulary import PropertyDefinition
from tests.unit.core.conflict_candidates import VOCABULARY, candidate, frame

LATER = {"valid_from": "2024-01-01", "valid_to": "2025-12-31"}
EARLIER = {"valid_from": "2020", "valid_to": "2023"}


def items(*rows: dict[str, Any]) -> list[ConflictItem]:
    return find_conflicts(frame(*rows), VOCABULARY)


def stored(*rows: dict[str, Any]) -> pd.DataFrame:
    """The rows as they come from where they are kept."""
    rows_in_columns: pd.DataFrame = pa.Table.from_pylist(list(rows)).to_pandas(types_mapper=pd.ArrowDtype)
    return rows_in_columns


def test_no_candidates_make_no_items() -> None:
    assert find_conflicts(stored(candidate("Patong", "a")).head(0), VOCABULARY) == []


def test_one_source_does_not_contradict_itself() -> None:
    assert items(candidate("Patong", "a"), candidate("Kathu", "a")) == []


def test_sources_that_write_the_same_are_no_item() -> None:
    assert items(candidate("Patong", "a"), candidate("Patong", "b")) == []


def test_a_raw_difference_that_standardisation_took_away_is_still_explained() -> None:
    (item,) = items(candidate("Patong", "a"), candidate("Patong", "b", raw_value=" Patong "))
    assert (item.verdict, item.rule) == (Verdict.SAME, "equal_after_standardisation")
    assert (item.proposed_value, item.proposed_rule) == ("Patong", "one_value")


@pytest.mark.parametrize("absent", ["", None])
def test_an_absent_value_is_no_candidate(absent: str | None) -> None:
    silent = {**candidate("", "c"), "value": absent, "raw_value": absent}
    assert find_conflicts(stored(candidate("Patong", "a"), silent), VOCABULARY) == []
    (item,) = find_conflicts(stored(candidate("Patong", "a"), candidate("Kathu", "b"), silent), VOCABULARY)
    assert [one.source_id for one in item.candidates] == ["a", "b"]


def test_a_multi_valued_property_never_conflicts() -> None:
    rows = [candidate(value, source, property="telephone", lang="") for value, source in (("1", "a"), ("2", "b"))]
    assert items(*rows) == []


def test_names_in_two_languages_are_two_questions() -> None:
    assert items(candidate("Phuket", "a"), candidate("ภูเก็ต", "b", lang="th")) == []


def test_values_that_held_one_after_the_other_do_not_contradict_each_other() -> None:
    (item,) = items(candidate("Patong Hall", "a", **EARLIER), candidate("Kathu Hall", "b", **LATER))
    assert (item.verdict, item.rule) == (Verdict.SAME, "valid_at_different_times")
    for overlapping in ({}, {"valid_from": "2023-06-01"}, {"valid_to": "2022"}):
        (item,) = items(candidate("Patong Hall", "a", **EARLIER), candidate("Kathu Hall", "b", **overlapping))
        assert item.verdict is Verdict.DIFFERS


def test_values_of_which_nobody_says_when_they_held_are_compared() -> None:
    rows = frame(candidate("Patong Hall", "a"), candidate("Kathu Hall", "b"))
    (item,) = find_conflicts(rows.drop(columns=["valid_from", "valid_to"]), VOCABULARY)
    assert (item.verdict, item.rule) == (Verdict.DIFFERS, "names_differ")


def test_of_values_that_held_one_after_the_other_one_is_proposed_for_each_time() -> None:
    (item,) = items(
        candidate("Patong Hall", "a", authority_tier=1, **EARLIER),
        candidate("Kathu Hall", "b", authority_tier=1, **LATER),
        candidate("KATHU HALL", "c", authority_tier=3, **LATER),
        candidate("Rawai Hall", "d", valid_to="2019"),
    )
    assert (item.verdict, item.rule) == (Verdict.SAME, "valid_at_different_times")
    assert (item.proposed_values[0], len(item.proposed_values)) == (item.proposed_value, 3)
    assert set(item.proposed_values) == {"Patong Hall", "Kathu Hall", "Rawai Hall"}
    assert not item.needs_person, "tier 1 does not contradict itself over another time"
    assert item.explanation[-1] == "3 values are proposed, each for its own time."


def test_where_some_values_held_at_one_time_and_differ_a_person_is_asked() -> None:
    apart = candidate("Patong Hall", "a", **EARLIER), candidate("Kathu Hall", "b", authority_tier=1, **LATER)
    (item,) = items(*apart, candidate("Rawai Hall", "c", **LATER))
    assert (item.verdict, item.rule, item.needs_person) == (Verdict.DIFFERS, "names_differ", True)
    assert item.needs_person_reason == "Some of the values held one after the other, and others at one time."
    assert item.proposed_values == ("Kathu Hall", "Patong Hall")


def test_an_interval_in_which_a_value_ends_or_begins_counts_whole() -> None:
    for ends, begins, verdict in (
        ("2019/2021", "2020", Verdict.DIFFERS),
        ("2018/2019", "2020", Verdict.SAME),
        ("2019", "2018/2020", Verdict.DIFFERS),
        ("2019", "2020/2022", Verdict.SAME),
    ):
        (item,) = items(candidate("Patong", "a", valid_to=ends), candidate("Kathu", "b", valid_from=begins))
        assert item.verdict is verdict, (ends, begins)


def test_of_too_many_values_for_different_times_none_is_left_out_of_the_proposal() -> None:
    years = [candidate(f"Hall {n}", f"s{n}", valid_from=str(n), valid_to=str(n)) for n in range(1950, 1991)]
    (item,) = items(*years)
    assert (len(years) > MOST_VALUES, len(item.proposed_values), item.needs_person) == (True, len(years), True)


def test_values_of_many_periods_are_held_against_each_other_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    overlap = validity._overlap

    def counted(one: Candidate, other: Candidate) -> bool:
        compared.append(1)
        return overlap(one, other)

    monkeypatch.setattr(validity, "_overlap", counted)
    for periods in (200, 400):
        compared.clear()
        years = [
            candidate(("Patong Hall", "Kathu Hall")[n % 2], ("a", "b")[n % 2], valid_from=str(n), valid_to=str(n))
            for n in range(1500, 1500 + periods)
        ]
        (item,) = items(*years)
        assert len(item.proposed_values) == 2
        assert len(compared) <= 2 * (periods // 2) ** 2


def test_the_gravest_pair_gives_the_verdict() -> None:
    (item,) = items(candidate("Patong", "a"), candidate("PATONG", "b"), candidate("Kathu", "c"))
    assert (item.verdict, item.rule) == (Verdict.DIFFERS, "names_differ")


def test_of_many_values_none_is_left_out_and_a_person_is_asked() -> None:
    spellings = [candidate("Patong" + " " * n, f"s{n:03d}") for n in range(MOST_VALUES + 1)]
    (item,) = items(*spellings)
    assert (item.verdict, item.needs_person) == (Verdict.SAME, True)
    assert "several things" in item.needs_person_reason
    (item,) = items(*spellings, candidate("Zzz", "zz"))
    assert (item.verdict, item.rule) == (Verdict.DIFFERS, "names_differ")


def test_of_many_values_each_is_compared_with_the_proposed_one_and_not_with_every_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[tuple[str, str]] = []

    def counted(left: str, right: str, lang: str, definition: PropertyDefinition) -> Compared:
        compared.append((left, right))
        return compare(left, right, lang, definition)

    def capitals(number: int) -> str:
        return "".join(letter.upper() if number >> place & 1 else letter for place, letter in enumerate("patongbeach"))

    monkeypatch.setattr(find, "compare", counted)
    for count in (400, 800):
        sources = [f"s{number:03d}" for number in range(count)]
        standings = {source: SourceStanding(source, 0.8) for source in sources}
        for values in (sources, [capitals(number) for number in range(count)]):
            compared.clear()
            said = [candidate(value, source) for value, source in zip(values, sources, strict=True)]
            (item,) = find_conflicts(frame(*said), VOCABULARY, standings)
            assert (item.needs_person, len(item.advice)) == (True, count)
            assert len(compared) < 2 * count


def test_the_regulator_wins_over_any_number_of_wikis() -> None:
    (item,) = items(
        candidate("Kathu", "wiki", authority_tier=3, observed_at="2026-11-01T00:00:00Z"),
        candidate("Kathu", "another wiki", authority_tier=3, observed_at="2026-11-01T00:00:00Z"),
        candidate("Patong", "regulator", authority_tier=1, observed_at=""),
    )
    assert (item.proposed_value, item.proposed_rule, item.needs_person) == ("Patong", "authority_tier", False)
    assert item.explanation == ("Sources of the best authority tier come first. 1 of 2 values are left.",)


def test_tier_one_against_tier_one_needs_a_person() -> None:
    tier_one = candidate("Patong", "a", authority_tier=1), candidate("Kathu", "b", authority_tier=1)
    (item,) = items(*tier_one, candidate("Kathu", "c"))
    assert item.needs_person


def test_nothing_but_the_order_of_statements_decides_for_nobody() -> None:
    (item,) = items(candidate("Patong", "a"), candidate("Kathu", "b"))
    assert (item.proposed_rule, item.needs_person) == ("statement_id", True)
    (item,) = items(candidate("Patong", "a"), candidate("PATONG", "b"))
    assert (item.proposed_rule, item.needs_person) == ("statement_id", False)


def test_tier_one_in_agreement_with_itself_decides_against_the_rest() -> None:
    (item,) = items(
        candidate("Patong", "a", authority_tier=1),
        candidate("PATONG", "b", authority_tier=1),
        candidate("Kathu", "c", authority_tier=3),
    )
    assert item.verdict is Verdict.DIFFERS
    assert not item.needs_person


def test_two_sources_outweigh_one_of_the_same_tier() -> None:
    (item,) = items(candidate("Patong", "a"), candidate("Kathu", "b"), candidate("Kathu", "c"))
    assert (item.proposed_value, item.proposed_rule) == ("Kathu", "independent_corroboration")


def test_who_does_not_say_when_is_older_than_who_does() -> None:
    for seen in ("2024-01-01", datetime(2024, 1, 1, tzinfo=UTC)):
        rows = stored(candidate("Patong", "a", observed_at=None), candidate("Kathu", "b", observed_at=seen))
        (item,) = find_conflicts(rows, VOCABULARY)
        assert (item.proposed_value, item.proposed_rule) == ("Kathu", "recency")
        assert item.candidates[0].observed_at == ""


def test_spellings_of_one_name_confirm_each_other() -> None:
    (item,) = items(
        candidate("Pa Tong", "a"),
        candidate("Patong", "b"),
        candidate("Patong", "c", authority_tier=3),
        candidate("Kathu", "d", observed_at="2026-11-01T00:00:00Z"),
    )
    assert (item.proposed_value, item.proposed_rule) == ("Patong", "independent_corroboration")


def test_ai_text_confirms_nothing() -> None:
    (item,) = items(
        candidate("Kathu", "a", observed_at="2026-02-01T00:00:00Z"),
        candidate("Patong", "b"),
        *(candidate("Patong", origin, origin=origin, authority_tier=5) for origin in ("chatgpt", "claude", "gemini")),
    )
    assert (item.proposed_value, item.proposed_rule) == ("Kathu", "recency")


def test_a_masked_value_gives_way_to_one_that_can_be_read() -> None:
    (item,) = items(candidate("⟦PERSON⟧", "a", authority_tier=1), candidate("Patong", "b"))
    assert (item.proposed_value, item.proposed_rule) == ("Patong", "drop_invalid")


def test_a_persons_pin_stands_before_every_rule() -> None:
    (item,) = items(candidate("Patong", "a", authority_tier=1), candidate("Kathu", "b", authority_tier=1))
    pinned = propose(item.candidates, lambda left, right: Verdict.DIFFERS, pin="Kathu")
    assert (pinned.value, pinned.rule, pinned.needs_person) == ("Kathu", "human_pin", False)


def test_a_sign_off_covers_who_says_what_on_what_authority_and_for_when() -> None:
    rows = [candidate("Patong", "a"), candidate("Kathu", "b")]
    (signed,) = items(*rows)
    changes: list[dict[str, Any]] = [
        {"raw_value": "PATONG"},
        {"authority_tier": 1},
        {"origin": "regulator"},
        {"valid_from": "2026-11-01"},
    ]
    for change in changes:
        (changed,) = items({**rows[0], **change}, rows[1])
        assert changed.candidates_digest != signed.candidates_digest, change
    (more,) = items(*rows, candidate("Kathu", "c"))
    assert more.candidates_digest != signed.candidates_digest


def test_a_row_that_moved_or_was_seen_again_does_not_reopen_a_sign_off() -> None:
    rows = [candidate("Patong", "a", authority_tier=1), candidate("Kathu", "b")]
    (signed,) = items(*rows)
    (again,) = items({**rows[0], "locator": "o00001#row=99", "observed_at": "2026-11-01T00:00:00Z"}, rows[1])
    assert again.candidates_digest == signed.candidates_digest


def verdicts(*rows: dict[str, Any]) -> dict[tuple[str, str, str], Verdict]:
    return {(item.canonical_id, item.property, item.lang): item.verdict for item in items(*rows)}


rows_of_some_sources = st.lists(
    st.builds(
        candidate,
        st.sampled_from(["Patong", "PATONG", "Pa Tong", "Kathu", "ป่าตอง", ""]),
        st.sampled_from(["a", "b", "c"]),
        canonical_id=st.sampled_from(["can-1", "can-2"]),
        lang=st.sampled_from(["en", ""]),
        authority_tier=st.integers(1, 3),
        origin=st.sampled_from(["regulator", "partner-doc", "chatgpt"]),
        observed_at=st.sampled_from(["", "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"]),
    ),
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(rows_of_some_sources, st.randoms(use_true_random=False))
def test_the_order_of_candidates_changes_nothing(rows: list[dict[str, Any]], random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert items(*shuffled) == items(*rows)


@settings(max_examples=40, deadline=None)
@given(rows_of_some_sources)
def test_the_verdict_goes_by_the_values_and_not_by_who_says_them_and_how_often(rows: list[dict[str, Any]]) -> None:
    again = [{**row, "source_id": "z", "statement_id": f"st-z{n}"} for n, row in enumerate(rows)]
    each_by_another = [{**row, "source_id": f"s{n}"} for n, row in enumerate(rows)]
    before, after = verdicts(*rows), verdicts(*rows, *again)
    assert before.items() <= after.items()
    assert after == verdicts(*each_by_another)


@settings(max_examples=40, deadline=None)
@given(rows_of_some_sources)
def test_the_proposal_is_one_of_the_candidates(rows: list[dict[str, Any]]) -> None:
    for item in items(*rows):
        assert item.proposed_value in {one.value for one in item.candidates}


def test_a_candidate_is_kept_with_all_that_the_ranking_looked_at() -> None:
    (item,) = items(candidate("Patong", "a"), candidate("Kathu", "b"))
    assert set(item.candidates[0].as_json()) == set(Candidate.__dataclass_fields__)
