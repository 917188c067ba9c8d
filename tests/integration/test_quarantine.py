"""What was refused stays listed; a person may let it in, with a reason, and it comes in then and only then."""

from __future__ import annotations

import io
import secrets
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import psycopg
import pytest

from tenant_pipeline.core.errors import InputError, NotAllowedError, NotFoundError
from tenant_pipeline.core.origin import Origin, Unit, UnitFile, UnitMode
from tenant_pipeline.core.stage import STAGES, Stage
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.intake import extract as extraction
from tenant_pipeline.intake.readers.item import UnreadableError
from tenant_pipeline.intake.sandbox.limits import ParserLimits
from tenant_pipeline.intake.sandbox.parsers import records
from tenant_pipeline.services import kept_units, normalisation, quarantine, roles, source_queue, sources
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source
from tests.integration.conftest import ATTACKER, TwoTenants
from tests.registered import registered
from tests.unit.intake.clamav_stand_in import INFECTED, daemon
from tests.unit.pii.staff import STAFF

__all__ = ["daemon"]  # fixtures

TENANT = TenantId("quarantine-tenant")
WORD = {"person": "gov@city.example", "role": "platform-governance", "reason": "Seen and harmless"}


@pytest.fixture(scope="module")
def runtime(tenants: TwoTenants) -> Runtime:
    registered(tenants.runtime, TENANT)
    for role in ("platform-governance", "tenant-admin"):
        roles.grant_role(tenants.runtime, TENANT, person=WORD["person"], role=role, granted_by="test")
    return tenants.runtime


def _bundle(folder: Path) -> Path:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("venues.csv", "name_en,capacity\nHall,10\n")
        archive.writestr("../../escape.csv", "name_en,capacity\nArena,20\n")
        archive.writestr("zeros.csv", b"name_en,capacity\nWide," + b"0" * 30_000_000)
    path = folder / "bundle.zip"
    path.write_bytes(written.getvalue())
    return path


def _taken_in(runtime: Runtime, folder: Path) -> Source:
    source = sources.add_source(
        runtime, TENANT, origin=Origin.MIXED, unit_mode=UnitMode.AI_BUNDLE, places=[str(_bundle(folder))],
        title=f"Bundle {folder.name}", actor="test",
    )  # fmt: skip
    for stage in (Stage.RECEIVE, Stage.IDENTIFY):
        run_stage(runtime, TENANT, source.id, stage)
    return source


def _paths(runtime: Runtime, source: Source) -> list[str]:
    with runtime.database.tenant(TENANT) as connection:
        rows = connection.execute(
            "SELECT display_path FROM runtime.objects WHERE tenant_id = %s AND source_id = %s ORDER BY object",
            (TENANT, source.id),
        ).fetchall()
    return [row["display_path"] for row in rows]


def test_what_is_refused_is_listed_with_its_reason_and_the_rest_goes_on(runtime: Runtime, tmp_path: Path) -> None:
    source = _taken_in(runtime, tmp_path)
    found = [(item.path, item.locator, item.code, item.releasable) for item in
             quarantine.list_quarantined(runtime, TENANT, source.id)]  # fmt: skip
    assert found == [
        ("bundle.zip", "file=1&member=2", "path-traversal", True),
        ("bundle.zip", "file=1&member=3", "compression-bomb", True),
    ]
    assert len(_paths(runtime, source)) == 1


def test_files_that_are_called_after_persons_are_shown_without_them(runtime: Runtime, tmp_path: Path) -> None:
    folder = tmp_path / "CV"
    folder.mkdir()
    for number, name in enumerate(STAFF):
        (folder / f"{name}.csv").write_text("day,hours\nMon,8\n" if number else "")
    source = sources.add_source(
        runtime, TENANT, origin=Origin.MIXED, unit_mode=UnitMode.FOLDER, places=[str(folder)], title="Staff",
        actor="test",
    )  # fmt: skip
    run_stage(runtime, TENANT, source.id, Stage.RECEIVE)
    shown = [*_paths(runtime, source), *(item.path for item in quarantine.list_quarantined(runtime, TENANT, source.id))]
    assert len(shown) >= len(STAFF)
    assert not [name for name in STAFF if name in str(shown)]


