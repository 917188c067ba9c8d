"""The standardise stage: canonical values beside raw ones, and no statement lost."""

from __future__ import annotations

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_pipeline.core.stage import Disposition, conserve_chain
from tenant_pipeline.core.standardise.stage import standardise
from tenant_pipeline.core.statement import STATEMENT_COLUMNS
from tests.unit.core.standardise_memory import (
    TEXT,
    TOKEN,
    VOCABULARY,
    MemoryStage,
    stage_of,
    statement,
    statements,
)


def run(*rows: dict[str, str]) -> MemoryStage:
    out = MemoryStage()
    (count,) = standardise(stage_of(statements(*rows)), out, vocabulary=VOCABULARY)
    count.conserve("standardise")
    return out


def test_the_value_becomes_canonical_and_the_raw_value_stays() -> None:
    out = run(statement("Event", "startDate", "13/03/2566"), statement("Place", "area", "2-1-50"))
    assert out.frame["value"].tolist() == ["2023-03-13", "3800"]
    assert out.frame["raw_value"].tolist() == ["13/03/2566", "2-1-50"]
    assert out.frame["method"].tolist() == [
        "mapping:venues@1.0.0;standardise:date-day-first-buddhist-era",
        "mapping:venues@1.0.0;standardise:area-title-deed",
    ]
    assert list(out.frame.columns) == list(STATEMENT_COLUMNS)
    assert set(out.frame.dtypes) == {TEXT}


def test_an_unreadable_value_is_rejected_at_its_locator() -> None:
    out = run(statement("Event", "startDate", "soon-4711", locator="o00003#row=9"), statement("Event", "name", "A"))
    (reject,) = out.rejects
    assert (reject.locator, reject.code, reject.disposition) == (
        "o00003#row=9",
        "date-unreadable",
        Disposition.REJECTED,
    )
    assert "4711" not in reject.reason
    assert out.frame["property"].tolist() == ["name"]


def test_a_pseudonym_passes_whatever_the_datatype() -> None:
    rows = [statement("Place", name, TOKEN, lang="th") for name in VOCABULARY.properties]
    out = run(*rows)
    assert out.frame["value"].tolist() == [TOKEN] * len(rows)
    assert not out.rejects


def test_several_numbers_in_a_cell_become_statements_of_their_own_in_order() -> None:
    rows = (
        statement("EventVenue", "telephone", "076-321234-5", locator="a"),
        statement("EventVenue", "telephone", "1155", locator="b"),
    )
    out = MemoryStage()
    (count,) = standardise(stage_of(statements(*rows)), out, vocabulary=VOCABULARY)
    assert (count.rows_in, count.rows_out, count.emitted) == (2, 2, 3)
    assert list(zip(out.frame["locator"], out.frame["value"], strict=True)) == [
        ("a", "+6676321234"),
        ("a", "+6676321235"),
        ("b", "1155"),
    ]


def test_a_language_nobody_stated_is_told_by_the_script() -> None:
    out = run(
        statement("Place", "name", "ภูเก็ต"),
        statement("Place", "name", "普吉", lang="zh-Hans"),
        statement("Place", "geo", "7.88,98.39"),
    )
    assert out.frame["lang"].tolist() == ["th", "zh-Hans", ""]
    assert out.frame["method"].iloc[0].endswith(";standardise:name,language-by-script")


def test_a_property_without_languages_has_none_whatever_was_stated() -> None:
    out = run(
        statement("Place", "maximumAttendeeCapacity", "500"),
        statement("Place", "maximumAttendeeCapacity", "700", lang="en"),
        statement("Place", "email", TOKEN, lang="th"),
        statement("Place", "name", "Phuket", lang="en"),
        statement("Place", "unheard-of", "x", datatype="text", lang="en"),
    )
    assert out.frame["lang"].tolist() == ["", "", "", "en", "en"]


def test_validity_dates_become_iso_or_the_statement_is_rejected() -> None:
    out = run(
        statement("Place", "name", "A", valid_from="2566", valid_to="มี.ค. 2567"),
        statement("Place", "name", "A", valid_from="long ago"),
    )
    assert (out.frame["valid_from"].tolist(), out.frame["valid_to"].tolist()) == (["2023"], ["2024-03"])
    assert [reject.code for reject in out.rejects] == ["validity-unreadable"]


def test_a_datatype_that_does_not_exist_is_a_reject() -> None:
    assert [reject.code for reject in run(statement("Place", "name", "A", datatype="colour")).rejects] == [
        "datatype-unknown"
    ]


def test_tables_keep_their_names_and_batches_and_an_empty_one_is_written() -> None:
    empty = statements()
    out = MemoryStage()
    (count,) = standardise(stage_of(empty), out, vocabulary=VOCABULARY)
    assert (count.rows_in, count.emitted) == (0, 0)
    (table,) = out.written
    assert table.descriptor.name == "venues"
    assert list(table.frames[0].columns) == list(STATEMENT_COLUMNS)
    assert set(table.frames[0].dtypes) == {TEXT}


rows = st.lists(
    st.builds(
        lambda name, value, lang, locator: statement("Place", name, value, lang=lang, locator=locator),
        st.sampled_from(sorted(VOCABULARY.properties)),
        st.one_of(st.text(max_size=12), st.sampled_from(["1155, 191", "2566", "7,98", "ไทย", "a@b.co;c@d.co", TOKEN])),
        st.sampled_from(["", "th", "en"]),
        st.text("ab#=", max_size=4),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(rows, st.integers(1, 7))
def test_no_statement_is_lost_and_batches_do_not_matter(given: list[dict[str, str]], size: int) -> None:
    whole, parts = MemoryStage(), MemoryStage()
    counts = standardise(stage_of(statements(*given)), whole, vocabulary=VOCABULARY)
    frames = [statements(*given[start : start + size]) for start in range(0, len(given), size)] or [statements()]
    assert standardise(stage_of(*frames), parts, vocabulary=VOCABULARY) == counts
    conserve_chain(counts, None, "standardise")
    assert counts[0].rows_in == len(given)
    assert counts[0].rejected == whole.rejected(Disposition.REJECTED) == len(whole.rejects)
    assert counts[0].emitted == len(whole.frame)
    assert whole.rejects == parts.rejects
    pd.testing.assert_frame_equal(whole.frame, parts.frame)
