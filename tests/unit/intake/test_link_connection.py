"""How names are resolved, which of their addresses is connected to, and what an answer's length is measured by."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from pathlib import Path

import httpcore
import pytest

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.intake.link.errors import LengthError, LinkError, PassingError
from tenant_pipeline.intake.link.policy import LinkPolicy
from tenant_pipeline.intake.link.surroundings import SystemNetwork
from tenant_pipeline.intake.link.unit import LinkUnit, unit_from_link
from tenant_pipeline.storage.object_store import RawZone
from tenant_pipeline.storage.object_store_folder import ObjectStore
from tests.unit.intake.link_network import StubNetwork, answer, surroundings
from tests.unit.intake.link_server import Answer, serve

NO_ROBOTS = answer(b"", "404 Not Found")
PUBLIC, PUBLIC_6 = "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"


@pytest.fixture
def raw(tmp_path: Path) -> RawZone:
    return RawZone(ObjectStore(tmp_path / "objects"), TenantId("a-tenant"), b"k" * 32)


def _fetched(raw: RawZone, *answers: bytes) -> bytes:
    network = StubNetwork(answers=[NO_ROBOTS, *answers])
    found = unit_from_link("http://x.example/a", raw, LinkPolicy(max_attempts=1), surroundings=surroundings(network))
    assert isinstance(found, LinkUnit)
    with raw.open(found.unit.files[0].sha256) as stream:
        return stream.read()


def test_a_name_is_asked_for_as_it_stands_and_not_within_the_own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def resolve(host: str, port: int, **rest: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (PUBLIC, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert SystemNetwork().resolve("x.example", 80, 5) == [PUBLIC]
    assert asked == ["x.example."]


def test_a_resolver_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    over, answered = threading.Event(), threading.Event()

    def resolve(*_: object, **rest: object) -> list[tuple[object, ...]]:
        over.wait(60)
        answered.set()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(PassingError, match="in time"):
        SystemNetwork().resolve("x.example", 80, 0.1)
    assert not answered.is_set()
    over.set()
    assert answered.wait(60)


@pytest.mark.parametrize(("number", "passes"), [(socket.EAI_AGAIN, True), (socket.EAI_NONAME, False)])
def test_a_name_that_is_not_known_is_not_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, number: int, passes: bool
) -> None:
    def fail(*args: object, **rest: object) -> None:
        raise socket.gaierror(number, "no")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(LinkError) as refused:
        SystemNetwork().resolve("x.example", 80, 5)
    assert isinstance(refused.value, PassingError) == passes


def test_a_name_of_this_machine_is_reached_where_that_is_allowed(raw: RawZone) -> None:
    with serve() as server:
        server.answer("/a", Answer(b"x"))
        policy = LinkPolicy(allow_loopback=True, request_interval_seconds=0)
        found = unit_from_link(server.url.replace("127.0.0.1", "localhost") + "/a", raw, policy)
    assert isinstance(found, LinkUnit)


def test_the_next_address_of_a_name_is_tried_where_the_first_does_not_answer(raw: RawZone) -> None:
    class HalfDown(StubNetwork):
        def connect(self, address: str, port: int, timeout: float) -> httpcore.NetworkStream:
            if address == PUBLIC_6:
                raise httpcore.ConnectError("unreachable")
            return super().connect(address, port, timeout)

        def resolve(self, host: str, port: int, timeout: float) -> Sequence[str]:
            return [PUBLIC_6, PUBLIC]

    network = HalfDown(answers=[NO_ROBOTS, answer(b"x")])
    unit_from_link("http://x.example/a", raw, LinkPolicy(), surroundings=surroundings(network))
    assert network.connects == [(PUBLIC, 80)] * 2


def test_interim_answers_are_not_counted_as_body(raw: RawZone) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
    assert _fetched(raw, hints + hints + answer(b"four")) == b"four"


def test_a_body_of_two_lengths_is_refused(raw: RawZone) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n\r\n"
    with pytest.raises(LengthError):
        _fetched(raw, chunked)
    assert _fetched(raw, chunked.replace(b"Content-Length: 9\r\n", b"")) == b"four"


@pytest.mark.parametrize("surplus", [b"!", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_bytes_after_the_declared_end_are_an_error(raw: RawZone, surplus: bytes) -> None:
    with pytest.raises(LengthError):
        _fetched(raw, answer(b"four") + surplus)


@pytest.mark.parametrize("wire", [b"", b"\x00", b"HTTP/1.1", b"HTTP/1.1 200 OK\r\n", b"HTTP/9 200\r\n\r\n",
                                  b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", b"HTTP/1.1 200 OK\r\nA" * 9_000,
                                  b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
                                  b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"])  # fmt: skip
def test_what_is_no_http_is_refused(raw: RawZone, wire: bytes) -> None:
    with pytest.raises(LinkError):
        _fetched(raw, wire)
