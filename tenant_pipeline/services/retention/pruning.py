"""Prune what nothing needs: looked for first, audited before it goes, and each time only what is still not needed.

Killed at any point, what is left is found by the next pruning; nothing that is needed is ever touched, for it is
looked up again, with the sources locked, before each batch of files goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tenant_pipeline.core.digest import Sha256, sha256_of_json
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.retention.holds import keep_unheld, require_no_hold
from tenant_pipeline.services.retention.needed import Needed, lock_sources, needed_files
from tenant_pipeline.services.retention.policies import RetentionClass, policies_of
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.object_store import Zone

FILES_AT_ONCE = 200


@dataclass(frozen=True)
class Prunable:
    """A file that nothing needs."""

    kept: RetentionClass
    zone: Zone
    digest: Sha256
    size: int
    before: datetime


@dataclass(frozen=True)
class Pruning:
    """What there is to prune, or was pruned: files and bytes by class."""

    tenant: TenantId
    files: dict[str, int]
    bytes: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """The pruning as the command line gives it and the audit log keeps it."""
        return {"tenant": self.tenant, "files": self.files, "bytes": self.bytes}


def plan_pruning(runtime: Runtime, tenant: TenantId) -> Pruning:
    """What would go now; nothing does. Raises HeldError under a legal hold, NotFoundError for no such tenant."""
    show_tenant(runtime, tenant)
    _, found = _prunable(runtime, tenant)
    return _summary(tenant, found)


def prune(runtime: Runtime, tenant: TenantId, *, actor: str) -> Pruning:
    """Delete what nothing needs by the tenant's policies; without a policy, nothing. Audited before and after.

    Raises HeldError under a legal hold, also one that is placed meanwhile, and NotFoundError for no such tenant.
    """
    show_tenant(runtime, tenant)
    needed, found = _prunable(runtime, tenant)
    if not found:
        return _summary(tenant, [])
    details = {**_summary(tenant, found).as_json(), "digest": sha256_of_json(sorted(each.digest for each in found))}
    _audit(runtime, tenant, actor, "retention.prune", details)
    gone: list[Prunable] = []
    for first in range(0, len(found), FILES_AT_ONCE):
        with runtime.database.tenant(tenant) as connection:
            keep_unheld(connection, tenant)
            if lock_sources(connection, tenant) != needed.seen:
                break  # a source has changed meanwhile: what it needs now is not known, and the rest waits
            gone += [
                each for each in found[first : first + FILES_AT_ONCE] if each.zone.remove(each.digest, each.before)
            ]
    pruned = _summary(tenant, gone)
    _audit(runtime, tenant, actor, "retention.pruned", pruned.as_json())
    return pruned


def _prunable(runtime: Runtime, tenant: TenantId) -> tuple[Needed, list[Prunable]]:
    with runtime.database.tenant(tenant) as connection:
        require_no_hold(connection, tenant)
        policies = policies_of(connection, tenant)
        needed = needed_files(connection, runtime, tenant, policies)
    found = list(_candidates(runtime, tenant, needed, policies)) if policies else []
    # What names other files goes before them, so that an output is whole as long as it is there.
    return needed, sorted(found, key=lambda each: (each.digest not in needed.old_manifests, each.digest))


def _candidates(runtime: Runtime, tenant: TenantId, needed: Needed, policies: Any) -> Iterator[Prunable]:
    now = runtime.now()
    for zone, otherwise in (
        (runtime.stage_store(tenant).plain, RetentionClass.STAGE_OUTPUTS),
        (runtime.raw_zone(tenant), RetentionClass.RAW_UNITS),
    ):
        for digest, size, modified in zone.stored():
            if digest in needed.files:
                continue
            kept = RetentionClass.STAGE_OUTPUTS if digest in needed.old_outputs else otherwise
            if kept in policies:
                before = now - timedelta(days=policies[kept])
                if modified < before:
                    yield Prunable(kept, zone, digest, size, before)


def _summary(tenant: TenantId, found: Sequence[Prunable]) -> Pruning:
    files = {str(kept): 0 for kept in RetentionClass}
    sizes = dict(files)
    for each in found:
        files[each.kept] += 1
        sizes[each.kept] += each.size
    return Pruning(tenant, files, sizes)


def _audit(runtime: Runtime, tenant: TenantId, actor: str, action: str, details: dict[str, Any]) -> None:
    with runtime.database.tenant(tenant) as connection:
        entry = AuditEntry(actor=actor, action=action, subject=tenant, details=details)
        runtime.audit.append(connection, tenant, [entry])
