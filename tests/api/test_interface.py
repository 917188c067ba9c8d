"""What every route keeps to: whose it is, how it refuses, and that asking again does nothing again."""

from __future__ import annotations

import json
import logging
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tenant_pipeline.api.application import create_application
from tenant_pipeline.core.platform_roles import PLATFORM_ROLES
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.audit_trail import verify_audit
from tenant_pipeline.services.idempotency import forget_old_answers
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.telemetry.logs import JsonLines
from tests.api.conftest import OTHER, OWN, Served, serving

MIB = 1024 * 1024
ROLES = f"/api/tenant/{OWN}/roles"
FILLED = {
    "{tenant}": OWN,
    "{source}": "src-00000000000000aa",
    "{conflict}": "a-conflict",
    "{pair}": "a-pair",
    "{request}": "00000000-0000-0000-0000-000000000000",
    "{sequence}": "1",
    "{upload}": "0" * 32,
    "{feed}": "feed-00000000000000aa",
    "{number}": "1",
    "{dimension}": "completeness",
    "{flag}": "intake.links",
    "{name}": "hotels-api",
}


def _routes(runtime: Runtime) -> list[tuple[str, str]]:
    paths = create_application(runtime).openapi()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods if "{tenant}" in path]


def _filled(path: str) -> str:
    for name, value in FILLED.items():
        path = path.replace(name, value)
    assert "{" not in path, path
    return path


def test_every_route_of_a_tenant_is_closed_to_everybody_else(served: Served) -> None:
    routes = _routes(served.runtime)
    assert len(routes) > 30
    for who, tenant, expected in ((None, OWN, 401), ("eve", OTHER, 404), ("anan", OTHER, 404), ("eve", OWN, 404)):
        with served.client(who, tenant) as outsider:
            for method, path in routes:
                answer = outsider.request(method, _filled(path), json={})
                assert answer.status_code == expected, (who, method, path, answer.text)


def test_whose_a_request_is_comes_from_the_token_and_from_nothing_else(served: Served) -> None:
    forged = {"X-Tenant": OWN, "X-Forwarded-User": "anan", "X-Tenant-Id": OWN, "Cookie": f"session={'a' * 40}"}
    with served.client("eve", OTHER) as eve:
        assert eve.get(f"/api/tenant/{OTHER}", headers=forged).json()["id"] == OTHER
        assert eve.get(f"/api/tenant/{OWN}", headers=forged).status_code == 404
        assert eve.get(f"/api/tenant/{OTHER}/../{OWN}", headers=forged).status_code == 404
        assert eve.get(f"/api/tenant/{OTHER}%2f..%2f{OWN}", headers=forged).status_code in (404, 422)


def test_a_refusal_is_a_problem_that_names_the_remedy_and_quotes_nothing_that_was_sent(served: Served) -> None:
    secret = "1-1037-02071-81-1"
    with served.client("anan") as anan:
        answer = anan.post("/api/tenant/register", json={"id": secret, "name": secret, "domain": {"x": secret}})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (422, "request-invalid")
    assert {each["where"] for each in problem["fields"]} == {"body/id", "body/name", "body/domain"}
    assert problem["instance"] == answer.headers["x-request-id"]
    assert secret not in answer.text


def test_a_long_body_is_refused_before_it_is_read_and_before_anybody_is_asked_who_sends_it(served: Served) -> None:
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    chunked, declared = "Transfer-Encoding: chunked", f"Content-Length: {5 * MIB}"
    server = urlsplit(served.url)
    for length, pieces, path in ((chunked, 17, "/api/session"), (chunked, 17, ROLES), (declared, 0, "/api/session")):
        with socket.create_connection((server.hostname, server.port), timeout=60) as sender:
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
            sender.sendall(head.encode() + piece * pieces)  # the end of it is never sent
            answer = ""
            while not answer.endswith("}"):
                answer += sender.recv(4096).decode()
        assert answer.startswith("HTTP/1.1 413 "), answer
        assert "content-type: application/problem+json" in answer
        assert "files go to the uploads" in answer
        assert "x-content-type-options: nosniff" in answer
    with served.client("anan") as anan:
        assert anan.post(ROLES, content=b" " * (MIB - 100) + b"{}").status_code == 422
        refused = anan.post(ROLES, content=b" " * (MIB + 1))
        assert (refused.status_code, refused.json()["code"]) == (413, "http-413")


