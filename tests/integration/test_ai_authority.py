"""What an AI wrote never outranks, and never confirms, what anybody else says: whatever source it lies in."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.conflicts.matrix import update_conflicts
from tenant_pipeline.services.conflicts.reading import list_conflicts
from tenant_pipeline.services.coverage.reading import read_coverage
from tenant_pipeline.services.coverage.scoring import update_coverage
from tenant_pipeline.services.knowledge_base import list_statements
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tenant_pipeline.services.sources import Source
from tenant_pipeline.settings import Settings
from tests.installed import migrated_home
from tests.integration.hall_steps import HALL, HEADER, assembled, csv_file
from tests.registered import registered


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with migrated_home() as home, open_runtime(Settings(home=home)) as opened:
        yield opened


@pytest.fixture
def tenant(runtime: Runtime) -> TenantId:
    return registered(runtime, f"t{uuid.uuid4().hex[:12]}")


def chat(folder: Path, capacity: int) -> Path:
    """A ChatGPT export whose one message holds a table of the same hall."""
    cells = HALL.format(capacity=capacity).split(",")
    rows = [HEADER.split(","), ["---"] * len(cells), cells]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    message = {
        "author": {"role": "assistant"}, "create_time": 1769990400.0,
        "content": {"content_type": "text", "parts": [f"What I know:\n\n{table}"]},
    }  # fmt: skip
    conversation = {
        "title": "Halls", "create_time": 1769990400.0, "current_node": "m1",
        "mapping": {
            "root": {"id": "root", "message": None, "parent": None, "children": ["m1"]},
            "m1": {"id": "m1", "message": message, "parent": "root", "children": []},
        },
    }  # fmt: skip
    path = folder / "conversations.json"
    path.write_text(json.dumps([conversation], ensure_ascii=False), encoding="utf-8")
    return path


def bundle_of(tmp_path: Path, *, by_chat: int, by_table: int) -> Path:
    folder = tmp_path / "bundle"
    folder.mkdir()
    csv_file(folder, by_table)
    chat(folder, by_chat)
    return folder


def compared(runtime: Runtime, tenant: TenantId, *of: Source) -> dict[str, Any]:
    """The one item about the capacity."""
    for source in of:
        update_conflicts(runtime, tenant, source.id)
    (item,) = list_conflicts(
        runtime, tenant, source=None, property_="maximumAttendeeCapacity", verdict="differs", limit=10
    )
    return item


def tiers(runtime: Runtime, tenant: TenantId, property_: str) -> list[tuple[str, int]]:
    rows = list_statements(runtime, tenant, source=None, canonical_id=None, property_=property_, limit=100)
    return [(row["value"], row["authority_tier"]) for row in rows]


@pytest.mark.parametrize("origin", [Origin.MIXED, Origin.PARTNER_DOC, Origin.CANONICAL])
def test_within_a_bundle_the_partners_table_stands_against_the_chat(
    runtime: Runtime, tenant: TenantId, tmp_path: Path, origin: Origin
) -> None:
    tier = runtime.contracts.authority_tier(origin)
    bundle = assembled(runtime, tenant, origin, UnitMode.FOLDER, bundle_of(tmp_path, by_chat=3500, by_table=2500))
    assert tiers(runtime, tenant, "maximumAttendeeCapacity") == [("2500", tier), ("3500", 5)]
    item = compared(runtime, tenant, bundle)
    assert (item["proposed_value"], item["proposed_rule"]) == ("2500", "authority_tier")
    assert {(each["value"], each["authority_tier"]) for each in item["candidates"]} == {("2500", tier), ("3500", 5)}


def test_a_chat_in_a_partners_folder_does_not_outrank_a_mixed_source(
    runtime: Runtime, tenant: TenantId, tmp_path: Path
) -> None:
    partner = assembled(runtime, tenant, Origin.PARTNER_DOC, UnitMode.SINGLE_FILE, chat(tmp_path, 3500))
    mixed = assembled(runtime, tenant, Origin.MIXED, UnitMode.SINGLE_FILE, csv_file(tmp_path, 2500))
    item = compared(runtime, tenant, partner, mixed)
    assert [(each["source_id"], each["authority_tier"]) for each in item["candidates"]] == [
        (mixed.id, 4),
        (partner.id, 5),
    ]
    assert (item["proposed_value"], item["proposed_rule"]) == ("2500", "authority_tier")


def test_a_chat_breaks_no_tie_between_partners(runtime: Runtime, tenant: TenantId, tmp_path: Path) -> None:
    first = assembled(runtime, tenant, Origin.PARTNER_DOC, UnitMode.SINGLE_FILE, csv_file(tmp_path, 2500, "a.csv"))
    second = assembled(runtime, tenant, Origin.PARTNER_DOC, UnitMode.SINGLE_FILE, csv_file(tmp_path, 3500, "b.csv"))
    item = compared(runtime, tenant, first, second)
    without = (item["proposed_value"], item["proposed_rule"])
    other = next(value for value in (2500, 3500) if str(value) != without[0])
    bundle = assembled(runtime, tenant, Origin.MIXED, UnitMode.SINGLE_FILE, chat(tmp_path, other))
    item = compared(runtime, tenant, bundle)
    assert len(item["candidates"]) == 3
    assert (item["proposed_value"], item["proposed_rule"]) == without == (without[0], "statement_id")


@pytest.mark.parametrize("by_chat", [True, False])
def test_corroboration_counts_what_others_say_but_no_chat(
    runtime: Runtime, tenant: TenantId, tmp_path: Path, by_chat: bool
) -> None:
    again = chat(tmp_path, 2500) if by_chat else csv_file(tmp_path, 2500, "again.csv")
    assembled(runtime, tenant, Origin.MIXED, UnitMode.SINGLE_FILE, again)
    partner = assembled(runtime, tenant, Origin.PARTNER_DOC, UnitMode.SINGLE_FILE, csv_file(tmp_path, 2500))
    update_conflicts(runtime, tenant, partner.id)
    update_coverage(runtime, tenant, partner.id)
    (row,) = [
        each.as_json() for each in read_coverage(runtime, tenant, partner.id) if each.dimension.id == "corroboration"
    ]
    assert row["numerator"] == (0 if by_chat else row["denominator"])
    assert row["denominator"] == 5


def test_the_source_itself_keeps_its_tier_for_what_no_ai_wrote(
    runtime: Runtime, tenant: TenantId, tmp_path: Path
) -> None:
    assembled(runtime, tenant, Origin.REGULATOR, UnitMode.FOLDER, bundle_of(tmp_path, by_chat=3500, by_table=2500))
    rows = list_statements(runtime, tenant, source=None, canonical_id=None, property_=None, limit=1000)
    marked = {row["method"].startswith("ai;"): row["authority_tier"] for row in rows}
    assert marked == {True: 5, False: 1}
    assert {row["locator"].partition("#")[2].partition("=")[0] for row in rows if row["authority_tier"] == 5} == {
        "message"
    }
