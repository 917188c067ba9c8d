"""What an AI's answers cite can be looked at and handed in. Nothing here leaves the machine."""

from __future__ import annotations

import json
import socket
import threading
import uuid
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from tenant_pipeline.cli.main import app
from tenant_pipeline.core.errors import NotFoundError, SourceStoppedError
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.stage import STAGES, Stage, StageCount
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.intake.link.policy import LinkPolicy
from tenant_pipeline.services import sources, stage_records
from tenant_pipeline.services.citations import Added, CitedUrl, add_cited, cited_urls
from tenant_pipeline.services.decisions import decisions_of
from tenant_pipeline.services.lineage import RAW_STAGES, stage_code_version
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tenant_pipeline.services.sources import Source
from tenant_pipeline.services.stage_records import StageRecord
from tenant_pipeline.settings import Settings
from tests.installed import migrated_home
from tests.registered import registered

CITED = [
    ("o00001#message=m1&citation=1", "https://press.example/halls?utm_source=chat"),
    ("o00001#message=m1&citation=2", "https://PRESS.example:443/halls#history"),
    ("o00001#message=m2&citation=1", "https://city.example/"),
    ("o00001#message=m2&citation=2", "javascript:alert(1)"),
    ("o00001#message=m2&citation=3", None),
    ("o00001#message=m3&citation=1", "https://city.example/people?mail=somchai@mail.example"),
    ("o00001#message=m3&citation=2", "https://press.example/halls"),
]

HERE = LinkPolicy(allow_loopback=True, request_interval_seconds=0)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with migrated_home() as home:
        yield home


@pytest.fixture(scope="module")
def runtime(home: Path) -> Iterator[Runtime]:
    with open_runtime(Settings(home=home)) as opened:
        yield opened


@pytest.fixture
def tenant(runtime: Runtime) -> TenantId:
    return registered(runtime, f"t{uuid.uuid4().hex[:12]}")


def chat_source(runtime: Runtime, tenant: TenantId, tmp_path: Path) -> Source:
    path = tmp_path / "chat.md"
    path.write_text("# Halls\n\nMakham Bay Convention Centre has 2500 seats.\n")
    return sources.add_source(
        runtime, tenant, origin=Origin.PERPLEXITY, unit_mode=UnitMode.SINGLE_FILE, places=[str(path)],
        title="a chat", actor="test",
    )  # fmt: skip


def citing(
    runtime: Runtime, tenant: TenantId, tmp_path: Path, cited: Sequence[tuple[str, str | None]] = CITED
) -> Source:
    """A source whose `extract` found these citations, beside a table that merely has a field `url`."""
    source = chat_source(runtime, tenant, tmp_path)
    upstream = [run_stage(runtime, tenant, source.id, stage) for stage in STAGES[: STAGES.index(Stage.EXTRACT)]]
    taken = upstream[-1].output_digest
    with runtime.database.tenant(tenant) as connection:
        decisions = decisions_of(connection, runtime, source)
    version = stage_code_version(runtime, source, Stage.EXTRACT, taken, decisions)
    assert Stage.EXTRACT in RAW_STAGES
    counts = (StageCount("object", 1, 1, 0, 0, len(cited) + 1, "row"),)
    with runtime.stage_store(tenant).write(Stage.EXTRACT, taken, version, encrypted=True) as out:
        for table, name, rows in (
            ("t00001", "citations", cited),
            ("t00002", "messages", [("o00001#message=m1", "https://elsewhere.example/")]),
        ):
            with out.table(table, "records", fields=("title", "url"), about={"name": name, "ai": True}) as writer:
                writer.write(_records(rows))
        digest = out.commit(counts)
    with runtime.database.tenant(tenant) as connection:
        record = StageRecord("extract", taken, version, digest, counts, {}, 0.0)
        assert stage_records.insert(connection, tenant, source.id, record)
    return source


