"""A tenant for tests of whatever is not about what is said of one."""

from __future__ import annotations

from typing import Any

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.registry import register_tenant
from tenant_pipeline.services.runtime import Runtime

NAME = {"th": "ทดสอบ", "en": "Test", "zh": "测试"}


def registered(runtime: Runtime, tenant: str, **more: Any) -> TenantId:
    """Register a pilot of this id; `more` is said of it besides, or in the place of what is said of every one."""
    made = TenantId(tenant)
    said: dict[str, Any] = {"name": NAME, "domain": "test.example", "tier": "pilot", "actor": "test", **more}
    register_tenant(runtime, made, **said)
    return made
