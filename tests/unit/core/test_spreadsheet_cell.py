"""What is promised about cells of a spreadsheet: none is a formula, and what is none stays as it is."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.spreadsheet_cell import spreadsheet_cell

SIGNS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"]
NUMBER = re.compile(r"[+-][0-9.]+(?:[eE][+-]?[0-9]+)?")
BEFORE = st.text(alphabet=" \u00a0\u3000\u200b\ufeff\"'\u201c\u2018\u0000", max_size=4)


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("https://evil.example";"x")', "+66 76 000 000", "-2+3+cmd|' /C calc'!A0", "@SUM(1)", "\t=1", "\r=1",
        "＝1+1", "＋1x", "－1x", "＠x", " =1", "\u00a0=1", '"=1', "\u201c=1", "\ufeff=1", "-", "=", "-1.5.2", "- 1",
        "-x", "+cmd", "-1,5", "\u200b=1",
    ],
)  # fmt: skip
def test_a_text_that_could_be_a_formula_gets_an_apostrophe(text: str) -> None:
    assert spreadsheet_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    "text",
    ["", "-1.5", "+3", "0", "-0.000001", "1e6", "-2E-3", "7.880000,98.390000", "Phuket = โรงแรม", "a@b.example", "'",
     "'quoted'", '"', "普吉", " leading", "2026-01-02", "can-00=", "⟦EMAIL_ADDRESS:k1:00⟧"],
)  # fmt: skip
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert spreadsheet_cell(text) == text


@given(
    BEFORE, st.sampled_from(SIGNS), st.text(min_size=1).filter(lambda rest: not rest[0].isdigit() and rest[0] != ".")
)
def test_a_sign_behind_blanks_and_quotes_is_never_first(before: str, sign: str, rest: str) -> None:
    assert spreadsheet_cell(f"{before}{sign}{rest}").startswith("'")


@given(st.text())
def test_only_an_apostrophe_is_ever_added_and_only_once(text: str) -> None:
    cell = spreadsheet_cell(text)
    assert cell in (text, f"'{text}")
    assert spreadsheet_cell(cell) == cell


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_a_number_stays_a_number(number: object) -> None:
    assert spreadsheet_cell(str(number)) == str(number)


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"])), min_size=1))
def test_no_cell_of_a_written_file_begins_with_a_sign(texts: list[str]) -> None:
    written = io.StringIO()
    csv.writer(written).writerow([spreadsheet_cell(text) for text in texts])
    (row,) = csv.reader(io.StringIO(written.getvalue(), newline=""))
    for cell in row:
        assert cell[:1] not in SIGNS or NUMBER.fullmatch(cell)
