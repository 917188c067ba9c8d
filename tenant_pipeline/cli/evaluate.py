"""`evaluate`: how right a judgement is, held against gold data and beside the peer that a user would pick."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tenant_pipeline.cli.options import JsonOption
from tenant_pipeline.cli.shell import complaints, console, print_json
from tenant_pipeline.evaluation.counts import Counts, Interval, wilson
from tenant_pipeline.evaluation.gold import Subject, evaluations
from tenant_pipeline.evaluation.page import drawn
from tenant_pipeline.evaluation.report import Evaluation, Measured

SHOWN_ERRORS = 10


def evaluate(
    subject: Annotated[Subject, typer.Argument(help="The judgement to evaluate.")],
    data: Annotated[Path | None, typer.Option(help="A folder of gold data besides our own samples.")] = None,
    peers: Annotated[bool, typer.Option(help="Measure what a user would otherwise take as well.")] = True,
    page: Annotated[Path | None, typer.Option(help="Write a page with the scores drawn to this file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Hold a judgement against gold data: precision, recall, F-scores with intervals, and the worst errors."""
    with complaints.status(f"Evaluating {subject}"):
        done = list(evaluations(subject, data, peers=peers))
    if page is not None:
        page.write_text(drawn(done), encoding="utf-8")
    if as_json:
        print_json([each.as_json() for each in done])
        return
    for each in done:
        _print(each)


def _print(evaluation: Evaluation) -> None:
    for measured in evaluation.measured:
        console.print(_scores(measured))
        for name, value in measured.figures.items():
            shown = f"{value:.4f}" if isinstance(value, float) else value
            console.print(f"  {escape(name)}: [bold]{shown}[/]", highlight=False)
        for by, groups in measured.groups.items():
            console.print(_groups(by, list(groups.items())))
        for note in measured.notes:
            console.print(f"  [dim]{escape(note)}[/]", highlight=False)
        _print_errors(measured)
    for missing in evaluation.skipped:
        console.print(f"[yellow]not there:[/] {escape(missing)}", highlight=False)


def _scores(measured: Measured) -> Table:
    table = _empty(measured.dataset)
    _add(table, "[bold]ours[/]", measured.ours)
    for name, counts in measured.peers.items():
        _add(table, escape(name), counts)
    return table


def _groups(by: str, groups: Sequence[tuple[str, Counts]]) -> Table:
    table = _empty(by)
    for name, counts in groups:
        _add(table, escape(name), counts)
    return table


def _empty(title: str) -> Table:
    table = Table(title=escape(title), title_justify="left")
    for column in ("", "precision", "recall", "F1", "right", "made up", "missed"):
        table.add_column(column, justify="right" if column else "left", no_wrap=bool(column))
    return table


def _add(table: Table, name: str, counts: Counts) -> None:
    table.add_row(
        name,
        _score(counts.precision, wilson(counts.true_positives, counts.found)),
        _score(counts.recall, wilson(counts.true_positives, counts.there)),
        _score(counts.f(), counts.f1_interval()),
        f"{counts.true_positives:,}",
        f"{counts.false_positives:,}",
        f"{counts.false_negatives:,}",
    )


def _score(value: float | None, interval: Interval | None) -> str:
    if value is None or interval is None:
        return "–"
    return f"{value:.3f}\n[dim]{interval.low:.3f}–{interval.high:.3f}[/]"


def _print_errors(measured: Measured) -> None:
    if not measured.errors:
        return
    worst = sorted(measured.errors, key=lambda error: -error.weight)[:SHOWN_ERRORS]
    table = Table(title=f"The {len(worst)} worst of {len(measured.errors)} errors", title_justify="left")
    for column in ("where", "expected", "found", "why"):
        table.add_column(column, overflow="fold")
    for each in worst:
        table.add_row(escape(each.place), escape(each.expected), escape(each.found), escape(each.why))
    console.print(table)
