"""When the marts are built: every morning in Bangkok, and when a release has gone out."""

import dagster as dg

from tenant_pipeline.core.business_calendar import BANGKOK
from tenant_pipeline.resources.runtime import RuntimeResource
from tenant_pipeline.services.releases.reading import publications
from tenant_pipeline.settings import Settings

BUILD_MARTS = "build_marts"

build_marts = dg.define_asset_job(
    BUILD_MARTS,
    selection=dg.AssetSelection.groups("governance"),
    description="Measure every tenant that is due, build every mart, and hold each against its contract and tests.",
)

marts_schedule = dg.ScheduleDefinition(
    name="marts_every_day",
    job=build_marts,
    cron_schedule=Settings().marts_cron,
    execution_timezone=BANGKOK.key,
    default_status=dg.DefaultScheduleStatus.RUNNING,
)


@dg.sensor(job=build_marts, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def marts_after_releases(context: dg.SensorEvaluationContext, runtime: RuntimeResource) -> dg.SensorResult:
    """Asks for one build for all that was published, or gone back to, since it last asked."""
    published = str(publications(runtime.open()))
    if published == (context.cursor or "0"):
        return dg.SensorResult(skip_reason="Nothing was published.", cursor=published)
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=f"publications-{published}")], cursor=published)
