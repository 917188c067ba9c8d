"""Sources over the API: put right and taken out by who may, once, and by nobody of another tenant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.stage import Stage
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.sources import add_source
from tests.api.conftest import OTHER, OWN, Served
from tests.unit.pii.staff import STAFF


@pytest.fixture
def source(served: Served, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A source that is in the knowledge base, handed in without rights."""
    path = tmp_path / "halls.csv"
    path.write_text("name_en\nHall\n")
    added = add_source(
        served.runtime, OWN, origin=Origin.PRESS, unit_mode=UnitMode.SINGLE_FILE, places=[str(path)],
        title=request.node.name, actor="kanya",
    )  # fmt: skip
    run_stage(served.runtime, OWN, added.id, Stage.RECEIVE)
    with served.runtime.database.tenant(OWN) as connection:
        connection.execute(
            "UPDATE runtime.tenant_sources SET ingest_status = 'assembled' WHERE tenant_id = %s AND id = %s",
            (OWN, added.id),
        )
    return f"/api/tenant/{OWN}/sources/{added.id}"


def known(served: Served, source: str) -> dict[str, Any]:
    with served.client("nok") as client:
        record: dict[str, Any] = client.get(source).json()
    found: dict[str, Any] = record["source"]
    return found


@pytest.mark.parametrize("person", ["kanya", "anan"])
def test_who_may_hand_in_puts_right_what_was_said_of_a_source(served: Served, source: str, person: str) -> None:
    assert known(served, source)["filename"] == "halls.csv"
    with served.client(person) as client:
        etag = client.get(source).headers["ETag"]
        key = {"Idempotency-Key": f"put-right-{person}"}
        changed = client.patch(source, json={"rights": "CC BY 4.0", "observed_at": "2026-03-01T00:00:00Z"}, headers=key)
        assert changed.status_code == 200
        assert (changed.json()["rights"], changed.json()["ingest_status"]) == ("CC BY 4.0", "waiting")
        assert (
            client.patch(
                source, json={"rights": "CC BY 4.0", "observed_at": "2026-03-01T00:00:00Z"}, headers=key
            ).json()
            == changed.json()
        )
        assert client.get(source, headers={"If-None-Match": etag}).status_code == 200, "it is another by now"
        assert client.patch(source, json={"observed_at": None}).json()["observed_at"] is None
        assert client.patch(source, json={"title": None, "rights": None}).json()["rights"] == "CC BY 4.0"
        assert client.patch(source, json={"title": "Halls"}).json()["title"] == "Halls"
        for refused in (
            {"origin": "regulator"}, {"title": ""}, {"observed_at": "2026-03-01"}, {"rights": "\x00"},
            {"observed_at": "9999-12-31T23:59:59-07:00"}, {"observed_at": "0001-01-01T00:00:00+14:00"},
        ):  # fmt: skip
            assert client.patch(source, json=refused).status_code == 422
        to_come = client.patch(source, json={"observed_at": "2569-03-01T00:00:00+07:00"})
        assert (to_come.status_code, to_come.json()["where"]) == (409, "observed_at")
        assert "2569 of the Buddhist one is 2026" in to_come.json()["remedy"]
        today = served.runtime.now().isoformat()
        assert client.patch(source, json={"observed_at": today}).status_code == 200
    assert known(served, source)["origin"] == "press"


@pytest.mark.parametrize("person", ["nok", "rin", "mali", "wei"])
def test_nobody_else_does(served: Served, source: str, person: str) -> None:
    with served.client(person) as client:
        assert client.patch(source, json={"rights": "mine"}).status_code == 403
    assert known(served, source)["rights"] == ""


@pytest.mark.parametrize("person", ["anan", "wei"])
def test_who_answers_for_the_tenant_takes_a_wrong_source_out_for_good(served: Served, source: str, person: str) -> None:
    for other in ("nok", "rin", "kanya"):
        with served.client(other) as client:
            assert client.post(f"{source}/withdrawal", json={"reason": "x"}).status_code == 403
    with served.client(person) as client:
        assert client.post(f"{source}/withdrawal", json={"reason": ""}).status_code == 422
        taken_out = client.post(f"{source}/withdrawal", json={"reason": "The wrong file"}).json()
        assert (taken_out["ingest_status"], taken_out["withdrawal"]["person"]) == ("withdrawn", person)
        assert client.post(f"{source}/withdrawal", json={"reason": "Once more"}).json() == taken_out
        statuses = client.get(f"/api/tenant/{OWN}/overview").json()["sources"]
        assert statuses["withdrawn"] >= 1
    assert known(served, source)["withdrawal"]["reason"] == "The wrong file"


def test_another_tenants_source_is_not_there(served: Served, source: str) -> None:
    theirs = source.replace(OWN, OTHER)
    with served.client("eve", OTHER) as client:
        for path, status in ((source, 404), (theirs, 404)):
            assert client.patch(path, json={"rights": "mine"}).status_code == status
            assert client.post(f"{path}/withdrawal", json={"reason": "x"}).status_code == status
    assert known(served, source)["ingest_status"] == "assembled"


def test_where_a_row_was_rejected_is_told_without_the_persons_that_sheets_are_called_after(
    served: Served, tmp_path: Path
) -> None:
    for number, names in enumerate((["0812345678", "Halls"], STAFF)):
        book = Workbook()
        book.remove(book.active)
        for name in names:
            sheet = book.create_sheet(name)
            sheet.append(["name_en", "hours"])
            sheet.append(["Hall", "=1+1"])
        path = tmp_path / f"hours{number}.xlsx"
        book.save(path)
        added = add_source(
            served.runtime, OWN, origin=Origin.PARTNER_DOC, unit_mode=UnitMode.SINGLE_FILE, places=[str(path)],
            title=path.name, actor="kanya",
        )  # fmt: skip
        for stage in (Stage.RECEIVE, Stage.IDENTIFY, Stage.EXTRACT):
            run_stage(served.runtime, OWN, added.id, stage)
        with served.client("nok") as client:
            found = client.get(f"/api/tenant/{OWN}/sources/{added.id}/rejects", params={"stage": "extract"}).json()
        locators = [each["locator"] for each in found["rejects"]]
        assert len(locators) == len(names)
        assert not [name for name in names if name != "Halls" and name in str(found)]
        assert all(locator.startswith("o00001#sheet=") and locator.endswith("&cell=B2") for locator in locators)
        assert number or locators[1] == "o00001#sheet=Halls&cell=B2"
