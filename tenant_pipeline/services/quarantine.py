"""What a source's files were refused for, and what a person lets in all the same: listed, reasoned, audited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.persons import require_person_and_reason
from tenant_pipeline.core.stage import Disposition, Stage
from tenant_pipeline.core.tenancy import SourceId, TenantId, partition_key
from tenant_pipeline.intake.identify import RELEASABLE as RELEASABLE_PARSES
from tenant_pipeline.intake.receive import RELEASABLE as RELEASABLE_FILES
from tenant_pipeline.intake.refusals import REFUSALS
from tenant_pipeline.services import sources
from tenant_pipeline.services.decisions import decisions_of
from tenant_pipeline.services.gates import OVERRIDE_ROLES
from tenant_pipeline.services.kept_units import kept_unit
from tenant_pipeline.services.lineage import lineage
from tenant_pipeline.services.objects import screened_paths
from tenant_pipeline.services.quarantine_releases import GivenRelease, releases_of
from tenant_pipeline.services.roles import require_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.source_queue import put_in_line
from tenant_pipeline.services.sources import Source
from tenant_pipeline.services.stage_records import StageRecord
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection
from tenant_pipeline.storage.stage_store import StoredStage

_RELEASABLE: Mapping[Stage, frozenset[str]] = {
    Stage.RECEIVE: RELEASABLE_FILES,
    Stage.IDENTIFY: RELEASABLE_PARSES,
    Stage.EXTRACT: RELEASABLE_PARSES,
}
_FILE = "file="
"""How the locators of files and of what lies in them begin."""
REFUSED, RELEASED, LET_IN = "refused", "released", "let-in"


@dataclass(frozen=True)
class QuarantinedItem:
    """A file, an archive's member or an object that was not taken in: where, why, and whether a person may release it.

    `path` is the file's within the unit, screened; `digest` tells what was looked at, `released_by` who released it.
    The `state` is `refused`; `released` until the source has run again; `let-in` since.
    """

    stage: Stage
    path: str
    locator: str
    code: str
    reason: str
    digest: str
    releasable: bool
    state: str = REFUSED
    released_by: str | None = None
    released_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """The item as the command line and the API give it."""
        return {**asdict(self), "released_at": self.released_at.isoformat() if self.released_at else None}


def list_quarantined(runtime: Runtime, tenant: TenantId, source_id: SourceId) -> list[QuarantinedItem]:
    """What was refused of a source when it ran last, in the order of the stages; and what was let in by releases."""
    with runtime.database.tenant(tenant) as connection:
        source = sources.get_source(connection, tenant, source_id)
    return _quarantined(runtime, source)


def _quarantined(runtime: Runtime, source: Source) -> list[QuarantinedItem]:
    with runtime.database.tenant(source.tenant) as connection:
        given = releases_of(connection, source)
        last = _last_runs(connection, runtime, source, given)
        paths = _paths(connection, runtime, source)
    refused, released = list[QuarantinedItem](), list[tuple[datetime, QuarantinedItem]]()
    for stage, run in last.items():
        stored = runtime.stage_store(source.tenant).read(run.record.output_digest)
        frames = (frame for table in stored.tables(REFUSALS) for frame in table.batches())
        rows = [row for frame in frames for row in frame.itertuples(index=False, name=None)]
        reasons = _reasons(stored) if rows else {}
        for locator, code, digest, let_in in rows:
            item = _item(paths, stage, locator, code, digest)
            if not let_in:
                since = _release_of(item, given[run.releases :])
                item = replace(
                    item, reason=reasons[item.locator, item.code], releasable=item.code in _RELEASABLE[stage]
                )
                refused.append(_released(item, RELEASED, since) if since else item)
                continue
            known = _release_of(item, given[: run.releases])
            if known and (item.locator, item.code) not in reasons:  # it may be refused all the same
                released.append((known.released_at, _released(item, LET_IN, known)))
    for each in given:
        if each.stage not in last and each.of_this_version:
            released.append((each.released_at, _released(_item(paths, each.stage, *each.release), RELEASED, each)))
    found = refused + [item for _, item in sorted(released, key=lambda pair: pair[0])]
    return _shown(runtime, source, found, paths)


def _shown(
    runtime: Runtime, source: Source, found: list[QuarantinedItem], known: Mapping[str, str]
) -> list[QuarantinedItem]:
    """The items with the names of files screened, as those of objects are."""
    handed_in = {item.path for item in found if item.locator.startswith(_FILE)}
    if not handed_in:
        return found
    among = (path for locator, path in known.items() if locator.startswith(_FILE))
    paths = screened_paths(runtime, source.tenant, handed_in, among)
    return [replace(item, path=paths[item.path]) if item.locator.startswith(_FILE) else item for item in found]


def _reasons(stored: StoredStage) -> dict[tuple[str, str], str]:
    """Why a stage refused what it did, by locator and code: among its rejects, of which rows are most."""
    return {
        (locator, code): reason
        for frame in stored.rejects()
        for locator, code, reason, _ in frame[frame["disposition"] == str(Disposition.QUARANTINED)].itertuples(
            index=False, name=None
        )
    }


def _item(paths: Mapping[str, str], stage: Stage, locator: str, code: str, digest: str) -> QuarantinedItem:
    path = paths.get(locator.partition("&")[0], "")
    return QuarantinedItem(stage, path, locator, code, "Released", digest, releasable=False)


def _release_of(item: QuarantinedItem, given: Sequence[GivenRelease]) -> GivenRelease | None:
    covering = (
        each for each in given if each.stage is item.stage and each.release.covers(item.locator, item.code, item.digest)
    )
    return next(covering, None)


def _released(item: QuarantinedItem, state: str, release: GivenRelease) -> QuarantinedItem:
    return replace(item, releasable=False, state=state, released_by=release.person, released_at=release.released_at)


@dataclass(frozen=True)
class _LastRun:
    """How a stage ran last over a source, and of how many of the releases it knew."""

    record: StageRecord
    releases: int


def _last_runs(
    connection: Connection, runtime: Runtime, source: Source, given: Sequence[GivenRelease]
) -> dict[Stage, _LastRun]:
    """How each stage that refuses ran last: with all releases, which are in order of time, or before some of them."""
    decisions = decisions_of(connection, runtime, source)
    found: dict[Stage, _LastRun] = {}
    for known in range(len(given), -1, -1):
        then = replace(decisions, released=frozenset((each.stage, each.release) for each in given[:known]))
        for stage, record in lineage(connection, runtime, source, decisions=then).items():
            if stage in _RELEASABLE:
                found.setdefault(stage, _LastRun(record, known))
        if len(found) == len(_RELEASABLE):
            break
    return {stage: found[stage] for stage in _RELEASABLE if stage in found}


def release(
    runtime: Runtime,
    tenant: TenantId,
    source_id: SourceId,
    locator: str,
    *,
    person: str,
    role: str,
    reason: str,
    digest: str | None = None,
) -> QuarantinedItem:
    """Let a refused item in on a named person's word, and put the source in line again. Audited.

    The release is of what is refused there now, and of nothing that comes to lie there later: `digest` tells what the
    person looked at, where that is known. In later versions of the source the same content is let in, too.

    Raises NotAllowedError for a person without the role, InputError for no person or reason, for an item that nobody
    can release and where another one is refused than was looked at, NotFoundError when nothing is refused there.
    """
    require_person_and_reason(person, reason, "A release needs a person and a reason")
    with runtime.database.tenant(tenant) as connection:
        source = sources.get_source(connection, tenant, source_id)
    refused = [item for item in _quarantined(runtime, source) if item.locator == locator]
    if not refused or refused[0].released_by is not None:
        raise NotFoundError(
            "Nothing is refused there, or it is released already",
            where=partition_key(tenant, source_id),
            remedy="`tenant-pipeline quarantine list` shows what is.",
        )
    item = refused[0]
    if digest is not None and digest != item.digest:
        raise InputError(
            "Something else is refused there by now", where=locator, remedy="Look at it, and release it if you would."
        )
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
            INSERT INTO runtime.quarantine_releases
                   (tenant_id, source_id, stage, locator, code, unit_digest, content_digest, person, role, reason)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
            """,
            (
                tenant,
                source_id,
                str(item.stage),
                item.locator,
                item.code,
                source.unit_digest,
                item.digest,
                person,
                role,
                reason,
            ),
        )
        put_in_line(connection, tenant, [source_id])
        runtime.audit.append(
            connection,
            tenant,
            [
                AuditEntry(
                    actor=person,
                    action="quarantine.release",
                    subject=f"{source_id}:{item.stage}",
                    details={
                        "locator": item.locator,
                        "code": item.code,
                        "digest": item.digest,
                        "role": role,
                        "reason": reason,
                    },
                )
            ],
        )
    return replace(item, releasable=False, state=RELEASED, released_by=person, released_at=runtime.now())


def _paths(connection: Connection, runtime: Runtime, source: Source) -> dict[str, str]:
    """The paths of a source's files (as handed in) and objects by the beginnings of their locators."""
    files = sorted(kept_unit(runtime.raw_zone(source.tenant), source.unit_digest).files, key=lambda file: file.path)
    objects = connection.execute(
        "SELECT object, display_path FROM runtime.objects WHERE tenant_id = %s AND source_id = %s",
        (source.tenant, source.id),
    ).fetchall()
    return {f"{_FILE}{number}": file.path for number, file in enumerate(files, 1)} | {
        row["object"]: row["display_path"] for row in objects
    }
