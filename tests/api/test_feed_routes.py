"""Feeds over the API: what cannot be changed, or is no schedule, is refused with the field's own name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import OWN, Served

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
