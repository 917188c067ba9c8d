"""Sources of which something stands in a draft that was not judged: not compared with the others, or not scored.

Told by digests and not by times: a judgement that is found again keeps no new record. What was judged by other
contracts or other code is judged; only `is_through` asks by which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, LiteralString

from tenant_pipeline.core.errors import IntegrityError, NotFoundError
from tenant_pipeline.core.stage import Stage
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services import stage_records
from tenant_pipeline.services.code_version import CONFLICT_MATRIX, COVERAGE_SCORE, code_version
from tenant_pipeline.services.identity import digest_with_identity, with_identity, with_rights
from tenant_pipeline.services.lineage import lineage
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import get_source
from tenant_pipeline.storage.database import Connection

# The last record of `assemble` tells what of a source stands in the draft.
_STANDING = """
SELECT source.tenant_id, source.id, source.identity_version, source.redated, source.redeclared,
       assembled.output_digest AS assembled, compared.input_digest AS compared, scored.input_digest AS scored
  FROM runtime.tenant_sources AS source
 CROSS JOIN LATERAL (
       SELECT output_digest FROM runtime.stage_runs AS run
        WHERE run.tenant_id = source.tenant_id AND run.source_id = source.id AND run.stage = 'assemble'
        ORDER BY finished_at DESC, code_version DESC LIMIT 1) AS assembled
  LEFT JOIN LATERAL (
       SELECT input_digest FROM runtime.stage_runs AS run
        WHERE run.tenant_id = source.tenant_id AND run.source_id = source.id AND run.stage = 'conflict_matrix'
        ORDER BY finished_at DESC, code_version DESC LIMIT 1) AS compared ON true
  LEFT JOIN LATERAL (
       SELECT input_digest FROM runtime.stage_runs AS run
        WHERE run.tenant_id = source.tenant_id AND run.source_id = source.id AND run.stage = 'coverage_score'
        ORDER BY finished_at DESC, code_version DESC LIMIT 1) AS scored ON true
"""
_ASSEMBLED = " WHERE source.ingest_status = 'assembled'"
_OF_ONE = _ASSEMBLED + " AND source.tenant_id = (SELECT %(tenant)s::text) AND source.id = %(source)s"
_IN_DRAFT = """
 WHERE source.tenant_id = (SELECT %(tenant)s::text) AND source.ingest_status <> 'withdrawn' ORDER BY source.id
"""
_QUIET = (
    _ASSEMBLED
    + """
   AND source.queued_at < now() - %(quiet_for)s
   AND NOT EXISTS (SELECT FROM runtime.stage_runs AS run
                    WHERE run.tenant_id = source.tenant_id AND run.source_id = source.id
                      AND run.finished_at >= now() - %(quiet_for)s)
   -- Of what was never merged, redated or redeclared the digest is that of what was assembled.
   AND (source.identity_version + source.redated + source.redeclared > 0
        OR (compared.input_digest, scored.input_digest)
           IS DISTINCT FROM (assembled.output_digest, assembled.output_digest))
 ORDER BY source.tenant_id, source.id
"""
)


@dataclass(frozen=True)
class Unjudged:
    """A source of which something stands in the draft, and what of that has yet to be done."""

    tenant: TenantId
    source: SourceId
    to_compare: bool
    to_score: bool


def unjudged_sources(runtime: Runtime, quiet_for: timedelta) -> list[tuple[TenantId, SourceId]]:
    """Those of all tenants that are assembled, and were neither put in line nor made a step for so long.

    It looks at every source that is assembled: not for each tick.
    """
    with runtime.database.platform() as connection:
        found = _unjudged(connection, _STANDING + _QUIET, {"quiet_for": quiet_for})
    return [(each.tenant, each.source) for each in found]


def unjudged_in_draft(connection: Connection, tenant: TenantId) -> list[Unjudged]:
    """Those of which something stands in the tenant's draft, whether they stopped since or are on their way."""
    return _unjudged(connection, _STANDING + _IN_DRAFT, {"tenant": tenant})


def is_unjudged(connection: Connection, tenant: TenantId, source: SourceId) -> bool:
    """Whether a source is assembled and has yet to be judged as it is now."""
    return bool(_unjudged(connection, _STANDING + _OF_ONE, {"tenant": tenant, "source": source}))


def is_through(connection: Connection, runtime: Runtime, tenant: TenantId, source: SourceId) -> bool:
    """Whether a source is assembled, compared and scored as it is now, by the contracts and the code of now.

    Where there is no such source, or an output of it that tells cannot be read, it is not.
    """
    try:
        present = get_source(connection, tenant, source)
        behind = lineage(connection, runtime, present)
    except (NotFoundError, IntegrityError):
        return False
    if Stage.ASSEMBLE not in behind:
        return False
    said = digest_with_identity(present, behind[Stage.ASSEMBLE].output_digest)
    judged = {CONFLICT_MATRIX: said, COVERAGE_SCORE: with_rights(said, present.redeclared)}
    for judgement, digest in judged.items():
        code = code_version(judgement, runtime.contracts)
        _, record = stage_records.standing(connection, tenant, source, judgement, digest, code)
        if record is None:
            return False
    return True


def _unjudged(connection: Connection, query: LiteralString, parameters: Mapping[str, Any]) -> list[Unjudged]:
    found = []
    for row in connection.execute(query, parameters):
        said = with_identity(row["assembled"], row["identity_version"], row["redated"])
        to_compare = row["compared"] != said
        to_score = row["scored"] != with_rights(said, row["redeclared"])
        if to_compare or to_score:
            found.append(Unjudged(TenantId(row["tenant_id"]), SourceId(row["id"]), to_compare, to_score))
    return found
