"""`link list | show | judge | reverse | history | bulk`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from tenant_pipeline.cli.options import JsonOption, LanguageOption, PersonOption, ReasonOption, RoleOption, TenantOption
from tenant_pipeline.cli.shell import console, opened, print_json, print_row, print_rows, telling
from tenant_pipeline.core.tenancy import tenant_id
from tenant_pipeline.linking.pair import PAIR_PREFIX
from tenant_pipeline.linking.score import Match
from tenant_pipeline.services import judgements
from tenant_pipeline.services.link_explanations import show_entity, show_pair

app = typer.Typer(help="Which entities are one: what people have to judge, and why.", no_args_is_help=True)

PairStatus = Annotated[str, typer.Option("--status", help="proposed, decided, reverted or all.")]
LIST_COLUMNS = ("id", "left_name", "left_type", "right_name", "right_type", "score", "status", "judgement")
JUDGED_COLUMNS = ("sequence", "left_id", "right_id", "before", "judgement", "canonical_ids", "changes")
HISTORY_COLUMNS = ("sequence", "left_id", "right_id", "before", "judgement", "reverses", "person", "role", "reason")


@app.command("list")
def list_(
    tenant: TenantOption,
    status: PairStatus = "proposed",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """Pairs for people to judge: links that a conflict showed to be wrong first, then those most in doubt."""
    with opened() as runtime:
        wanted = None if status == "all" else status
        rows = judgements.list_pairs(runtime, tenant_id(tenant), status=wanted, limit=limit)
    print_rows(f"Pairs of {tenant}", rows, LIST_COLUMNS, as_json=as_json)


@app.command()
def show(
    identifier: Annotated[str, typer.Argument(help="A canonical id, an alias, an entity's id, or a pair's id.")],
    tenant: TenantOption,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Why an entity is what it is, or what speaks for and against a pair: each part with its bits."""
    is_pair = identifier.startswith(PAIR_PREFIX)
    with opened() as runtime:
        explain = show_pair if is_pair else show_entity
        found = explain(runtime, tenant_id(tenant), identifier, telling(runtime, language))
    if as_json:
        print_json(found)
    else:
        console.print(_drawn_pair(found) if is_pair else _drawn_entity(found))


