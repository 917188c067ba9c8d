"""Which of a tenant's files are needed: everything that a present source, what is known of it, a release or a waiting
decision rests on.

What is superseded is needed for as long as its policy says, counted from when it was superseded. What cannot be told
apart is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import NotFoundError
from tenant_pipeline.core.stage import STAGES, Stage
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.kept_units import kept_unit
from tenant_pipeline.services.lineage import lineage
from tenant_pipeline.services.retention.policies import RetentionClass
from tenant_pipeline.services.retention.standings import Trail
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import get_source
from tenant_pipeline.storage.database import Connection

_SOURCES = "SELECT id, unit_digest, version, queued_at FROM runtime.tenant_sources WHERE tenant_id = %s ORDER BY id"
_RECORDS = """
SELECT source_id, stage, input_digest, output_digest, finished_at FROM runtime.stage_runs
 WHERE tenant_id = %s ORDER BY source_id, finished_at
"""
# A version has its place until another is taken in; one that was not taken in, until another is fetched. The newest is
# what the next answer is compared with, and may wait for a person.
_VERSIONS = """
SELECT source_id, unit_digest,
       CASE WHEN taken_in_at IS NULL THEN lead(fetched_at) OVER later
            ELSE min(taken_in_at) OVER (later ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) END AS superseded_at
  FROM (SELECT feed.source_id, version.*,
               CASE WHEN version.reasons = '[]' THEN version.fetched_at
                    WHEN decided.decision = 'accept' THEN decided.decided_at END AS taken_in_at
          FROM runtime.feed_versions AS version
          JOIN runtime.feeds AS feed ON feed.tenant_id = version.tenant_id AND feed.id = version.feed_id
          LEFT JOIN runtime.feed_decisions AS decided
            ON decided.tenant_id = version.tenant_id AND decided.feed_id = version.feed_id
           AND decided.number = version.number
         WHERE version.tenant_id = %s) AS version
WINDOW later AS (PARTITION BY feed_id ORDER BY number)
"""
# By the clock of who built it, and by the database's.
_RELEASES = """
SELECT release.stored_digest, release.built_at, entry.created_at AS noted_at
  FROM runtime.releases AS release
  LEFT JOIN runtime.publish_pipeline AS entry
    ON entry.tenant_id = release.tenant_id AND entry.release_digest = release.release_digest AND entry.stage = 'draft'
 WHERE release.tenant_id = %s
