"""What comes due by itself: approvals that nobody gave in time, flags whose time is over, answers to be forgotten."""

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
from tenant_pipeline.services.provisioning.standing import rest_instance, tenants_whose_instance_rests

REST_SECONDS = 20.0


@dg.sensor(minimum_interval_seconds=15, default_status=dg.DefaultSensorStatus.RUNNING)
def clock(context: dg.SensorEvaluationContext, runtime: RuntimeResource) -> dg.SensorResult:
    """Takes requests that have waited too long to the next in line, and tells instances of flags that have expired.

    It approves nothing. Instances whose tenant is not served come to rest, where that failed or was cut off. Answers
    that were kept for who asks again are thrown away after a day, and who was where in a workspace after a minute.
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
    since = datetime.fromisoformat(context.cursor) if context.cursor else None
    ended = end_expired(opened, since, now)
    for tenant in ended:
        context.log.info(f"{tenant}: an override of a flag has ended")
    for tenant in tenants_whose_instance_rests(opened):
        try:
            if rest_instance(opened, tenant, backend_of(opened), timeout=REST_SECONDS, actor="clock"):
                context.log.info(f"{tenant}: its instance rests now")
        except TenantRuntimeError as error:
            context.log.warning(f"{tenant}: its instance may still stand: {error.what}")
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
