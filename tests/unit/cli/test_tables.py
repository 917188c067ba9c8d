"""A table can be read and copied from in a window of eighty columns."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tenant_pipeline.cli import shell

NARROW = 80


@pytest.mark.parametrize("name", ["src-2a3491fb7d3e346b", "20261129T115838Z-f89866cd", "phuket-mice"])
def test_what_a_row_is_named_by_is_in_one_piece(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(shell, "console", Console(file=printed, width=NARROW))
    others = tuple(f"another_column_{number}" for number in range(4))
    shell.print_rows(
        "Rows", [{"id": name, **dict.fromkeys(others, "with words in it")}], ("id", *others), as_json=False
    )
    assert name in printed.getvalue()
    assert max(map(len, printed.getvalue().splitlines())) <= NARROW


def test_many_columns_are_not_broken_into_letters_for_a_long_name(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(shell, "console", Console(file=printed, width=NARROW))
    others = tuple(f"column_{number}" for number in range(6))
    shell.print_rows("Rows", [{"id": "a" * 40, **dict.fromkeys(others, "readable")}], ("id", *others), as_json=False)
    assert printed.getvalue().count("readab") == len(others)
    assert max(map(len, printed.getvalue().splitlines())) <= NARROW


def test_a_name_that_is_longer_than_a_window_is_shown_whole_over_several_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(shell, "console", Console(file=printed, width=NARROW))
    shell.print_rows("Files", [{"file": "a" * 200}], ("file",), as_json=False)
    assert printed.getvalue().count("a") == 200
