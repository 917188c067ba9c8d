"""A link that is added again: its server is asked whether it has changed, and what is known stays the tenant's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.stage import Stage
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.intake.link.policy import LinkPolicy
from tenant_pipeline.services import sources
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source
from tests.integration.conftest import TwoTenants
from tests.registered import registered
from tests.unit.intake.link_server import Answer, Server, serve

TENANT, OTHER = TenantId("link-tenant"), TenantId("other-link-tenant")
HERE = LinkPolicy(timeout_seconds=20, request_interval_seconds=0, allow_loopback=True)
VERSION_1 = Answer(b"name\nHall\n", headers={"ETag": '"v1"', "Last-Modified": "Mon, 05 Jan 2026 10:00:00 GMT"})
VERSION_2 = Answer(b"name\nHall\nArena\n", headers={"ETag": '"v2"'})
UNCHANGED = Answer(status=304)


@pytest.fixture(scope="module")
def runtime(tenants: TwoTenants) -> Runtime:
    for tenant in (TENANT, OTHER):
        registered(tenants.runtime, tenant, pdpa_agreement_ref="DPA-1")
    return tenants.runtime


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as server:
        yield server


def _add(runtime: Runtime, url: str, tenant: TenantId = TENANT, title: str = "Venues") -> Source:
    return sources.add_source(
        runtime, tenant, origin=Origin.PARTNER_DOC, unit_mode=UnitMode.LINK, places=[url], title=title, actor="test",
        link_policy=HERE,
    )  # fmt: skip


def _rows(runtime: Runtime, query: str, url: str, tenant: TenantId = TENANT) -> list[dict[str, Any]]:
    with runtime.database.tenant(tenant) as connection:
        return connection.execute(query, (url,)).fetchall()


def _kept(runtime: Runtime, url: str, tenant: TenantId = TENANT) -> list[dict[str, Any]]:
    return _rows(runtime, "SELECT * FROM runtime.fetched_links WHERE url = %s", url, tenant)


def test_an_unchanged_link_is_the_same_source_and_its_body_is_not_fetched(runtime: Runtime, server: Server) -> None:
    url = server.answer("/venues.csv", VERSION_1, UNCHANGED)
    first = _add(runtime, url)
    (before,) = _kept(runtime, url)
    assert (before["etag"], before["last_modified"]) == ('"v1"', "Mon, 05 Jan 2026 10:00:00 GMT")
    assert (before["answered_by"], before["unit_digest"]) == (url, first.unit_digest)
    again = _add(runtime, url)
    assert again == first
    assert server.headers("/venues.csv")[1]["If-None-Match"] == '"v1"'
    (after,) = _kept(runtime, url)
    assert after["fetched_at"] > before["fetched_at"]
    assert {**after, "fetched_at": None} == {**before, "fetched_at": None}
    rows = _rows(runtime, "SELECT id FROM runtime.tenant_sources WHERE url = %s", url)
    assert [row["id"] for row in rows] == [first.id]


def test_a_changed_link_is_a_new_revision(runtime: Runtime, server: Server) -> None:
    url = server.answer("/venues.csv", VERSION_1, VERSION_2, UNCHANGED)
    first, second, third = _add(runtime, url), _add(runtime, url), _add(runtime, url)
    assert second.unit_digest != first.unit_digest
    assert third == second
    assert [headers.get("If-None-Match") for headers in server.headers("/venues.csv")] == [None, '"v1"', '"v2"']


def test_the_same_content_without_validators_is_the_same_source(runtime: Runtime, server: Server) -> None:
    url = server.answer("/plain.csv", Answer(b"name\nHall\n"))
    assert _add(runtime, url) == _add(runtime, url)
    assert len(server.paths()) == 2


def test_an_unchanged_link_under_another_title_is_another_source_of_the_same_unit(
    runtime: Runtime, server: Server
) -> None:
    url = server.answer("/venues.csv", VERSION_1, UNCHANGED)
    first, second = _add(runtime, url), _add(runtime, url, title="Halls")
    assert first.id != second.id
    assert first.unit_digest == second.unit_digest


def test_a_unit_that_is_gone_from_the_raw_zone_is_fetched_again(runtime: Runtime, server: Server) -> None:
    url = server.answer("/gone.csv", Answer(b"name\nGone\n", headers={"ETag": '"g"'}))
    first = _add(runtime, url)
    raw = runtime.settings.objects_directory / TENANT / "raw"
    (raw / first.unit_digest[:2] / first.unit_digest).unlink()
    assert _add(runtime, url) == first
    assert not any("If-None-Match" in headers for headers in server.headers("/gone.csv"))


def test_what_is_known_of_a_link_is_of_no_use_to_another_tenant(
    runtime: Runtime, tenants: TwoTenants, server: Server
) -> None:
    url = server.answer("/venues.csv", VERSION_1)
    _add(runtime, url)
    assert _kept(runtime, url, OTHER) == []
    _add(runtime, url, OTHER)
    assert not any("If-None-Match" in headers for headers in server.headers("/venues.csv"))
    with tenants.login(OTHER) as connection:
        seen = connection.execute("SELECT DISTINCT tenant_id FROM runtime.fetched_links").fetchall()
        assert seen == [(OTHER,)]
        changed = connection.execute("UPDATE runtime.fetched_links SET etag = 'x' WHERE tenant_id = %s", (TENANT,))
        assert changed.rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "INSERT INTO runtime.fetched_links VALUES (%s, 'http://x.example/', '', '', '', %s)", (TENANT, "a" * 64)
            )
        connection.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM runtime.fetched_links")
        connection.rollback()


def test_neither_the_platform_nor_governance_reads_what_links_a_tenant_fetched(runtime: Runtime) -> None:
    for login in (runtime.database.platform, runtime.database.governance):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), login() as connection:
            connection.execute("SELECT * FROM runtime.fetched_links")


def test_the_registry_knows_the_address_of_a_link_and_the_name_of_a_file(
    runtime: Runtime, server: Server, tmp_path: Path
) -> None:
    url = server.answer("/named.csv", Answer(b"name\nNamed\n"))
    (tmp_path / "venues.csv").write_text("name\nHall of files\n")
    single = sources.add_source(
        runtime, TENANT, origin=Origin.PARTNER_DOC, unit_mode=UnitMode.SINGLE_FILE,
        places=[str(tmp_path / "venues.csv")], title="File", actor="test",
    )  # fmt: skip
    folder = sources.add_source(
        runtime, TENANT, origin=Origin.PARTNER_DOC, unit_mode=UnitMode.FOLDER, places=[str(tmp_path)], title="Folder",
        actor="test",
    )  # fmt: skip
    for source in (single, folder):
        run_stage(runtime, TENANT, source.id, Stage.RECEIVE)
    query = "SELECT filename, url FROM runtime.tenant_sources WHERE id = %s"
    for source, row in (
        (_add(runtime, url + "#part", title="Link"), {"filename": "", "url": url}),
        (single, {"filename": "venues.csv", "url": ""}),
        (folder, {"filename": "", "url": ""}),
    ):
        assert _rows(runtime, query, source.id) == [row]


def test_a_link_to_this_machine_is_refused_and_nothing_is_registered(runtime: Runtime, server: Server) -> None:
    url = server.answer("/secret.csv", VERSION_1)
    with pytest.raises(InputError, match="not"):
        sources.add_source(
            runtime, TENANT, origin=Origin.PARTNER_DOC, unit_mode=UnitMode.LINK, places=[url], title="x", actor="test"
        )
    assert server.asked == []
    assert _kept(runtime, url) == []
