"""The audit trail: searched and paged by whoever has a role in its tenant, and by nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from tenant_pipeline.cli import audit as command
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.registry import register_tenant, update_tenant
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.services.runtime import Runtime
from tests.api.conftest import OTHER, Served

PIER = TenantId("audited-pier")


@pytest.fixture(scope="module")
def pier(served: Served) -> TenantId:
    """A tenant in which three things were done: it was registered, changed, and somebody was given a role."""
    name = {"th": "ท่าเรือ", "en": "Pier", "zh": "码头"}
    register_tenant(served.runtime, PIER, name=name, domain="pier.example", tier="pilot", actor="operator")
    update_tenant(served.runtime, PIER, person="anan", tier="standard")
    grant_role(served.runtime, PIER, person="nok", role="viewer", granted_by="anan")
    return PIER


def _trail(served: Served, person: str = "nok", tenant: TenantId = PIER, **query: Any) -> Any:
    with served.client(person, tenant) as client:
        answer = client.get(f"/api/tenant/{PIER}/audit", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


def _actions(served: Served, **query: Any) -> list[str]:
    return [each["action"] for each in _trail(served, **query)["entries"]]


def test_the_newest_is_first_and_says_who_did_what_and_how(served: Served, pier: TenantId) -> None:
    entries = _trail(served)["entries"]
    assert [each["action"] for each in entries] == ["role.granted", "tenant.update", "tenant.register"]
    assert (entries[0]["actor"], entries[0]["subject"], entries[0]["details"]) == ("anan", "nok", {"role": "viewer"})
    assert entries[1]["details"]["tier"] == {"before": "pilot", "after": "standard"}


def test_it_is_narrowed_by_person_action_subject_and_time(served: Served, pier: TenantId) -> None:
    assert _actions(served, actor="operator") == ["tenant.register"]
    assert _actions(served, action="tenant") == ["tenant.update", "tenant.register"]
    assert _actions(served, action="tenant.update") == ["tenant.update"]
    assert _actions(served, action="tena") == []
    assert _actions(served, action="tenant", actor="anan") == ["tenant.update"]
    assert _actions(served, subject="nok") == ["role.granted"]
    ahead = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    assert _actions(served, since=ahead) == []
    assert len(_actions(served, until=ahead)) == 3


@pytest.mark.parametrize("narrowed", [{}, {"since": "2026-01-01T00:00:00Z"}, {"until": "2999-01-01T00:00:00Z"}])
def test_its_pages_follow_on_each_other_without_a_gap(served: Served, pier: TenantId, narrowed: dict[str, str]) -> None:
    read, after = [], None
    while True:
        page = _trail(served, limit=1, **narrowed, **({} if after is None else {"after": after}))
        read += [each["sequence"] for each in page["entries"]]
        after = page["next"]
        if after is None:
            break
    assert read == [3, 2, 1]


def test_who_has_no_role_in_the_tenant_reads_nothing_of_it(served: Served, pier: TenantId) -> None:
    for person, tenant, status in (("eve", OTHER, 404), ("eve", PIER, 404), ("nok", OTHER, 404)):
        with served.client(person, tenant) as client:
            assert client.get(f"/api/tenant/{PIER}/audit").status_code == status
    with served.client("eve", OTHER) as eve:
        own = eve.get(f"/api/tenant/{OTHER}/audit", params={"limit": 500}).json()["entries"]
        assert own
        assert all(each["subject"] != PIER for each in own)


def test_what_cannot_be_a_filter_is_refused(served: Served, pier: TenantId) -> None:
    with served.client("nok", PIER) as nok:
        for query in (
            {"since": "yesterday"},
            {"since": "2026-01-01T00:00:00"},
            {"until": "0.5"},
            {"after": 0},
            {"limit": 1000},
        ):
            assert nok.get(f"/api/tenant/{PIER}/audit", params=query).status_code == 422, query


def test_the_command_prints_what_the_route_answers(
    served: Served, pier: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def opened() -> Iterator[Runtime]:
        yield served.runtime

    monkeypatch.setattr(command, "opened", opened)
    asked = ["list", "--tenant", PIER, "--action", "tenant", "--limit", "1"]
    printed = CliRunner().invoke(command.app, [*asked, "--json"], catch_exceptions=False)
    assert json.loads(printed.output) == _trail(served, action="tenant", limit=1)
    assert "--before 2" in CliRunner().invoke(command.app, asked, catch_exceptions=False).output
