"""What a source's files were refused for, and what a person lets in all the same: listed, reasoned, audited."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.origin import Unit
from tenant_pipeline.core.stage import Disposition, Stage
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.intake.identify import RELEASABLE as RELEASABLE_PARSES
from tenant_pipeline.intake.receive import RELEASABLE as RELEASABLE_FILES
from tenant_pipeline.services import sources
from tenant_pipeline.services.decisions import decisions_of
from tenant_pipeline.services.gates import OVERRIDE_ROLES
from tenant_pipeline.services.lineage import lineage
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source
from tenant_pipeline.services.stage_records import Connection, StageRecord
from tenant_pipeline.storage.audit_log import AuditEntry

_RELEASABLE: Mapping[Stage, frozenset[str]] = {Stage.RECEIVE: RELEASABLE_FILES, Stage.IDENTIFY: RELEASABLE_PARSES}
REFUSED, RELEASED, LET_IN = "refused", "released", "let-in"


@dataclass(frozen=True)
class QuarantinedItem:
    """A file, an archive's member or an object that was not taken in: where, why, and whether a person may release it.

    `path` is the file's within the unit, `released_by` names who released the item. Its `state` is `refused`;
    `released` until the source has run again; `let-in` since.
    """

    stage: Stage
    path: str
    locator: str
    code: str
    reason: str
    releasable: bool
    state: str = REFUSED
    released_by: str | None = None
    released_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """The item as the command line and the API give it."""
        return {**asdict(self), "released_at": self.released_at.isoformat() if self.released_at else None}


def list_quarantined(runtime: Runtime, tenant: TenantId, source_id: SourceId) -> list[QuarantinedItem]:
    """What was refused of a source when it ran last, in the order of the stages; and what was released of it."""
    with runtime.database.tenant(tenant) as connection:
        source = sources.get_source(connection, tenant, source_id)
        released = connection.execute(
            "SELECT stage, locator, code, person, released_at FROM runtime.quarantine_releases"
            " WHERE tenant_id = %s AND source_id = %s ORDER BY released_at, stage, locator",
            (tenant, source_id),
        ).fetchall()
        last = _last_runs(connection, runtime, source, [_key(row) for row in released])
        paths = _paths(connection, runtime, source)
    found = [
        QuarantinedItem(stage, _path_at(paths, locator), locator, code, reason, code in _RELEASABLE[stage])
        for stage, run in last.items()
        for frame in runtime.stage_store(tenant).read(run.record.output_digest).rejects()
        for locator, code, reason, disposition in frame.itertuples(index=False, name=None)
        if disposition == Disposition.QUARANTINED
    ]
    standing = {(item.stage, item.locator, item.code): item for item in found}
    for row in released:
        key = stage, locator, code = _key(row)
        let_in = stage in last and key in last[stage].let_in
        before = standing.get(key)
        if before is not None and let_in:
            continue  # refused all the same
        refused = before or QuarantinedItem(stage, _path_at(paths, locator), locator, code, "Released", False)
        standing[key] = replace(
            refused,
            releasable=False,
            state=LET_IN if let_in else RELEASED,
            released_by=row["person"],
            released_at=row["released_at"],
        )
    return list(standing.values())


_Key = tuple[Stage, str, str]


def _key(row: Mapping[str, Any]) -> _Key:
    return Stage(row["stage"]), row["locator"], row["code"]


@dataclass(frozen=True)
class _LastRun:
    """How a stage ran last over a source, and the releases that it knew of."""

    record: StageRecord
    let_in: frozenset[_Key]


def _last_runs(
    connection: Connection, runtime: Runtime, source: Source, released: Sequence[_Key]
) -> dict[Stage, _LastRun]:
    """How each stage that refuses ran last: with all releases, which are in order of time, or before some of them."""
    decisions = decisions_of(connection, runtime, source)
    found: dict[Stage, _LastRun] = {}
    for known in range(len(released), -1, -1):
        let_in = frozenset(released[:known])
        then = replace(decisions, released=frozenset((stage, (locator, code)) for stage, locator, code in let_in))
        for stage, record in lineage(connection, runtime, source, decisions=then).items():
            if stage in _RELEASABLE:
                found.setdefault(stage, _LastRun(record, let_in))
        if len(found) == len(_RELEASABLE):
            break
    return {stage: found[stage] for stage in _RELEASABLE if stage in found}


def release(
    runtime: Runtime, tenant: TenantId, source_id: SourceId, locator: str, *, person: str, role: str, reason: str
) -> QuarantinedItem:
    """Let a refused item in on a named person's word, and put the source in line again. Audited.

    Raises NotAllowedError for a person without the role, InputError for no person or reason and for an item that nobody
    can release, NotFoundError when nothing is refused there.
    """
    if not reason.strip() or not person.strip():
        raise InputError("A release needs a person and a reason", where="--person, --reason")
    refused = [item for item in list_quarantined(runtime, tenant, source_id) if item.locator == locator]
    if not refused or refused[0].released_by is not None:
        raise NotFoundError(
            "Nothing is refused there, or it is released already",
            where=f"{tenant}|{source_id}",
            remedy="`tenant-pipeline quarantine list` shows what is.",
        )
    item = refused[0]
    if not item.releasable:
        raise InputError(
            f"What is refused as {item.code} cannot be read, whoever releases it",
            where=item.locator,
            remedy="Hand the file in anew: unencrypted, undamaged, unpacked.",
        )
    with runtime.database.platform() as connection:
        require_role(connection, tenant, person, role, OVERRIDE_ROLES)
        connection.execute(
            """
            INSERT INTO runtime.quarantine_releases (tenant_id, source_id, stage, locator, code, person, role, reason)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
            """,
            (tenant, source_id, str(item.stage), item.locator, item.code, person, role, reason),
        )
        connection.execute(
            """
            UPDATE runtime.tenant_sources SET ingest_status = 'waiting', queued_at = clock_timestamp()
             WHERE tenant_id = %s AND id = %s AND ingest_status IN ('stopped', 'assembled')
            """,
            (tenant, source_id),
        )
        runtime.audit.append(
            connection,
            tenant,
            [
                AuditEntry(
                    actor=person,
                    action="quarantine.release",
                    subject=f"{source_id}:{item.stage}",
                    details={"locator": item.locator, "code": item.code, "role": role, "reason": reason},
                )
            ],
        )
    return replace(item, releasable=False, state=RELEASED, released_by=person, released_at=runtime.now())


def _paths(connection: Connection, runtime: Runtime, source: Source) -> dict[str, str]:
    """The paths of a source's files and objects by the beginnings of their locators."""
    with runtime.raw_zone(source.tenant).open(source.unit_digest) as stream:
        unit = Unit.from_json(json.loads(stream.read()))
    files = sorted(unit.files, key=lambda file: file.path)
    objects = connection.execute(
        "SELECT object, display_path FROM runtime.objects WHERE tenant_id = %s AND source_id = %s",
        (source.tenant, source.id),
    ).fetchall()
    return {f"file={number}": file.path for number, file in enumerate(files, 1)} | {
        row["object"]: row["display_path"] for row in objects
    }


def _path_at(paths: Mapping[str, str], locator: str) -> str:
    return paths.get(locator.partition("&")[0], "")
