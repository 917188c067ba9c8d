"""How a run came to its end, as far as it tells: something was away, it was refused or killed, or a person ended it."""

import dagster as dg
from dagster._core.storage.dagster_run import RunRecord
from dagster._core.storage.tags import WILL_RETRY_TAG

from tenant_pipeline.assets.materialise import ENDED_BY_TAG
from tenant_pipeline.core.setback import Ending

OF_DAGSTERS_DATABASE = frozenset({"OperationalError", "InterfaceError", "DagsterPostgresException"})
"""What Dagster raises where its database is away or has no room: of SQLAlchemy, and its own."""


def goes_on(instance: dg.DagsterInstance, record: RunRecord) -> bool:
    """Whether Dagster has not done with the run: it runs it again, or has ended it because its time was up.

    Its run monitoring has such a run cancelled, and then calls it failed.
    """
    run = record.dagster_run
    if run.status is dg.DagsterRunStatus.FAILURE:
        return run.tags.get(WILL_RETRY_TAG) == "true"
    events = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_CANCELING)
    return any("exceeding maximum runtime" in (event.message or "") for event in events)


def ending_of(instance: dg.DagsterInstance, record: RunRecord) -> Ending:
    """How a run ended that was not through. One that never began was kept from it: nothing of its own was to blame."""
    if record.dagster_run.status is dg.DagsterRunStatus.CANCELED:
        return Ending.CANCELLED
    if record.start_time is None or _met_outage(instance, record.dagster_run):
        return Ending.OUTAGE
    return Ending.LOST


def refusal_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    """Why the run's work was refused, in the words of its typed error; empty where it was not."""
    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        told = entry.get_dagster_event().step_failure_data.user_failure_data
        if told is not None and "code" in told.metadata and "away" not in told.metadata:
            return told.description or str(told.metadata["code"].value)
    return ""


def _met_outage(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether the run says that something around us was away, or that Dagster could not write to its database."""
    if run.tags.get(ENDED_BY_TAG) == "outage":
        return True
    for entry in instance.all_logs(
        run.run_id, of_type={dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
    ):
        data = entry.get_dagster_event().event_specific_data
        told = getattr(data, "user_failure_data", None)
        if told is not None and "away" in told.metadata:
            return True
        error = getattr(data, "error", None)
        while error is not None:
            if error.cls_name in OF_DAGSTERS_DATABASE:
                return True
            error = error.cause
    return False
