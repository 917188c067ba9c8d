"""The rows that a stage did not let pass: where each is and why, never what it says.

Where a row is, a stage before `screen` tells in the source's own words, such as a sheet's name or a key: they are
screened here as `screen` does it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, islice
from typing import Any

import pyarrow as pa

from tenant_pipeline.core.stage import Stage
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.lineage import RAW_STAGES, lineage
from tenant_pipeline.services.pii_analyzer import replacer
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import get_source
from tenant_pipeline.storage.stage_store import StoredStage

BATCH = 10_000
"""So many rejects of an object are looked at together."""


def rejects_of_stage(
    runtime: Runtime, tenant: TenantId, source_id: SourceId, stage: Stage, limit: int
) -> Iterator[dict[str, Any]]:
    """At most `limit` rejects of a stage as the source stands now; none before the stage has run.

    Raises NotFoundError for no such source.
    """
    with runtime.database.tenant(tenant) as connection:
        source = get_source(connection, tenant, source_id)
        record = lineage(connection, runtime, source).get(stage)
    if record is None:
        return iter(())
    stored = runtime.stage_store(tenant).read(record.output_digest)
    return islice(_screened(runtime, tenant, stored) if stage in RAW_STAGES else _rows(stored), limit)


def _rows(stored: StoredStage) -> Iterator[dict[str, Any]]:
    return (
        {str(name): value for name, value in row.items()}
        for frame in stored.rejects()
        for row in frame.to_dict("records")
    )


def _screened(runtime: Runtime, tenant: TenantId, stored: StoredStage) -> Iterator[dict[str, Any]]:
    """The rejects with their locators screened, object by object: what its other names are tells what one is."""
    # Loaded where a locator is shown: it brings in Presidio and spaCy.
    from tenant_pipeline.pii.findings import Place
    from tenant_pipeline.pii.locators import LocatorScreen
    from tenant_pipeline.pii.screen import named_after_persons

    screened = replacer(runtime, tenant)
    persons = named_after_persons(stored.tables("records"))
    for name, rows in groupby(_rows(stored), key=_object_of):
        screen = LocatorScreen(screened, Place("rejects", -1, "(locator)"), persons.get(name, ()))
        while batch := list(islice(rows, BATCH)):
            locators = screen.screen(pa.array([row["locator"] for row in batch], type=pa.string()))
            yield from ({**row, "locator": locator} for row, locator in zip(batch, locators.to_pylist(), strict=True))


def _object_of(row: dict[str, Any]) -> str:
    """The object that a row lies in; '' for what is one itself."""
    name, separator, _ = str(row["locator"]).partition("#")
    return name if separator else ""
