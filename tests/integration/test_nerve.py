"""The instance as a running process over a real release, asked in three scripts, through releases and rollbacks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.nerve import application
from tenant_pipeline.nerve.knowledge_base import CONNECTIONS, EXPORTS
from tenant_pipeline.nerve.settings import InstanceSettings
from tenant_pipeline.services.feature_flags.overrides import clear_flag, set_flag
from tenant_pipeline.services.going_live.releases import publish_approved, request_release, request_rollback
from tenant_pipeline.services.releases.reading import list_releases
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage import serving
from tenant_pipeline.storage.database import login_of
from tests.integration.conflict_statements import Sources
from tests.integration.conftest import TwoTenants
from tests.integration.releasable import approve_everything, releasable, settle

TOKEN = "t0ken-of-this-instance"


class Instance:
    """A running instance and a client that shows its token."""

    def __init__(self, runtime: Runtime, tenant: TenantId, folder: Path) -> None:
        self.runtime, self.tenant, self.folder = runtime, tenant, folder
        self.role = f"nerve_{login_of(tenant)}"[:60]
        self.password = "p-" + os.urandom(8).hex()
        schema = login_of(tenant)
        with runtime.database.administration() as connection:
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} NOINHERIT").format(
                    sql.Identifier(self.role), sql.Literal(self.password)
                )
            )
            connection.execute(
                sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
                    sql.Identifier(connection.info.dbname), sql.Identifier(self.role)
                )
            )
            serving.create_serving_tables(connection, schema)
            serving.grant_reading(connection, schema, self.role)
        (folder / "dsn").write_text(self.dsn(), encoding="utf-8")
        (folder / "token").write_text(TOKEN, encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tenant_pipeline.nerve"],
            env={
                "PATH": os.environ["PATH"],
                "NERVE_TENANT": tenant,
                "NERVE_SCHEMA": schema,
                "NERVE_DSN_FILE": str(folder / "dsn"),
                "NERVE_TOKEN_FILE": str(folder / "token"),
                "NERVE_PORT_FILE": str(folder / "port"),
            },
            stderr=(folder / "log").open("wb"),
        )
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self._port()}", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20
        )

    def dsn(self) -> str:
        return make_conninfo(self.runtime.database.conninfo(), user=self.role, password=self.password)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def labels(self, query: str) -> list[str]:
        return [each["label"] for each in self.get("/search", q=query)["results"]]

    def _port(self) -> int:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if (self.folder / "port").exists():
                return int((self.folder / "port").read_text())
            assert self.process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.02)
        raise AssertionError("the instance did not start")

    def stop(self) -> int:
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)


@pytest.fixture(scope="module")
def made(tenants: TwoTenants) -> Sources:
    sources = releasable(tenants.runtime)
    sources.say(3, ("name", "en", "Patong Beach"), ("geo", "", "7.896000,98.296000"), entity="can-beach", compare=False)
    sources.say(3, ("name", "th", "หาดป่าตอง"), ("name", "en", "Patong Beach"), ("geo", "", "7.896000,98.296000"),
                entity="can-beach", compare=False)  # fmt: skip
    settle(sources)
    request_release(tenants.runtime, sources.tenant, requested_by="kanya")
    approve_everything(tenants.runtime, sources.tenant)
    publish_approved(tenants.runtime, sources.tenant, run_by="run")
    return sources


@pytest.fixture(scope="module")
def instance(tenants: TwoTenants, made: Sources, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    started = Instance(tenants.runtime, made.tenant, tmp_path_factory.mktemp("instance"))
    yield started
    assert started.stop() in (0, -signal.SIGTERM)


def test_it_is_ready_and_says_which_release_it_serves(instance: Instance) -> None:
    assert httpx.get(f"{instance.client.base_url}/health/live").json() == {"status": "live"}
    assert instance.get("/health/ready")["version"] == "1.0.0"
    told = instance.get("/version")
    assert (told["tenant"], told["version"], told["entities"]) == (instance.tenant, "1.0.0", 3)


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("phuket hall", "Phuket Hall"),
        ("phukt hal", "Phuket Hall"),
        ("หอประชุม", "Phuket Hall"),
        ("หอประชมภูเกต", "Phuket Hall"),
        ("普吉会堂", "Phuket Hall"),
        ("普吉會堂", "Phuket Hall"),
        ("ปาตอง", "Patong Beach"),
        ("patnog beach", "Patong Beach"),
        ("KATA", "Kata Pavilion"),
    ],
)
def test_a_name_is_found_in_thai_english_and_chinese_and_mistyped(instance: Instance, query: str, first: str) -> None:
    assert instance.labels(query)[:1] == [first]


def test_what_is_nothing_like_any_name_is_not_found(instance: Instance) -> None:
    assert instance.labels("zzzzqqqq") == []
    assert instance.labels("!!!") == []
    assert instance.get("/search", q="hall", type="Event")["results"] == []


def test_an_entity_tells_of_each_value_which_source_says_it_and_where(instance: Instance) -> None:
    (found, *_) = instance.get("/search", q="Phuket Hall")["results"]
    page = instance.get(f"/entities/{found['id']}")
    (postcode,) = [each for each in page["values"] if each["property"] == "postalCode"]
    (source,) = postcode["sources"]
    assert (postcode["value"], source["source_title"], source["rights"]) == ("83000", "Register of halls", "CC BY 4.0")
    assert source["locator"]
    missing = instance.client.get("/entities/can-nothing")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")


def test_the_exports_hold_every_entity_in_formats_that_others_read(instance: Instance) -> None:
    places = instance.get("/export.geojson")
    (beach,) = places["features"]
    assert beach["geometry"] == {"type": "Point", "coordinates": [98.296, 7.896]}
    assert beach["properties"]["names"]["th"] == ["หาดป่าตอง"]
    graph = instance.get("/export.jsonld")["@graph"]
    assert len(graph) == 3
    hall = next(node for node in graph if node["@id"] == "entities/can-hall")
    assert {"@value": "หอประชุมภูเก็ต", "@language": "th"} in hall["name"]


class Unread:
    """Clients in this process that ask for an export and read none of it."""

    def __init__(self, instance: Instance) -> None:
        self.application = application.create_application(
            InstanceSettings(
                tenant=instance.tenant, schema=login_of(instance.tenant), dsn=instance.dsn(), access_token=TOKEN,
                host="", port=0, port_file=None, code_version="",
            )
        )  # fmt: skip
        self.statuses: list[int] = []

    @asynccontextmanager
    async def asked(self, times: int) -> AsyncIterator[None]:
        """While so many have been answered."""
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": "/export.jsonld", "query_string": b"", "server": ("nerve", 80),
            "headers": [(b"authorization", f"Bearer {TOKEN}".encode())],
        }  # fmt: skip
        awaited = len(self.statuses) + times
        async with anyio.create_task_group() as group:
            for _ in range(times):
                group.start_soon(self.application, dict(scope), self._receive, self._send)
            with anyio.fail_after(20):
                while len(self.statuses) < awaited:
                    await anyio.sleep(0.01)
            yield
            group.cancel_scope.cancel()

    async def ready(self) -> int:
        transport = httpx.ASGITransport(self.application)
        async with httpx.AsyncClient(transport=transport, base_url="http://nerve") as client:
            return (await client.get("/health/ready")).status_code

    async def _receive(self) -> MutableMapping[str, Any]:
        await anyio.sleep_forever()
        return {}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            await self._read(message)
        else:
            self.statuses.append(message["status"])

    async def _read(self, message: MutableMapping[str, Any]) -> None:
        await anyio.sleep_forever()


class SlowlyRead(Unread):
    """A client that reads an export piece by piece, each in its time."""

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance)
        self.read = b""
        self.whole = anyio.Event()

    async def _read(self, message: MutableMapping[str, Any]) -> None:
        await anyio.sleep(0.2)
        self.read += message["body"]
        if not message["more_body"]:
            self.whole.set()


def test_exports_that_nobody_reads_leave_the_instance_to_the_others(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "PIECE", 1)
    unread = Unread(instance)

    async def asked() -> None:
        async with unread.application.router.lifespan_context(unread.application):
            async with unread.asked(CONNECTIONS):
                assert sorted(unread.statuses) == [200, 200, 503, 503]
                assert await unread.ready() == 200
            async with unread.asked(1):
                assert unread.statuses[-1] == 200, "those have gone away"

    anyio.run(asked)


def test_an_export_that_is_not_read_in_time_is_cut_off(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "PIECE", 1)
    monkeypatch.setattr(application, "EXPORT_SECONDS", 0.1)
    unread = Unread(instance)

    async def asked() -> None:
        async with unread.application.router.lifespan_context(unread.application), unread.asked(EXPORTS):
            end = time.monotonic() + 20
            while unread.statuses.count(200) <= EXPORTS:
                assert time.monotonic() < end, unread.statuses
                async with unread.asked(1):
                    await anyio.sleep(0.05)

    anyio.run(asked)


def test_an_export_that_is_read_goes_on_for_as_long_as_that_takes(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "PIECE", 1)
    monkeypatch.setattr(application, "EXPORT_SECONDS", 0.7)
    monkeypatch.setattr(application, "LEAST_BYTES_A_SECOND", 1)

    async def asked() -> None:
        slow = SlowlyRead(instance)
        async with slow.application.router.lifespan_context(slow.application), slow.asked(1):
            with anyio.fail_after(20):
                await slow.whole.wait()
        assert len(json.loads(slow.read)["@graph"]) == 3

    anyio.run(asked)


@pytest.mark.parametrize(
    "path", ["/version", "/flags", "/openapi.json", "/search?q=a", "/entities/x", "/export.geojson", "/export.jsonld"]
)
@pytest.mark.parametrize("token", [None, "wrong", TOKEN + "x", "ไทย"])
def test_without_the_instances_token_nothing_is_told(instance: Instance, path: str, token: str | None) -> None:
    headers = {} if token is None else {"Authorization": f"Bearer {token}".encode()}
    answer = httpx.get(f"{instance.client.base_url}{path}", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "query", [{"q": ""}, {"q": "x" * 201}, {"q": "a\0b"}, {"q": "a", "limit": 0}, {"q": "a", "limit": 101}, {}]
)
def test_a_query_that_cannot_be_answered_is_refused_with_the_place(instance: Instance, query: dict[str, Any]) -> None:
    answer = instance.client.get("/search", params=query)
    assert (answer.status_code, answer.json()["status"]) == (422, 422)


def test_it_follows_a_release_and_a_rollback_without_a_restart(
    tenants: TwoTenants, made: Sources, instance: Instance
) -> None:
    runtime, tenant = tenants.runtime, made.tenant
    started = instance.process.pid
    tag = instance.client.get("/search", params={"q": "hall"}).headers["etag"]
    made.say(4, ("name", "en", "Cape Panwa Arena"), entity="can-arena", compare=False)
    settle(made)
    request_release(runtime, tenant, requested_by="kanya")
    assert instance.labels("panwa arena") == []
    approve_everything(runtime, tenant)
    publish_approved(runtime, tenant, run_by="run")
    assert instance.labels("panwa arena") == ["Cape Panwa Arena"]
    assert instance.client.get("/search", params={"q": "hall"}).headers["etag"] != tag
    with runtime.database.platform() as connection:
        first = list_releases(connection, tenant)[0]
    request_rollback(runtime, tenant, first.digest, requested_by="kanya", reason="Not yet open")
    approve_everything(runtime, tenant)
    publish_approved(runtime, tenant, run_by="run")
    assert instance.labels("panwa arena") == []
    assert instance.client.get("/search", params={"q": "hall"}).headers["etag"] == tag
    assert (instance.process.pid, instance.process.poll()) == (started, None)


def test_a_flag_that_is_set_for_the_tenant_holds_in_its_instance_at_once(
    tenants: TwoTenants, instance: Instance
) -> None:
    word = {"person": "anan", "role": "tenant-admin", "reason": "Partners take too much"}
    assert instance.get("/flags")["instance.exports"] is True
    set_flag(tenants.runtime, instance.tenant, "instance.exports", False, **word)
    set_flag(tenants.runtime, instance.tenant, "instance.search_least_score", 99, **word)
    assert instance.client.get("/export.geojson").status_code == 403
    assert instance.labels("phukt hal") == []
    for name in ("instance.exports", "instance.search_least_score"):
        clear_flag(tenants.runtime, instance.tenant, name, **word)
    assert instance.client.get("/export.geojson").status_code == 200
    assert instance.labels("phukt hal") == ["Phuket Hall"]


def test_its_login_reads_what_is_live_and_nothing_else(tenants: TwoTenants, instance: Instance) -> None:
    schema = login_of(instance.tenant)
    with psycopg.connect(instance.dsn()) as connection:
        read = connection.execute(f"SELECT label FROM {schema}.live_documents").fetchall()
        assert {label for (label,) in read} == {"Phuket Hall", "Patong Beach", "Kata Pavilion"}
        connection.rollback()
        for statement in (
            "SELECT * FROM runtime.tenants",
            "SELECT * FROM runtime.statements",
            f"SELECT * FROM {schema}.release_documents",
            f"UPDATE {schema}.live_release SET switched_at = now()",
            f"CREATE TABLE {schema}.x (a int)",
            "CREATE TEMPORARY TABLE x (a int)",
            "SET ROLE tenant_runtime_owner",
            f"SET ROLE {schema}",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
            connection.rollback()


def test_its_log_has_no_query_and_no_secret(instance: Instance) -> None:
    instance.labels("a very private question")
    log = (instance.folder / "log").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in log.splitlines()]
    assert any(line.get("path") == "/search" for line in lines)
    for secret in ("private question", TOKEN, instance.password):
        assert secret not in log


def test_it_starts_within_two_seconds_and_says_what_it_was_not_told(tenants: TwoTenants, tmp_path: Path) -> None:
    outcome: Callable[..., Any] = lambda **environment: subprocess.run(  # noqa: E731
        [sys.executable, "-m", "tenant_pipeline.nerve"],
        env={"PATH": os.environ["PATH"], **environment}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    told = outcome(NERVE_TENANT="x")
    assert (told.returncode, "NERVE_SCHEMA is not set" in told.stderr or "NERVE_" in told.stderr) == (2, True)
    (tmp_path / "dsn").write_text("", encoding="utf-8")
    told = outcome(NERVE_TENANT="x", NERVE_SCHEMA="y", NERVE_DSN_FILE=str(tmp_path / "dsn"))
    assert "the file that NERVE_DSN_FILE names is empty" in told.stderr