def test_what_a_person_releases_is_taken_in_where_it_leads_nowhere_else(runtime: Runtime, tmp_path: Path) -> None:
    source = _taken_in(runtime, tmp_path)
    assert quarantine.release(runtime, TENANT, source.id, "file=1&member=2", **WORD).state == "released"
    assert _standing(runtime, source) == [
        ("file=1&member=2", "released", WORD["person"], False),
        ("file=1&member=3", "refused", None, True),
    ], "until the source is run again it is not in, and no longer refused"
    with pytest.raises(NotFoundError, match="released"):
        quarantine.release(runtime, TENANT, source.id, "file=1&member=2", **WORD)
    run_stage(runtime, TENANT, source.id, Stage.RECEIVE)
    run_stage(runtime, TENANT, source.id, Stage.IDENTIFY)
    assert any(path.endswith("!/released/2/escape.csv") for path in _paths(runtime, source))
    assert _standing(runtime, source) == [
        ("file=1&member=3", "refused", None, True),
        ("file=1&member=2", "let-in", WORD["person"], False),
    ]
    assert any(
        entry["action"] == "quarantine.release"
        for entry in _audit(runtime)
    )  # fmt: skip


def _standing(runtime: Runtime, source: Source) -> list[tuple[str, str, str | None, bool]]:
    return [
        (item.locator, item.state, item.released_by, item.releasable)
        for item in quarantine.list_quarantined(runtime, TENANT, source.id)
    ]


def _version(runtime: Runtime, source: Source | None, *contents: bytes) -> Source:
    """A source of these files, or its next version; received."""
    files = []
    for number, content in enumerate(contents, 1):
        digest, size = runtime.raw_zone(TENANT).put(io.BytesIO(content))
        files.append(UnitFile(f"{number}.bin", digest, size))
    unit = Unit(UnitMode.FOLDER, tuple(files))
    kept_units.keep_unit(runtime.raw_zone(TENANT), unit)
    with runtime.database.tenant(TENANT) as connection:
        if source is None:
            source = sources.insert_source(
                connection, runtime, TENANT, SourceId(f"src-{secrets.token_hex(8)}"), unit, origin=Origin.REGULATOR,
                title="Register", actor="test", observed_at=None, rights="",
            )  # fmt: skip
        else:
            source_queue.set_progress(connection, TENANT, source.id, str(Stage.RECEIVE), "stopped")
            source = sources.renew_source(
                connection, runtime, TENANT, source.id, unit, actor="test", observed_at=runtime.now(), url=""
            )
    run_stage(runtime, TENANT, source.id, Stage.RECEIVE)
    return source


@pytest.fixture
def scanning(runtime: Runtime, daemon: str) -> Runtime:
    return replace(runtime, settings=runtime.settings.model_copy(update={"clamav": daemon}))


def test_a_release_is_of_what_was_looked_at_and_of_nothing_that_comes_in_its_place(scanning: Runtime) -> None:
    harmless, infected = INFECTED + b" in a text about it", INFECTED + b" in earnest"
    source = _version(scanning, None, harmless)
    quarantine.release(scanning, TENANT, source.id, "file=1", **WORD)
    run_stage(scanning, TENANT, source.id, Stage.RECEIVE)
    assert _standing(scanning, source) == [("file=1", "let-in", WORD["person"], False)]

    source = _version(scanning, source, infected, b"clean")
    assert _standing(scanning, source) == [("file=1", "refused", None, True)]
    assert len(_paths(scanning, source)) == 1

    source = _version(scanning, source, infected, harmless)
    assert _standing(scanning, source) == [
        ("file=1", "refused", None, True),
        ("file=2", "let-in", WORD["person"], False),
    ], "what was looked at comes in without a second release, wherever it lies"
    quarantine.release(scanning, TENANT, source.id, "file=1", **WORD)
    run_stage(scanning, TENANT, source.id, Stage.RECEIVE)
    assert [state for _, state, _, _ in _standing(scanning, source)] == ["let-in", "let-in"]


