"""Which of a tenant's files are needed: everything that a present source, a release or a waiting decision rests on.

What is superseded is needed for as long as its policy says, counted from when it was superseded. What cannot be told
apart is kept.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import NotFoundError
from tenant_pipeline.core.origin import Unit
from tenant_pipeline.core.stage import STAGES, Stage
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.lineage import lineage
from tenant_pipeline.services.retention.policies import RetentionClass
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import get_source
from tenant_pipeline.services.stage_records import Connection

_SOURCES = "SELECT id, unit_digest, version, queued_at FROM runtime.tenant_sources WHERE tenant_id = %s ORDER BY id"
_RECORDS = """
SELECT source_id, stage, input_digest, output_digest, finished_at FROM runtime.stage_runs
 WHERE tenant_id = %s ORDER BY source_id, finished_at
"""
# The newest version of a feed is what the next answer is compared with, and may wait for a person.
_VERSIONS = """
SELECT unit_digest, fetched_at, number = max(number) OVER (PARTITION BY feed_id) AS newest
  FROM runtime.feed_versions WHERE tenant_id = %s
"""
_RELEASES = "SELECT stored_digest, built_at FROM runtime.releases WHERE tenant_id = %s"
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

    units: set[str] = field(default_factory=set)
    outputs: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    all_units: set[str] = field(default_factory=set)
    all_outputs: set[str] = field(default_factory=set)


def needed_files(
    connection: Connection,
    runtime: Runtime,
    tenant: TenantId,
    policies: Mapping[RetentionClass, int],
) -> Needed:
    """What of a tenant's files has to stay now. A class without a policy stays as a whole."""
    now = runtime.now()
    parameters = (tenant,)
    sources = connection.execute(_SOURCES, parameters).fetchall()
    releases = connection.execute(_RELEASES, parameters).fetchall()
    found = _Found()
    found.outputs |= {row["stored_digest"] for row in releases}
    found.all_outputs |= found.outputs
    found.files |= {row["sha256"] for row in connection.execute(_UPLOADS, parameters)}
    records: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in connection.execute(_RECORDS, parameters).fetchall():
        if row["stage"] in list(STAGES):
            records[row["source_id"]].append(row)
    for source in sources:
        found.units.add(source["unit_digest"])
        of_source = records[source["id"]]
        found.all_units |= {row["input_digest"] for row in of_source if row["stage"] == Stage.RECEIVE}
        found.all_outputs |= {row["output_digest"] for row in of_source}
        found.outputs |= set(_chain(of_source, source["unit_digest"]))
        present = get_source(connection, tenant, SourceId(source["id"]))
        found.outputs |= {record.output_digest for record in lineage(connection, runtime, present).values()}
        for release in releases:
            unit = _unit_at(of_source, release["built_at"])
            if unit is not None:
                found.units.add(unit)
                found.outputs |= set(_chain(of_source, unit, release["built_at"]))
        _keep_recent(found, of_source, source["queued_at"], now, policies)
    _keep_versions(found, connection.execute(_VERSIONS, parameters).fetchall(), now, policies)
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


def _chain(records: Sequence[Mapping[str, Any]], unit: str, until: datetime | None = None) -> Iterable[str]:
    """The outputs that lead from a unit through the stages, the newest of each stage."""
    digest: str | None = unit
    for stage in STAGES:
        made = [
            row
            for row in records
            if row["stage"] == stage
            and row["input_digest"] == digest
            and (until is None or row["finished_at"] <= until)
        ]
        if not made:
            return
        digest = made[-1]["output_digest"]
        yield str(digest)


def _unit_at(records: Sequence[Mapping[str, Any]], moment: datetime) -> str | None:
    received = [row for row in records if row["stage"] == Stage.RECEIVE and row["finished_at"] <= moment]
    return received[-1]["input_digest"] if received else None


def _keep_recent(
    found: _Found,
    records: Sequence[Mapping[str, Any]],
    queued_at: datetime,
    now: datetime,
    policies: Mapping[RetentionClass, int],
) -> None:
    """Keep what was superseded a short while ago: by the next record of its stage, or by what was put in line last."""
    following: dict[str, datetime] = {}
    for row in reversed(records):
        superseded_at = following.get(row["stage"], max(queued_at, row["finished_at"]))
        following[row["stage"]] = row["finished_at"]
        if _is_kept(superseded_at, now, policies.get(RetentionClass.STAGE_OUTPUTS)):
            found.outputs.add(row["output_digest"])
        if row["stage"] == Stage.RECEIVE and _is_kept(superseded_at, now, policies.get(RetentionClass.RAW_UNITS)):
            found.units.add(row["input_digest"])


def _keep_versions(
    found: _Found,
    versions: Sequence[Mapping[str, Any]],
    now: datetime,
    policies: Mapping[RetentionClass, int],
) -> None:
    days = policies.get(RetentionClass.RAW_UNITS)
    found.units |= {row["unit_digest"] for row in versions if row["newest"] or _is_kept(row["fetched_at"], now, days)}


def _is_kept(superseded_at: datetime, now: datetime, days: int | None) -> bool:
    return days is None or now - superseded_at <= timedelta(days=days)


def _files_of_units(runtime: Runtime, tenant: TenantId, units: Iterable[str]) -> set[str]:
    raw = runtime.raw_zone(tenant)
    files: set[str] = set()
    for digest in map(Sha256, units):
        files.add(digest)
        if digest in raw:
            with raw.open(digest) as stream:
                files |= {file.sha256 for file in Unit.from_json(json.load(stream)).files}
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
