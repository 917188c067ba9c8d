"""The Dagster UI has no login: no other site's page in an operator's browser may use it."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from tenant_pipeline.cli.dagster_ui import OwnPagesOnly

URL = "https://dagster.city.example"


async def _socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


def client(url: str = URL) -> TestClient:
    async def answer(request: Any) -> PlainTextResponse:
        return PlainTextResponse("done")

    routes = [
        WebSocketRoute("/socket", _socket),
        Route("/{path:path}", answer, methods=["GET", "POST"]),
    ]
    return TestClient(OwnPagesOnly(Starlette(routes=routes), url), base_url="http://127.0.0.1:3000")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:3000.evil.example"},
        {"Origin": "http://127.0.0.1:8000"},
        {"Host": "rebound.evil.example", "Origin": "http://rebound.evil.example"},
        {"Host": "rebound.evil.example"},
        {"Host": "dagster.city.example.evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
        {"Host": ""},
    ],
)
def test_another_sites_page_changes_nothing(headers: dict[str, str]) -> None:
    for method in ("GET", "POST"):
        assert client().request(method, "/graphql?query=mutation", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://127.0.0.1:3000"},
        {"Host": "localhost:3000", "Origin": "http://localhost:3000"},
        {"Host": "[::1]:3000", "Origin": "http://[::1]:3000"},
        {"Host": "dagster.city.example", "Origin": URL},
        {"Host": "10.0.0.5:80", "Origin": URL},
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
    ],
)
def test_its_own_pages_and_programs_do(headers: dict[str, str]) -> None:
    assert client().post("/graphql", headers=headers).text == "done"


def test_a_link_from_elsewhere_opens_a_page() -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client().get("/runs/x", headers=headers).text == "done"


def test_another_sites_page_hears_nothing() -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        client().websocket_connect("/socket", headers={"Origin": "https://evil.example"}),
    ):
        pass
    with client().websocket_connect("/socket", headers={"Origin": "http://127.0.0.1:3000", "Host": "127.0.0.1:3000"}):
        pass


def test_without_an_address_of_ours_only_this_machine_is_known() -> None:
    assert client("").post("/graphql", headers={"Host": "anything.example"}).status_code == 403
    assert client("").post("/graphql").text == "done"
