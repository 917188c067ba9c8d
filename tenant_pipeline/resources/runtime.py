"""The runtime as a Dagster resource: opened once a process, closed with it. It never starts a database."""

from __future__ import annotations

import atexit
import logging
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache

import dagster as dg

from tenant_pipeline.contracts.contracts import Contracts
from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services.runtime import Runtime, connect
from tenant_pipeline.services.sources import Source, get_source
from tenant_pipeline.services.stage_records import StageRecord
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.migrations import refuse_newer
from tenant_pipeline.telemetry.logs import log_of_process

_log = logging.getLogger(__name__)
Listener = Callable[[TenantId, SourceId, StageRecord], None]


@cache
def _opened() -> Runtime:
    log_of_process("dagster")
    stack = ExitStack()
    atexit.register(stack.close)
    runtime = stack.enter_context(connect(Settings()))
    refuse_newer(runtime.database)
    return runtime


@cache
def contracts_in_force() -> Contracts:
    """The contracts that the environment's settings name, for what is said of assets before they run.

    Raises ContractError, with which the code location does not load.
    """
    return load_contracts(Settings().contracts)


class RuntimeAccess:
    """The installation that the environment's settings name.

    A command that runs assets in its own process hands in a runtime that is open already, and a listener that is
    told of each stage as it ends.
    """

    def __init__(self, runtime: Runtime | None = None, listener: Listener | None = None) -> None:
        self._runtime = runtime
        self._listener = listener
        self._sources_of: tuple[str, dict[tuple[TenantId, SourceId], Source]] = ("", {})

    def open(self) -> Runtime:
        """The open runtime. Raises SettingsError when no database is running."""
        return self._runtime or _opened()

    def source_of_run(self, run_id: str, tenant: TenantId, source: SourceId) -> Source:
        """A source as it was when the run first asked: read once, for all stages that show what kind it is.

        Raises NotFoundError.
        """
        if self._sources_of[0] != run_id:
            self._sources_of = (run_id, {})
        known = self._sources_of[1]
        if (tenant, source) not in known:
            with self.open().database.tenant(tenant) as connection:
                known[tenant, source] = get_source(connection, tenant, source)
        return known[tenant, source]

    def tell(self, tenant: TenantId, source: SourceId, record: StageRecord) -> None:
        """Tell the log, and the listener if there is one, that a stage has ended."""
        fields = {
            "tenant": tenant, "source": source, "stage": record.stage, "run_id": record.run_id,
            "rows_in": record.rows_in, "rows_out": record.rows_out, "rejected": record.rejected,
            "quarantined": record.quarantined, "seconds": round(record.seconds, 3), "repeated": record.repeated,
            "gate_verdict": record.gate_verdict,
        }  # fmt: skip
        _log.info("stage ended", extra={"fields": fields})
        if self._listener is not None:
            self._listener(tenant, source, record)


RuntimeResource = dg.ResourceParam[RuntimeAccess]
"""How assets and sensors ask for it."""
