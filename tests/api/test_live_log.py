"""The live log: every entry once and in order, however often the listener is cut off, and nobody else's."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import roles
from tenant_pipeline.services.access import revoke_tokens_of
from tenant_pipeline.services.live_log import newest_number
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tests.api.conftest import OTHER, OWN, Served


def _note(runtime: Runtime, tenant: TenantId, *names: str, wait: float = 0) -> None:
    """Entries in one transaction, which takes a while to end."""
    with runtime.database.tenant(tenant) as connection:
        entries = [AuditEntry(actor="test", action="feed.noted", subject=name) for name in names]
        runtime.audit.append(connection, tenant, entries)
        time.sleep(wait)


def _events(answer: httpx.Response) -> Iterator[tuple[int, str]]:
    """The number and subject of each event, as they come."""
    number = 0
    for line in answer.iter_lines():
        if line.startswith("id: "):
            number = int(line[4:])
        elif line.startswith("data: "):
            yield number, json.loads(line[6:])["subject"]


@pytest.mark.slow
def test_a_thousand_reconnections_leave_no_gap_and_double_nothing(served: Served) -> None:
    generator = random.Random(7)
    first = newest_number(served.runtime, OWN)
    writers, each = 4, 60

    def write(name: str) -> None:
        for number in range(each):
            _note(served.runtime, OWN, f"{name}-{number}", wait=generator.random() / 100)

    threads = [threading.Thread(target=write, args=(f"writer-{number}",)) for number in range(writers)]
    for thread in threads:
        thread.start()
    seen: list[tuple[int, str]] = []
    last = first
    with served.client("anan") as anan:
        for _ in range(1000):
            headers = {"Last-Event-ID": str(last)}
            with anan.stream("GET", f"/api/tenant/{OWN}/events?follow=false", headers=headers) as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                for take, event in enumerate(_events(answer), 1):
                    seen.append(event)
                    last = event[0]
                    if take == generator.choice([1, 2, 5, 500]):
                        break
    for thread in threads:
        thread.join()
    with (
        served.client("anan") as anan,
        anan.stream("GET", f"/api/tenant/{OWN}/events?follow=false", headers={"Last-Event-ID": str(last)}) as answer,
    ):
        seen += list(_events(answer))
    numbers = [number for number, _ in seen]
    assert numbers == list(range(first + 1, newest_number(served.runtime, OWN) + 1))
    assert len({subject for _, subject in seen if subject.startswith("writer-")}) == writers * each


def test_what_happens_is_told_at_once_and_to_its_tenant_only(served: Served) -> None:
    told: list[tuple[float, str]] = []
    began = threading.Event()
    first = newest_number(served.runtime, OWN)

    def listen() -> None:
        place = f"/api/tenant/{OWN}/events?after={first}"
        with served.client("rin") as client, client.stream("GET", place) as answer:
            began.set()
            for _, subject in _events(answer):
                told.append((time.monotonic(), subject))
                if subject == "end":
                    return

    thread = threading.Thread(target=listen)
    thread.start()
    assert began.wait(10)
    time.sleep(0.3)
    _note(served.runtime, OTHER, "of somebody else")
    noted = time.monotonic()
    _note(served.runtime, OWN, "ours")
    _note(served.runtime, OWN, "end")
    thread.join(20)
    assert [subject for _, subject in told] == ["ours", "end"]
    assert told[0][0] - noted < 5


def test_a_database_that_goes_and_comes_back_costs_no_event(served: Served) -> None:
    first = newest_number(served.runtime, OWN)
    told: list[str] = []
    began = threading.Event()

    def listen() -> None:
        with served.client("mali") as client:
            last = first
            while "end" not in told:
                headers = {"Last-Event-ID": str(last)}
                try:
                    with client.stream("GET", f"/api/tenant/{OWN}/events", headers=headers) as answer:
                        began.set()
                        for number, subject in _events(answer):
                            last = number
                            told.append(subject)
                            if subject == "end":
                                return
                except httpx.HTTPError:
                    time.sleep(0.2)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert began.wait(10)
    _note(served.runtime, OWN, "before")
    with served.runtime.database.autocommit() as connection:
        # With a time to wait: otherwise it returns once the signal is sent, and a pool may lend out a connection that
        # is about to end.
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    _note(served.runtime, OWN, "after")
    _note(served.runtime, OWN, "end")
    thread.join(30)
    assert [subject for subject in told if subject in ("before", "after", "end")] == ["before", "after", "end"]


def test_nobody_listens_in_more_places_than_they_could_need(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenant_pipeline.api.routes.live_log.STREAMS_A_PERSON", 0)
    with served.client("wei") as wei:
        answer = wei.get(f"/api/tenant/{OWN}/events")
    assert (answer.status_code, answer.json()["code"]) == (429, "too-many-streams")


@pytest.mark.parametrize("taken", ["token", "role"])
def test_who_is_let_in_no_more_hears_no_more(served: Served, monkeypatch: pytest.MonkeyPatch, taken: str) -> None:
    monkeypatch.setattr("tenant_pipeline.api.routes.live_log.LOOK_AGAIN_SECONDS", 0.2)
    person = f"leaver-{taken}"
    roles.grant_role(served.runtime, OWN, person=person, role="viewer", granted_by="anan")
    with served.client(person) as leaver, leaver.stream("GET", f"/api/tenant/{OWN}/events", timeout=20) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "retry: 1000"
        if taken == "token":
            revoke_tokens_of(served.runtime, OWN, person, revoked_by="anan")
        else:
            roles.revoke_role(served.runtime, OWN, person=person, role="viewer", revoked_by="anan")
        deadline = time.monotonic() + 20
        for _ in lines:
            assert time.monotonic() < deadline, "the stream goes on"
