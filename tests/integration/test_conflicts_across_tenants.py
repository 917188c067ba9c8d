"""What two tenants say differently of one place is governance's to see: noted with each tenant, never written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import errors

from tenant_pipeline.core.errors import InputError, NotAllowedError
from tenant_pipeline.services.conflicts.authority import Signer
from tenant_pipeline.services.conflicts.cross_tenant import conflicts_across_tenants
from tenant_pipeline.services.conflicts.signatures import Decision
from tenant_pipeline.services.conflicts.signing import Choice, resolve
from tenant_pipeline.services.roles import revoke_role
from tests.integration.conflict_statements import ANN, HALL, Sources, new_tenant
from tests.integration.conftest import TwoTenants

GOVERNOR = Signer("gail", "platform-governance", "The two list one hall.")


def capacity(value: str) -> tuple[str, str, str]:
    return ("maximumAttendeeCapacity", "", value)


def give_key(sources: Sources, value: str, *, entity: str = HALL, type_: str = "EventVenue") -> None:
    with sources.runtime.database.tenant(sources.tenant) as connection:
        connection.execute(
            "INSERT INTO runtime.entities (tenant_id, canonical_id, type, created_by_source) VALUES (%s, %s, %s, 'x')"
            " ON CONFLICT DO NOTHING",
            (sources.tenant, entity, type_),
        )
        connection.execute(
            """
            INSERT INTO runtime.entity_keys (tenant_id, kind, type, scheme, value, canonical_id)
            VALUES (%s, 'identifier', %s, 'identifier', %s, %s)
            """,
            (sources.tenant, type_, value, entity),
        )


@pytest.fixture
def both(tenants: TwoTenants, request: pytest.FixtureRequest) -> tuple[Sources, Sources, str]:
    """Two tenants that know one hall by its code, and the code."""
    code = f"TH-{abs(hash(request.node.name))}"
    one, other = new_tenant(tenants.runtime), new_tenant(tenants.runtime)
    for sources, value in ((one, "2500"), (other, "3500")):
        sources.say(1, capacity(value), ("postalCode", "", "83000"), ("name", "en", "Makham Hall"))
        sources.say(1, ("postalCode", "", "10200"), entity="can-private")
        sources.say(1, capacity(value), ("postalCode", "", "83000"), ("name", "en", "Makham Hall"))
        give_key(sources, code)
    return one, other, code


def across(tenants: TwoTenants, code: str, reader: Signer = GOVERNOR) -> dict[str, Any]:
    """The place of that code."""
    return next(
        place
        for place in conflicts_across_tenants(tenants.runtime, reader=reader, limit=1000).places
        if place["place"][1] == code
    )


def test_governance_sees_what_two_tenants_say_differently(
    tenants: TwoTenants, both: tuple[Sources, Sources, str]
) -> None:
    one, other, code = both
    place = across(tenants, code)
    assert place["place"] == ["identifier", code, "EventVenue"]
    assert place["entities"] == {one.tenant: HALL, other.tenant: HALL}
    assert place["agreeing"] == 2, "postal code and name"
    (conflict,) = place["conflicts"]
    assert conflict["property"] == "maximumAttendeeCapacity"
    held = {tenant: (branch["values"], branch["standing"]) for tenant, branch in conflict["branches"].items()}
    assert held == {one.tenant: (["2500"], "undisputed"), other.tenant: (["3500"], "undisputed")}
    (statement,) = conflict["branches"][one.tenant]["statements"]
    assert statement["locator"] == "halls.csv#row=2"


def test_each_tenants_own_decision_is_its_branch(tenants: TwoTenants, both: tuple[Sources, Sources, str]) -> None:
    one, other, code = both
    one.say(2, capacity("9999"), tier=3)
    (conflict,) = across(tenants, code)["conflicts"]
    assert (conflict["branches"][one.tenant]["values"], conflict["branches"][one.tenant]["standing"]) == (
        ["2500"], "proposal",
    )  # fmt: skip
    item = one.item()
    resolve(
        one.runtime, one.tenant, item["conflict_id"], digest=item["candidates_digest"],
        choice=Choice(Decision.HUMAN_PIN, value="4000"), signer=ANN,
    )  # fmt: skip
    (conflict,) = across(tenants, code)["conflicts"]
    assert conflict["branches"][one.tenant]["values"] == ["4000"]
    assert conflict["branches"][one.tenant]["standing"] == "human-pin"
    assert conflict["branches"][other.tenant]["values"] == ["3500"], "the other tenant's branch is its own"
    assert other.items() == []


def test_tenants_that_agree_are_not_shown(tenants: TwoTenants, both: tuple[Sources, Sources, str]) -> None:
    _, other, code = both
    other.say(1, capacity("2500"), ("postalCode", "", "83000"))
    found = conflicts_across_tenants(tenants.runtime, reader=GOVERNOR, limit=1000)
    assert code not in [place["place"][1] for place in found.places]
    assert found.next is None


def test_a_tenant_that_holds_several_values_is_shown_with_each(
    tenants: TwoTenants, both: tuple[Sources, Sources, str]
) -> None:
    one, other, code = both
    one.say(1, capacity("2500"), capacity("2600"))
    (conflict,) = across(tenants, code)["conflicts"]
    branch = conflict["branches"][one.tenant]
    assert (branch["values"], branch["standing"], len(branch["statements"])) == (["2500", "2600"], "undisputed", 2)
    other.say(1, capacity("2600"))
    found = conflicts_across_tenants(tenants.runtime, reader=GOVERNOR, limit=1000)
    assert code not in [place["place"][1] for place in found.places]


def test_reading_goes_on_past_places_in_which_tenants_agree(
    tenants: TwoTenants, both: tuple[Sources, Sources, str]
) -> None:
    one, other, code = both
    other.say(1, capacity("2500"), ("postalCode", "", "83000"))
    for sources, value in ((one, "5"), (other, "6")):
        sources.say(2, capacity(value), entity="can-second")
        give_key(sources, f"{code}-2", entity="can-second")
    agreed = conflicts_across_tenants(tenants.runtime, reader=GOVERNOR, limit=1, after=["identifier", code, ""])
    assert (agreed.places, agreed.next) == ([], ["identifier", code, "EventVenue"])
    further = conflicts_across_tenants(tenants.runtime, reader=GOVERNOR, limit=1, after=agreed.next)
    assert [place["place"][1] for place in further.places] == [f"{code}-2"]


def test_each_tenant_that_was_read_has_it_in_its_audit_log(
    tenants: TwoTenants, both: tuple[Sources, Sources, str]
) -> None:
    across(tenants, both[2])
    for sources in both[:2]:
        (entry,) = sources.rows("SELECT actor, details FROM runtime.audit_log WHERE action LIKE 'governance.%'")
        assert entry["actor"] == "gail"
        assert entry["details"] == {"role": "platform-governance", "reason": GOVERNOR.reason}


def test_a_tenant_that_the_person_does_not_govern_neither_bars_the_view_nor_is_seen(
    tenants: TwoTenants, both: tuple[Sources, Sources, str]
) -> None:
    one, other, code = both
    third = new_tenant(tenants.runtime)
    third.say(1, capacity("7777"), ("postalCode", "", "83000"))
    give_key(third, code)
    revoke_role(tenants.runtime, third.tenant, person=GOVERNOR.person, role=GOVERNOR.role, revoked_by="test")
    place = across(tenants, code)
    assert set(place["entities"]) == {one.tenant, other.tenant}
    assert "7777" not in str(place)
    assert third.rows("SELECT 1 FROM runtime.audit_log WHERE action LIKE 'governance.%'") == []


def test_who_governs_no_tenant_reads_none(tenants: TwoTenants, both: tuple[Sources, Sources, str]) -> None:
    with pytest.raises(NotAllowedError, match="in no tenant"):
        across(tenants, both[2], replace(GOVERNOR, person="ann"))


def test_what_cannot_be_noted_is_not_read(
    tenants: TwoTenants, both: tuple[Sources, Sources, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class FullDiskError(Exception):
        pass

    def refuse(*_: object) -> None:
        raise FullDiskError

    read: list[str] = []
    monkeypatch.setattr(type(tenants.runtime.audit), "append", refuse)
    monkeypatch.setattr(type(tenants.runtime.database), "governance", lambda _: read.append("read"))
    with pytest.raises(FullDiskError):
        across(tenants, both[2])
    assert read == []


@pytest.mark.parametrize("role", ["reviewer", "founder", "tenant-admin", ""])
def test_only_governance_reads_across_tenants(tenants: TwoTenants, role: str) -> None:
    with pytest.raises(NotAllowedError):
        conflicts_across_tenants(tenants.runtime, reader=replace(GOVERNOR, role=role))


@pytest.mark.parametrize("missing", [{"person": " "}, {"reason": ""}])
def test_reading_across_tenants_needs_a_person_and_a_reason(tenants: TwoTenants, missing: dict[str, str]) -> None:
    with pytest.raises(InputError):
        conflicts_across_tenants(tenants.runtime, reader=replace(GOVERNOR, **missing))


def governance(tenants: TwoTenants) -> Any:
    return tenants.runtime.database.governance()


def test_governance_sees_no_statement_of_what_only_one_tenant_names(
    tenants: TwoTenants, both: tuple[Sources, Sources, str]
) -> None:
    one, other, _ = both
    with governance(tenants) as connection:
        seen = connection.execute("SELECT DISTINCT tenant_id, canonical_id FROM runtime.statements").fetchall()
    ours = {(row["tenant_id"], row["canonical_id"]) for row in seen if row["tenant_id"] in (one.tenant, other.tenant)}
    assert ours == {(one.tenant, HALL), (other.tenant, HALL)}


def test_governance_sees_nothing_about_people(tenants: TwoTenants) -> None:
    one, other = new_tenant(tenants.runtime), new_tenant(tenants.runtime)
    for sources in (one, other):
        sources.say(1, ("name", "en", "A. Person"), entity="can-person")
        give_key(sources, "P-1", entity="can-person", type_="Person")
    with governance(tenants) as connection:
        for table in ("statements", "entity_keys"):
            seen = connection.execute(
                f"SELECT 1 FROM runtime.{table} WHERE tenant_id = ANY(%s)", ([one.tenant, other.tenant],)
            ).fetchall()
            assert seen == [], table


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT raw_value FROM runtime.statements",
        "SELECT * FROM runtime.statement_facts",
        "SELECT candidates FROM runtime.conflicts",
        "SELECT reason FROM runtime.conflict_signatures",
        "SELECT * FROM runtime.conflict_versions",
        "SELECT * FROM runtime.entity_features",
        "SELECT * FROM runtime.entity_blocking_keys",
        "UPDATE runtime.statements SET value = ''",
        "UPDATE runtime.conflicts SET status = 'stale'",
        "DELETE FROM runtime.entity_keys",
        "INSERT INTO runtime.conflict_signatures DEFAULT VALUES",
        "INSERT INTO runtime.audit_log DEFAULT VALUES",
    ],
)
def test_governance_writes_nothing_and_reads_no_more_than_it_compares(tenants: TwoTenants, statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege), governance(tenants) as connection:
        connection.execute(statement)


@pytest.fixture
def intruder(both: tuple[Sources, Sources, str], tenants: TwoTenants) -> Iterator[psycopg.Connection[Any]]:
    """The other tenant's login."""
    with tenants.login(both[1].tenant) as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT app.is_named_elsewhere('x', 'y')",
        "SET ROLE tenant_runtime_governance",
        "GRANT EXECUTE ON FUNCTION app.is_named_elsewhere(text, text) TO tenant_runtime_tenants",
        "CREATE POLICY mine ON runtime.entity_keys USING (true)",
    ],
)
def test_a_tenant_cannot_take_what_governance_has(intruder: psycopg.Connection[Any], statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        intruder.execute(statement)  # type: ignore[call-overload]


def test_nothing_reads_tenants_rows_with_rights_of_its_own(tenants: TwoTenants) -> None:
    with tenants.superuser() as connection:
        definers = connection.execute(
            "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace IN ('app'::regnamespace,"
            " 'runtime'::regnamespace)"
        ).fetchall()
        assert sorted(definers) == [("lock",), ("my_tenant",)], "neither hands out a row"
        bypass = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'tenant%' AND (rolbypassrls OR rolsuper)"
        ).fetchall()
        assert bypass == []
