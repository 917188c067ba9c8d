"""A real PostgreSQL with two tenants in it, for everything that only a real database can show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.pentest.canaries import CANARY_SOURCE, fill_tables
from tenant_pipeline.services.penetration_tests import what_keeps_from_serving
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.database import login_of
from tests.installed import migrated_home
from tests.integration.penetration import isolation_tested
from tests.registered import registered

VICTIM, ATTACKER = TenantId("victim-tenant"), TenantId("attacker-tenant")
SOURCE = CANARY_SOURCE
_SHARED = pytest.StashKey["TwoTenants"]()


@dataclass(frozen=True)
class TwoTenants:
    """An installation in which one tenant has a row in every tenant-bound table, and another has none."""

    runtime: Runtime

    def login(self, tenant: TenantId) -> psycopg.Connection[tuple[object, ...]]:
        """A connection as an intruder would have it: the tenant's own login, nothing of ours in between."""
        role = login_of(tenant)
        database = self.runtime.database
        return psycopg.connect(make_conninfo(database.conninfo(), user=role, password=database.password_of(role)))

    def superuser(self) -> psycopg.Connection[tuple[object, ...]]:
        """A connection as the superuser."""
        return psycopg.connect(self.runtime.database.conninfo())


@contextmanager
def two_tenants() -> Iterator[TwoTenants]:
    """An installation with the two tenants in it, for as long as the block lasts."""
    with migrated_home() as home, open_runtime(Settings(home=home)) as runtime:
        for tenant in (VICTIM, ATTACKER):
            registered(runtime, tenant)
        isolation_tested(runtime)
        two = TwoTenants(runtime)
        with two.superuser() as connection:
            fill_tables(connection, VICTIM)
        yield two


@pytest.fixture(scope="session")
def tenants(request: pytest.FixtureRequest) -> Iterator[TwoTenants]:
    """The installation that most modules share."""
    with two_tenants() as two:
        request.session.stash[_SHARED] = two
        yield two


@pytest.fixture(scope="module", autouse=True)
def shared_installation_is_left_guarded(request: pytest.FixtureRequest) -> Iterator[None]:
    """No module leaves what guards the shared installation off: the next module would fail, whichever that is."""
    yield
    two = request.session.stash.get(_SHARED, None)
    if two is None:
        return
    runtime = two.runtime
    with runtime.database.administration() as connection:
        assert what_keeps_from_serving(connection, runtime.settings.pentest_valid_days) == []
        off = connection.execute(
            """
            SELECT tgrelid::regclass::text AS guarded, tgname AS guard FROM pg_trigger WHERE tgenabled = 'D'
            UNION ALL
            SELECT oid::regclass::text, 'row security, forced' FROM pg_class
             WHERE relnamespace = 'runtime'::regnamespace AND relrowsecurity AND NOT relforcerowsecurity
            """
        ).fetchall()
    assert off == []


@pytest.fixture(scope="module")
def own_installation() -> Iterator[Runtime]:
    """An installation of the module's own.

    For what all others would see, for who must find nothing of theirs, and for what grows with everything that is in
    an installation, such as the attacks on each new instance.
    """
    with two_tenants() as two:
        yield two.runtime
