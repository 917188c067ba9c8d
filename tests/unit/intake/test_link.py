"""A link against servers that misbehave. The servers are on this machine; nothing leaves it."""

from __future__ import annotations

import ipaddress
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tenant_pipeline.core.origin import Unit
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.intake.link.errors import (
    LengthError,
    LinkError,
    NotPublicError,
    PassingError,
    TooLargeError,
    TooSlowError,
)
from tenant_pipeline.intake.link.fetch import NotModified
from tenant_pipeline.intake.link.policy import LinkPolicy
from tenant_pipeline.intake.link.retries import retry_after
from tenant_pipeline.intake.link.surroundings import Surroundings
from tenant_pipeline.intake.link.unit import LinkUnit, unit_from_link
from tenant_pipeline.intake.link.validators import Validators
from tenant_pipeline.storage.object_store import RawZone
from tenant_pipeline.storage.object_store_folder import ObjectStore
from tests.unit.intake.link_network import StubTime
from tests.unit.intake.link_server import Answer, Server, serve

HERE = LinkPolicy(max_bytes=10_000, timeout_seconds=20, request_interval_seconds=0, allow_loopback=True)
DOCUMENT = bytes(range(256)) * 4


@pytest.fixture
def raw(tmp_path: Path) -> RawZone:
    return RawZone(ObjectStore(tmp_path / "objects"), TenantId("a-tenant"), b"k" * 32)


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as server:
        yield server


