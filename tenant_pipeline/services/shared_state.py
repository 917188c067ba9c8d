"""The shared document of a workspace as it is kept: edits appended, compacted now and then, none ever lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pycrdt import Doc, Map

from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import Connection, Database

COMPACTED_AFTER = 500
"""So many edits are kept singly at most, before they become part of the document as a whole."""

EDITED = "workspace_edited"
"""The channel on which it is notified that a document was edited; the payload tells which to this installation only."""


@dataclass(frozen=True)
class KeptUpdate:
    """One edit as it is kept."""

    number: int
    update: bytes


@dataclass(frozen=True)
class KeptDocument:
    """A document as it is kept: the updates that make it, in order, and the number of the newest."""

    updates: tuple[bytes, ...]
    newest: int


def sign_of(database: Database, tenant: TenantId) -> str:
    """What a tenant's document is called in notifications: nothing that another tenant could tell it by."""
    return database.password_of(f"shared document of {tenant}")[:32]


def load_document(runtime: Runtime, tenant: TenantId) -> KeptDocument:
    """The document as it is now; empty when nobody has written anything."""
    with runtime.database.tenant(tenant) as connection:
        row = _workspace(connection, tenant)
        updates = _after(connection, tenant, row["compacted_to"])
    whole = (bytes(row["crdt_doc"]),) if row["crdt_doc"] else ()
    return KeptDocument((*whole, *(each.update for each in updates)), row["newest"])


def read_document(runtime: Runtime, tenant: TenantId) -> dict[str, dict[str, Any]]:
    """What the document says now, field by field; what was taken out of it again is not told.

    Raises IntegrityError where what is kept is no document.
    """
    document: Doc[Any] = Doc()
    try:
        for update in load_document(runtime, tenant).updates:
            document.apply_update(update)
    except ValueError as error:
        raise IntegrityError(
            "The workspace's document cannot be read", where=tenant, remedy="Bring it back from a backup."
        ) from error
    return {name: document.get(name, type=Map).to_py() or {} for name in sorted(document.keys())}


def updates_after(runtime: Runtime, tenant: TenantId, number: int) -> list[KeptUpdate] | None:
    """The edits that follow on `number`, in order; None when they have been compacted: load the document then."""
    with runtime.database.tenant(tenant) as connection:
        found = _after(connection, tenant, number)
        row = connection.execute(
            "SELECT compacted_to, newest FROM runtime.tenant_workspaces WHERE tenant_id = %s", (tenant,)
        ).fetchone()
    if row is None or row["newest"] <= number:
        return []
    return found if found and found[0].number == number + 1 else None


def append_updates(runtime: Runtime, tenant: TenantId, updates: Sequence[tuple[str, bytes]]) -> int:
    """Keep edits, each with who made it, in one transaction; return the number of the last.

    Raises KeysDestroyedError for a tenant that was erased: a window still has what the document said.
    """
    with runtime.database.tenant(tenant) as connection:
        newest: int = _workspace(connection, tenant)["newest"]
        runtime.keys.require_not_destroyed(tenant)
        with connection.cursor() as cursor:
            cursor.executemany(
                """
                INSERT INTO runtime.workspace_updates (tenant_id, number, update, person, at)
                VALUES (%s, %s, %s, %s, %s)
                """,
                [
                    (tenant, number, update, person, runtime.now())
                    for number, (person, update) in enumerate(updates, newest + 1)
                ],
            )
        newest += len(updates)
        connection.execute("UPDATE runtime.tenant_workspaces SET newest = %s WHERE tenant_id = %s", (newest, tenant))
        connection.execute("SELECT pg_notify(%s, %s)", (EDITED, sign_of(runtime.database, tenant)))
    return newest


def compact_document(runtime: Runtime, tenant: TenantId) -> int:
    """Make one document of the edits that are kept singly; return its size in bytes. What comes meanwhile waits."""
    with runtime.database.tenant(tenant) as connection:
        row = _workspace(connection, tenant)
        document: Doc[Any] = Doc()
        if row["crdt_doc"]:
            document.apply_update(bytes(row["crdt_doc"]))
        for each in _after(connection, tenant, row["compacted_to"]):
            document.apply_update(each.update)
        whole = document.get_update()
        connection.execute(
            "UPDATE runtime.tenant_workspaces SET crdt_doc = %s, compacted_to = newest WHERE tenant_id = %s",
            (whole, tenant),
        )
    with runtime.database.platform() as connection:
        connection.execute("DELETE FROM runtime.workspace_updates WHERE tenant_id = %s", (tenant,))
    return len(whole)


def _workspace(connection: Connection, tenant: TenantId) -> dict[str, Any]:
    """The tenant's row, locked until the transaction ends, so that numbers are given one after the other."""
    connection.execute(
        "INSERT INTO runtime.tenant_workspaces (tenant_id) VALUES (%s) ON CONFLICT DO NOTHING", (tenant,)
    )
    row = connection.execute(
        "SELECT crdt_doc, compacted_to, newest FROM runtime.tenant_workspaces WHERE tenant_id = %s FOR UPDATE",
        (tenant,),
    ).fetchone()
    assert row is not None
    return row


def _after(connection: Connection, tenant: TenantId, number: int) -> list[KeptUpdate]:
    rows = connection.execute(
        "SELECT number, update FROM runtime.workspace_updates WHERE tenant_id = %s AND number > %s ORDER BY number",
        (tenant, number),
    ).fetchall()
    return [KeptUpdate(row["number"], bytes(row["update"])) for row in rows]
