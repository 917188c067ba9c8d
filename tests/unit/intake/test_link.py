"""A link is fetched from public addresses only, and only as much as it may cost. Nothing here leaves the machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.intake.addresses import is_public
from tenant_pipeline.intake.link import LinkPolicy, unit_from_link
from tenant_pipeline.storage.object_store import ObjectStore, RawZone

HERE = LinkPolicy(max_bytes=10_000, timeout_seconds=5, allow_loopback=True)


@pytest.fixture
def raw(tmp_path: Path) -> RawZone:
    return RawZone(ObjectStore(tmp_path / "objects"), TenantId("a-tenant"), b"k" * 32)


@pytest.fixture
def server() -> Iterator[str]:
    """A server on loopback that answers as its path asks."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/venues.csv":
                self._answer(200, b"a,b\n1,2\n")
            elif self.path == "/large":
                self._answer(200, b"x" * 50_000)
            elif self.path == "/missing":
                self._answer(404, b"")
            elif self.path == "/loop":
                self._redirect("/loop")
            elif self.path == "/elsewhere":
                self._redirect("http://169.254.169.254/latest/meta-data/")
            else:
                self._redirect("/venues.csv")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _redirect(self, place: str) -> None:
            self.send_response(302)
            self.send_header("Location", place)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    listening = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    listening.server_close()


@pytest.fixture
def no_connection(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], None]:
    """Names resolve to given addresses, and connecting anywhere fails the test."""

    def refuse(*args: object, **rest: object) -> None:
        pytest.fail("a connection was made")

    def resolve(addresses: list[str]) -> None:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **rest: found)
        monkeypatch.setattr(socket, "create_connection", refuse)

    return resolve


def test_a_link_becomes_a_file_of_the_raw_zone(raw: RawZone, server: str) -> None:
    for path in ("/venues.csv", "/moved"):
        (file,) = unit_from_link(server + path, raw, HERE).files
        with raw.open(file.sha256) as stream:
            assert stream.read() == b"a,b\n1,2\n"


@pytest.mark.parametrize("path", ["/large", "/missing", "/loop", "/elsewhere"])
def test_what_is_too_large_missing_endless_or_elsewhere_is_refused(raw: RawZone, server: str, path: str) -> None:
    with pytest.raises(InputError) as refused:
        unit_from_link(server + path, raw, HERE)
    assert refused.value.remedy


def test_this_machine_is_refused_unless_it_is_allowed(raw: RawZone, server: str) -> None:
    with pytest.raises(InputError):
        unit_from_link(server + "/venues.csv", raw, LinkPolicy())


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/a",
        "file:///etc/passwd",
        "gopher://x",
        "javascript:alert(1)",
        "http://",
        "//example.org",
        "x",
        "",
    ],
)
def test_other_schemes_and_broken_addresses_are_refused(raw: RawZone, url: str) -> None:
    with pytest.raises(InputError):
        unit_from_link(url, raw, LinkPolicy())


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]",
        "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.1", "0.0.0.0", "224.0.0.1",
        "[fe80::1]", "[fc00::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "255.255.255.255",
    ],
)  # fmt: skip
def test_private_and_reserved_addresses_are_refused_in_every_spelling(
    raw: RawZone, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda *args: pytest.fail("a connection was made"))
    with pytest.raises(InputError):
        unit_from_link(f"http://{host}/", raw, LinkPolicy(timeout_seconds=5))


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["169.254.169.254"]])
def test_a_name_with_any_private_address_is_refused(
    raw: RawZone, no_connection: Callable[[list[str]], None], addresses: list[str]
) -> None:
    no_connection(addresses)
    with pytest.raises(InputError):
        unit_from_link("http://rebinding.example/", raw, LinkPolicy(timeout_seconds=5))


def test_public_is_what_no_registry_reserves() -> None:
    assert is_public("93.184.216.34")
    assert is_public("2606:2800:220:1:248:1893:25c8:1946")
    assert not is_public("192.0.0.8"), "Python's is_global says otherwise"
    assert not is_public("not an address")
