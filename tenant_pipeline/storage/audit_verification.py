"""Whether the entries of an audit log are as they were written: their hashes, their chain, and what was sealed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

from tenant_pipeline.core.audit_chain import FIRST_PREVIOUS_HASH, ChainEntry, MerkleTree, entry_hash
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.storage.database import Connection

ROWS_A_FETCH = 5_000
MOST_TOLD = 20
"""So many problems of entries, and so many of checkpoints, are told by name; of the others, how many they are."""

_HASH = re.compile(r"[0-9a-f]{64}")
_READINGS = (
    json.JSONDecoder().decode,
    # An entry was once hashed with the sign that a zero was given with, which the database does not keep.
    json.JSONDecoder(parse_float=lambda digits: float(digits) or -0.0).decode,
)


class Problems:
    """What is wrong, as a text: the first ones by name, of the others how many."""

    def __init__(self) -> None:
        self._named: list[str] = []
        self._others = 0

    def add(self, problem: str) -> None:
        """Note one more."""
        if len(self._named) < MOST_TOLD:
            self._named.append(problem)
        else:
            self._others += 1

    def __str__(self) -> str:
        return "; ".join([*self._named, *([f"and {self._others} more"] if self._others else [])])


def check_entries(connection: Connection, tenant: TenantId, sealed: Mapping[int, str]) -> tuple[int, Problems]:
    """How many entries there are, and what is wrong with them; `sealed` has the tree's root by the size of the log.

    It does not end at an entry that is wrong: what follows is checked from the hash that stands with that entry, so
    that who changed one entry hides nothing that was changed after it. Memory stays bounded.
    """
    problems, tree, number, previous, unlike = Problems(), MerkleTree(), 0, FIRST_PREVIOUS_HASH, False
    for row in _rows(connection, tenant):
        number += 1
        if row["sequence"] != number:
            problems.add(_missing(number, row["sequence"] - 1))
            number, unlike = row["sequence"], True  # what was sealed over it cannot hold: that is not told as well
        elif row["previous_hash"] != previous:
            problems.add(f"entry {number} does not follow the one before it")
        if not _holds(tenant, row):
            problems.add(f"entry {number} was changed")
        previous = row["hash"]
        tree.add(leaf_of(previous))
        if number in sealed:
            told, unlike = unlike, sealed[number] != tree.root()
            if unlike and not told:
                problems.add(f"the first {number} entries are not those that were sealed")
    if sealed and max(sealed) > number:
        problems.add(f"{max(sealed)} entries were sealed but {number} are there")
    return tree.size, problems


def leaf_of(digest: str) -> str:
    """The hash of an entry as a leaf of the tree; noughts for what is no hash, so that the others can be sealed."""
    return digest if _HASH.fullmatch(digest) else FIRST_PREVIOUS_HASH


def _missing(first: int, last: int) -> str:
    return f"entry {first} is missing" if first == last else f"entries {first} to {last} are missing"


def _holds(tenant: TenantId, row: Mapping[str, Any]) -> bool:
    """Whether the hash of an entry is that of what stands there."""
    try:
        at = row["at"].astimezone(UTC).isoformat()
        return any(
            entry_hash(
                ChainEntry(
                    tenant, row["sequence"], at, row["actor"], row["action"], row["subject"], read(row["details"])
                ),
                row["previous_hash"],
            )
            == row["hash"]
            for read in _READINGS
        )
    except (ValueError, TypeError, AttributeError, RecursionError):  # a time, or details, that we never write
        return False


def _rows(connection: Connection, tenant: TenantId) -> Iterator[dict[str, Any]]:
    """The entries as they stand. A time that Python does not know is none; details are read by who can tell of them."""
    with connection.cursor(name="audit_log_rows") as cursor:
        cursor.itersize = ROWS_A_FETCH
        cursor.execute(
            """
            SELECT sequence, CASE WHEN at >= '0001-01-02Z' AND at < '9999-12-31Z' THEN at END AS at,
                   actor, action, subject, details::text AS details, previous_hash, hash
              FROM runtime.audit_log WHERE tenant_id = %s ORDER BY sequence
            """,
            (tenant,),
        )
        yield from cursor
