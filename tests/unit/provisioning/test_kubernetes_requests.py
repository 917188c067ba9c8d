"""Requests against a real HTTP server that is busy, breaks off or refuses: what is sent again, and what is told."""

from __future__ import annotations

import json
import socket
import struct
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from kubernetes.client import ApiClient, Configuration

from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.kubernetes.backend import KubernetesProvisioner
from tenant_pipeline.provisioning.kubernetes.client.apply import Cluster
from tenant_pipeline.provisioning.kubernetes.client.connection import ApiConnection, ApiError, open_connection
from tenant_pipeline.provisioning.kubernetes.client.deadline import Deadline
from tenant_pipeline.provisioning.kubernetes.ownership import owner_uid
from tenant_pipeline.provisioning.kubernetes.settings import KubernetesSettings

SECRET = "c2VjcmV0LW9mLXRoZS10ZW5hbnQ"
BEARER = "bearer-of-the-administrator"

CONFLICT = {"reason": "Conflict", "message": f"the object {SECRET} has been modified"}
SECRET_OBJECT = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "nerve", "namespace": "tenant-a"},
    "data": {"token": SECRET},
}


@dataclass
class ScriptedServer:
    """A server on loopback that gives the answers of its script in turn, the last one for ever.

    An answer is (status, headers, body), or None: the connection is reset.
    """

    script: list[tuple[int, dict[str, str], object] | None] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        handler.rfile.read(length)
        self.asked.append(f"{handler.command} {handler.path}")
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if answer is None:
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()
            handler.close_connection = True
            return
        status, headers, body = answer
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def connection(self) -> ApiConnection:
        configuration = Configuration()
        configuration.host = self.url
        configuration.api_key = {"BearerToken": BEARER}
        configuration.api_key_prefix = {"BearerToken": "Bearer"}
        return ApiConnection(ApiClient(configuration))


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    scripted = ScriptedServer()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing on standard error."""

        do_GET = do_POST = do_PATCH = do_DELETE = lambda self: scripted.answer(self)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A connection that was reset on purpose is no error of the server."""

    with Server(("127.0.0.1", 0), Handler) as listening:
        scripted.url = f"http://127.0.0.1:{listening.server_port}"
        threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield scripted
        listening.shutdown()


@pytest.mark.parametrize(
    "passing",
    [
        (409, {}, CONFLICT),
        (408, {}, {}),
        (429, {}, {"reason": "TooManyRequests"}),
        (429, {"Retry-After": "0"}, b"busy"),
        (500, {}, b"<html>"),
        (502, {}, b""),
        (503, {"Retry-After": "soon"}, {}),
        (504, {}, {}),
        None,
    ],
    ids=str,
)
def test_what_may_pass_is_sent_again_until_it_succeeds(
    server: ScriptedServer, passing: tuple[int, dict[str, str], object] | None
) -> None:
    server.script = [passing, passing, (200, {}, {"kind": "Secret"})]
    answer = server.connection().request("GET", "/api/v1/x", place="Secret a/b", deadline=Deadline(20))
    assert answer == {"kind": "Secret"}
    assert server.asked == ["GET /api/v1/x"] * 3


def test_it_waits_as_long_as_the_server_says(server: ScriptedServer) -> None:
    server.script = [(429, {"Retry-After": "1"}, {}), (200, {}, {})]
    deadline = Deadline(20)
    server.connection().request("GET", "/", place="x", deadline=deadline)
    assert deadline.remaining <= 19


def test_it_does_not_wait_beyond_the_deadline(server: ScriptedServer) -> None:
    server.script = [(503, {"Retry-After": "3600"}, {"reason": "ServiceUnavailable"})]
    deadline = Deadline(20)
    with pytest.raises(ApiError) as refusal:
        server.connection().request("GET", "/", place="Namespace tenant-a", deadline=deadline)
    assert (refusal.value.status, refusal.value.reason) == (503, "ServiceUnavailable")
    assert server.asked == ["GET /"]
    assert deadline.remaining > 15


def test_a_date_as_retry_after_is_answered_by_back_off(server: ScriptedServer) -> None:
    server.script = [(503, {"Retry-After": formatdate(usegmt=True)}, {}), (200, {}, {})]
    assert server.connection().request("GET", "/", place="x", deadline=Deadline(20)) == {}
    assert len(server.asked) == 2


def test_a_conflict_that_stays_is_told_after_six_attempts(server: ScriptedServer) -> None:
    server.script = [(409, {"Retry-After": "0"}, CONFLICT)]
    with pytest.raises(ApiError) as refusal:
        server.connection().request("PATCH", "/", place="Role a/b", deadline=Deadline(60), body={})
    assert (refusal.value.status, refusal.value.reason) == (409, "Conflict")
    assert len(server.asked) == 6


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 415, 422])
def test_what_does_not_pass_is_told_at_once(server: ScriptedServer, status: int) -> None:
    server.script = [(status, {}, {"reason": "Whatever"})]
    with pytest.raises(ApiError) as refusal:
        server.connection().request("GET", "/", place="Role a/b", deadline=Deadline(20))
    assert refusal.value.status == status
    assert refusal.value.where == "Role a/b"
    assert refusal.value.remedy
    assert len(server.asked) == 1


