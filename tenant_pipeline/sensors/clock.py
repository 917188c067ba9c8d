"""What comes due by itself: approvals that nobody gave in time, flags and uploads that expire, answers of before."""

from datetime import datetime

import dagster as dg

from tenant_pipeline.core.errors import TenantRuntimeError
from tenant_pipeline.resources.runtime import RuntimeResource
from tenant_pipeline.services.approvals.queue import escalate_breaches
from tenant_pipeline.services.cost.budgets import raise_alerts
from tenant_pipeline.services.feature_flags.overrides import end_expired
from tenant_pipeline.services.idempotency import forget_old_answers
from tenant_pipeline.services.presence import forget_presence
from tenant_pipeline.services.provisioning.backends import backend_of
from tenant_pipeline.services.provisioning.settling import settle
from tenant_pipeline.services.uploads import forget_expired_uploads

SETTLING_SECONDS = 20.0
"""With what is under way then, well within the minute that Dagster lets a tick take."""


@dg.sensor(minimum_interval_seconds=15, default_status=dg.DefaultSensorStatus.RUNNING)
def clock(context: dg.SensorEvaluationContext, runtime: RuntimeResource) -> dg.SensorResult:
    """Takes requests that have waited too long to the next in line, and tells instances of flags that have expired.

    It approves nothing. Instances follow their tenants' states where that failed, was cut off, or was out of reach of
    whoever changed the state. Answers that were kept for who asks again are thrown away after a day, who was where in a
    workspace after a minute, and what uploads that nobody went on with were called, and what has arrived of them, when
    their time is over.
    """
    opened = runtime.open()
    now = opened.now()
    escalated = escalate_breaches(opened)
    for each in escalated:
        context.log.warning(
            f"{each.tenant}: {each.request.gate} was due at {each.request.due_at.isoformat()} and is escalated"
        )
    forget_old_answers(opened)
    forget_presence(opened)
    forget_expired_uploads(opened)
    since = datetime.fromisoformat(context.cursor) if context.cursor else None
    ended = end_expired(opened, since, now)
    for tenant in ended:
        context.log.info(f"{tenant}: an override of a flag has ended")
    try:
        for settled in settle(opened, backend_of(opened), seconds=SETTLING_SECONDS, actor="clock"):
            if settled.hindrance is None:
                context.log.info(f"{settled.tenant}: its instance {'stands again' if settled.stands else 'rests now'}")
            elif settled.stands:
                context.log.warning(f"{settled.tenant}: its instance does not stand yet: {settled.hindrance}")
            else:
                context.log.warning(f"{settled.tenant}: its instance may still stand: {settled.hindrance}")
    except TenantRuntimeError as error:
        context.log.warning(f"Whether instances stand as their tenants' states have it is not known: {error.what}")
    return dg.SensorResult(
        skip_reason=f"{len(escalated)} requests escalated, flags of {len(ended)} tenants changed.",
        cursor=now.isoformat(),
    )


@dg.sensor(minimum_interval_seconds=600, default_status=dg.DefaultSensorStatus.RUNNING)
def budgets(context: dg.SensorEvaluationContext, runtime: RuntimeResource) -> dg.SkipReason:
    """Notes, once, each threshold of its budget that a tenant has come to. It stops nothing."""
    raised = raise_alerts(runtime.open())
    for alert in raised:
        context.log.warning(f"{alert['tenant_id']}: {alert['threshold']:.0%} of the month's budget is used up")
    return dg.SkipReason(f"{len(raised)} new alerts.")