def test_a_fault_tells_nothing_of_the_inside_and_its_instance_leads_to_its_place_in_the_code(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr("tenant_pipeline.api.routes.overview.overview_of", broken)
    with caplog.at_level(logging.INFO), serving(runtime) as url, Served(runtime, url).client("anan") as anan:
        answer = anan.get(f"/api/tenant/{OWN}/overview")
    assert (answer.status_code, answer.json()["code"]) == (500, "fault")
    lines = [JsonLines("api").format(record) for record in caplog.records]
    assert "hunter2" not in answer.text + "".join(lines)
    (line,) = [line for line in map(json.loads, lines) if line.get("request_id") == answer.json()["instance"]]
    assert (line["status"], line["tenant"], line["exception"]["type"]) == (500, OWN, "RuntimeError")
    assert " broken" in line["exception"]["places"][-1]


def test_every_answer_carries_the_headers_that_browsers_keep_to(served: Served) -> None:
    with served.client("anan") as anan:
        for path in (f"/api/tenant/{OWN}", "/api/labels", "/nowhere", f"/api/tenant/{OTHER}"):
            headers = anan.get(path).headers
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "'unsafe-inline'" not in headers["content-security-policy"].split("script-src")[1].split(";")[0]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert "server" not in headers


def test_the_log_has_a_line_for_each_request_and_no_secret(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "tenant_pipeline.api.requests"), served.client("anan") as anan:
        answer = anan.get(f"/api/tenant/{OWN}/conflicts?property=secretword", headers={"X-Request-ID": "trace-0001"})
        token = anan.headers["authorization"]
        deadline = time.monotonic() + 10
        line = None
        while line is None and time.monotonic() < deadline:  # it is written once the answer is out
            lines = map(json.loads, map(JsonLines("api").format, list(caplog.records)))
            line = next((line for line in lines if line.get("request_id") == "trace-0001"), None)
    assert line is not None
    assert answer.headers["x-request-id"] == "trace-0001"
    assert line["route"] == "/api/tenant/{tenant}/conflicts"
    assert (line["method"], line["status"], line["tenant"]) == ("GET", 200, OWN)
    assert "secretword" not in json.dumps(line) + caplog.text
    assert token.split(".")[1] not in caplog.text


def test_what_has_not_changed_is_not_sent_again(served: Served) -> None:
    with served.client("anan") as anan:
        first = anan.get(f"/api/tenant/{OWN}/coverage")
        again = anan.get(f"/api/tenant/{OWN}/coverage", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert anan.get(f"/api/tenant/{OWN}/coverage", headers={"If-None-Match": 'W/"else"'}).status_code == 200


def test_the_same_request_with_the_same_key_is_done_once(served: Served) -> None:
    place, wanted = f"/api/tenant/{OWN}/roles", {"person": "idem", "role": "viewer"}
    with served.client("anan") as anan:
        first = anan.post(place, json=wanted, headers={"Idempotency-Key": "one"})
        anan.request("DELETE", place, json=wanted)
        again = anan.post(place, json=wanted, headers={"Idempotency-Key": "one"})
        assert (again.status_code, again.json()) == (200, first.json())
        assert "idem" not in {each["person"] for each in anan.get(place).json()["roles"]}
        other = anan.post(place, json={**wanted, "person": "other"}, headers={"Idempotency-Key": "one"})
        assert (other.status_code, other.json()["code"]) == (409, "idempotency-key-reused")


def test_a_request_that_failed_can_be_sent_again_with_its_key(served: Served) -> None:
    place = f"/api/tenant/{OWN}/roles"
    wanted = {"person": "nobody-yet", "role": "viewer"}
    with served.client("anan") as anan:
        refused = anan.request("DELETE", place, json=wanted, headers={"Idempotency-Key": "two"})
        assert refused.status_code == 404
        anan.post(place, json=wanted)
        assert anan.request("DELETE", place, json=wanted, headers={"Idempotency-Key": "two"}).status_code == 200


def test_of_many_at_once_with_one_key_one_is_done(served: Served) -> None:
    place = f"/api/tenant/{OWN}/roles"

    def send(number: int) -> int:
        with served.client("anan") as anan:
            body = {"person": "crowd", "role": "viewer"}
            return anan.post(place, json=body, headers={"Idempotency-Key": "crowd"}).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(send, range(16)))
    assert set(statuses) <= {200, 409}
    assert 200 in statuses
    with served.runtime.database.platform() as connection:
        rows = connection.execute(
            "SELECT count(*) AS n FROM runtime.audit_log WHERE tenant_id = %s AND subject = 'crowd'", (OWN,)
        ).fetchone()
    assert rows is not None
    assert rows["n"] == 1


def test_whoever_asks_too_often_is_told_to_wait_and_a_folder_is_uploaded_all_the_same(runtime: Runtime) -> None:
    limited = Runtime(**{**vars(runtime), "settings": runtime.settings.model_copy(update={"requests_per_minute": 5})})
    with serving(limited) as url:
        one, two = Served(limited, url).client("anan"), Served(limited, url).client("rin")
        statuses = [one.get("/api/session").status_code for _ in range(8)]
        assert statuses == [200] * 5 + [429] * 3
        refused = one.get("/api/session")
        assert int(refused.headers["retry-after"]) > 0
        assert refused.json()["code"] == "too-many-requests"
        assert two.get("/api/session").status_code == 200
        uploads = f"/api/tenant/{OWN}/uploads"
        assert [one.options(uploads).status_code for _ in range(8)] == [204] * 8
        assert one.get("/api/session").status_code == 429
        assert 429 in [one.options(uploads).status_code for _ in range(60)], "the address has a limit, too"


def test_a_tenant_is_registered_by_whom_its_token_names_and_only_once(served: Served) -> None:
    wanted = {"id": "new-pier", "name": {"th": "ท่าเรือ", "en": "Pier", "zh": "码头"}, "domain": "pier.example"}
    with served.client("anan") as other_tenants:
        assert other_tenants.post("/api/tenant/register", json=wanted).status_code == 403
    with served.client("ploy", TenantId("new-pier")) as ploy:
        assert ploy.get("/api/session").json()["registered"] is False
        made = ploy.post("/api/tenant/register", json=wanted)
        assert (made.status_code, made.json()["status"]) == (201, "draft")
        assert ploy.post("/api/tenant/register", json=wanted).json() == made.json()
        assert ploy.post("/api/tenant/register", json={**wanted, "tier": "else"}).status_code == 409
        assert ploy.get("/api/session").json()["roles"] == ["tenant-admin"]
    with served.client("mallory", TenantId("new-pier")) as mallory:
        assert mallory.post("/api/tenant/register", json=wanted).status_code == 409
        assert mallory.get("/api/tenant/new-pier").status_code == 404


@pytest.mark.parametrize("role", ["platform-governance", "founder", "no-such-role"])
def test_nobody_makes_themselves_more_than_they_are(served: Served, role: str) -> None:
    with served.client("anan") as anan:
        refused = anan.post(f"/api/tenant/{OWN}/roles", json={"person": "anan", "role": role})
        assert refused.status_code == 403
        assert ("role appoint" if role in PLATFORM_ROLES else "viewer, contributor") in refused.json()["remedy"]
    for person in ("kanya", "rin", "nok", "mali"):
        with served.client(person) as other:
            answer = other.post(f"/api/tenant/{OWN}/roles", json={"person": person, "role": "tenant-admin"})
            assert answer.status_code in (401, 403)


def test_the_audit_log_holds_after_all_this(served: Served) -> None:
    assert all(report["intact"] for report in verify_audit(served.runtime, None))
    assert httpx.get(f"{served.url}/api/health/ready", trust_env=False).json() == {"status": "ready"}


def test_answers_are_forgotten_after_a_day_and_no_sooner(served: Served) -> None:
    with served.runtime.database.administration() as connection:
        connection.execute("UPDATE runtime.idempotent_requests SET begun_at = begun_at - interval '25 hours'")
    with served.client("anan") as anan:
        body = {"person": "late", "role": "viewer"}
        anan.post(f"/api/tenant/{OWN}/roles", json=body, headers={"Idempotency-Key": "late"})
        assert forget_old_answers(served.runtime) > 0
        assert forget_old_answers(served.runtime) == 0
        other = anan.post(f"/api/tenant/{OWN}/roles", json={**body, "person": "x"}, headers={"Idempotency-Key": "late"})
        assert other.json()["code"] == "idempotency-key-reused"