@app.command()
def judge(
    left: Annotated[str, typer.Argument(help="One entity: a canonical id or an entity's id.")],
    right: Annotated[str, typer.Argument(help="The other.")],
    judgement: Annotated[Match, typer.Argument(help="same, different or unsure.")],
    tenant: TenantOption,
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """Judge two entities: `same` makes one of them, `different` and `unsure` keep them apart. It is audited."""
    with opened() as runtime:
        judged = judgements.judge(
            runtime, tenant_id(tenant), left, right, judgement, person=person, role=role, reason=reason
        )
    print_row("Judged", judged.as_json(), JUDGED_COLUMNS, as_json=as_json)


@app.command()
def reverse(
    sequence: Annotated[int, typer.Argument(help="The judgement's number, as `link history` tells.")],
    tenant: TenantOption,
    person: PersonOption,
    role: RoleOption,
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """Put a pair back to what stood before a judgement. It is audited; nothing is deleted."""
    with opened() as runtime:
        judged = judgements.reverse(runtime, tenant_id(tenant), sequence, person=person, role=role, reason=reason)
    print_row("Judged", judged.as_json(), JUDGED_COLUMNS, as_json=as_json)


@app.command()
def history(
    tenant: TenantOption,
    identifier: Annotated[str | None, typer.Argument(help="Only of this id.")] = None,
    as_json: JsonOption = False,
) -> None:
    """All that was ever judged, in order."""
    with opened() as runtime:
        rows = judgements.history(runtime, tenant_id(tenant), identifier)
    print_rows(f"Judgements of {tenant}", rows, HISTORY_COLUMNS, as_json=as_json)


class Engine(StrEnum):
    """Where records are linked in bulk."""

    DUCKDB = "duckdb"
    SPARK = "spark"


@app.command()
def bulk(
    records: Annotated[Path, typer.Argument(help="A Parquet file: id, source, name, and other schema.org properties.")],
    links: Annotated[Path, typer.Argument(help="Where to write the clusters: Parquet with id and cluster.")],
    engine: Annotated[Engine, typer.Option(help="duckdb on this machine, spark past it.")] = Engine.DUCKDB,
    master: Annotated[str, typer.Option(help="Spark's master: local[*], spark://host:7077, k8s://…")] = "local[*]",
    folder: Annotated[Path | None, typer.Option(help="Where Spark keeps what comes in between.")] = None,
    within_sources: Annotated[bool, typer.Option(help="Hold records of one source against each other too.")] = True,
) -> None:
    """Link a whole file of records at once, outside of any tenant. Both engines find the same clusters."""
    # Loaded for this command alone: the others need no engine.
    from tenant_pipeline.linking.bulk_link import (
        link_on_one_machine,
        link_past_one_machine,
        require_target,
        write_links,
    )
    from tenant_pipeline.storage.owned_folder import working_folder

    require_target(links)
    with working_folder("linking") as place:
        if engine is Engine.SPARK:
            found = link_past_one_machine(records, master, within_sources=within_sources, folder=folder or place)
        else:
            found = link_on_one_machine(records, within_sources=within_sources, folder=place)
    write_links(found, links)
    typer.echo(f"{len(found)} records in {len(set(found.values()))} clusters: {links}")


def _drawn_entity(found: Mapping[str, Any]) -> Tree:
    tree = Tree(f"[bold]{escape(found['canonical_id'])}[/]")
    if found["asked_for"] != found["canonical_id"]:
        tree.add(f"{escape(found['asked_for'])} is now a part of it")
    homes = tree.add("ids that it has been known by")
    for home in found["homes"]:
        named = ", ".join(f"{scheme} {value}" for scheme, value in home["identifiers"])
        attached = (
            f"; attached to {home['attached_to']} ({home['attached_bits']:.1f} bits)" if home["attached_to"] else ""
        )
        homes.add(escape(f"{home['home_id']} {home['type']} {named}{attached}"))
    members = tree.add(f"{len(found['members'])} members")
    for member in found["members"]:
        branch = members.add(escape(f"{member['source_id']} {member['title']}: {member['entity_id']}"))
        branch.add(f"{escape(member['method'])} ({member['score']:.3f})")
        branch.add(_parts(member["explanation"]))
    _add_history(tree, found["judgements"])
    if found["changes"]:
        log = tree.add("merges and splits")
        for change in found["changes"]:
            log.add(
                escape(
                    f"{change['sequence']}. {change['change']} {change['from_id']} → {change['into_id']}:"
                    f" {len(change['members'])} members, judgement {change['judgement_sequence']} by {change['person']}"
                )
            )
    return tree


def _drawn_pair(found: Mapping[str, Any]) -> Tree:
    tree = Tree(f"[bold]{escape(found['id'])}[/]  {found['status']} {found['judgement']}")
    for side in found["sides"]:
        named = ", ".join(f"{scheme} {value}" for scheme, value in side["features"]["identifiers"])
        branch = tree.add(escape(f"{side['home_id']} {side['type']} {named}"))
        for name, values in sorted(side["features"]["values"].items()):
            branch.add(escape(f"{name}: {'; '.join(map(str, values))}"))
    tree.add(_parts(found["explanation"]))
    _add_history(tree, found["judgements"])
    return tree


def _parts(explanation: Mapping[str, Any]) -> Table | str:
    """The parts of a score with their bits, or the one sentence that decided."""
    if "parts" not in explanation:
        return escape(str(explanation.get("says", "nothing was kept")))
    drawn = Table()
    for column in ("what", "bits", "says"):
        drawn.add_column(column, overflow="fold")
    drawn.add_row("before anything is known", f"{explanation['prior_bits']:+.2f}", "")
    for part in explanation["parts"]:
        drawn.add_row(escape(part["comparator"]), f"{part['bits']:+.2f}", escape(part["says"]))
    drawn.add_row("[bold]together[/]", f"[bold]{explanation['bits']:+.2f}[/]", "")
    return drawn


def _add_history(tree: Tree, judged: Sequence[Mapping[str, Any]]) -> None:
    if not judged:
        return
    branch = tree.add("judgements")
    for each in judged:
        undone = f" (reverses {each['reverses']})" if each["reverses"] else ""
        said = f"{each['sequence']}. {each['before']} → {each['judgement']}{undone} by {each['person']}, {each['role']}"
        branch.add(escape(f"{said}: {each['reason']}"))
