"""What others wrote gives the terminal of who reads it no orders."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from tenant_pipeline.cli import main, tenant
from tenant_pipeline.cli.shell import PrintingConsole, print_json, print_rows
from tenant_pipeline.core.errors import NotAllowedError
from tenant_pipeline.core.printable import ORDERS
from tenant_pipeline.services.lifecycle import InstanceLeft, StateChanged

HOSTILE = "Hall\x1b]0;mine\x07 \x1b[2J\x9b31m \u202egnp\u2066 \r\x08"


def orders_in(text: str) -> set[str]:
    return {each for each in text if ord(each) in ORDERS}


def test_a_table_shows_a_hostile_title_as_text() -> None:
    shown = io.StringIO()
    table = Table()
    table.add_column("title")
    table.add_row(Text(HOSTILE))
    console = PrintingConsole(file=shown, width=120)
    console.print(table)
    console.print(HOSTILE, markup=False)
    assert orders_in(shown.getvalue()) == set()
    assert "Hall" in shown.getvalue()


def test_colours_of_ours_are_still_shown() -> None:
    shown = io.StringIO()
    PrintingConsole(file=shown, force_terminal=True, color_system="standard").print("[red]no[/red]")
    assert "\x1b[31mno" in shown.getvalue()


def test_what_an_error_says_is_shown_letter_by_letter(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main._complain(NotAllowedError("The role [/x] may not", where="row:100:[b]", remedy="Not as [red]"))
    assert ended.value.code == 6
    told = capsys.readouterr().err
    assert [words for words in ("The role [/x] may not", "row:100:[b]", "Not as [red]") if words not in told] == []


def test_what_a_cluster_and_a_table_call_themselves_is_shown_letter_by_letter(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tenant._print_changed("Moved", StateChanged({}, InstanceLeft("clock", "denied: [must-have-owner]")), False)
    print_rows("Table [halls] row:100:2", [], ("field",), as_json=False)
    shown = capsys.readouterr()
    assert "denied: [must-have-owner]" in shown.err
    assert "Table [halls] row:100:2" in " ".join(shown.out.split())


@given(st.text())
def test_json_for_programs_means_the_same_and_gives_no_orders(text: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        shown = io.StringIO()
        patched.setattr("sys.stdout", shown)
        print_json({"title": text + HOSTILE})
    assert json.loads(shown.getvalue()) == {"title": text + HOSTILE}
    assert orders_in(shown.getvalue()) == set()
