"""The summary of a tenant's draft knowledge base, drawn for a terminal."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tenant_pipeline.cli.conflict_table import print_matrix
from tenant_pipeline.cli.shell import console
from tenant_pipeline.core.gate import Band
from tenant_pipeline.core.stage import STAGES
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import sources
from tenant_pipeline.services.conflicts.reading import list_conflicts
from tenant_pipeline.services.coverage.reading import read_coverage
from tenant_pipeline.services.lineage import current_gate_states, every_record
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source

BAR = 24
EXAMPLES = 12
COLOURS = {Band.PASS: "green", Band.WARN: "yellow", Band.FAIL: "red", Band.NOT_ASSESSED: "dim"}


def print_summary(runtime: Runtime, tenant: TenantId) -> None:
    """Draw the stages, what was held back and why, the coverage and the conflicts."""
    every = [source for source in sources.list_sources(runtime, tenant) if not source.is_withdrawn]
    _print_stages(runtime, every)
    _print_held_back(runtime, every)
    _print_coverage(runtime, tenant)
    _print_conflicts(runtime, tenant, every)


def _print_stages(runtime: Runtime, every: list[Source]) -> None:
    table = Table(title="Rows in → out of each stage (−rejected !quarantined)", title_justify="left")
    table.add_column("source")
    for stage in STAGES:
        table.add_column(str(stage), justify="right")
    for source in every:
        records = {record.stage: record for record in every_record(runtime, source)}
        cells = []
        for stage in STAGES:
            record = records.get(stage)
            if record is None:
                cells.append("[dim]·[/]")
                continue
            cell = f"{record.rows_in}→{record.rows_out}"
            cell += f" [yellow]−{record.rejected}[/]" if record.rejected else ""
            cell += f" [red]!{record.quarantined}[/]" if record.quarantined else ""
            cells.append(cell)
        table.add_row(f"{escape(source.title)}\n[dim]{source.origin} · tier {source.authority_rank}[/]", *cells)
    console.print(table)


def _print_held_back(runtime: Runtime, every: list[Source]) -> None:
    table = Table(title="Held back, and why", title_justify="left")
    for column in ("source", "stage", "reason", "rows"):
        table.add_column(column, justify="right" if column == "rows" else "left")
    for source in every:
        for record in every_record(runtime, source):
            for code, rows in sorted(record.reject_codes.items()):
                table.add_row(escape(source.title), record.stage, code, str(rows))
        for state in current_gate_states(runtime, source.tenant, source.id).values():
            if not state.open:
                table.add_row(
                    escape(source.title),
                    f"{state.gate} gate",
                    f"[red]closed[/]: {escape('; '.join(state.reasons))}",
                    "all",
                )
    console.print(table)


def _print_coverage(runtime: Runtime, tenant: TenantId) -> None:
    table = Table(title="Coverage", title_justify="left")
    for column in ("dimension", "", "score", "band", "why"):
        table.add_column(column)
    for each in read_coverage(runtime, tenant):
        row = each.as_json()
        colour = COLOURS[each.counts_as]
        score = row["score"]
        filled = round((score or 0) * BAR)
        bar = Text("█" * filled, style=colour) + Text("░" * (BAR - filled), style="dim")
        table.add_row(
            f"{row['dimension']}{' *' if row['blocking'] else ''}",
            bar,
            "" if score is None else f"{score:.0%}",
            f"[{colour}]{row['band']}[/]",
            escape(row["explanation"]),
        )
    console.print(table)
    console.print("[dim]* blocks going live until it passes[/]")


def _print_conflicts(runtime: Runtime, tenant: TenantId, every: list[Source]) -> None:
    titles = {source.id: source.title for source in every}
    print_matrix(runtime, tenant)
    examples = Table(title="Conflicts, with what the rules propose until somebody signs", title_justify="left")
    for column in ("what", "candidates", "proposed", "rule"):
        examples.add_column(column, overflow="fold")
    for row in list_conflicts(runtime, tenant, source=None, property_=None, verdict="differs", limit=EXAMPLES):
        examples.add_row(
            f"{escape(row['label'])}\n[dim]{escape(row['property'] + ('@' + row['lang'] if row['lang'] else ''))}[/]",
            "\n".join(_candidate(candidate, titles) for candidate in row["candidates"]),
            "[yellow]needs a person[/]" if row["needs_person"] else escape(row["proposed_value"] or ""),
            escape(row["proposed_rule"]),
        )
    console.print(examples)


def _candidate(candidate: dict[str, Any], titles: dict[Any, str]) -> str:
    title = titles.get(candidate["source_id"], candidate["source_id"])
    return f"{escape(candidate['value'])} [dim]{escape(title)}, tier {candidate['authority_tier']}[/]"


def print_next(tenant: TenantId) -> None:
    """Where to look next."""
    console.print(
        "\n[bold]Where to look next[/]\n"
        "  make dev                                          the Dagster UI: assets, partitions, gate checks\n"
        f"  .venv/bin/tenant-pipeline stages --tenant {tenant}      the auditable record of every stage\n"
        f"  .venv/bin/tenant-pipeline conflicts --tenant {tenant}   every conflict with its candidates\n"
        f"  .venv/bin/tenant-pipeline gate list --tenant {tenant}   the gates and their verdicts\n"
        f"  .venv/bin/tenant-pipeline approval list --tenant {tenant}   what was asked for, who said what\n"
        f"  .venv/bin/tenant-pipeline release list --tenant {tenant}    every release; `release diff` compares two\n"
        "  .venv/bin/tenant-pipeline audit verify                  the hash-chained audit log",
        highlight=False,
    )