def test_a_release_on_an_old_look_lets_nothing_else_in(scanning: Runtime) -> None:
    source = _version(scanning, None, INFECTED + b"1")
    (seen,) = quarantine.list_quarantined(scanning, TENANT, source.id)
    _version(scanning, source, INFECTED + b"2")
    with pytest.raises(InputError, match="by now"):
        quarantine.release(scanning, TENANT, source.id, "file=1", digest=seen.digest, **WORD)
    (there,) = quarantine.list_quarantined(scanning, TENANT, source.id)
    assert quarantine.release(scanning, TENANT, source.id, "file=1", digest=there.digest, **WORD).state == "released"


def test_a_member_that_was_not_unpacked_is_released_of_its_own_archive_only(runtime: Runtime) -> None:
    def bundle(inside: str) -> bytes:
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w") as archive:
            archive.writestr("../out.csv", inside)
        return written.getvalue()

    one, other = bundle("a,b\n1,2\n"), bundle("a,b\n3,4\n")
    source = _version(runtime, None, one)
    quarantine.release(runtime, TENANT, source.id, "file=1&member=1", **WORD)
    source = _version(runtime, source, other, one)
    assert [(locator, state) for locator, state, _, _ in _standing(runtime, source)] == [
        ("file=1&member=1", "refused"),
        ("file=2&member=1", "let-in"),
    ]


def test_what_extract_refused_is_listed_and_comes_in_when_it_is_released(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extraction, "records", _too_large)
    source = _version(runtime, None, b"name_en,capacity\nHall,10\n", b"name_en,capacity\nArena,20\n")
    run_stage(runtime, TENANT, source.id, Stage.IDENTIFY)
    assert run_stage(runtime, TENANT, source.id, Stage.EXTRACT).quarantined == 2
    refused = quarantine.list_quarantined(runtime, TENANT, source.id)
    assert [(item.stage, item.path, item.locator, item.releasable) for item in refused] == [
        (Stage.EXTRACT, "1.bin", "o00001", True),
        (Stage.EXTRACT, "2.bin", "o00002", True),
    ]
    quarantine.release(runtime, TENANT, source.id, "o00002", digest=refused[1].digest, **WORD)
    extracted = run_stage(runtime, TENANT, source.id, Stage.EXTRACT)
    assert (extracted.quarantined, extracted.rows_out) == (1, 1)
    assert [(locator, state) for locator, state, _, _ in _standing(runtime, source)] == [
        ("o00001", "refused"),
        ("o00002", "let-in"),
    ]


def _too_large(stream: BinaryIO, *, limits: ParserLimits, **about: Any) -> Iterator[Any]:
    """A parser for which every object is too large within the ordinary limits."""
    if limits == ParserLimits().half_as_much_again():
        raise UnreadableError("parser-memory", "Reading it takes more memory than a document may.")
    yield from records(stream, limits=limits, **about)