"""
_UPLOADS = "SELECT sha256 FROM runtime.uploads WHERE tenant_id = %s AND sha256 IS NOT NULL AND ended_at IS NULL"


@dataclass(frozen=True)
class Needed:
    """Files that stay, and files of outputs that do not; `seen` is how the sources stood when that was found out."""

    files: frozenset[str]
    old_outputs: frozenset[str]
    old_manifests: frozenset[str]
    seen: tuple[Any, ...]


@dataclass
class _Found:
    """Units, outputs and files that stay, and all units and outputs that there ever were."""

    now: datetime
    policies: Mapping[RetentionClass, int]
    units: set[str] = field(default_factory=set)
    outputs: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    all_units: set[str] = field(default_factory=set)
    all_outputs: set[str] = field(default_factory=set)

    def keep(self, units: Iterable[str], outputs: Iterable[str], superseded_at: datetime | None) -> None:
        """Let stay what nothing has superseded, or so lately that its class is kept."""
        if self._stays(RetentionClass.RAW_UNITS, superseded_at):
            self.units |= set(units)
        if self._stays(RetentionClass.STAGE_OUTPUTS, superseded_at):
            self.outputs |= set(outputs)

    def _stays(self, kept: RetentionClass, superseded_at: datetime | None) -> bool:
        days = self.policies.get(kept)
        return superseded_at is None or days is None or self.now - superseded_at <= timedelta(days=days)


def needed_files(
    connection: Connection,
    runtime: Runtime,
    tenant: TenantId,
    policies: Mapping[RetentionClass, int],
) -> Needed:
    """What of a tenant's files has to stay now. A class without a policy stays as a whole."""
    parameters = (tenant,)
    sources = connection.execute(_SOURCES, parameters).fetchall()
    releases = connection.execute(_RELEASES, parameters).fetchall()
    built = sorted({at for row in releases for at in (row["built_at"], row["noted_at"]) if at is not None})
    found = _Found(runtime.now(), policies)
    found.outputs |= {row["stored_digest"] for row in releases}
    found.all_outputs |= found.outputs
    found.files |= {row["sha256"] for row in connection.execute(_UPLOADS, parameters)}
    records: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in connection.execute(_RECORDS, parameters).fetchall():
        if row["stage"] in list(STAGES):
            records[row["source_id"]].append(row)
    trails = defaultdict(lambda: Trail(()), {source: Trail(of_source) for source, of_source in records.items()})
    for source in sources:
        found.units.add(source["unit_digest"])
        of_source, trail = records[source["id"]], trails[source["id"]]
        found.all_units |= {row["input_digest"] for row in of_source if row["stage"] == Stage.RECEIVE}
        found.all_outputs |= {row["output_digest"] for row in of_source}
        found.outputs |= set(trail.outputs_from(source["unit_digest"]))
        present = get_source(connection, tenant, SourceId(source["id"]))
        found.outputs |= {record.output_digest for record in lineage(connection, runtime, present).values()}
        for standing in trail.standings():
            found.keep([standing.unit], standing.outputs, None if standing.may_be_in(built) else standing.until)
        _keep_recent(found, of_source, source["queued_at"])
    for version in connection.execute(_VERSIONS, parameters).fetchall():
        unit = version["unit_digest"]
        found.keep([unit], trails[version["source_id"]].outputs_from(unit), version["superseded_at"])
    old = found.all_outputs - found.outputs
    files = found.files | _files_of_units(runtime, tenant, found.units)
    files |= _files_of_outputs(runtime, tenant, found.outputs)
    handed_in = _files_of_units(runtime, tenant, found.all_units - found.units)
    return Needed(
        files=frozenset(files),
        old_outputs=frozenset(_files_of_outputs(runtime, tenant, old) - files - handed_in),
        old_manifests=frozenset(old - files),
        seen=state_of(sources),
    )


def state_of(rows: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
    """How sources stand: when it is still the same, nothing else has become needed."""
    return tuple((row["id"], row["unit_digest"], row["version"], row["queued_at"]) for row in rows)


def lock_sources(connection: Connection, tenant: TenantId) -> tuple[Any, ...]:
    """How the sources stand; none is given another version before the commit."""
    return state_of(connection.execute(f"{_SOURCES} FOR SHARE", (tenant,)).fetchall())


def _keep_recent(found: _Found, records: Sequence[Mapping[str, Any]], queued_at: datetime) -> None:
    """Keep what was superseded a short while ago: by the next record of its stage, or by what was put in line last."""
    following: dict[str, datetime] = {}
    for row in reversed(records):
        superseded_at = following.get(row["stage"], max(queued_at, row["finished_at"]))
        following[row["stage"]] = row["finished_at"]
        units = [row["input_digest"]] if row["stage"] == Stage.RECEIVE else []
        found.keep(units, [row["output_digest"]], superseded_at)


def _files_of_units(runtime: Runtime, tenant: TenantId, units: Iterable[str]) -> set[str]:
    raw = runtime.raw_zone(tenant)
    files: set[str] = set()
    for digest in map(Sha256, units):
        files.add(digest)
        if digest in raw:
            files |= {file.sha256 for file in kept_unit(raw, digest).files}
    return files


def _files_of_outputs(runtime: Runtime, tenant: TenantId, outputs: Iterable[str]) -> set[str]:
    """The files of outputs, and the objects that a manifest of `receive` names."""
    store = runtime.stage_store(tenant)
    files: set[str] = set()
    for digest in map(Sha256, outputs):
        files.add(digest)
        try:
            output = store.read(digest)
        except NotFoundError:  # pruned before, or of a stage that stores none
            continue
        files |= {str(table["sha256"]) for table in output.manifest["tables"]}
        files |= {str(document) for document in output.manifest["documents"].values()}
        for table in output.tables("manifest"):
            for frame in table.batches(["sha256"]):
                files |= set(frame["sha256"].astype(str))
    return files
