"""The append-only audit log: a hash chain a tenant in the database, and signed checkpoints outside of it.

The chain shows an edit, a deletion or a new order. It cannot show that a superuser disabled the triggers and wrote
the whole chain anew, nor that its end was cut off: that is what the checkpoints are for. Each is an Ed25519-signed
Merkle tree head, itself chained to the one before, kept on write-once storage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg.types.json import Jsonb

from tenant_pipeline.core.audit_chain import FIRST_PREVIOUS_HASH, ChainEntry, MerkleTree, entry_hash
from tenant_pipeline.core.digest import canonical_json, sha256_of_json
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.storage.audit_verification import ROWS_A_FETCH, Problems, check_entries, leaf_of
from tenant_pipeline.storage.checkpoints import Checkpoint, Checkpoints
from tenant_pipeline.storage.database import Connection

GROWN = "audit_log_grown"
"""The channel on which it is notified that a log has grown; nothing is said of whose."""


@dataclass(frozen=True)
class AuditEntry:
    """Something that happened: who did what to which subject. `details` hold no value of a source and no secret."""

    actor: str
    action: str
    subject: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AuditReport:
    """What a check of the log has found. `problem` says all that is wrong, and where; it is empty when `intact`."""

    intact: bool
    entries: int
    checkpoints: int
    problem: str = ""


class AuditLog:
    """The audit logs of all tenants, and their checkpoints."""

    def __init__(self, checkpoints: Checkpoints, signing_key: Ed25519PrivateKey) -> None:
        self._checkpoints = checkpoints
        self._signing_key = signing_key
        self._checked: tuple[list[Checkpoint], str] | None = None

    def append(self, connection: Connection, tenant: TenantId, entries: Sequence[AuditEntry]) -> None:
        """Append entries in the caller's transaction, one statement for all; appenders of a tenant take turns.

        What is hashed is what the database gives back, which is not always what it was given. Raises InputError for a
        text or a number that it cannot keep.
        """
        if not entries:
            return
        entries = _as_kept(connection, entries)
        connection.execute("SELECT app.lock('audit', %s)", (tenant,))
        last = connection.execute(
            "SELECT sequence, hash FROM runtime.audit_log WHERE tenant_id = %s ORDER BY sequence DESC LIMIT 1",
            (tenant,),
        ).fetchone()
        sequence, previous = (last["sequence"], last["hash"]) if last else (0, FIRST_PREVIOUS_HASH)
        at = datetime.now(UTC)
        rows = []
        for number, entry in enumerate(entries, sequence + 1):
            chained = ChainEntry(
                tenant, number, at.isoformat(), entry.actor, entry.action, entry.subject, entry.details
            )
            digest = entry_hash(chained, previous)
            rows.append(
                (
                    tenant,
                    number,
                    at,
                    entry.actor,
                    entry.action,
                    entry.subject,
                    Jsonb(entry.details),
                    previous,
                    digest,
                )
            )
            previous = digest
        values = ", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s, %s)"] * len(rows))
        connection.execute(
            f"""
            INSERT INTO runtime.audit_log
                   (tenant_id, sequence, at, actor, action, subject, details, previous_hash, hash)
            VALUES {values}
            """,
            [value for row in rows for value in row],
        )
        connection.execute("SELECT pg_notify(%s, '')", (GROWN,))

    def checkpoint(self, connection: Connection, tenant: TenantId, at: datetime) -> None:
        """Seal the log as it stands; nothing is written when it has not grown since the last checkpoint.

        Only what was appended since is read, and of the checkpoints the last: it has the tree's peaks. Entries before
        it are not looked at again, so that a checkpoint never seals what was changed after it had been sealed.
        """
        connection.execute("SELECT app.lock('audit', %s)", (tenant,))
        newest = connection.execute(
            "SELECT max(sequence) AS number FROM runtime.audit_log WHERE tenant_id = %s", (tenant,)
        ).fetchone()
        last = self._checkpoints.last(tenant, (newest and newest["number"]) or 0)
        tree = MerkleTree.of_peaks(last.get("peaks", ()) if last else ())
        for digest in _hashes(connection, tenant, after=tree.size):
            tree.add(leaf_of(digest))
        if last and last["size"] == tree.size:
            return

        head = {
            "tenant": tenant, "size": tree.size, "root": tree.root(), "peaks": tree.peaks, "at": at.isoformat(),
        }  # fmt: skip
        self._checkpoints.add(tenant, last, lambda before: self._signed(head, before))

    def checkpoints(self, tenant: TenantId) -> list[Checkpoint]:
        """The chain in which the tenant's checkpoints stand, as it was kept."""
        return self._checkpoints.chain(tenant)

    def checkpoints_of(self, tenants: Sequence[TenantId]) -> list[Checkpoint]:
        """The chains in which the checkpoints of several tenants stand, each chain once and as it was kept."""
        chains = tenants if self._checkpoints.apart else tenants[:1]
        return [line for tenant in chains for line in self._checkpoints.chain(tenant)]

    def sealed_at(self) -> datetime | None:
        """When a log was last sealed, of whatever tenant; None before the first time."""
        return self._checkpoints.sealed_at()

    def bring_back(self, chain: Sequence[Checkpoint]) -> bool:
        """Keep checkpoints as they were; False where there are others.

        Those of the other kind of store (one chain for all tenants, or one for each) are chained and signed anew, each
        with what it sealed and when; but only where nothing is wrong with the chains that they stood in: otherwise
        they stay as they are, and `verify` tells.
        """
        apart = self._checkpoints.apart
        if self._problem_of_all(chain, apart=apart) and not self._problem_of_all(chain, apart=not apart):
            chain = self._chained_anew(chain, apart=apart)
        return self._checkpoints.bring_back(chain)

    def verify(self, connection: Connection, tenant: TenantId) -> AuditReport:
        """Check every hash, the chain, and each checkpoint against the entries it sealed. Memory stays bounded.

        Raises IntegrityError for a checkpoint that is not whole.
        """
        checkpoints, forged = self._trusted_of_tenant(tenant)
        size, found = check_entries(connection, tenant, {head["size"]: head["root"] for head in checkpoints})
        problem = "; ".join(filter(None, (forged, str(found))))
        return AuditReport(not problem, size, len(checkpoints), problem)

    def _signed(self, head: Checkpoint, last: Checkpoint | None) -> Checkpoint:
        following = {**head, "previous": sha256_of_json(dict(last)) if last else FIRST_PREVIOUS_HASH}
        return {**following, "signature": self._signing_key.sign(canonical_json(following)).hex()}

    def _chained_anew(self, chain: Sequence[Checkpoint], *, apart: bool) -> list[Checkpoint]:
        last: dict[str, Checkpoint] = {}
        made = []
        for line in chain:
            head = {name: value for name, value in line.items() if name not in ("previous", "signature")}
            of = line["tenant"] if apart else ""
            last[of] = self._signed(head, last.get(of))
            made.append(last[of])
        return made

    def _problem_of_all(self, chain: Sequence[Checkpoint], *, apart: bool) -> str:
        if not apart:
            return self._problem_of(chain)
        problems = (self._problem_of(_of(tenant, chain)) for tenant in sorted({line["tenant"] for line in chain}))
        return next(filter(None, problems), "")

    def _trusted_of_tenant(self, tenant: TenantId) -> tuple[list[Checkpoint], str]:
        """The tenant's checkpoints, and what is wrong with the chain that they stand in, if anything is.

        A chain may be of all tenants: who verifies one after the other checks its signatures once.
        """
        chain = self._checkpoints.chain(tenant)
        if self._checked is None or self._checked[0] != chain:
            self._checked = chain, self._problem_of(chain)
        return _of(tenant, chain), self._checked[1]

    def _problem_of(self, chain: Sequence[Checkpoint]) -> str:
        public = self._signing_key.public_key()
        previous, problems = FIRST_PREVIOUS_HASH, Problems()
        for number, line in enumerate(chain, 1):
            head = {name: value for name, value in line.items() if name != "signature"}
            try:
                public.verify(bytes.fromhex(line["signature"]), canonical_json(head))
            except (InvalidSignature, ValueError):
                problems.add(f"checkpoint {number} is not signed by this installation's key")
            if head["previous"] != previous:
                problems.add(f"checkpoint {number} does not follow the one before it")
            previous = sha256_of_json(dict(line))
        return str(problems)


