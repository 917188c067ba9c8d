"""The pages of an open-data interface become the files of one unit, in order."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tenant_pipeline.core.origin import Unit
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.intake.link.errors import LinkError, NotPublicError, PageLoopError, TooLargeError
from tenant_pipeline.intake.link.next_page import next_page
from tenant_pipeline.intake.link.policy import LinkPolicy
from tenant_pipeline.intake.link.unit import LinkUnit, unit_from_link
from tenant_pipeline.intake.link.validators import Validators
from tenant_pipeline.storage.object_store import RawZone
from tenant_pipeline.storage.object_store_folder import ObjectStore
from tests.unit.intake.link_network import StubNetwork, answer, surroundings
from tests.unit.intake.link_server import Answer, Server, serve

HERE = LinkPolicy(max_bytes=100_000, timeout_seconds=20, request_interval_seconds=0, allow_loopback=True)


@pytest.fixture
def raw(tmp_path: Path) -> RawZone:
    return RawZone(ObjectStore(tmp_path / "objects"), TenantId("a-tenant"), b"k" * 32)


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as server:
        yield server


def _json(value: Any, **headers: str) -> Answer:
    return Answer(json.dumps(value).encode(), headers={"Content-Type": "application/json", **headers})


def _fetch(url: str, raw: RawZone, policy: LinkPolicy = HERE) -> Unit:
    found = unit_from_link(url, raw, policy)
    assert isinstance(found, LinkUnit)
    return found.unit


def _pages(unit: Unit, raw: RawZone) -> list[Any]:
    pages = []
    for file in unit.files:
        with raw.open(file.sha256) as stream:
            pages.append(json.load(stream))
    return pages


@pytest.mark.parametrize("link", ["@odata.nextLink", "odata.nextLink"])
def test_odata_pages_are_followed_by_their_links(raw: RawZone, server: Server, link: str) -> None:
    url = server.answer("/v4/Venues", _json({"value": [{"n": 1}], link: f"{server.url}/v4/Venues?$skiptoken=1"}))
    server.answer("/v4/Venues?$skiptoken=1", _json({"value": [{"n": 2}], link: "Venues?$skiptoken=2"}))
    server.answer("/v4/Venues?$skiptoken=2", _json({"value": [{"n": 3}]}))
    unit = _fetch(url, raw)
    assert [page["value"][0]["n"] for page in _pages(unit, raw)] == [1, 2, 3]
    assert [file.path for file in unit.files] == [f"page-{number:05d}-Venues" for number in (1, 2, 3)]
    assert Unit.from_json(unit.as_json()) == unit, "the pages keep their order"


def test_odata_2_pages_are_followed(raw: RawZone, server: Server) -> None:
    url = server.answer("/v2/Venues", _json({"d": {"results": [1], "__next": f"{server.url}/v2/Venues?$skip=1"}}))
    server.answer("/v2/Venues?$skip=1", _json({"d": {"results": [2]}}))
    assert [page["d"]["results"] for page in _pages(_fetch(url, raw), raw)] == [[1], [2]]


def test_a_page_of_a_proxied_server_that_names_another_scheme_is_asked_for_over_the_first(raw: RawZone) -> None:
    first = answer(b'{"@odata.nextLink": "http://x.example/b", "value": [1]}')
    network = StubNetwork(answers=[answer(b"", "404 Not Found"), first, answer(b'{"value": [2]}')])
    found = unit_from_link("https://x.example/a", raw, LinkPolicy(), surroundings=surroundings(network))
    assert isinstance(found, LinkUnit)
    assert len(found.unit.files) == 2
    assert {port for _, port in network.connects} == {443}


SEARCH = "/api/3/action/datastore_search"


def _ckan(records: list[int], offset: int, limit: int = 2, total: int | None = 5, link: str | None = None) -> Answer:
    result: dict[str, Any] = {"records": [{"_id": each} for each in records], "limit": limit, "offset": offset}
    if total is not None:
        result["total"] = total
    if link is not None:
        result["_links"] = {"start": SEARCH, "next": link}
    return _json({"success": True, "result": result})


def test_ckan_records_are_followed_by_links_until_the_total(raw: RawZone, server: Server) -> None:
    path = SEARCH + "?resource_id=r&limit=2"
    url = server.answer(path, _ckan([1, 2], 0, link=f"{path}&offset=2"))
    server.answer(f"{path}&offset=2", _ckan([3, 4], 2, link=f"{path}&offset=4"))
    server.answer(f"{path}&offset=4", _ckan([5], 4, link=f"{path}&offset=6"))
    unit = _fetch(url, raw)
    ids = [record["_id"] for page in _pages(unit, raw) for record in page["result"]["records"]]
    assert ids == [1, 2, 3, 4, 5], "CKAN's last page has a link, too; it is not followed"
    assert len(server.paths()) == 3


def test_ckan_records_without_links_are_followed_by_offset(raw: RawZone, server: Server) -> None:
    url = server.answer(f"{SEARCH}?resource_id=r", _ckan([1, 2], 0))
    server.answer(f"{SEARCH}?resource_id=r&offset=2&limit=2", _ckan([3, 4], 2))
    server.answer(f"{SEARCH}?resource_id=r&offset=4&limit=2", _ckan([5], 4))
    assert len(_fetch(url, raw).files) == 3


def test_ckan_records_without_a_total_end_with_a_short_page(raw: RawZone, server: Server) -> None:
    url = server.answer(f"{SEARCH}?resource_id=r", _ckan([1, 2], 0, total=None))
    server.answer(f"{SEARCH}?resource_id=r&offset=2&limit=2", _ckan([3], 2, total=None))
    assert len(_fetch(url, raw).files) == 2


def test_ckan_packages_are_followed_until_the_count(raw: RawZone, server: Server) -> None:
    path = "/api/3/action/package_search"

    def page(names: list[str]) -> Answer:
        return _json({"success": True, "result": {"count": 3, "results": [{"name": name} for name in names]}})

    url = server.answer(f"{path}?q=venue&rows=2", page(["a", "b"]))
    server.answer(f"{path}?q=venue&rows=2&start=2", page(["c"]))
    unit = _fetch(url, raw)
    assert [[each["name"] for each in page["result"]["results"]] for page in _pages(unit, raw)] == [["a", "b"], ["c"]]


def test_socrata_rows_are_followed_until_a_short_page(raw: RawZone, server: Server) -> None:
    path = "/resource/abcd-1234.json"
    url = server.answer(f"{path}?$limit=2", _json([{"n": 1}, {"n": 2}]))
    server.answer(f"{path}?%24limit=2&%24offset=2", _json([{"n": 3}, {"n": [4, 5]}]))
    server.answer(f"{path}?%24limit=2&%24offset=4", _json([{"n": 6}]))
    assert [len(page) for page in _pages(_fetch(url, raw), raw)] == [2, 2, 1]


def test_an_empty_page_at_the_end_is_no_file(raw: RawZone, server: Server) -> None:
    path = "/resource/abcd-1234.json"
    url = server.answer(f"{path}?$limit=2", _json([{"n": 1}, {"n": 2}]))
    server.answer(f"{path}?%24limit=2&%24offset=2", _json([]))
    unit = _fetch(url, raw)
    assert [file.path for file in unit.files] == ["abcd-1234.json"]


def test_socrata_rows_come_a_thousand_at_a_time_where_no_limit_is_given(raw: RawZone, server: Server) -> None:
    path = "/resource/abcd-1234.geojson"
    url = server.answer(path, _json({"type": "FeatureCollection", "features": [{"n": n} for n in range(1_000)]}))
    server.answer(f"{path}?%24limit=1000&%24offset=1000", _json({"features": [{"n": 1_000}]}))
    assert len(_fetch(url, raw).files) == 2


def test_pages_are_followed_by_the_link_header(raw: RawZone, server: Server) -> None:
    url = server.answer(
        "/a.csv", Answer(b"n\n1\n", headers={"Link": '</a.csv?p=0>; rel="prev", <a.csv?p=2>; rel="next last"'})
    )
    server.answer("/a.csv?p=2", Answer(b"n\n2\n", headers={"Link": "</a.csv>; rel=first"}))
    unit = _fetch(url, raw)
    assert [file.path for file in unit.files] == ["page-00001-a.csv", "page-00002-a.csv"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Link": '</b>; rel="next"', "Content-Type": "text/html; charset=utf-8"},
        {"Link": '</b>; rel="next"; anchor="/elsewhere"'},
        {"Link": '</b>; rel="prev"'},
        {"Link": "</b>"},
        {"Link": "rel=next"},
    ],
)
def test_links_that_lead_to_no_next_page_of_data_are_left_alone(
    raw: RawZone, server: Server, headers: dict[str, str]
) -> None:
    assert len(_fetch(server.answer("/a", Answer(b"x", headers=headers)), raw).files) == 1
    assert server.paths() == ["/a"]


@pytest.mark.parametrize(
    "second",
    [
        Answer(b"[2]", headers={"Link": '</a>; rel="next"'}),
        Answer(b"[2]", headers={"Link": '</b>; rel="next"'}),
        Answer(b"[1]", headers={"Link": '</c>; rel="next"'}),
        Answer(b"[1]"),
    ],
    ids=["back to the first", "to itself", "the same content", "the same content at the end"],
)
def test_pages_that_go_round_in_a_circle_end_in_an_error(raw: RawZone, server: Server, second: Answer) -> None:
    url = server.answer("/a", Answer(b"[1]", headers={"Link": '</b>; rel="next"'}))
    server.answer("/b", second)
    with pytest.raises(PageLoopError):
        _fetch(url, raw)
    assert server.paths() == ["/a", "/b"]


def _endless(server: Server, pages: int, size: int = 1) -> str:
    for number in range(pages):
        body = json.dumps([number] * size).encode()
        server.answer(f"/{number}", Answer(body, headers={"Link": f'</{number + 1}>; rel="next"'}))
    return server.url + "/0"


def test_pages_without_end_are_given_up_after_as_many_as_the_policy_allows(raw: RawZone, server: Server) -> None:
    with pytest.raises(TooLargeError, match="pages"):
        _fetch(_endless(server, 20), raw, replace(HERE, max_pages=7))
    assert len(server.paths()) == 7


def test_as_many_pages_as_the_policy_allows_are_taken_in(raw: RawZone, server: Server) -> None:
    url = _endless(server, 6)
    server.answer("/6", Answer(b"[6]"))
    assert len(_fetch(url, raw, replace(HERE, max_pages=7)).files) == 7


def test_the_bytes_of_all_pages_count(raw: RawZone, server: Server) -> None:
    with pytest.raises(TooLargeError, match="too large"):
        _fetch(_endless(server, 20, 1_000), raw, replace(HERE, max_bytes=10_000))


@pytest.mark.parametrize("place", ["http://other.example/b", "//localhost/b", "http://127.0.0.1:8443/b"])
def test_a_page_at_another_host_or_port_is_refused(raw: RawZone, server: Server, place: str) -> None:
    url = server.answer("/a", _json({"@odata.nextLink": place, "value": [1]}))
    with pytest.raises(LinkError, match="another host"):
        _fetch(url, raw)
    assert server.paths() == ["/a"]


@pytest.mark.parametrize("place", ["http://10.0.0.1/", "//169.254.169.254/latest/", "http://localhost:22/"])
def test_a_page_that_is_not_public_is_refused(raw: RawZone, place: str) -> None:
    page = answer(json.dumps({"@odata.nextLink": place, "value": [1]}).encode())
    network = StubNetwork(answers=[answer(b"", "404 Not Found"), page])
    with pytest.raises(NotPublicError):
        unit_from_link("http://x.example/a", raw, LinkPolicy(), surroundings=surroundings(network))
    assert len(network.connects) == 2


def test_a_page_that_robots_txt_disallows_is_refused(raw: RawZone, server: Server) -> None:
    server.answer("/robots.txt", Answer(b"User-agent: *\nDisallow: /b"))
    url = server.answer("/a", Answer(b"[1]", headers={"Link": '</b>; rel="next"'}))
    with pytest.raises(LinkError, match=r"robots\.txt"):
        _fetch(url, raw)


def test_several_pages_keep_no_validators_as_the_first_says_nothing_about_the_others(
    raw: RawZone, server: Server
) -> None:
    url = server.answer("/a", Answer(b"[1]", headers={"ETag": '"v1"', "Link": '</b>; rel="next"'}))
    server.answer("/b", Answer(b"[2]", headers={"ETag": '"v1"'}))
    found = unit_from_link(url, raw, HERE)
    assert isinstance(found, LinkUnit)
    assert found.validators == Validators()


ADDRESSES = ["/api/3/action/datastore_search", "/api/3/action/package_search", "/resource/abcd-1234.json", "/odata"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["result", "_links", "next", "total", "records", "results", "count", "limit", "offset", "d",
                         "__next", "@odata.nextLink"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


@given(st.sampled_from(ADDRESSES), VALUES, st.integers(0, 200))
@hypothesis_settings(max_examples=200, deadline=None)
def test_the_next_page_of_any_document_is_named_in_it_or_lies_where_the_document_does(
    path: str, document: Any, cut: int
) -> None:
    url, body = httpx.URL(f"http://x.example{path}?limit=2"), json.dumps(document).encode()
    for each in (body, body[:cut], body[:cut] + b"\xff\x00"):
        found = next_page(url, httpx.Headers(), io.BytesIO(each))
        if found is not None and found not in _texts(document):
            assert httpx.URL(found).copy_with(query=None) == url.copy_with(query=None)
            assert found != str(url)


def test_a_document_that_is_nested_without_end_is_not_followed_down() -> None:
    deep = io.BytesIO(b'{"odata.x":' + b"[" * 2_000_000)
    assert next_page(httpx.URL("http://x.example/a"), httpx.Headers(), deep) is None