def _records(rows: Sequence[tuple[str, str | None]]) -> pd.DataFrame:
    text = pa.string()
    frame: pd.DataFrame = pa.table(
        {
            "record": pa.array(range(len(rows)), pa.int64()),
            "locator": pa.array([locator for locator, _ in rows], text),
            "f0000": pa.array(["a title"] * len(rows), text),
            "f0001": pa.array([url for _, url in rows], text),
        }
    ).to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def test_an_address_is_told_once_with_all_its_places(runtime: Runtime, tenant: TenantId, tmp_path: Path) -> None:
    found = cited_urls(runtime, tenant, citing(runtime, tenant, tmp_path).id)
    assert found.urls == (
        CitedUrl("https://press.example/halls", 3, [CITED[0][0], CITED[1][0], CITED[6][0]]),
        CitedUrl("https://city.example/", 1, [CITED[2][0]]),
    )
    assert found.left_out == {"url-scheme-refused": 1, "personal-data": 1}


def test_a_source_without_citations_cites_nothing(runtime: Runtime, tenant: TenantId, tmp_path: Path) -> None:
    found = cited_urls(runtime, tenant, citing(runtime, tenant, tmp_path, []).id)
    assert (found.urls, found.left_out) == ((), {})


def test_a_source_that_was_not_extracted_is_told_so(runtime: Runtime, tenant: TenantId, tmp_path: Path) -> None:
    source = chat_source(runtime, tenant, tmp_path)
    with pytest.raises(SourceStoppedError, match="not been extracted"):
        cited_urls(runtime, tenant, source.id)
    with pytest.raises(NotFoundError):
        cited_urls(runtime, tenant, SourceId("src-00000000000000ff"))


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, list[str]]]:
    """A server on loopback that all names lead to: its port, and the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = b"<html><body><h1>Halls</h1></body></html>"
            self.send_response(404 if self.path == "/gone" else 200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    def resolve(host: str, port: Any, *rest: Any, **named: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    listening = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    yield listening.server_port, asked
    listening.shutdown()
    listening.server_close()


def test_each_address_becomes_a_source_and_one_that_fails_does_not_stop_the_rest(
    runtime: Runtime, tenant: TenantId, tmp_path: Path, served: tuple[int, list[str]]
) -> None:
    port, asked = served
    urls = [f"http://press.example:{port}/{path}" for path in ("gone", "halls", "piers")]
    cited = [(f"o00001#message=m{number}", url) for number, url in enumerate([urls[0], *urls])]
    found = cited_urls(runtime, tenant, citing(runtime, tenant, tmp_path, cited).id)
    outcomes = list(add_cited(runtime, tenant, found, origin=Origin.PRESS, actor="test", link_policy=HERE))
    links = {each.title: each for each in sources.list_sources(runtime, tenant) if each.unit_mode is UnitMode.LINK}
    assert outcomes == [
        Added(urls[0], "failed", reason="link-refused: The server answered with status 404"),
        Added(urls[1], "added", links[urls[1]].id),
        Added(urls[2], "added", links[urls[2]].id),
    ]
    assert {link.origin for link in links.values()} == {Origin.PRESS}
    assert [path for path in asked if path != "/robots.txt"] == ["/gone", "/halls", "/piers"]
    again = list(add_cited(runtime, tenant, found, origin=Origin.PRESS, actor="test", link_policy=HERE))
    assert [each.outcome for each in again] == ["failed", "known", "known"]
    assert [path for path in asked if path != "/robots.txt"] == ["/gone", "/halls", "/piers", "/gone"]
    for stage in STAGES:
        run_stage(runtime, tenant, links[urls[1]].id, stage)


def test_the_command_lists_and_fetches_nothing_from_this_machine(
    runtime: Runtime,
    home: Path,
    tenant: TenantId,
    tmp_path: Path,
    served: tuple[int, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = f"http://press.example:{served[0]}/halls"
    source = citing(runtime, tenant, tmp_path, [("o00001#message=m1", url), ("o00001#message=m2", "nonsense")])
    monkeypatch.setenv("TENANT_RUNTIME_HOME", str(home))
    command = ["source", "cited", "--tenant", tenant, "--source", source.id, "--json"]
    listed = CliRunner().invoke(app, command)
    assert json.loads(listed.stdout) == [{"url": url, "times": 1, "locators": ["o00001#message=m1"]}]
    assert "1 citations are left out: url-unreadable." in listed.stderr
    (row,) = json.loads(CliRunner().invoke(app, [*command, "--add", "--origin", "legacy-wiki"]).stdout)
    assert (row["outcome"], row["reason"].partition(":")[0]) == ("failed", "link-not-public")
    assert served[1] == []