def test_an_object_that_exists_already_is_no_conflict_to_be_tried_again(server: ScriptedServer) -> None:
    server.script = [(409, {}, {"reason": "AlreadyExists"})]
    assert Cluster(server.connection()).create(SECRET_OBJECT, Deadline(20)) is False
    assert len(server.asked) == 1


def test_a_server_that_is_not_there_is_told_with_a_remedy(server: ScriptedServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(ApiError) as refusal:
        server.connection().request("GET", "/", place="Namespace tenant-a", deadline=Deadline(0.5))
    assert refusal.value.status == 0
    assert "kubeconfig" in refusal.value.remedy


@pytest.mark.parametrize(
    "answer",
    [
        (
            422,
            {"X-Echo": SECRET},
            {
                "reason": "Invalid",
                "message": f'Secret "nerve" is invalid: data[token]: Invalid value: "{SECRET}"',
                "details": {"causes": [{"field": "data[token]", "message": SECRET}, {"field": f"x {SECRET}"}]},
            },
        ),
        (403, {}, {"reason": f"Because {SECRET}", "message": SECRET}),
        (400, {}, f"{SECRET}".encode()),
        (503, {}, {"message": SECRET}),
        None,
    ],
    ids=["invalid", "forbidden", "plain text", "unavailable", "reset"],
)
def test_neither_what_was_sent_nor_what_was_answered_is_in_an_error_or_its_traceback(
    server: ScriptedServer, answer: tuple[int, dict[str, str], object] | None
) -> None:
    server.script = [answer]
    with pytest.raises(ProvisioningError) as refusal:
        Cluster(server.connection()).apply(SECRET_OBJECT, None, Deadline(0.5))
    told = "".join(traceback.format_exception(refusal.value))
    links: list[BaseException] = [refusal.value]
    while (link := links[-1].__cause__ or links[-1].__context__) is not None:
        links.append(link)
    shown = told + "".join(f"{link!r} {vars(link)}" for link in links)
    assert SECRET not in shown
    assert BEARER not in shown
    assert "Secret tenant-a/nerve" in told


def test_the_fields_found_wrong_are_named(server: ScriptedServer) -> None:
    causes = [{"field": "spec.selector"}, {"field": "spec.ports[0].port"}, {"field": 7}]
    server.script = [(422, {}, {"reason": "Invalid", "details": {"causes": causes}})]
    with pytest.raises(ApiError) as refusal:
        server.connection().request("GET", "/", place="Service a/b", deadline=Deadline(20))
    assert refusal.value.fields == ("spec.ports[0].port", "spec.selector")
    assert refusal.value.where == "Service a/b: spec.ports[0].port, spec.selector"


def test_what_comes_in_pages_is_read_to_its_end(server: ScriptedServer) -> None:
    first = {"items": [{"metadata": {"name": "a"}}], "metadata": {"continue": "b/c="}}
    server.script = [(200, {}, first), (200, {}, {"items": [{"metadata": {"name": "b"}}], "metadata": {}})]
    found = Cluster(server.connection()).every("v1", "Namespace", "tenant-runtime/tenant", Deadline(20))
    assert [each["metadata"]["name"] for each in found] == ["a", "b"]
    asked = "GET /api/v1/namespaces?labelSelector=tenant-runtime%2Ftenant&limit=500"
    assert server.asked == [asked, f"{asked}&continue=b%2Fc%3D"]


def test_one_look_tells_our_namespaces_and_which_of_them_are_there_to_the_end(server: ScriptedServer) -> None:
    def of(tenant: str, installation: str = "city", **metadata: str) -> dict[str, object]:
        name = f"tenant-{tenant}"
        owner = owner_uid(installation, TenantId(tenant), name)
        labels, annotations = {"tenant-runtime/tenant": tenant}, {"tenant-runtime/owner": owner}
        return {"metadata": {"name": name, "labels": labels, "annotations": annotations, **metadata}}

    namespaces = [
        of("whole"), of("begun"), of("going", deletionTimestamp="2026-01-01T00:00:00Z"), of("theirs", "elsewhere"),
    ]  # fmt: skip
    services = [{"metadata": {"name": "nerve", "namespace": f"tenant-{each}"}} for each in ("whole", "going", "theirs")]
    services.append({"metadata": {"name": "other", "namespace": "tenant-begun"}})
    server.script = [(200, {}, {"items": namespaces}), (200, {}, {"items": services})]
    settings = KubernetesSettings(installation="city", image="nerve:1", database_cidr="10.0.0.0/24")
    assert KubernetesProvisioner(settings, server.connection()).standing() == {
        "tenant-whole": True, "tenant-begun": False, "tenant-going": False,
    }  # fmt: skip
    ours = "app.kubernetes.io%2Fmanaged-by%3Dtenant-runtime%2Ctenant-runtime%2Ftenant"
    assert server.asked == [f"GET /api/v1/{each}?labelSelector={ours}&limit=500" for each in ("namespaces", "services")]


def test_a_pod_that_was_given_no_account_is_told_that_it_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    with pytest.raises(ProvisioningError, match="no account") as refusal:
        open_connection(None, None)
    assert "kubernetes.md" in refusal.value.remedy


def test_no_kubeconfig_is_told_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ProvisioningError) as refusal:
        open_connection(tmp_path / "absent", None)
    assert "kubeconfig" in refusal.value.remedy
    assert refusal.value.__context__ is None
