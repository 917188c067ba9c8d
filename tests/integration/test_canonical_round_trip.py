"""A tenant's statements leave as a file and come back as they were, through all nine stages and a real database."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest
from typer.testing import CliRunner

from tenant_pipeline.cli.main import app
from tenant_pipeline.core.canonical_export import STATEMENT_FIELDS, export_lines
from tenant_pipeline.core.errors import DatabaseUnavailableError, GateClosedError, InputError, NotFoundError
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.pseudonym import is_token
from tenant_pipeline.core.stage import STAGES
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.samples.phuket_mice.pilot import PILOT_AGREEMENT, PILOT_NAME, write_sample
from tenant_pipeline.services import registry, sources
from tenant_pipeline.services.conflicts.matrix import update_conflicts
from tenant_pipeline.services.coverage.scoring import update_coverage
from tenant_pipeline.services.export import SAID_ALIKE, Exported, ExportFormat, export_statements
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.releases.building import build_candidate
from tenant_pipeline.services.releases.reading import documents_of
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tenant_pipeline.services.sources import Source
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.audit_log import AuditLog
from tests.installed import migrated_home

FIRST, SECOND = TenantId("first-tenant"), TenantId("second-tenant")
SAID = ("type", "property", "value", "lang", "datatype", "valid_from", "valid_to")


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with migrated_home() as home, open_runtime(Settings(home=home)) as opened:
        for tenant in (FIRST, SECOND):
            registry.register_tenant(
                opened, tenant, name=PILOT_NAME, domain=f"{tenant}.example", tier="pilot", actor="test",
                pdpa_agreement_ref=PILOT_AGREEMENT,
            )  # fmt: skip
        yield opened


def run(runtime: Runtime, source: Source) -> dict[str, int]:
    """Run all stages; how many rows each rejected or quarantined."""
    records = [run_stage(runtime, source.tenant, source.id, stage) for stage in STAGES]
    return {record.stage: record.rejected + record.quarantined for record in records}


@pytest.fixture(scope="module")
def exported(runtime: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The pilot sample in the first tenant, and its export."""
    stopped = 0
    for sample in write_sample(tmp_path_factory.mktemp("sample")):
        source = sources.add_source(
            runtime, FIRST, origin=sample.origin, unit_mode=sample.unit_mode, places=[str(p) for p in sample.paths],
            title=sample.title, actor="test", rights=sample.rights, observed_at=sample.observed_at,
        )  # fmt: skip
        try:
            run(runtime, source)
        except GateClosedError:
            stopped += 1
    assert stopped == 1
    target = tmp_path_factory.mktemp("export") / "first.ndjson"
    return export_statements(runtime, FIRST, target, ExportFormat.NDJSON, actor="test")


