"""A real server over a real database: a tenant with people in every role, and another tenant that must see nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
import uvicorn

from tenant_pipeline.api.application import create_application
from tenant_pipeline.api.authentication.local_issuer import LocalIssuer
from tenant_pipeline.api.server import OPTIONS
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.registry import register_tenant
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tenant_pipeline.settings import Settings
from tests.installed import migrated_home

OWN, OTHER, FUZZED = TenantId("harbour-hall"), TenantId("garden-court"), TenantId("attic")
PEOPLE = {
    "kanya": "contributor",
    "rin": "reviewer",
    "anan": "tenant-admin",
    "wei": "platform-governance",
    "mali": "founder",
    "nok": "viewer",
}


@dataclass(frozen=True)
class Served:
    """A running server, and tokens for whom it is to let in."""

    runtime: Runtime
    url: str

    def token(self, person: str, tenant: TenantId = OWN, lifetime: timedelta = timedelta(hours=1)) -> str:
        return LocalIssuer(self.runtime).access_token(person, tenant, lifetime)

    def client(self, person: str | None, tenant: TenantId = OWN) -> httpx.Client:
        """A client that shows the person's token; or none."""
        headers = {"Authorization": f"Bearer {self.token(person, tenant)}"} if person else {}
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=30)


@pytest.fixture(scope="session")
def runtime() -> Iterator[Runtime]:
    with migrated_home() as home:
        settings = Settings(home=home, requests_per_minute=1_000_000)
        with open_runtime(settings) as runtime:
            for tenant in (OWN, OTHER, FUZZED):
                name = {"th": "ทดสอบ", "en": f"Test {tenant}", "zh": "测试"}
                register_tenant(runtime, tenant, name=name, domain=f"{tenant}.example", tier="pilot", actor="test")
            for person, role in PEOPLE.items():
                grant_role(runtime, OWN, person=person, role=role, granted_by="test")
            for person in ("fuzz", "leaver"):
                grant_role(runtime, FUZZED, person=person, role="tenant-admin", granted_by="test")
            grant_role(runtime, OTHER, person="eve", role="tenant-admin", granted_by="test")
            yield runtime


@pytest.fixture(scope="session")
def served(runtime: Runtime) -> Iterator[Served]:
    with serving(runtime) as url:
        yield Served(runtime, url)


class serving:
    """A server process's worth of the application, in a thread, for as long as the block lasts."""

    def __init__(self, runtime: Runtime) -> None:
        config = uvicorn.Config(create_application(runtime), port=0, **OPTIONS)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def __exit__(self, *exception: object) -> None:
        self._server.should_exit = True
        self._thread.join(20)
