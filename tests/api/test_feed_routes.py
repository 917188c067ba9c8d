"""Feeds over the API: what cannot be changed, or is no schedule, is refused with the field's own name."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tenant_pipeline.core.errors import NotFoundError
from tenant_pipeline.services.feeds.credentials import credential_of
from tenant_pipeline.services.feeds.polling import due_feeds
from tests.api.conftest import OTHER, OWN, Served

FEEDS = f"/api/tenant/{OWN}/feeds"
WANTED = {"title": "Halls", "url": "https://data.example/halls.csv", "origin": "regulator"}


@pytest.fixture(scope="module")
def feed(served: Served) -> str:
    """A feed that nobody asks."""
    with served.client("anan") as client:
        added: dict[str, Any] = client.post(FEEDS, json=WANTED).json()
    return f"{FEEDS}/{added['id']}"


@pytest.mark.parametrize(
    ("change", "status", "where"),
    [
        ({"origin": "press"}, 422, "body/origin"),
        ({"fresh_within_hours": 99_999_999_999}, 422, "body/fresh_within_hours"),
        ({"cron": "0 0 30 2 *"}, 409, "cron"),
        ({"cron": "* * * * *"}, 409, "cron"),
        ({"time_zone": "Asia/Atlantis"}, 409, "time_zone"),
    ],
)
def test_what_a_feed_cannot_have_is_refused_by_name(
    served: Served, feed: str, change: dict[str, Any], status: int, where: str
) -> None:
    with served.client("anan") as client:
        before = client.get(feed).json()
        refused = client.patch(feed, json=change)
        assert refused.status_code == status
        said = refused.json()
        assert where in [said["where"], *(each["where"] for each in said["fields"])]
        assert client.get(feed).json() == before
        assert client.post(FEEDS, json={**WANTED, "url": "https://data.example/b.csv", "extra": 1}).status_code == 422
        assert client.patch(feed, json={"cron": "0 7 * * *"}).json()["cron"] == "0 7 * * *"


SECRET = "Bearer kept-from-everybody-4711"
KEPT = {"origin": "https://feeds.example", "value": SECRET}


def test_a_feeds_secret_is_written_and_never_read(served: Served, feed: str, caplog: pytest.LogCaptureFixture) -> None:
    place = f"{FEEDS}/credentials/partner"
    caplog.set_level(logging.DEBUG)
    with served.client("anan") as anan, served.client("rin") as rin, served.client("eve", OTHER) as eve:
        kept = anan.put(place, json=KEPT, headers={"Idempotency-Key": "secret"})
        assert kept.status_code == 200
        assert kept.json() == {"name": "partner", "origin": "https://feeds.example", "header": "Authorization"}
        assert anan.put(place, json={**KEPT, "header": "X-Key"}).json()["header"] == "X-Key"
        refused = [
            rin.put(place, json=KEPT),
            eve.put(place, json=KEPT),
            anan.put(place, json={**KEPT, "value": f"{SECRET}\n"}),
            anan.put(place, json={**KEPT, "value": SECRET * 1000}),
            anan.put(place, json={**KEPT, "origin": "http://feeds.example"}),
            anan.put(place, json={**KEPT, "origin": "https://["}),
            anan.put(place, json={**KEPT, "origin": "https://xn--a"}),
            anan.put(place, json={**KEPT, "header": f"{SECRET}:"}),
            anan.put(f"{FEEDS}/credentials/..%2Fpartner", json=KEPT),
            anan.get(place),
        ]
        assert [each.status_code for each in refused] == [403, 404, 409, 422, 409, 409, 409, 422, 404, 405]
        assert anan.patch(feed, json={"credential": "partner"}).json()["credential"] == "partner"
        told = "".join(each.text for each in (kept, *refused, anan.get(feed), anan.get(f"/api/tenant/{OWN}/audit")))
    assert '"credential.kept"' in told
    assert "kept-from-everybody" not in told + caplog.text
    assert credential_of(served.runtime, OWN, "partner").value == SECRET
    with pytest.raises(NotFoundError):
        credential_of(served.runtime, OTHER, "partner")
    with served.runtime.database.tenant(OWN) as connection:
        keys = connection.execute("SELECT key FROM runtime.idempotent_requests WHERE key = 'secret'").fetchall()
    assert keys == [], "not even a digest of it is kept"


def due(served: Served) -> list[str]:
    """The tenant's feeds that the daemon asks next."""
    return [feed for tenant, feed in due_feeds(served.runtime, 1000) if tenant == OWN]


def test_a_feed_is_asked_now_by_who_manages_it(served: Served, feed: str) -> None:
    asking = f"{feed}/poll"
    with served.runtime.database.tenant(OWN) as connection:
        connection.execute("UPDATE runtime.feeds SET due_at = now() + interval '1 day' WHERE status = 'active'")
    with served.client("anan") as anan, served.client("rin") as rin, served.client("eve", OTHER) as eve:
        assert rin.post(asking).status_code == 403
        assert eve.post(asking).status_code == 404
        assert due(served) == []
        asked = anan.post(asking, headers={"Idempotency-Key": "now"})
        assert asked.status_code == 202
        assert due(served) == [asked.json()["id"]]
        assert anan.post(asking, headers={"Idempotency-Key": "now"}).json() == asked.json()
        anan.post(f"{feed}/status", json={"status": "paused"})
        paused = anan.post(asking)
        assert (paused.status_code, paused.json()["where"]) == (409, asked.json()["id"])
        anan.post(f"{feed}/status", json={"status": "active"})
        anan.put(f"/api/tenant/{OWN}/flags/intake.links", json={"value": False, "reason": "Too many broken links"})
        assert anan.post(asking).status_code == 409
        anan.request("DELETE", f"/api/tenant/{OWN}/flags/intake.links", json={"reason": "Mended"})


def test_the_versions_of_a_feed_come_page_by_page(served: Served, feed: str) -> None:
    with served.runtime.database.tenant(OWN) as connection:
        connection.execute(
            """
            INSERT INTO runtime.feed_versions (tenant_id, feed_id, number, unit_digest, profile, reasons, fetched_at)
            SELECT %s, %s, number, repeat('0', 64), '{"rows": 1, "schemas": []}', '[]', now()
              FROM generate_series(1, 3) AS number
            """,
            (OWN, feed.rpartition("/")[2]),
        )
    with served.client("rin") as rin:
        first = rin.get(feed, params={"limit": 2}).json()
        last = rin.get(feed, params={"limit": 2, "after": first["next"]}).json()
        assert [[each["number"] for each in page["versions"]] for page in (first, last)] == [[3, 2], [1]]
        assert (last["next"], rin.get(feed, params={"after": 0}).status_code) == (None, 422)