class Hands:
    """Sleeps that are noted, not slept."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.surroundings = Surroundings(sleep=self.slept.append, time_of_day=lambda: 1_800_000_000.0)


def _fetch(url: str, raw: RawZone, policy: LinkPolicy = HERE, hands: Hands | None = None) -> Unit:
    found = unit_from_link(url, raw, policy, surroundings=(hands or Hands()).surroundings)
    assert isinstance(found, LinkUnit)
    return found.unit


def _content(unit: Unit, raw: RawZone) -> bytes:
    (file,) = unit.files
    with raw.open(file.sha256) as stream:
        return stream.read()


def test_a_link_becomes_a_file_of_the_raw_zone(raw: RawZone, server: Server) -> None:
    url = server.answer("/venues.csv", Answer(b"a,b\n1,2\n"))
    unit = _fetch(url, raw)
    assert [file.path for file in unit.files] == ["venues.csv"]
    assert _content(unit, raw) == b"a,b\n1,2\n"
    assert server.headers("/venues.csv")[0]["Accept-Encoding"] == "identity"


def test_redirects_are_followed_and_the_last_address_names_the_file(raw: RawZone, server: Server) -> None:
    for number, status in enumerate((301, 302, 303, 307, 308)):
        server.answer(f"/{number}", Answer(status=status, headers={"Location": f"/{number + 1}"}))
    server.answer("/5", Answer(status=200, body=b"x"))
    assert [file.path for file in _fetch(server.url + "/0", raw).files] == ["5"]


def test_a_redirect_loop_ends(raw: RawZone, server: Server) -> None:
    url = server.answer("/loop", Answer(status=302, headers={"Location": "/loop"}))
    with pytest.raises(LinkError, match="too often"):
        _fetch(url, raw)
    assert len(server.paths()) == HERE.max_redirects + 1


def test_this_machine_is_refused_unless_it_is_allowed(raw: RawZone, server: Server) -> None:
    with pytest.raises(NotPublicError):
        _fetch(server.answer("/a", Answer(b"x")), raw, LinkPolicy())
    assert server.asked == []


@pytest.mark.parametrize("status", [201, 204, 206, 304, 400, 401, 403, 404, 410, 451, 500, 501])
def test_an_answer_that_is_not_200_is_refused_at_once(raw: RawZone, server: Server, status: int) -> None:
    hands = Hands()
    with pytest.raises(LinkError, match=str(status)):
        _fetch(server.answer("/a", Answer(status=status)), raw, hands=hands)
    assert server.paths() == ["/a"]
    assert hands.slept == []


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_server_is_asked_again_after_growing_pauses(raw: RawZone, server: Server, status: int) -> None:
    hands = Hands()
    busy = Answer(status=status)
    unit = _fetch(server.answer("/a", busy, busy, busy, Answer(b"x")), raw, hands=hands)
    assert _content(unit, raw) == b"x"
    first, second, third = hands.slept
    assert 0.5 <= first <= 1
    assert 1 <= second <= 2
    assert 2 <= third <= 4


def test_a_server_that_stays_busy_is_given_up_after_the_attempts_of_the_policy(raw: RawZone, server: Server) -> None:
    with pytest.raises(PassingError, match="503"):
        _fetch(server.answer("/a", Answer(status=503)), raw)
    assert server.paths() == ["/a"] * HERE.max_attempts


def test_the_server_says_when_to_come_back(raw: RawZone, server: Server) -> None:
    hands = Hands()
    busy = Answer(status=429, headers={"Retry-After": "7"})
    _fetch(server.answer("/a", busy, Answer(b"x")), raw, hands=hands)
    (slept,) = hands.slept
    assert 7.5 <= slept <= 8


def test_a_server_that_wants_more_time_than_there_is_is_not_waited_for(raw: RawZone, server: Server) -> None:
    hands = Hands()
    with pytest.raises(PassingError, match="503"):
        _fetch(server.answer("/a", Answer(status=503, headers={"Retry-After": "3600"})), raw, hands=hands)
    assert hands.slept == []
    assert server.paths() == ["/a"]


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after("120", 0.0) == 120.0
    assert retry_after("Thu, 01 Jan 1970 00:02:00 GMT", 60.0) == 60.0
    assert retry_after("Thu, 01 Jan 1970 00:00:30 GMT", 60.0) == 0.0
    for nonsense in ("", "soon", "-5", "1e9", "9" * 40, "²"):
        assert retry_after(nonsense, 0.0) is None


def test_a_refused_connection_is_tried_again_and_given_up(raw: RawZone) -> None:
    with serve() as gone:
        url = gone.url
    hands = Hands()
    with pytest.raises(LinkError):
        _fetch(url, raw, hands=hands)
    assert len(hands.slept) == HERE.max_attempts - 1


ETAG = {"ETag": '"v1"', "Accept-Ranges": "bytes"}


def _rest(start: int, **changed: str) -> Answer:
    content_range = f"bytes {start}-{len(DOCUMENT) - 1}/{len(DOCUMENT)}"
    return Answer(DOCUMENT[start:], 206, {**ETAG, "Content-Range": content_range, **changed})


def test_a_broken_body_is_taken_up_where_it_broke_off(raw: RawZone, server: Server) -> None:
    broken = Answer(DOCUMENT, headers=ETAG, sent=300)
    again = replace(_rest(300), sent=100)
    unit = _fetch(server.answer("/a", broken, again, _rest(400)), raw)
    assert _content(unit, raw) == DOCUMENT
    first, second, third = server.headers("/a")
    assert "Range" not in first
    assert (second["Range"], second["If-Range"]) == ("bytes=300-", '"v1"')
    assert (third["Range"], third["If-Range"]) == ("bytes=400-", '"v1"')


@pytest.mark.parametrize(
    "rest",
    [
        Answer(DOCUMENT, headers={"ETag": '"v2"'}),
        Answer(status=416),
        Answer(DOCUMENT[100:], 206, {**ETAG, "Content-Range": "bytes 100-1023/1024"}),
        Answer(DOCUMENT[300:], 206, {**ETAG}),
        _rest(300, ETag='"v2"'),
    ],
    ids=["changed", "not satisfiable", "from elsewhere", "from nowhere", "of another version"],
)
def test_a_body_whose_rest_cannot_be_had_is_begun_again(raw: RawZone, server: Server, rest: Answer) -> None:
    whole = Answer(DOCUMENT, headers={"ETag": '"v2"'})
    unit = _fetch(server.answer("/a", Answer(DOCUMENT, headers=ETAG, sent=300), rest, whole), raw)
    assert _content(unit, raw) == DOCUMENT
    assert ["Range" in headers for headers in server.headers("/a")] == [False, True, False]


@pytest.mark.parametrize("headers", [{}, {"ETag": 'W/"v1"'}, {"ETag": '"v1"', "Accept-Ranges": "none"}])
def test_a_server_without_ranges_is_asked_for_the_whole_again(
    raw: RawZone, server: Server, headers: dict[str, str]
) -> None:
    unit = _fetch(server.answer("/a", Answer(DOCUMENT, headers=headers, sent=300), Answer(DOCUMENT)), raw)
    assert _content(unit, raw) == DOCUMENT
    assert [set(each) & {"Range", "If-Range"} for each in server.headers("/a")] == [set(), set()]


def test_a_body_that_always_breaks_off_is_given_up_and_leaves_nothing(
    raw: RawZone, server: Server, tmp_path: Path
) -> None:
    with pytest.raises(PassingError):
        _fetch(server.answer("/a", Answer(DOCUMENT, sent=300)), raw)
    assert server.paths() == ["/a"] * HERE.max_attempts
    assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == []


def test_more_than_was_declared_is_an_error_and_not_cut_off(raw: RawZone, server: Server) -> None:
    with pytest.raises(LengthError):
        _fetch(server.answer("/a", Answer("ภูเก็ต".encode(), declared=len("ภูเก็ต"))), raw)


@pytest.mark.parametrize("declared", [None, 10_001, 10**15])
def test_a_document_that_is_too_large_is_refused(raw: RawZone, server: Server, declared: int | None) -> None:
    sent = 50_000 if declared is None else 0
    answer = Answer(b"x" * 50_000, declared=declared, sent=sent)
    with pytest.raises(TooLargeError):
        _fetch(server.answer("/a", answer), raw)


def test_what_was_broken_off_counts_towards_the_size(raw: RawZone, server: Server) -> None:
    broken = Answer(b"x" * 6_000, sent=5_900)
    with pytest.raises(TooLargeError):
        _fetch(server.answer("/a", broken, Answer(b"x" * 6_000)), raw)


def test_a_server_that_drips_is_left_at_the_deadline(raw: RawZone, server: Server) -> None:
    url = server.answer("/a", Answer(b"x" * 5_000, pause=0.2))  # for 100 seconds
    begun = time.monotonic()
    with pytest.raises(TooSlowError):
        _fetch(url, raw, replace(HERE, timeout_seconds=1, max_attempts=1))
    assert time.monotonic() - begun < 50


def test_a_server_that_falls_silent_is_tried_again(raw: RawZone, server: Server) -> None:
    silent = Answer(b"x" * 20, pause=1.5)
    unit = _fetch(server.answer("/a", silent, Answer(b"y")), raw, replace(HERE, quiet_seconds=0.3))
    assert _content(unit, raw) == b"y"


def test_a_packed_answer_is_refused(raw: RawZone, server: Server) -> None:
    with pytest.raises(LinkError, match="packs"):
        _fetch(server.answer("/a", Answer(b"x", headers={"Content-Encoding": "gzip"})), raw)


def test_an_unchanged_document_is_not_fetched_again(raw: RawZone, server: Server) -> None:
    date = "Mon, 05 Jan 2026 10:00:00 GMT"
    fresh = Answer(b"x", headers={"ETag": '"v1"', "Last-Modified": date})
    url = server.answer("/a", fresh, Answer(status=304), Answer(b"y"))
    found = unit_from_link(url, raw, HERE)
    assert isinstance(found, LinkUnit)
    assert found.validators == Validators('"v1"', date, url)
    assert unit_from_link(url, raw, HERE, found.validators) == NotModified()
    assert server.headers("/a")[1]["If-None-Match"] == '"v1"'
    assert server.headers("/a")[1]["If-Modified-Since"] == date
    assert isinstance(unit_from_link(url, raw, HERE, found.validators), LinkUnit)


def test_validators_are_sent_only_to_the_address_that_gave_them(raw: RawZone, server: Server) -> None:
    server.answer("/v1", Answer(b"old", headers={"ETag": '"1"'}))
    server.answer("/v2", Answer(b"new", headers={"ETag": '"1"'}))
    url = server.answer(
        "/latest", *(Answer(status=302, headers={"Location": place}) for place in ("/v1", "/v1", "/v2"))
    )
    first = unit_from_link(url, raw, HERE)
    assert isinstance(first, LinkUnit)
    server.answer("/v1", Answer(status=304))
    assert unit_from_link(url, raw, HERE, first.validators) == NotModified()
    assert isinstance(unit_from_link(url, raw, HERE, first.validators), LinkUnit)
    assert not any("If-None-Match" in headers for headers in server.headers("/latest") + server.headers("/v2"))


@pytest.mark.parametrize("etag", ["v1", '"a"b"', '"a', "'v1'", '"' + "x" * 600 + '"', '"ภ"', 'w/"x"'])
def test_a_malformed_validator_is_not_kept(raw: RawZone, server: Server, etag: str) -> None:
    headers = {"ETag": etag.encode().decode("latin-1"), "Last-Modified": "yesterday"}
    found = unit_from_link(server.answer("/a", Answer(b"x", headers=headers)), raw, HERE)
    assert isinstance(found, LinkUnit)
    assert found.validators == Validators()


def test_a_certificate_that_is_not_trusted_is_refused_and_not_tried_again(raw: RawZone, tmp_path: Path) -> None:
    hands = Hands()
    with serve(_self_signed(tmp_path)) as server:
        with pytest.raises(LinkError, match="cannot prove") as refused:
            _fetch(server.answer("/a", Answer(b"x")), raw, hands=hands)
        assert not isinstance(refused.value, PassingError)
        assert server.asked == []
    assert hands.slept == []


def _self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    day = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(day)
        .not_valid_after(day + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    pem = folder / "server.pem"
    pem.write_bytes(key.private_bytes(form, serialization.PrivateFormat.PKCS8, plain) + certificate.public_bytes(form))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def test_a_fetch_that_sleeps_past_its_deadline_ends(raw: RawZone, server: Server) -> None:
    clock = StubTime()
    surroundings = Surroundings(clock=clock.clock, sleep=clock.sleep)
    with pytest.raises(LinkError):
        unit_from_link(
            server.answer("/a", Answer(status=503)),
            raw,
            replace(HERE, timeout_seconds=2, max_attempts=100),
            surroundings=surroundings,
        )
    assert sum(clock.slept) < 2
