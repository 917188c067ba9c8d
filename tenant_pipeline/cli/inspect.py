"""`inspect`: what we see in a file, before it is handed in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.tree import Tree

from tenant_pipeline.cli.shell import JsonOption, console, print_json
from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.services.inspection import InspectedObject, InspectedTable, inspect_path

SHOWN_PROBLEMS = 10


def inspect(
    path: Annotated[Path, typer.Argument(help="A file, a folder or an archive.")],
    origin: Annotated[Origin, typer.Option(help="Where it would come from.")] = Origin.MIXED,
    as_json: JsonOption = False,
) -> None:
    """Tell what we see in a file: format, encoding, tables, proposed mapping, problems. Nothing is stored."""
    found = inspect_path(path, origin, load_contracts())
    if as_json:
        print_json([each.as_json() for each in found])
        return
    for each in found:
        console.print(_drawn(each))


def _drawn(each: InspectedObject) -> Tree:
    if each.refused:
        tree = Tree(f"[bold red]✗[/] [bold]{each.path}[/]  refused: [red]{each.refused}[/]")
        tree.add(each.reason)
        return tree
    encoding = f", {each.encoding}" if each.encoding else ""
    sure = f"{each.confidence:.0%} sure"
    tree = Tree(
        f"[bold green]✓[/] [bold]{each.path}[/]  {each.media_type}{encoding} ({sure}), language {each.language}"
    )
    for table in each.tables:
        tree.add(_drawn_table(table))
    if each.problems:
        problems = tree.add(f"[yellow]{each.problems} problems[/]")
        for place, code, reason in each.first_problems[:SHOWN_PROBLEMS]:
            problems.add(f"{place}: [yellow]{code}[/] – {reason}")
        if each.problems > SHOWN_PROBLEMS:
            problems.add(f"… and {each.problems - SHOWN_PROBLEMS} more")
    return tree


def _drawn_table(table: InspectedTable) -> Table:
    name = table.name or "table"
    if table.proposal is None:
        drawn = Table(title=f"{name}: {table.rows} pieces of text", title_justify="left")
        drawn.add_column("fields")
        drawn.add_row(", ".join(table.fields))
        return drawn
    proposal = table.proposal
    today = f"mapped by {proposal.today}" if proposal.declared else f"would be {proposal.type}: {proposal.type_reason}"
    drawn = Table(title=f"{name}: {table.rows} records, {today}", title_justify="left")
    for column in ("field", "means", "sure", "why"):
        drawn.add_column(column, overflow="fold")
    for each in proposal.fields:
        means = f"{each.property}{'@' + each.lang if each.lang else ''}" if each.property else "[dim]nothing known[/]"
        drawn.add_row(each.field, means, f"{each.confidence:.0%}", "; ".join(each.reasons))
    return drawn
