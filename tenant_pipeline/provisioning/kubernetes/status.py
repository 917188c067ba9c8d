"""How an instance stands, and why, read from its deployment and pods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.kubernetes.objects.identity import KubernetesObject
from tenant_pipeline.provisioning.provisioner import InstanceStatus, Phase

_FAILURES = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)
"""Reasons for which a container waits that do not pass by waiting (kubelet)."""

_LONGEST_MESSAGE = 300


def instance_status(
    tenant: TenantId, deployment: KubernetesObject, pods: Iterable[KubernetesObject], endpoint: str | None
) -> InstanceStatus:
    """HEALTHY once every replica is of the newest template and available, and no older one is left.

    Of a container that ended only its reason and exit code are told, never its output.
    """
    wanted = deployment["spec"]["replicas"]
    told = deployment.get("status") or {}
    counts = [told.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    if told.get("observedGeneration", 0) >= deployment["metadata"]["generation"] and counts == [wanted] * 3:
        return InstanceStatus(tenant, Phase.HEALTHY, endpoint, f"{wanted} of {wanted} pods available")
    refused = list(_refusals(told.get("conditions") or []))
    failures, waits = _pods(pods)
    phase = Phase.UNHEALTHY if refused or failures else Phase.STARTING
    available = f"{told.get('availableReplicas', 0)} of {wanted} pods available"
    return InstanceStatus(tenant, phase, None, "; ".join([available, *refused, *_counted(failures), *_counted(waits)]))


def _refusals(conditions: Iterable[dict[str, Any]]) -> Iterator[str]:
    """What the deployment itself says went wrong: pods refused by a quota or policy, or no progress in time."""
    for condition in conditions:
        kind, state = condition["type"], condition["status"]
        if (kind, state) in {("ReplicaFailure", "True"), ("Progressing", "False")}:
            message = condition.get("message", "")[:_LONGEST_MESSAGE]
            yield f"{condition.get('reason', kind)}: {message}"


def _pods(pods: Iterable[KubernetesObject]) -> tuple[Counter[str], Counter[str]]:
    failures: Counter[str] = Counter()
    waits: Counter[str] = Counter()
    for pod in pods:
        told = pod.get("status") or {}
        conditions = {condition["type"]: condition for condition in told.get("conditions") or []}
        if conditions.get("Ready", {}).get("status") == "True" or pod["metadata"].get("deletionTimestamp"):
            continue
        reasons = [reason for container in told.get("containerStatuses") or [] for reason in _container(container)]
        for reason, fails in reasons:
            (failures if fails else waits)[reason] += 1
        if not reasons and told.get("phase") == "Failed":
            failures[told.get("reason", "Failed")] += 1
        elif not reasons and not pod["spec"].get("nodeName"):
            scheduled = conditions.get("PodScheduled", {})
            waits[scheduled.get("reason") or "not given to a node yet"] += 1
        elif not reasons:
            waits["not ready yet"] += 1
    return failures, waits


def _container(container: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    waiting = (container.get("state") or {}).get("waiting") or {}
    reason = waiting.get("reason")
    if reason:
        ended = (container.get("lastState") or {}).get("terminated") or {}
        last = f" (ended before: {ended.get('reason', 'Error')}, exit code {ended['exitCode']})" if ended else ""
        yield f"{reason}{last}", reason in _FAILURES


def _counted(reasons: Counter[str]) -> list[str]:
    return [f"{count} {'pod' if count == 1 else 'pods'}: {reason}" for reason, count in sorted(reasons.items())]
