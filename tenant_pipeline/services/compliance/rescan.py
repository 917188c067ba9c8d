"""Looks for raw identifiers where none may be: in the tenant's rows, its stage outputs, and the installation's logs.

Looked for are the types that the contract never lets stand raw and whose check digits leave little to chance. The
encrypted raw zone is left out: it is where they are meant to lie.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pyarrow as pa
from psycopg import sql

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.pii.policy import Action, action_for
from tenant_pipeline.services.pii_analyzer import analyzer
from tenant_pipeline.services.runtime import Runtime

CHECKED = ("TH_NATIONAL_ID", "CN_RESIDENT_ID", "CREDIT_CARD")
AT_ONCE = 5_000
LONGEST_LINE = 20_000
_MANY_DIGITS = re.compile(r"(?:[0-9\u0e50-\u0e59\uff10-\uff19][ \u00a0-]?){12}")
_TABLES = """
SELECT class.relname AS name FROM pg_class AS class
  JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attname = 'tenant_id'
 WHERE class.relnamespace = 'runtime'::regnamespace AND class.relkind = 'r' AND class.relname <> 'tenant_logins'
 ORDER BY class.relname
"""


@dataclass
class Rescan:
    """What was looked at, and how many texts hold a raw identifier, by place and type."""

    looked_at: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)


def rescan(runtime: Runtime, tenant: TenantId) -> Rescan:
    """Look again at all that is kept of the tenant outside its raw zone, in bounded memory."""
    policy = runtime.contracts.pii_policy
    never_raw = {entity for entity in CHECKED if action_for(policy, entity) is not Action.ALLOW}
    result = Rescan()
    for place, texts in _places(runtime, tenant):
        for batch in _batches(texts):
            result.looked_at[place] += len(batch)
            candidates = sorted({text for text in batch if _MANY_DIGITS.search(text)})
            for findings in analyzer().find_all(pa.array(candidates, pa.string())).values():
                for entity in {each.entity_type for each in findings} & never_raw:
                    result.found[f"{place}: {entity}"] += 1
    return result


def _places(runtime: Runtime, tenant: TenantId) -> Iterator[tuple[str, Iterator[str]]]:
    with runtime.database.tenant(tenant) as connection:
        tables = [row["name"] for row in connection.execute(_TABLES).fetchall()]
    for table in tables:
        yield f"table {table}", _rows(runtime, tenant, table)
    logs = runtime.settings.home / "logs"
    for path in sorted(logs.glob("*.log")):
        yield f"log {path.name}", _lines(path)
    for path in sorted((runtime.settings.home / "explanations" / tenant).rglob("*.html")):
        yield "explanations", _lines(path)


def _rows(runtime: Runtime, tenant: TenantId, table: str) -> Iterator[str]:
    """Every cell of the tenant's rows that holds text, as its own login reads them."""
    name = sql.Identifier("runtime", table)
    query = sql.SQL(
        "SELECT cell.value AS text FROM {} AS each, LATERAL jsonb_each_text(to_jsonb(each)) AS cell"
        " WHERE each.tenant_id = %s AND cell.value IS NOT NULL"
    ).format(name)
    with runtime.database.tenant(tenant) as connection, connection.cursor(name="rescan") as cursor:
        for row in cursor.execute(query, (tenant,)):
            yield from _pieces(row["text"])


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            yield from _pieces(line)


def _pieces(text: str) -> Iterator[str]:
    for first in range(0, len(text), LONGEST_LINE):
        yield text[first : first + LONGEST_LINE + 100]


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    left = iter(texts)
    while batch := list(islice(left, AT_ONCE)):
        yield batch
