"""A breach has seventy-two hours, which nobody can stop twice, and no other tenant hears of it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tenant_pipeline.core.errors import InputError, NotAllowedError, NotFoundError
from tenant_pipeline.services.compliance.breaches import breaches_of, close_breach, list_breaches, open_breach
from tests.integration.conflict_statements import Sources
from tests.integration.conftest import ATTACKER, TwoTenants
from tests.integration.releasable import releasable

ADMIN: dict[str, Any] = {"person": "anan", "role": "tenant-admin"}


@pytest.fixture(scope="module")
def made(tenants: TwoTenants) -> Sources:
    return releasable(tenants.runtime)


def test_the_clock_runs_from_when_somebody_was_aware_until_the_notification(made: Sources) -> None:
    aware = datetime.now(UTC) - timedelta(hours=70)
    breach = open_breach(made.runtime, made.tenant, aware_at=aware, summary="A laptop was lost", **ADMIN)
    (found,) = list_breaches(made.runtime, made.tenant)
    assert found.clock.remaining(aware + timedelta(hours=70)) == timedelta(hours=2)
    assert not found.clock.overdue(aware + timedelta(hours=72))
    assert found.clock.overdue(aware + timedelta(hours=72, seconds=1))
    told: dict[str, Any] = {"notified_at": aware + timedelta(hours=60), "reason": "Told the Office", **ADMIN}
    close_breach(made.runtime, made.tenant, breach, **told)
    (closed,) = list_breaches(made.runtime, made.tenant)
    assert closed.as_json(aware + timedelta(days=9))["hours_left"] == 12.0
    assert not closed.clock.overdue(aware + timedelta(days=9))
    with pytest.raises(InputError, match="closed"):
        close_breach(made.runtime, made.tenant, breach, **told)
    with made.runtime.database.tenant(made.tenant) as connection:
        noted = connection.execute(
            "SELECT action FROM runtime.audit_log WHERE tenant_id = %s AND subject = %s ORDER BY sequence",
            (made.tenant, str(breach)),
        ).fetchall()
    assert [each["action"] for each in noted] == ["breach.open", "breach.close"]


def test_what_cannot_be_so_is_refused(made: Sources) -> None:
    now = datetime.now(UTC)
    for told, refused in (
        ({"aware_at": now + timedelta(hours=1), "summary": "Soon", **ADMIN}, InputError),
        ({"aware_at": now, "summary": " ", **ADMIN}, InputError),
        ({"aware_at": now, "summary": "Seen", "person": "kanya", "role": "tenant-admin"}, NotAllowedError),
    ):
        with pytest.raises(refused):
            open_breach(made.runtime, made.tenant, **told)
    with pytest.raises(NotFoundError):
        close_breach(made.runtime, made.tenant, uuid.uuid4(), notified_at=None, reason="None was", **ADMIN)


def test_another_tenant_neither_sees_nor_closes_a_breach(made: Sources) -> None:
    breach = open_breach(made.runtime, made.tenant, aware_at=datetime.now(UTC), summary="Seen", **ADMIN)
    with made.runtime.database.tenant(ATTACKER) as connection:
        assert breaches_of(connection, made.tenant) == []
    with pytest.raises(NotFoundError):
        close_breach(
            made.runtime, ATTACKER, breach, notified_at=None, reason="Ours", person="gail", role="platform-governance"
        )