def test_a_source_that_is_being_screened_while_a_file_is_released_waits_and_comes_through(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = _taken_in(runtime, tmp_path)
    run_stage(runtime, TENANT, source.id, Stage.EXTRACT)
    screen = normalisation._STAGE_FUNCTIONS[Stage.SCREEN]

    def released_meanwhile(work: normalisation.StageWork) -> normalisation.StageResult:
        quarantine.release(runtime, TENANT, source.id, "file=1&member=2", **WORD)
        return screen(work)

    with monkeypatch.context() as patched:
        patched.setitem(normalisation._STAGE_FUNCTIONS, Stage.SCREEN, released_meanwhile)  # type: ignore[arg-type]
        run_stage(runtime, TENANT, source.id, Stage.SCREEN)
    assert _ingest_status(runtime, source) == "waiting"
    for stage in STAGES:
        run_stage(runtime, TENANT, source.id, stage)
    assert _ingest_status(runtime, source) == "assembled"
    assert len(_paths(runtime, source)) == 2


def _ingest_status(runtime: Runtime, source: Source) -> str:
    with runtime.database.tenant(TENANT) as connection:
        return sources.get_source(connection, TENANT, source.id).ingest_status


def _audit(runtime: Runtime) -> list[dict[str, object]]:
    with runtime.database.tenant(TENANT) as connection:
        return connection.execute("SELECT action FROM runtime.audit_log WHERE tenant_id = %s", (TENANT,)).fetchall()


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"role": "tenant-admin"}, NotAllowedError),
        ({"role": "founder"}, NotAllowedError),
        ({"person": "somebody@city.example"}, NotAllowedError),
        ({"reason": "  "}, InputError),
        ({"person": ""}, InputError),
    ],
)
def test_a_release_needs_a_person_a_role_and_a_reason(
    runtime: Runtime, tmp_path: Path, changed: dict[str, str], error: type[Exception]
) -> None:
    source = _taken_in(runtime, tmp_path)
    with pytest.raises(error):
        quarantine.release(runtime, TENANT, source.id, "file=1&member=2", **{**WORD, **changed})
    assert len(quarantine.list_quarantined(runtime, TENANT, source.id)) == 2


def test_nothing_is_released_where_nothing_was_refused(runtime: Runtime, tmp_path: Path) -> None:
    source = _taken_in(runtime, tmp_path)
    with pytest.raises(NotFoundError):
        quarantine.release(runtime, TENANT, source.id, "file=1&member=1", **WORD)
    with pytest.raises(NotFoundError):
        quarantine.release(runtime, ATTACKER, source.id, "file=1&member=2", **WORD)


def test_what_cannot_be_read_cannot_be_released(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
    source = sources.add_source(
        runtime, TENANT, origin=Origin.MIXED, unit_mode=UnitMode.SINGLE_FILE, places=[str(tmp_path / "broken.zip")],
        title="Broken", actor="test",
    )  # fmt: skip
    run_stage(runtime, TENANT, source.id, Stage.RECEIVE)
    with pytest.raises(InputError, match="cannot be read"):
        quarantine.release(runtime, TENANT, source.id, "file=1", **WORD)


def test_the_name_of_a_refused_file_is_shown_screened(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "guests of นายสมชาย ใจดี 0812345678.zip").write_bytes(b"PK\x03\x04 and no more")
    source = sources.add_source(
        runtime, TENANT, origin=Origin.MIXED, unit_mode=UnitMode.FOLDER, places=[str(tmp_path)], title="Guests",
        actor="test",
    )  # fmt: skip
    run_stage(runtime, TENANT, source.id, Stage.RECEIVE)
    (refused,) = quarantine.list_quarantined(runtime, TENANT, source.id)
    assert refused.path.startswith("guests of นาย⟦PERSON:")
    assert not [word for word in ("สมชาย", "ใจดี", "0812345678") if word in refused.path]


def test_a_tenant_cannot_release_for_itself(tenants: TwoTenants, runtime: Runtime, tmp_path: Path) -> None:
    source = _taken_in(runtime, tmp_path)
    with tenants.login(TENANT) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(
            "INSERT INTO runtime.quarantine_releases"
            " (tenant_id, source_id, stage, locator, code, unit_digest, person, role, reason)"
            " VALUES (%s, %s, 'receive', 'file=1&member=2', 'path-traversal', %s, 'me', 'founder', 'because')",
            (TENANT, source.id, source.unit_digest),
        )
