"""Processing is declared by named people in their roles, every version stands, and no other tenant sees any of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tenant_pipeline.core.compliance.lawful_basis import LawfulBasis, TransferSafeguard
from tenant_pipeline.core.compliance.processing_record import Destination, ProcessingRecord
from tenant_pipeline.core.errors import InputError, NotAllowedError, NotFoundError
from tenant_pipeline.core.tenancy import SourceId
from tenant_pipeline.services.compliance.processing_records import declare, end, history, in_force
from tests.integration.conflict_statements import Sources
from tests.integration.conftest import ATTACKER, VICTIM, TwoTenants
from tests.integration.releasable import releasable

REGISTER = ProcessingRecord(
    activity="guest-register",
    purpose="Register guests as the law asks",
    basis=LawfulBasis.LEGAL_OBLIGATION,
    special_basis=None,
    subjects=("guests",),
    retention_days=90,
    destinations=(Destination("SG", TransferSafeguard.CONTRACT),),
)
ADMIN: dict[str, Any] = {"person": "anan", "role": "tenant-admin", "reason": "Asked by the officer"}


@pytest.fixture(scope="module")
def made(tenants: TwoTenants) -> Sources:
    return releasable(tenants.runtime)


def test_a_change_is_a_new_version_and_the_same_words_are_not(made: Sources) -> None:
    runtime, tenant = made.runtime, made.tenant
    assert declare(runtime, tenant, REGISTER, **ADMIN) == 1
    assert declare(runtime, tenant, REGISTER, **ADMIN) == 1
    longer = replace(REGISTER, retention_days=120)
    assert declare(runtime, tenant, longer, **ADMIN) == 2
    with runtime.database.platform() as connection:
        assert in_force(connection, tenant) == [longer]
        noted = connection.execute(
            "SELECT actor, subject, details FROM runtime.audit_log"
            " WHERE tenant_id = %s AND action = 'compliance.declare' ORDER BY sequence",
            (tenant,),
        ).fetchall()
    assert [(each["actor"], each["subject"], each["details"]["retention_days"]) for each in noted] == [
        ("anan", "guest-register", 90),
        ("anan", "guest-register", 120),
    ]
    assert end(runtime, tenant, "guest-register", **ADMIN) == 3
    with runtime.database.platform() as connection:
        assert in_force(connection, tenant) == []
    assert [each["act"] for each in history(runtime, tenant)] == ["declare", "declare", "end"]
    with pytest.raises(NotFoundError):
        end(runtime, tenant, "guest-register", **ADMIN)


def test_who_lacks_the_role_or_a_reason_declares_nothing(made: Sources) -> None:
    for told, refused in (
        ({**ADMIN, "person": "kanya"}, NotAllowedError),
        ({**ADMIN, "person": "rin", "role": "reviewer"}, NotAllowedError),
        ({**ADMIN, "reason": " "}, InputError),
    ):
        with pytest.raises(refused):
            declare(made.runtime, made.tenant, replace(REGISTER, activity="never-said"), **told)
    assert "never-said" not in [each["activity"] for each in history(made.runtime, made.tenant)]


def test_a_period_that_nobody_means_is_refused_and_one_that_was_declared_before_bars_nothing(made: Sources) -> None:
    for_ever = replace(REGISTER, activity="for-ever", retention_days=2**31 - 1)
    with pytest.raises(InputError, match="36500"):
        declare(made.runtime, made.tenant, for_ever, **ADMIN)
    received_at = datetime(2026, 1, 2, tzinfo=UTC)
    assert not for_ever.kept_too_long(received_at, received_at + timedelta(days=36_500))
    assert REGISTER.kept_too_long(received_at, received_at + timedelta(days=90, seconds=1))
    assert not REGISTER.kept_too_long(received_at, received_at + timedelta(days=90))


def test_another_tenants_source_cannot_be_named_and_its_records_cannot_be_seen(made: Sources) -> None:
    with pytest.raises(NotFoundError):
        declare(made.runtime, made.tenant, replace(REGISTER, sources=(SourceId("src-00000000000000aa"),)), **ADMIN)
    with made.runtime.database.tenant(ATTACKER) as connection:
        assert in_force(connection, VICTIM) == []
        assert in_force(connection, made.tenant) == []
    with pytest.raises(NotAllowedError):
        declare(made.runtime, ATTACKER, REGISTER, **ADMIN)


@pytest.mark.parametrize(
    "wrong",
    [
        {"activity": "Guest Register"},
        {"purpose": " "},
        {"subjects": ()},
        {"retention_days": 0},
        {"destinations": (Destination("Siam", TransferSafeguard.CONTRACT),)},
    ],
)
def test_what_cannot_be_is_refused_when_it_is_said(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        replace(REGISTER, **wrong)
