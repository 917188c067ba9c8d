"""Feeds whose rows no key tells apart: what moves or changes stays what it was, and what is new is nothing known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import pytest

from tenant_pipeline.core.mapping import apply
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.feeds.feeds import Feed
from tenant_pipeline.services.feeds.polling import Answer
from tenant_pipeline.services.runtime import Runtime
from tests.integration.feed_steps import (
    RuntimeOnAClock,
    csv_answer,
    new_feed,
    poll_now,
    runtime,
    server,
    tenant,
    walk_through,
)
from tests.unit.intake.link_server import Answer as Served
from tests.unit.intake.link_server import Server

__all__ = ["runtime", "server", "tenant"]  # fixtures


def _csv(*halls: str) -> Served:
    return Served("".join(f"{row}\n" for row in ("name,postcode", *(f"{hall},83000" for hall in halls))).encode())


def _rss(*titles: str) -> Served:
    entries = "".join(
        f"<item><guid isPermaLink='false'>id-of-{title.partition(' ')[0]}</guid><title>{title}</title>"
        f"<description>News of {title}</description></item>"
        for title in titles
    )
    return Served(f"<rss version='2.0'><channel><title>News</title>{entries}</channel></rss>".encode())


def _ics(*names: str) -> Served:
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:{name.partition(' ')[0]}@hall.example\r\nDTSTART:20270101T090000Z\r\nSUMMARY:{name}\r\n"
        "END:VEVENT\r\n"
        for name in names
    )
    return Served(f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\n{events}END:VCALENDAR\r\n".encode())


def _canonical_ids(runtime: Runtime, feed: Feed, property_: str = "name") -> dict[str, set[str]]:
    """The canonical entities of each value of a property that the feed says now."""
    with runtime.database.tenant(feed.tenant) as connection:
        rows = connection.execute(
            """
            SELECT value, array_agg(canonical_id) AS canonical_ids FROM runtime.statements
             WHERE source_id = %s AND property = %s AND retired_at IS NULL GROUP BY value
            """,
            (feed.source_id, property_),
        ).fetchall()
    return {row["value"]: set(row["canonical_ids"]) for row in rows}


def _homes_and_proposals(runtime: Runtime, tenant: TenantId) -> tuple[int, int]:
    with runtime.database.tenant(tenant) as connection:
        homes, proposals = (
            connection.execute(f"SELECT count(*) AS n FROM runtime.{table}").fetchone() or {"n": 0}  # type: ignore[call-overload]
            for table in ("entities", "judgements")
        )
    return homes["n"], proposals["n"]


def _take_in(runtime: RuntimeOnAClock, feed: Feed) -> None:
    assert poll_now(runtime, feed).answer is Answer.VERSION
    walk_through(runtime, feed)


@pytest.mark.parametrize(
    ("made", "property_", "boat"),
    [(_csv, "name", "Boat"), (_rss, "headline", "Boat sinks"), (_ics, "name", "Boat sinks")],
)
def test_what_is_put_on_top_is_new_and_what_it_moves_stays_what_it_was(
    runtime: RuntimeOnAClock,
    tenant: TenantId,
    server: Server,
    made: Callable[..., Served],
    property_: str,
    boat: str,
) -> None:
    """An entry with an id of its own stays what it was also where it is written anew."""
    versions = (("Aster", "Boat"), ("New", "Aster", "Boat"), (boat, "Aster"))
    feed = new_feed(runtime, tenant, server.answer("/feed", *(made(*names) for names in versions)))
    found = []
    for _ in versions:
        _take_in(runtime, feed)
        found.append(_canonical_ids(runtime, feed, property_))
    first, grown, shrunk = found
    assert grown == {**first, "New": grown["New"]}
    assert not grown["New"] & set().union(*first.values())
    assert shrunk == {boat: first["Boat"], "Aster": first["Aster"]}
    assert _homes_and_proposals(runtime, tenant) == (3, 0)


def _register(*rows: str) -> Served:
    return Served("".join(f"{row}\n" for row in ("name,official code,lat,lon,remark", *rows)).encode())


BOAT_HOUSE, CENTRE = "Boat House,B2,,,x", "Makham Bay Convention Centre,,7.8312,98."


def test_a_changed_row_is_found_again_by_all_that_tells_it_apart(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    before = "Aster Hall,,,,open", BOAT_HOUSE, CENTRE + "40710,", "Shore,,,,x", "Shore,,,,y"
    after = (
        "Noon Pavilion,N3,,,", "Boathouse of Rawai,B2,,,x", CENTRE + "40712,", "Aster Hall,,,,closed", "Shore,,,,x",
        "Shore,,,,z", "Shore,,,,z",
    )  # fmt: skip
    feed = new_feed(runtime, tenant, server.answer("/register.csv", _register(*before), _register(*after)))
    _take_in(runtime, feed)
    old = _canonical_ids(runtime, feed)
    _take_in(runtime, feed)
    new = _canonical_ids(runtime, feed)
    assert new["Aster Hall"] == old["Aster Hall"]
    assert new["Boathouse of Rawai"] == old["Boat House"]
    assert new["Makham Bay Convention Centre"] == old["Makham Bay Convention Centre"]
    assert new["Shore"] == old["Shore"]
    assert not new["Noon Pavilion"] & set().union(*old.values())
    of_its_own = "Noon Pavilion", "the place of the centre as it is now"
    assert _homes_and_proposals(runtime, tenant)[0] == len(before) + len(of_its_own)


def test_rows_that_were_named_by_their_place_find_what_they_were(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def by_place(records: pa.Table, fields: Sequence[str], *, segments: bool) -> list[str]:
        return list(records["locator"].to_pylist())

    rows = "Aster Hall,,,,x", BOAT_HOUSE, CENTRE + "40710,"
    answers = _register(*rows), _register("Noon Pavilion,N3,,,", *rows)
    feed = new_feed(runtime, tenant, server.answer("/register.csv", *answers))
    with monkeypatch.context() as patched:
        patched.setattr(apply, "record_names", by_place)
        _take_in(runtime, feed)
    old = _canonical_ids(runtime, feed)
    _take_in(runtime, feed)
    new = _canonical_ids(runtime, feed)
    assert new == {**old, "Noon Pavilion": new["Noon Pavilion"]}
    assert not new["Noon Pavilion"] & set().union(*old.values())
    assert _homes_and_proposals(runtime, tenant)[1] == 0


def test_a_row_that_gets_its_key_is_found_again_by_what_it_says(
    runtime: RuntimeOnAClock, tenant: TenantId, server: Server
) -> None:
    hall = "Makham Bay Convention Centre"
    versions = [csv_answer(f"{number},{hall},83000", "PKT-2,Boat House,83100") for number in ("", "PKT-1")]
    feed = new_feed(runtime, tenant, server.answer("/register.csv", *versions))
    _take_in(runtime, feed)
    old = _canonical_ids(runtime, feed)
    _take_in(runtime, feed)
    assert _canonical_ids(runtime, feed) == old
    of_its_own = "the row as its key names it"
    assert _homes_and_proposals(runtime, tenant) == (len(old) + len([of_its_own]), 0)
