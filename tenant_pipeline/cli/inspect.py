"""`inspect`: what we see in a file, before it is handed in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from tenant_pipeline.cli.options import JsonOption
from tenant_pipeline.cli.shell import console, print_json
from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.intake.readers.item import SEGMENTS
from tenant_pipeline.services.inspection import InspectedObject, InspectedTable, inspect_path
from tenant_pipeline.settings import Settings

SHOWN_PROBLEMS = 10


def inspect(
    path: Annotated[Path, typer.Argument(help="A file, a folder or an archive.")],
    origin: Annotated[Origin, typer.Option(help="Where it would come from.")] = Origin.MIXED,
    as_json: JsonOption = False,
) -> None:
    """Tell what we see in a file: format, encoding, tables, proposed mapping, problems. Nothing is stored."""
    found = inspect_path(path, origin, load_contracts(Settings().contracts))
    if as_json:
        print_json([each.as_json() for each in found])
        return
    for each in found:
        console.print(_drawn(each))


def _drawn(each: InspectedObject) -> Tree:
    path = f"[bold]{escape(each.path)}[/]"
    if each.refused:
        tree = Tree(f"[bold red]✗[/] {path}  refused: [red]{each.refused}[/]")
        tree.add(escape(each.reason))
        return tree
    encoding = f", {each.encoding}" if each.encoding else ""
    found = f"{each.media_type}{encoding} ({each.confidence:.0%} sure), language {each.language}"
    tree = Tree(f"[bold green]✓[/] {path}  {found}")
    for table in each.tables:
        _add_table(tree, table)
    if each.problems:
        problems = tree.add(f"[yellow]{each.problems} problems[/]")
        for place, code, reason in each.first_problems[:SHOWN_PROBLEMS]:
            problems.add(f"{escape(place)}: [yellow]{code}[/] – {escape(reason)}")
        if each.problems > SHOWN_PROBLEMS:
            problems.add(f"… and {each.problems - SHOWN_PROBLEMS} more")
    return tree


def _add_table(tree: Tree, table: InspectedTable) -> None:
    name = f"[bold]{escape(table.name or 'table')}[/]"
    if table.shape == SEGMENTS:
        tree.add(f"{name}: {table.rows} pieces of text ({escape(', '.join(table.fields))})")
    elif table.proposal is None:
        branch = tree.add(f"{name}: {table.rows} records, mapped by {escape(table.mapping)}")
        branch.add(_fields([(field, (table.declared or {}).get(field, ""), "", "") for field in table.fields]))
    else:
        proposal = table.proposal
        branch = tree.add(f"{name}: {table.rows} records, would be {proposal.type}: {escape(proposal.type_reason)}")
        rows = [
            (
                each.field,
                f"{each.property}@{each.lang}" if each.lang else each.property,
                f"{each.confidence:.0%}" if each.property else "",
                "; ".join(each.reasons),
            )
            for each in proposal.fields
        ]
        branch.add(_fields(rows))


def _fields(rows: Sequence[tuple[str, str, str, str]]) -> Table:
    drawn = Table()
    columns = ("field", "means", "sure", "why") if any(row[3] for row in rows) else ("field", "means")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for field, means, *rest in rows:
        drawn.add_row(escape(field), escape(means) or "[dim]nothing known[/]", *map(escape, rest[: len(columns) - 2]))
    return drawn