def _as_kept(connection: Connection, entries: Sequence[AuditEntry]) -> list[AuditEntry]:
    """The entries as they come out of the database: numbers by their value, each key once."""
    given = [[entry.actor, entry.action, entry.subject, dict(entry.details)] for entry in entries]
    try:
        kept = connection.execute("SELECT %s AS entries", (Jsonb(given),)).fetchone()
    except (psycopg.DataError, ValueError):
        raise InputError(
            "What was done cannot be kept in the audit log as it was given",
            where=", ".join(sorted({entry.action for entry in entries})),
            remedy="Leave out NUL characters, halves of surrogate pairs, and numbers that are none or have thousands of"
            " digits.",
        ) from None
    return [AuditEntry(*values) for values in kept["entries"]] if kept else []


def _of(tenant: TenantId, chain: Sequence[Checkpoint]) -> list[Checkpoint]:
    return [line for line in chain if line["tenant"] == tenant]


def _hashes(connection: Connection, tenant: TenantId, after: int) -> Iterator[str]:
    with connection.cursor(name="audit_log_hashes") as cursor:
        cursor.itersize = ROWS_A_FETCH
        cursor.execute(
            "SELECT hash FROM runtime.audit_log WHERE tenant_id = %s AND sequence > %s ORDER BY sequence",
            (tenant, after),
        )
        for row in cursor:
            yield row["hash"]
