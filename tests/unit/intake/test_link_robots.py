"""A site's robots.txt is asked for once and kept to, and its hosts are given time between requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.intake.link.errors import LinkError, RobotsError, TooSlowError
from tenant_pipeline.intake.link.policy import LinkPolicy
from tenant_pipeline.intake.link.robots import Robots
from tenant_pipeline.intake.link.surroundings import Surroundings
from tenant_pipeline.intake.link.unit import unit_from_link
from tenant_pipeline.storage.object_store import RawZone
from tenant_pipeline.storage.object_store_folder import ObjectStore
from tests.unit.intake.link_network import StubTime
from tests.unit.intake.link_server import Answer, Server, serve

HERE = LinkPolicy(timeout_seconds=60, request_interval_seconds=0, allow_loopback=True)
A = httpx.URL("https://x.example/a/b?c=d")


@pytest.fixture
def raw(tmp_path: Path) -> RawZone:
    return RawZone(ObjectStore(tmp_path / "objects"), TenantId("a-tenant"), b"k" * 32)


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as server:
        server.answer("/a", Answer(b"x"))
        yield server


def _fetch(server: Server, raw: RawZone, policy: LinkPolicy = HERE, path: str = "/a") -> StubTime:
    time = StubTime()
    unit_from_link(server.url + path, raw, policy, surroundings=Surroundings(clock=time.clock, sleep=time.sleep))
    return time


@pytest.mark.parametrize(
    "text", ["User-agent: *\nDisallow: /", "User-agent: Tenant-Runtime/1.0\nDisallow: /a\n\nUser-agent: *\nAllow: /"]
)
def test_an_address_that_robots_txt_disallows_is_not_asked_for(raw: RawZone, server: Server, text: str) -> None:
    server.answer("/robots.txt", Answer(text.encode()))
    with pytest.raises(RobotsError, match="asks programs not to"):
        _fetch(server, raw)
    assert server.paths() == []


def test_a_redirect_into_a_disallowed_part_is_not_followed(raw: RawZone, server: Server) -> None:
    server.answer("/robots.txt", Answer(b"User-agent: *\nDisallow: /private"))
    server.answer("/b", Answer(status=302, headers={"Location": "/private/a"}))
    with pytest.raises(RobotsError):
        _fetch(server, raw, path="/b")
    assert server.paths() == ["/b"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_site_without_robots_txt_may_be_asked(raw: RawZone, server: Server, status: int) -> None:
    server.answer("/robots.txt", Answer(b"User-agent: *\nDisallow: /", status))
    _fetch(server, raw)
    assert server.paths() == ["/a"]


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_site_that_cannot_say_is_not_asked(raw: RawZone, server: Server, status: int) -> None:
    server.answer("/robots.txt", Answer(status=status))
    with pytest.raises(RobotsError, match="at the moment"):
        _fetch(server, raw)
    assert server.paths() == []


def test_a_robots_txt_that_breaks_off_or_is_busy_is_asked_for_again(raw: RawZone, server: Server) -> None:
    rules = Answer(b"User-agent: *\nDisallow: /b\n")
    server.answer("/robots.txt", Answer(status=503), replace(rules, sent=5), rules)
    _fetch(server, raw)
    assert len(server.headers("/robots.txt")) == 3


def test_a_redirected_robots_txt_holds_for_the_site_that_redirects(raw: RawZone, server: Server) -> None:
    server.answer("/robots.txt", Answer(status=301, headers={"Location": "/rules"}))
    server.answer("/rules", Answer(b"User-agent: *\nDisallow: /a"))
    with pytest.raises(RobotsError):
        _fetch(server, raw)


def test_robots_txt_is_asked_for_once_in_a_link(raw: RawZone, server: Server) -> None:
    for number in range(3):
        server.answer(f"/{number}", Answer(status=302, headers={"Location": f"/{number + 1}"}))
    server.answer("/3", Answer(b"x"))
    _fetch(server, raw, path="/0")
    assert len(server.headers("/robots.txt")) == 1


def test_time_lies_between_two_requests_to_a_host(raw: RawZone, server: Server) -> None:
    server.answer("/b", Answer(status=302, headers={"Location": "/a"}))
    time = _fetch(server, raw, replace(HERE, request_interval_seconds=0.7), path="/b")
    assert time.slept == [pytest.approx(0.7)] * 2


@pytest.mark.parametrize(
    ("rule", "seconds"), [("Crawl-delay: 4", 4), ("Request-rate: 2/30", 15), ("Crawl-delay: x", 1)]
)
def test_a_site_may_ask_for_more_time(raw: RawZone, server: Server, rule: str, seconds: float) -> None:
    server.answer("/robots.txt", Answer(f"User-agent: *\n{rule}\nDisallow: /b".encode()))
    time = _fetch(server, raw, replace(HERE, request_interval_seconds=1))
    assert time.slept == [pytest.approx(seconds)]


def test_a_site_that_asks_for_more_time_than_there_is_is_left(raw: RawZone, server: Server) -> None:
    server.answer("/robots.txt", Answer(b"User-agent: *\nCrawl-delay: 86400"))
    with pytest.raises(TooSlowError):
        _fetch(server, raw)
    assert server.paths() == []


def test_a_robots_txt_without_end_is_read_as_far_as_the_standard_asks() -> None:
    text = b"User-agent: *\nDisallow: /a\n" + b"#" * 600_000 + b"\nDisallow: /z\n"
    robots = Robots.parse(text)
    assert not robots.allow(A)
    assert robots.allow(httpx.URL("https://x.example/z"))


def test_many_robots_with_many_rules_are_read_in_no_time() -> None:
    names = b"".join(b"User-agent: robot-%d\n" % number for number in range(9_000))
    rules = b"".join(b"Disallow: /%d*\n" % number for number in range(9_000))
    robots = Robots.parse(names + rules + b"\nUser-agent: *\nDisallow: /a")
    assert not robots.allow(A)
    assert robots.allow(httpx.URL("https://x.example/5"))


LINES = [
    "User-agent: *", "Disallow: /*a*$", "Crawl-delay: nan", "Crawl-delay: -1", "Request-rate: 1/0", "Allow: %zz",
    "Request-rate: 0/5m", "Visit-time: 9", "\x00", "Crawl-delay: 1e400", "User agent tenant-runtime", "Disallow: http://[",
]  # fmt: skip


@given(st.binary(max_size=300) | st.lists(st.sampled_from(LINES)).map(lambda lines: "\n".join(lines).encode()))
@hypothesis_settings(max_examples=150, deadline=None)
def test_any_robots_txt_gives_an_answer(body: bytes) -> None:
    robots = Robots.parse(body)
    assert robots.allow(A) in (True, False)
    assert 0 <= robots.interval() < float("inf")


def test_the_refusal_quotes_nothing_of_the_site(raw: RawZone, server: Server) -> None:
    server.answer("/robots.txt", Answer(b"User-agent: *\nDisallow: /a"))
    with pytest.raises(LinkError) as refused:
        _fetch(server, raw)
    assert "127.0.0.1" not in str(refused.value)