def statements_of(path: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    return lines[1:-1]


def tiers_of(path: Path) -> dict[bool, set[int]]:
    """The best tiers of statements by whether only an AI says so."""
    found: dict[bool, set[int]] = {}
    for statement in statements_of(path):
        by_ai = all(each["method"].startswith("ai;") for each in statement["provenance"])
        found.setdefault(by_ai, set()).add(statement["provenance"][0]["authority_tier"])
    return found


def entities_of(path: Path) -> Counter[frozenset[tuple[tuple[str, ...], int]]]:
    """For each entity the multiset of what is said of it, as a multiset."""
    said: dict[str, Counter[tuple[str, ...]]] = {}
    for statement in statements_of(path):
        said.setdefault(statement["entity"], Counter())[tuple(statement[name] for name in SAID)] += 1
    return Counter(frozenset(counter.items()) for counter in said.values())


def test_an_export_says_what_it_is_how_much_and_from_where(exported: Exported) -> None:
    content = exported.path.read_bytes()
    lines = content.splitlines(keepends=True)
    header, trailer = json.loads(lines[0]), json.loads(lines[-1])
    assert {name: header[name] for name in ("format", "version", "tenant", "statements")} == {
        "format": "tenant-runtime-canonical-export",
        "version": "1.1.0",
        "tenant": FIRST,
        "statements": exported.statements,
    }
    assert datetime.fromisoformat(header["exported_at"]).tzinfo is not None
    assert trailer["statements"] == len(lines) - 2 == exported.statements > 100
    assert trailer["sha256"] == hashlib.sha256(b"".join(lines[1:-1])).hexdigest()
    assert exported.bytes == len(content)
    (capacity,) = [
        each
        for each in statements_of(exported.path)
        if (each["property"], each["value"]) == ("maximumAttendeeCapacity", "2500")
    ]
    assert capacity["raw_value"] == "2,500"
    (provenance,) = capacity["provenance"]
    assert (provenance["origin"], provenance["authority_tier"]) == ("partner-doc", 2)
    assert provenance["locator"].startswith("o00001#sheet=")
    assert ";standardise:number" in provenance["method"]


def test_what_two_sources_say_alike_is_one_statement_with_both_as_provenance(exported: Exported) -> None:
    statements = statements_of(exported.path)
    assert len({tuple(each[name] for name in SAID_ALIKE) for each in statements}) == len(statements)
    shared = [each["provenance"] for each in statements if len(each["provenance"]) > 1]
    assert shared
    for provenance in shared:
        tiers = [each["authority_tier"] for each in provenance]
        assert tiers == sorted(tiers)


def test_an_import_into_another_tenant_says_the_same_of_as_many_entities(
    runtime: Runtime, exported: Exported, tmp_path: Path
) -> None:
    source = sources.add_source(
        runtime, SECOND, origin=Origin.CANONICAL, unit_mode=UnitMode.SINGLE_FILE, places=[str(exported.path)],
        title="export of the first tenant", actor="test", rights="own", observed_at=datetime(2026, 5, 1, tzinfo=UTC),
    )  # fmt: skip
    lost = run(runtime, source)
    assert lost == dict.fromkeys(map(str, STAGES), 0)
    again = export_statements(runtime, SECOND, tmp_path / "second.ndjson", ExportFormat.NDJSON, actor="test")
    assert again.statements == exported.statements
    assert entities_of(again.path) == entities_of(exported.path)
    tokens = {each["value"] for each in statements_of(exported.path) if is_token(each["value"])}
    assert tokens
    assert tokens == {each["value"] for each in statements_of(again.path) if is_token(each["value"])}
    assert tiers_of(again.path) == {True: {5}, False: {1}}
    lines = {each["provenance"][0]["locator"].partition("&")[0] for each in statements_of(again.path)}
    assert lines == {f"o00001#line={number}" for number in range(2, exported.statements + 2)}


def test_a_value_that_holds_for_two_periods_stays_two_from_file_to_release_to_file_to_another_tenant(
    runtime: Runtime, tmp_path: Path
) -> None:
    periods = [("500", "2010", "2014"), ("500", "2020", ""), ("700", "2015", "2019")]
    said = [
        {**dict.fromkeys(STATEMENT_FIELDS, ""), "entity": "hall", "type": "EventVenue", "property": name, "lang": lang,
         "value": value, "raw_value": value, "valid_from": since, "valid_to": until, "provenance": []}
        for name, lang, value, since, until in (
            *(("maximumAttendeeCapacity", "", *each) for each in periods),
            ("name", "en", "Saphan Hin Hall", "", ""),
        )
    ]  # fmt: skip
    handed_in = tmp_path / "said.ndjson"
    handed_in.write_bytes(b"".join(export_lines("elsewhere", "2026-05-01T08:00:00+00:00", len(said), said)))
    for tenant in (TenantId("two-periods"), TenantId("two-periods-again")):
        registry.register_tenant(
            runtime, tenant, name=PILOT_NAME, domain=f"{tenant}.example", tier="pilot", actor="test",
            pdpa_agreement_ref=PILOT_AGREEMENT,
        )  # fmt: skip
        source = sources.add_source(
            runtime, tenant, origin=Origin.CANONICAL, unit_mode=UnitMode.SINGLE_FILE, places=[str(handed_in)],
            title="Register", actor="test", rights="own",
        )  # fmt: skip
        assert run(runtime, source) == dict.fromkeys(map(str, STAGES), 0)
        update_conflicts(runtime, tenant, source.id)
        update_coverage(runtime, tenant, source.id)
        (document,) = documents_of(runtime, tenant, build_candidate(runtime, tenant, requested_by="test").release)
        capacities = [each for each in document["values"] if each["property"] == "maximumAttendeeCapacity"]
        assert [(each["value"], each["valid_from"], each["valid_to"]) for each in capacities] == periods
        handed_in = tmp_path / f"{tenant}.ndjson"
        assert export_statements(runtime, tenant, handed_in, ExportFormat.NDJSON, actor="test").statements == len(said)
        assert [
            (each["value"], each["valid_from"], each["valid_to"]) for each in statements_of(handed_in)[:3]
        ] == periods


def test_a_spreadsheet_has_every_statement_and_no_formula(runtime: Runtime, exported: Exported, tmp_path: Path) -> None:
    sheet = export_statements(runtime, SECOND, tmp_path / "second.csv", ExportFormat.CSV, actor="test")
    assert sheet.path.read_bytes().startswith("\ufeffentity,type,property,".encode())
    with sheet.path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sheet.statements == exported.statements
    assert {row["origin"] for row in rows} == {"canonical"}
    assert not [cell for row in rows for cell in row.values() if cell[:1] in "=+-@＝＋－＠\t\r" and cell]


def test_a_file_that_exists_is_replaced_only_when_asked(runtime: Runtime, tmp_path: Path) -> None:
    target = tmp_path / "kept.ndjson"
    target.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        export_statements(runtime, SECOND, target, ExportFormat.NDJSON, actor="test")
    assert target.read_text() == "mine"
    export_statements(runtime, SECOND, target, ExportFormat.NDJSON, actor="test", force=True)
    assert target.read_text().startswith('{"format":"tenant-runtime-canonical-export"')
    assert os.listdir(tmp_path) == ["kept.ndjson"]


def test_an_export_that_is_stopped_leaves_no_file(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(descriptor: int) -> None:
        assert [name.endswith(".draft") for name in os.listdir(tmp_path)] == [True]
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stopped)
    with pytest.raises(KeyboardInterrupt):
        export_statements(runtime, SECOND, tmp_path / "new.ndjson", ExportFormat.NDJSON, actor="test")
    assert os.listdir(tmp_path) == []


def test_no_file_is_there_that_is_not_on_record(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> NoReturn:
        raise DatabaseUnavailableError("The database does not answer")

    monkeypatch.setattr(AuditLog, "append", away)
    with pytest.raises(DatabaseUnavailableError):
        export_statements(runtime, SECOND, tmp_path / "new.ndjson", ExportFormat.NDJSON, actor="test")
    assert os.listdir(tmp_path) == []


def test_an_export_of_nobody_is_refused(runtime: Runtime, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        export_statements(runtime, TenantId("nobody-here"), tmp_path / "x", ExportFormat.CSV, actor="test")


def test_the_command_writes_the_file_and_refuses_to_replace_it(
    runtime: Runtime, exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENANT_RUNTIME_HOME", str(runtime.settings.home))
    target = tmp_path / "first.ndjson"
    command = ["export", "--tenant", FIRST, "--out", str(target)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert f"{exported.statements} statements in" in done.stderr
    assert target.read_bytes().splitlines()[1:] == exported.path.read_bytes().splitlines()[1:]
    assert isinstance(CliRunner().invoke(app, command).exception, InputError)
    assert target.stat().st_mode & 0o777 == 0o600
