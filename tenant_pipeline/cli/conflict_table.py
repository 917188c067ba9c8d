"""The conflict matrix as tables for a terminal."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rich.table import Table
from rich.text import Text

from tenant_pipeline.cli.shell import console
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import sources
from tenant_pipeline.services.conflicts.reading import ALL, Filter, counts_of_matrix
from tenant_pipeline.services.runtime import Runtime

HEAT = ("dim", "yellow", "bold yellow", "bold red")
RELATION = {"agrees": "green", "refines": "cyan", "incomparable": "yellow", "differs": "red"}


def print_matrix(runtime: Runtime, tenant: TenantId, wanted: Filter = ALL) -> None:
    """Draw how many items differ and are open: sources by properties, the most first."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in counts_of_matrix(runtime, tenant, wanted):
        counts[row["source_id"], row["property"]] += row["items"] * (
            row["verdict"] == "differs" and row["status"] == "open"
        )
    of_property: Counter[str] = Counter()
    for (_, property_), items in counts.items():
        of_property[property_] += items
    properties = [name for name, _ in of_property.most_common()]
    worst = max(counts.values(), default=0)
    table = Table(title="Conflict matrix: open items that differ, sources × properties", title_justify="left")
    table.add_column("source")
    for property_ in properties:
        table.add_column(Text(property_), justify="right")
    for source in sources.list_sources(runtime, tenant):
        if source.is_withdrawn:
            continue
        cells = (_count(counts.get((source.id, property_)), worst) for property_ in properties)
        table.add_row(Text(source.title), *cells)
    console.print(table)


def _count(items: int | None, worst: int) -> Text:
    if items is None:
        return Text("·", "dim")
    heat = 0 if items == 0 else 1 + min(2, 3 * items // (worst + 1))
    return Text(f"{items:,}", HEAT[heat])


def print_form(form: dict[str, Any]) -> None:
    """Show an item as one decides it: the candidates side by side, the proposal and why, the choices."""
    head = Text.assemble((form["label"], "bold"), f"  {form['property']}", f"@{form['lang']}" if form["lang"] else "")
    console.print(head)
    state = f"{form['verdict']} by {form['rule']} · {form['status']}" + (" · reopened" if form["reopened"] else "")
    console.print(Text(state + (" · needs a person" if form["needs_person"] else "")))
    table = Table()
    for column in ("", "value", "as written", "source", "tier", "observed", "rights", "locator"):
        table.add_column(column, overflow="fold")
    for one in form["candidates"]:
        told = (one["value"], one["raw_value"], one.get("source_title", one["source_id"]), str(one["authority_tier"]),
                one["observed_at"][:10], one.get("source_rights", ""), one["locator"])  # fmt: skip
        table.add_row(Text(str(one["number"]), RELATION[one["relation"]]), *map(Text, told))
    console.print(table)
    proposal = form["proposal"]
    console.print(Text.assemble("Proposed: ", (str(proposal["value"]), "bold"), f"  by {proposal['rule']}"))
    for sentence in proposal["explanation"]:
        console.print(Text(f"  {sentence}", "dim"))
    for choice in form["choices"]:
        console.print(Text.assemble((f"  --{choice['option']}", "cyan"), f"  {choice['says']}"))
    console.print(Text(form["what_signing_does"], "dim"))
    who = form["who_may_sign"]
    console.print(Text(f"May sign: {', '.join(who['roles'])}{', but not ' + who['not'] if who['not'] else ''}"))
    for signed in form["signatures"]:
        at = signed["signed_at"].isoformat(timespec="minutes")
        console.print(
            Text(f"  {at}  {signed['decision']} by {signed['person']} ({signed['role']}): {signed['reason']}")
        )
    console.print(Text(f"Digest: {form['candidates_digest']}"))
