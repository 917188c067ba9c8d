"""What is appended verifies, whatever it holds: what is hashed is what the database gives back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from tenant_pipeline.core.audit_chain import ChainEntry, entry_hash
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import roles
from tenant_pipeline.services.audit_trail import verify_audit
from tenant_pipeline.services.feature_flags.overrides import list_flags, set_flag
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tests.integration.conftest import ATTACKER, TwoTenants
from tests.registered import registered

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
KEYS = TEXTS | st.integers(0, 3) | st.booleans() | st.none()
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture
def runtime(tenants: TwoTenants) -> Runtime:
    return tenants.runtime


@pytest.fixture
def tenant(runtime: Runtime, request: pytest.FixtureRequest) -> TenantId:
    made = registered(runtime, f"values-{abs(hash(request.node.name)) % 10**9}")
    roles.grant_role(runtime, made, person="ann", role="tenant-admin", granted_by="test")
    return made


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXTS, st.dictionaries(TEXTS, VALUES, max_size=3)), min_size=1, max_size=5))
@example([("zero", {"value": -0.0}), ("zeros", {"in": [{"deep": -0.0}]})])
@example([("large", {"value": 1e16, "more": [1.5e300, -1e22, 1.7976931348623157e308], "whole": 10**400})])
@example([("small", {"value": 5e-324, "more": [1e-7, 1.0, 100.0, 2.2250738585072014e-308]})])
@example([("keys", {"b": 1, "a": {"1": "text", 1: "number", None: 0, False: 1}, "ก": 2, "": 3})])
@example([("texts", {"value": "\\u0000-like \u2028 \ud7ff \U0010ffff"})])
def test_what_is_appended_verifies(runtime: Runtime, entries: list[tuple[str, dict[str, Any]]]) -> None:
    with runtime.database.tenant(ATTACKER) as connection, connection.transaction(force_rollback=True):
        appended = [AuditEntry(text, "source.add", text, details) for text, details in entries]
        runtime.audit.append(connection, ATTACKER, appended)
        report = runtime.audit.verify(connection, ATTACKER)
    assert report.intact, report


@pytest.mark.parametrize(
    "details",
    [
        {"value": float("nan")}, {"value": [float("inf")]}, {"value": "a\x00b"}, {"a\x00b": 1}, {"value": "\ud800"},
        {"value": 10**5000},
    ],
    ids=["nan", "infinity", "nul", "nul in a key", "half of a pair", "a number too long to be read"],
)  # fmt: skip
def test_what_the_database_cannot_keep_is_refused(runtime: Runtime, details: dict[str, Any]) -> None:
    before = verify_audit(runtime, ATTACKER)
    with (
        pytest.raises(InputError, match="cannot be kept") as refused,
        runtime.database.tenant(ATTACKER) as connection,
    ):
        runtime.audit.append(connection, ATTACKER, [AuditEntry("ann", "source.add", "thing", details)])
    assert "source.add" in refused.value.where
    assert verify_audit(runtime, ATTACKER) == before


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"], ids=["nul", "half of a pair"])
def test_a_person_whose_name_cannot_be_kept_is_refused(runtime: Runtime, text: str) -> None:
    with pytest.raises(InputError, match="cannot be kept"), runtime.database.tenant(ATTACKER) as connection:
        runtime.audit.append(connection, ATTACKER, [AuditEntry(text, "source.add", "thing")])


def test_a_flag_set_to_a_negative_zero_breaks_nothing(runtime: Runtime, tenant: TenantId) -> None:
    set_flag(
        runtime, tenant, "instance.search_least_score", -0.0, person="ann", role="tenant-admin", reason="Everything"
    )
    (found,) = [each for each in list_flags(runtime, tenant) if each["flag"] == "instance.search_least_score"]
    assert str(found["value"]) in ("0", "0.0")
    assert verify_audit(runtime, tenant)[0]["intact"]


def test_an_entry_that_was_hashed_over_a_negative_zero_is_not_told_as_changed(
    runtime: Runtime, tenant: TenantId
) -> None:
    """Earlier versions hashed what they were given; the database keeps no sign of a zero."""
    with runtime.database.platform() as connection:
        last = connection.execute(
            "SELECT sequence, hash FROM runtime.audit_log WHERE tenant_id = %s ORDER BY sequence DESC", (tenant,)
        ).fetchone()
        assert last
        at, details = datetime.now(UTC), {"value": -0.0, "role": "tenant-admin", "most_loss": [0.5, -0.0]}
        entry = ChainEntry(tenant, last["sequence"] + 1, at.isoformat(), "ann", "flag.set", "a flag", details)
        connection.execute(
            "INSERT INTO runtime.audit_log VALUES (%s, %s, %s, 'ann', 'flag.set', 'a flag', %s, %s, %s)",
            (tenant, entry.sequence, at, Jsonb(details), last["hash"], entry_hash(entry, last["hash"])),
        )
    assert verify_audit(runtime, tenant)[0]["intact"]
