"""A tenant with sources of one hall each, which people judge to be the same hall or another."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.stage import STAGES
from tenant_pipeline.core.tenancy import SourceId
from tenant_pipeline.services import roles, sources
from tenant_pipeline.services.conflicts.matrix import update_conflicts
from tenant_pipeline.services.coverage.scoring import update_coverage
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source
from tests.integration.conftest import ATTACKER
from tests.registered import registered

WORD: dict[str, Any] = {"person": "ann@city.example", "role": "reviewer", "reason": "I have been to both"}
CAPACITY = "maximumAttendeeCapacity"
HEADER = "name_en,capacity,postcode,lat,lon"


class Tenant:
    """A tenant with sources of one hall each."""

    def __init__(self, runtime: Runtime, folder: Path) -> None:
        self.runtime, self._folder = runtime, folder
        self.id = registered(runtime, f"t{uuid.uuid4().hex[:12]}")
        for each in (self.id, ATTACKER):
            roles.grant_role(runtime, each, person=WORD["person"], role="reviewer", granted_by="test")

    def add(self, title: str, *rows: str, compare: bool = True) -> SourceId:
        path = self._folder / f"{title}.csv"
        path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
        source = sources.add_source(
            self.runtime, self.id, origin=Origin.PRESS, unit_mode=UnitMode.SINGLE_FILE, places=[str(path)],
            title=title, actor="test",
        )  # fmt: skip
        for stage in STAGES:
            run_stage(self.runtime, self.id, source.id, stage)
        if compare:
            update_conflicts(self.runtime, self.id, source.id)
        update_coverage(self.runtime, self.id, source.id)
        return source.id

    def source(self, source: SourceId) -> Source:
        with self.runtime.database.tenant(self.id) as connection:
            return sources.get_source(connection, self.id, source)

    def rows(self, query: str) -> list[dict[str, Any]]:
        with self.runtime.database.tenant(self.id) as connection:
            return connection.execute(query).fetchall()

    def canonical(self, source: SourceId) -> str:
        rows = self.rows(f"SELECT DISTINCT canonical_id FROM runtime.entity_members WHERE source_id = '{source}'")
        (row,) = rows
        return str(row["canonical_id"])

    def said_of(self, source: SourceId) -> set[str]:
        rows = self.rows(f"SELECT DISTINCT canonical_id FROM runtime.statements WHERE source_id = '{source}'")
        return {str(row["canonical_id"]) for row in rows}

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """All that linking and judging write and that a judgement taken back is to leave as it was."""
        return {
            "entities": self.rows("SELECT * FROM runtime.entities ORDER BY canonical_id"),
            "members": self.rows("SELECT * FROM runtime.entity_members ORDER BY source_id, entity_id"),
            "keys": self.rows("SELECT * FROM runtime.entity_keys ORDER BY 1, 2, 3, 4, 5, 6"),
            "blocking keys": self.rows("SELECT * FROM runtime.entity_blocking_keys ORDER BY 1, 2, 3"),
            "features": self.rows("SELECT * FROM runtime.entity_features ORDER BY canonical_id"),
            "said": self.rows("SELECT statement_id, canonical_id FROM runtime.statements ORDER BY 1, 2"),
        }
