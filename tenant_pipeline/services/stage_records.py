"""The auditable record of a source: what each stage took, gave, rejected and decided, and which code did it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.stage import StageCount
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.code_version import with_parameters
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import Connection


@dataclass(frozen=True)
class StageRecord:
    """One run of one stage over one source. `repeated` is True when it was found, not made: nothing was written."""

    stage: str
    input_digest: Sha256
    code_version: str
    output_digest: Sha256
    counts: tuple[StageCount, ...]
    reject_codes: Mapping[str, int]
    seconds: float
    gate_verdict: str | None = None
    run_id: str | None = None
    repeated: bool = False

    @property
    def rows_in(self) -> int:
        """Rows that came in, in the unit that the stage takes."""
        return self.counts[0].rows_in if self.counts else 0

    @property
    def rows_out(self) -> int:
        """Rows handed on, in the unit that the next stage takes."""
        return self.counts[-1].emitted if self.counts else 0

    @property
    def rejected(self) -> int:
        return sum(count.rejected for count in self.counts)

    @property
    def quarantined(self) -> int:
        return sum(count.quarantined for count in self.counts)

    def as_json(self) -> dict[str, Any]:
        """The record as the command line and the API give it."""
        return {
            "stage": self.stage,
            "input_digest": self.input_digest,
            "code_version": self.code_version,
            "output_digest": self.output_digest,
            "unit_in": self.counts[0].unit if self.counts else "",
            "unit_out": self.counts[-1].emitted_unit if self.counts else "",
            "rows_in": self.rows_in,
            "rows_out": self.rows_out,
            "rows_rejected": self.rejected,
            "rows_quarantined": self.quarantined,
            "counts": [asdict(count) for count in self.counts],
            "reject_codes": dict(self.reject_codes),
            "seconds": round(self.seconds, 4),
            "gate_verdict": self.gate_verdict,
            "run_id": self.run_id,
            "repeated": self.repeated,
        }


def find(
    connection: Connection, tenant: TenantId, source: SourceId, stage: str, input_digest: Sha256, code_version: str
) -> StageRecord | None:
    """The record of this stage over exactly this input by exactly this code, or None."""
    row = connection.execute(
        """
        SELECT stage, input_digest, code_version, output_digest, counts, reject_codes, seconds, gate_verdict, run_id
          FROM runtime.stage_runs
         WHERE tenant_id = %s AND source_id = %s AND stage = %s AND input_digest = %s AND code_version = %s
        """,
        (tenant, source, stage, input_digest, code_version),
    ).fetchone()
    return _record(row) if row else None


def standing(
    connection: Connection, tenant: TenantId, source: SourceId, stage: str, input_digest: Sha256, code_version: str
) -> tuple[str, StageRecord | None]:
    """The version to keep a judgement by, and its record where what stands was made from this input by this code.

    What is judged replaces what was judged before. So a record of an earlier time does not tell that it stands: where
    contracts or settings were changed and changed back, it is judged again, and kept by a version of its own.
    """
    last = connection.execute(
        """
        SELECT stage, input_digest, code_version, output_digest, counts, reject_codes, seconds, gate_verdict, run_id
          FROM runtime.stage_runs WHERE tenant_id = %s AND source_id = %s AND stage = %s
         ORDER BY finished_at DESC LIMIT 1
        """,
        (tenant, source, stage),
    ).fetchone()
    if last is None:
        return code_version, None
    if last["input_digest"] == input_digest and last["code_version"].partition("-")[0] == code_version:
        return last["code_version"], _record(last)
    if find(connection, tenant, source, stage, input_digest, code_version) is None:
        return code_version, None
    return with_parameters(code_version, {"after": [last["input_digest"], last["code_version"]]}), None


def _record(row: dict[str, Any]) -> StageRecord:
    counts = tuple(StageCount(**count) for count in row["counts"])
    return StageRecord(**{**row, "counts": counts}, repeated=True)


def every_step(
    connection: Connection, tenant: TenantId, source: SourceId, unit_digest: Sha256, stages: Sequence[str]
) -> dict[tuple[str, Sha256, str], StageRecord]:
    """The records of every step that leads on from a source's unit, by stage, input digest and code version.

    In one query, whatever the code was that made them: which of them belong together is for the caller to say.
    """
    rows = connection.execute(
        """
        WITH RECURSIVE way AS (
            SELECT 1 AS number, run.stage, run.input_digest, run.code_version, run.output_digest
              FROM runtime.stage_runs AS run
             WHERE run.tenant_id = %(tenant)s AND run.source_id = %(source)s
               AND run.stage = (%(stages)s::text[])[1] AND run.input_digest = %(unit)s
             UNION
            SELECT way.number + 1, run.stage, run.input_digest, run.code_version, run.output_digest
              FROM way JOIN runtime.stage_runs AS run
                ON run.tenant_id = %(tenant)s AND run.source_id = %(source)s
               AND run.stage = (%(stages)s::text[])[way.number + 1] AND run.input_digest = way.output_digest
        )
        SELECT run.stage, run.input_digest, run.code_version, run.output_digest, run.counts, run.reject_codes,
               run.seconds, run.gate_verdict, run.run_id
          FROM way JOIN runtime.stage_runs AS run
            ON run.tenant_id = %(tenant)s AND run.source_id = %(source)s AND run.stage = way.stage
           AND run.input_digest = way.input_digest AND run.code_version = way.code_version
        """,
        {"tenant": tenant, "source": source, "unit": unit_digest, "stages": list(map(str, stages))},
    ).fetchall()
    return {(row["stage"], row["input_digest"], row["code_version"]): _record(row) for row in rows}


def insert(connection: Connection, tenant: TenantId, source: SourceId, record: StageRecord) -> bool:
    """Append `record`, unless the same is there already; say whether it was. The table takes no update.

    The last record of a stage tells what stands: it is the last also where the database's clock was set back.
    """
    inserted = connection.execute(
        """
        INSERT INTO runtime.stage_runs
               (tenant_id, source_id, stage, input_digest, code_version, output_digest, counts, rows_in, rows_out,
                rows_rejected, rows_quarantined, reject_codes, seconds, gate_verdict, run_id, finished_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
                greatest(now(), (SELECT max(finished_at) + interval '1 microsecond' FROM runtime.stage_runs
                                  WHERE tenant_id = (SELECT %s::text) AND source_id = %s AND stage = %s)))
        ON CONFLICT (tenant_id, source_id, stage, input_digest, code_version) DO NOTHING
        """,
        (
            tenant,
            source,
            record.stage,
            record.input_digest,
            record.code_version,
            record.output_digest,
            Jsonb([asdict(count) for count in record.counts]),
            record.rows_in,
            record.rows_out,
            record.rejected,
            record.quarantined,
            Jsonb(dict(record.reject_codes)),
            record.seconds,
            record.gate_verdict,
            record.run_id,
            tenant,
            source,
            record.stage,
        ),
    )
    return inserted.rowcount == 1


def last_record_of_run(runtime: Runtime, run_id: str) -> datetime | None:
    """When a run last kept a record of a stage, of whichever tenant; None before the first."""
    with runtime.database.platform() as connection:
        row = connection.execute(
            "SELECT max(finished_at) AS at FROM runtime.stage_runs WHERE run_id = %s", (run_id,)
        ).fetchone()
    return row["at"] if row else None
