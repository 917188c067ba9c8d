"""Raw personal data is found nowhere outside the encrypted raw zone: not in the database, files, logs or previews.

What is no personal data stands in previews that Dagster keeps; with the tenant it is erased there, too.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import sources
from tenant_pipeline.services.erasure.requests import request_erasure
from tenant_pipeline.services.erasure.whole_tenant import erase_tenant
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tests.installed import lay_migrated
from tests.system.conftest import Installation

TENANT = TenantId("pii-test")

# Invented, but with check digits that hold, in the spellings in which people write them.
PHONES = ("081-234-5678", "+66 89 765 4321", "0861112233")
WORD = "Kathu Centre"
"""Nobody's, so it passes the screen; of the tenant, so it goes with it."""
EMAILS = ("somchai.jaidee@example.com", "contact@phuket-hall.example.org")


def _checksum(twelve: str) -> str:
    total = sum(int(digit) * weight for digit, weight in zip(twelve, range(13, 1, -1), strict=True))
    return str((11 - total % 11) % 10)


def _valid_ids() -> tuple[str, str, str]:
    first, second, third = "383990012345", "183990055551", "583990077777"
    plain = [twelve + _checksum(twelve) for twelve in (first, second, third)]
    dashed = "-".join((plain[0][0], plain[0][1:5], plain[0][5:10], plain[0][10:12], plain[0][12]))
    thai_digits = plain[2].translate(str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙"))
    return dashed, plain[1], thai_digits


def _plant(folder: Path) -> list[str]:
    """Write personal data everywhere a file can hold it; return every spelling that must not be found again."""
    dashed, plain, thai_digits = _valid_ids()
    folder.mkdir()
    rows = [
        "venue,contact phone,contact e-mail,note",
        f"Laguna Hall,{PHONES[0]},{EMAILS[0]},เลขบัตร{dashed}ของผู้จัดการ",
        f"Kathu Centre,{PHONES[1]},{EMAILS[1]},请联系{PHONES[2]}",
        f"Old Town House,,,{thai_digits} {plain}",
    ]
    rows += [f"Harmless hall {number},,,nothing personal" for number in range(30)]
    (folder / "venues.csv").write_text("\n".join(rows) + "\n")
    (folder / "letter.md").write_text(
        f"# Letter\n\nโทร{PHONES[0]} หรือ {EMAILS[0]}\n\n| id | tel |\n|---|---|\n| {plain} | {PHONES[2]} |\n"
    )
    (folder / f"booking {PHONES[2]}.json").write_text(f'[{{"name": "Hall", "{EMAILS[1]}": "yes", "id": "{dashed}"}}]')
    (folder / "headless.csv").write_text(f"{EMAILS[0]},{PHONES[1]}\n{EMAILS[1]},{PHONES[0]}\n")
    (folder / "broken.json").write_text(f'{{"phone": "{PHONES[0]}", ')
    return [dashed, dashed.replace("-", ""), plain, thai_digits, *PHONES, *EMAILS]


def _traces(values: list[str]) -> list[bytes]:
    return [value.encode() for value in values]


def _database_text(dsn: str) -> list[tuple[str, str]]:
    found = []
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for (table,) in tables:
            for (row,) in connection.execute(f"SELECT t::text FROM {table} AS t"):
                found.append((table, row))
    return found


@pytest.mark.slow
def test_no_raw_value_is_found_outside_the_raw_zone_and_no_word_in_dagster_after_erasure(
    tmp_path: Path, new_home: Callable[[], Path]
) -> None:
    installation = Installation(lay_migrated(new_home()))
    installation.register(TENANT)
    planted = _plant(tmp_path / "handed in")
    source = installation.add(TENANT, "partner-doc", "folder", tmp_path / "handed in")
    printed = installation.command("run", "--tenant", TENANT, "--json")
    for reading in (
        ("stages", "--tenant", TENANT),
        ("statements", "--tenant", TENANT, "--limit", "10000"),
        ("gate", "list", "--tenant", TENANT),
        ("conflicts", "--tenant", TENANT),
        ("source", "list", "--tenant", TENANT),
    ):
        printed += installation.command(*reading, "--json")
    traces = _traces(planted)
    assert not [value for value in planted if value in printed]

    with open_runtime(installation.settings) as runtime:
        _assert_went_through(runtime, source)
        for dsn in (runtime.database.conninfo(), _dagster_dsn(runtime)):
            leaks = [(table, value) for table, row in _database_text(dsn) for value in planted if value in row]
            assert not leaks

    raw_zone = installation.settings.objects_directory / TENANT / "raw"
    assert any(raw_zone.rglob("*")), "the raw zone holds the upload"
    for path in _every_file(installation.home):
        content = path.read_bytes()
        leaks = [trace for trace in traces if trace in content or trace in os.fsencode(path.name)]
        assert not leaks, f"{path} holds {leaks}"

    with open_runtime(installation.settings) as runtime:
        assert _in_dagster(runtime, WORD), "a preview shows what passed the screen"
        _erase(runtime)
        assert not _in_dagster(runtime, WORD)


def _in_dagster(runtime: Runtime, word: str) -> list[str]:
    return [table for table, row in _database_text(_dagster_dsn(runtime)) if word in row]


def _erase(runtime: Runtime) -> None:
    for person, role in (("anan", "tenant-admin"), ("gov", "platform-governance")):
        grant_role(runtime, TENANT, person=person, role=role, granted_by="test")
    request = request_erasure(runtime, TENANT, person="anan", role="tenant-admin", reason="The tenant leaves")
    done = erase_tenant(runtime, TENANT, request, person="gov", role="platform-governance")
    assert done.state() == "erased", done.steps["proof"]


def _assert_went_through(runtime: Runtime, source: str) -> None:
    found = {each.id: each for each in sources.list_sources(runtime, TENANT)}[source]  # type: ignore[index]
    assert found.ingest_stage not in ("", "receive", "identify", "extract"), found


def _dagster_dsn(runtime: Runtime) -> str:
    return psycopg.conninfo.make_conninfo(runtime.database.conninfo(), dbname="tenant_runtime_dagster")


def _every_file(home: Path) -> list[Path]:
    """Every file of the installation, the database's own and the encrypted raw zone's included."""
    return [path for path in home.rglob("*") if path.is_file()]
