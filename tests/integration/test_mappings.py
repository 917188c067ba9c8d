"""A mapping is proposed, tried without effect, accepted by a person, and then maps exactly as the trial told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from psycopg import errors
from typer.testing import CliRunner

from tenant_pipeline.cli import mapping as mapping_command
from tenant_pipeline.core.errors import (
    DecidedMeanwhileError,
    GateClosedError,
    InputError,
    NotFoundError,
    SourceStoppedError,
)
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.stage import STAGES, Stage
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.pii.declarations import DeclaredClass
from tenant_pipeline.services import mappings, roles, sources
from tenant_pipeline.services.coverage.scoring import update_coverage
from tenant_pipeline.services.lineage import every_record
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.privacy_declarations import declare, sign
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.stage_records import StageRecord
from tests.integration.conftest import ATTACKER, TwoTenants
from tests.registered import registered

UP_TO_SCREEN = STAGES[: STAGES.index(Stage.SCREEN) + 1]
HALLS = (
    "venue_title_th,hall capacity max,ที่ตั้งและที่อยู่,รหัสไปรษณีย์ไทย,เว็บไซต์หลัก,สี\n"
    'โถงหนึ่ง,"1,200",1 ถนนภูเก็ต,83000,https://one.example/,แดง\n'
    "โถงสอง,300,2 ถนนภูเก็ต,83110,https://two.example/,-\n"
    "โถงสาม,,3 ถนนภูเก็ต,83120,,เขียว\n"
)
COLOURS = "name,colour\nHall,red\n"


@pytest.fixture(scope="module")
def runtime(tenants: TwoTenants) -> Runtime:
    return tenants.runtime


@pytest.fixture
def tenant(runtime: Runtime, request: pytest.FixtureRequest) -> TenantId:
    """A tenant of the test's own: what one accepts lasts."""
    _TENANTS.append(request.node.name)
    return registered(runtime, f"mapping-test-{len(_TENANTS)}", pdpa_agreement_ref="DPA-1")


_TENANTS: list[str] = []


def _add(runtime: Runtime, tenant: TenantId, path: Path, content: str) -> SourceId:
    path.write_text(content)
    return sources.add_source(
        runtime, tenant, origin=Origin.PARTNER_DOC, unit_mode=UnitMode.SINGLE_FILE, places=[str(path)],
        title=path.name, actor="test",
    ).id  # fmt: skip


@pytest.fixture
def halls(runtime: Runtime, tenant: TenantId, tmp_path: Path) -> SourceId:
    """A source that has been through all stages, its table mapped by synonyms."""
    source = _add(runtime, tenant, tmp_path / "halls.csv", HALLS)
    _run(runtime, tenant, source)
    return source


def _run(runtime: Runtime, tenant: TenantId, source: SourceId) -> dict[Stage, StageRecord]:
    return {stage: run_stage(runtime, tenant, source, stage) for stage in STAGES}


def _mapped(runtime: Runtime, tenant: TenantId, source: SourceId) -> Counter[str]:
    """How many statements the stage `map` has written for each property and language."""
    record = run_stage(runtime, tenant, source, Stage.MAP)
    found: Counter[str] = Counter()
    for table in runtime.stage_store(tenant).read(record.output_digest).tables("statements"):
        for frame in table.batches(["property", "lang"]):
            found.update(
                f"{property_}@{lang}" if lang else property_
                for property_, lang in zip(frame["property"], frame["lang"], strict=True)
            )
    return found


def _accept(runtime: Runtime, tenant: TenantId, source: SourceId) -> mappings.Decision:
    return mappings.accept(runtime, tenant, person="ann", reason="checked by hand", source_id=source)


def _audited(runtime: Runtime, tenant: TenantId, action: str) -> list[dict[str, Any]]:
    with runtime.database.tenant(tenant) as connection:
        return connection.execute(
            "SELECT actor, subject, details FROM runtime.audit_log WHERE action = %s ORDER BY sequence", (action,)
        ).fetchall()


def test_an_accepted_proposal_maps_exactly_as_the_trial_told(
    runtime: Runtime, tenant: TenantId, halls: SourceId
) -> None:
    before = _mapped(runtime, tenant, halls)
    (proposal,) = mappings.propose(runtime, tenant, halls)
    fields = {each.field: each.property for each in proposal.proposal.fields}
    assert fields == {
        "venue_title_th": "name",
        "hall capacity max": "maximumAttendeeCapacity",
        "ที่ตั้งและที่อยู่": "address",
        "รหัสไปรษณีย์ไทย": "postalCode",
        "เว็บไซต์หลัก": "url",
        "สี": "",
    }
    (change,) = mappings.diff(runtime, tenant, halls)
    assert (change.type_before, change.type_after) == ("CreativeWork", "EventVenue")
    assert change.properties["maximumAttendeeCapacity"].added == 2
    assert change.properties["url"].samples == ["o00001#row=2", "o00001#row=3"]
    assert change.properties["text"].removed == 3

    decision = _accept(runtime, tenant, halls)
    assert decision.sources == (halls,)
    after = _mapped(runtime, tenant, halls)
    for name, told in change.properties.items():
        assert before[name] == told.unchanged + told.changed + told.removed
        assert after[name] == told.unchanged + told.changed + told.added
    assert set(after) | set(before) == set(change.properties)
    assert mappings.propose(runtime, tenant, halls) == []
    assert mappings.diff(runtime, tenant, halls) == []
    records = _run(runtime, tenant, halls)
    assert records[Stage.ASSEMBLE].rows_out == sum(after.values())


def test_a_trial_writes_nothing(runtime: Runtime, tenant: TenantId, halls: SourceId) -> None:
    def state() -> tuple[Any, ...]:
        with runtime.database.tenant(tenant) as connection:
            counts = [
                connection.execute(f"SELECT count(*) AS n FROM runtime.{table}").fetchone()
                for table in ("tenant_mappings", "audit_log", "stage_runs", "statements")
            ]
        objects = sorted(path for path in runtime.settings.objects_directory.rglob("*") if path.is_file())
        return counts, objects, sources.list_sources(runtime, tenant)

    before = state()
    mappings.propose(runtime, tenant, halls)
    mappings.diff(runtime, tenant, halls)
    assert state() == before


def test_only_sources_whose_tables_choose_it_are_mapped_again(
    runtime: Runtime, tenant: TenantId, halls: SourceId, tmp_path: Path
) -> None:
    other = _add(runtime, tenant, tmp_path / "colours.csv", COLOURS)
    untouched = {record.stage: record.code_version for record in _run(runtime, tenant, other).values()}
    decision = _accept(runtime, tenant, halls)
    assert decision.sources == (halls,)
    status = {each.id: each.ingest_status for each in sources.list_sources(runtime, tenant)}
    assert status == {halls: "waiting", other: "assembled"}
    now = every_record(runtime, _source(runtime, tenant, other))
    assert {record.stage: record.code_version for record in now} == untouched
    again = _run(runtime, tenant, other)
    assert all(record.repeated for record in again.values())
    records = _run(runtime, tenant, halls)
    assert [stage for stage, record in records.items() if record.repeated] == list(UP_TO_SCREEN)


def _source(runtime: Runtime, tenant: TenantId, source: SourceId) -> sources.Source:
    with runtime.database.tenant(tenant) as connection:
        return sources.get_source(connection, tenant, source)


def test_accepting_twice_is_one_version_and_is_audited_once(
    runtime: Runtime, tenant: TenantId, halls: SourceId
) -> None:
    (proposal,) = mappings.propose(runtime, tenant, halls)
    definition = proposal.as_json()["definition"]
    with ThreadPoolExecutor(4) as pool:
        decisions = list(
            pool.map(
                lambda _: mappings.accept(runtime, tenant, person="ann", reason="right", definition=definition),
                range(4),
            )
        )
    assert sorted(decision.repeated for decision in decisions) == [False, True, True, True]
    (only,) = mappings.list_mappings(runtime, tenant)
    assert (only.mapping.version, only.state, only.accepted_by) == ("1.0.0", "active", "ann")
    (entry,) = _audited(runtime, tenant, "mapping.accept")
    assert (entry["actor"], entry["subject"]) == ("ann", f"{only.mapping.id}@1.0.0")
    assert entry["details"]["sources"] == 1


def test_a_new_definition_is_the_next_minor_version_and_supersedes(
    runtime: Runtime, tenant: TenantId, halls: SourceId
) -> None:
    first = _accept(runtime, tenant, halls).mapping
    definition = {**first.definition, "rules": [first.definition["rules"][0]]}
    second = mappings.accept(runtime, tenant, person="bob", reason="only names", definition=definition)
    assert second.mapping.mapping.version == "1.1.0"
    assert second.sources == (halls,)
    assert [each.state for each in mappings.list_mappings(runtime, tenant)] == ["active", "superseded"]
    assert set(_mapped(runtime, tenant, halls)) == {"name@th"}


def test_a_retired_mapping_leaves_the_table_as_it_was_mapped_before(
    runtime: Runtime, tenant: TenantId, halls: SourceId
) -> None:
    before = run_stage(runtime, tenant, halls, Stage.MAP)
    accepted = _accept(runtime, tenant, halls).mapping
    assert run_stage(runtime, tenant, halls, Stage.MAP).output_digest != before.output_digest
    ended = mappings.retire(runtime, tenant, accepted.mapping.id, person="bob", reason="wrong after all")
    assert (ended.mapping.state, ended.mapping.retired_by, ended.sources) == ("retired", "bob", (halls,))
    assert run_stage(runtime, tenant, halls, Stage.MAP).output_digest == before.output_digest
    assert mappings.retire(runtime, tenant, accepted.mapping.id, person="eve", reason="again").repeated
    assert len(_audited(runtime, tenant, "mapping.retire")) == 1
    assert _accept(runtime, tenant, halls).mapping.mapping.version == "1.1.0"


def test_where_a_declaration_goes_by_a_property_another_mapping_has_its_source_screened_again(
    runtime: Runtime, tenant: TenantId, tmp_path: Path
) -> None:
    source = _add(runtime, tenant, tmp_path / "halls.csv", HALLS)
    roles.grant_role(runtime, tenant, person="gov", role="platform-governance", granted_by="test")

    def screened() -> str:
        for stage in UP_TO_SCREEN:
            run_stage(runtime, tenant, source, stage)
        return _source(runtime, tenant, source).ingest_status

    screened()
    accepted = _accept(runtime, tenant, source).mapping.mapping
    declaration = declare(
        runtime, tenant, DeclaredClass.BUSINESS_CONTACT, person="ann", reason="On the halls' own page", source=source,
        property_="telephone", entity_types=("PHONE_NUMBER",),
    )  # fmt: skip
    sign(runtime, tenant, declaration.id, person="gov", role="platform-governance", reason="Seen on the page")
    for decide in (
        lambda: mappings.retire(runtime, tenant, accepted.id, person="bob", reason="wrong after all"),
        lambda: _accept(runtime, tenant, source),
    ):
        assert screened() == "running"
        assert decide().sources == (source,)
        assert _source(runtime, tenant, source).ingest_status == "waiting"


def _statements(runtime: Runtime, tenant: TenantId) -> set[tuple[str, ...]]:
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute("SELECT entity_id, property, lang, value FROM runtime.statement_facts").fetchall()
    return {tuple(map(str, row.values())) for row in rows}


def test_what_a_retired_mapping_said_leaves_the_knowledge_base(
    runtime: Runtime, tenant: TenantId, halls: SourceId
) -> None:
    before = _statements(runtime, tenant)
    accepted = _accept(runtime, tenant, halls).mapping
    _run(runtime, tenant, halls)
    assert _statements(runtime, tenant) != before
    scored = update_coverage(runtime, tenant, halls)
    mappings.retire(runtime, tenant, accepted.mapping.id, person="bob", reason="wrong after all")
    records = _run(runtime, tenant, halls)
    assert _statements(runtime, tenant) == before
    assert [stage for stage, record in records.items() if not record.repeated] == [Stage.LINK, Stage.ASSEMBLE]
    assert update_coverage(runtime, tenant, halls).output_digest != scored.output_digest
    assert all(record.repeated for record in _run(runtime, tenant, halls).values())


def test_a_mapping_that_is_accepted_while_a_run_has_the_source_leaves_it_in_line(
    runtime: Runtime, tenant: TenantId, tmp_path: Path
) -> None:
    source = _add(runtime, tenant, tmp_path / "halls.csv", HALLS)
    for stage in (*UP_TO_SCREEN, Stage.MAP):
        run_stage(runtime, tenant, source, stage)
    _accept(runtime, tenant, source)
    with pytest.raises(DecidedMeanwhileError):
        run_stage(runtime, tenant, source, Stage.STANDARDISE)
    assert _source(runtime, tenant, source).ingest_status == "waiting"
    _run(runtime, tenant, source)
    assert _source(runtime, tenant, source).ingest_status == "assembled"


def test_another_tenant_can_neither_see_nor_accept(
    tenants: TwoTenants, runtime: Runtime, tenant: TenantId, halls: SourceId
) -> None:
    accepted = _accept(runtime, tenant, halls).mapping
    for use in (mappings.propose, mappings.diff):
        with pytest.raises(NotFoundError):
            use(runtime, ATTACKER, halls)
    with pytest.raises(NotFoundError):
        _accept(runtime, ATTACKER, halls)
    with pytest.raises(NotFoundError):
        mappings.retire(runtime, ATTACKER, accepted.mapping.id, person="eve", reason="mine")
    assert accepted.mapping.id not in {each.mapping.id for each in mappings.list_mappings(runtime, ATTACKER)}
    with tenants.login(ATTACKER) as connection:
        assert (
            connection.execute("SELECT * FROM runtime.tenant_mappings WHERE tenant_id = %s", (tenant,)).fetchall() == []
        )
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(
                "INSERT INTO runtime.tenant_mappings VALUES (%s, 'fields-x', '9.0.0', false, '{}', %s, 'eve', 'mine')",
                (tenant, "a" * 64),
            )


def test_what_was_accepted_takes_no_change_even_from_the_superuser(
    tenants: TwoTenants, runtime: Runtime, tenant: TenantId, halls: SourceId
) -> None:
    _accept(runtime, tenant, halls)
    for change in (
        "UPDATE runtime.tenant_mappings SET reason = 'x'",
        "DELETE FROM runtime.tenant_mappings",
        "TRUNCATE runtime.tenant_mappings",
    ):
        with tenants.superuser() as connection, pytest.raises(errors.InsufficientPrivilege):
            connection.execute(change)


# Ends the process without warning after the version and the places in line are written, before the transaction ends.
ACCEPT_AND_DIE = """
import os, signal, sys
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services import mappings
from tenant_pipeline.services.runtime import connect
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.audit_log import AuditLog

AuditLog.append = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with connect(Settings()) as runtime:
    mappings.accept(runtime, TenantId(sys.argv[1]), person="ann", reason="right", source_id=SourceId(sys.argv[2]))
"""


def test_killed_before_its_transaction_ends_an_acceptance_has_not_happened_and_can_be_repeated(
    runtime: Runtime, tenant: TenantId, halls: SourceId
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", ACCEPT_AND_DIE, tenant, halls],
        env={**os.environ, "TENANT_RUNTIME_HOME": str(runtime.settings.home)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert mappings.list_mappings(runtime, tenant) == []
    assert _source(runtime, tenant, halls).ingest_status == "assembled"
    assert not _accept(runtime, tenant, halls).repeated
    assert len(mappings.list_mappings(runtime, tenant)) == 1


@pytest.mark.parametrize(("person", "reason"), [("", "right"), ("ann", " ")])
def test_without_a_person_and_a_reason_nothing_is_accepted(
    runtime: Runtime, tenant: TenantId, halls: SourceId, person: str, reason: str
) -> None:
    with pytest.raises(InputError) as refused:
        mappings.accept(runtime, tenant, person=person, reason=reason, source_id=halls)
    assert refused.value.remedy
    assert mappings.list_mappings(runtime, tenant) == []


def _definition(**other: Any) -> dict[str, Any]:
    return {
        "id": "fields-mine",
        "version": "1.0.0",
        "label": {"th": "ก", "en": "a", "zh": "一"},
        "origins": [],
        "shape": "records",
        "match": {"all_of": ["a"], "any_of": []},
        "type": "EventVenue",
        "key": [],
        "rules": [{"property": "name", "from": ["a"]}],
        "constants": {},
        **other,
    }


def _looking_up(**other: Any) -> dict[str, Any]:
    lookup = {"fields": ["id", "code"], "match": "id", "take": "code", "first": 0, **other}
    return _definition(rules=[{"property": "name", "from": ["a"], "lookup": lookup}])


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ([], "definition#/"),
        ({"id": "x"}, "definition#/"),
        (_definition(id="page"), "definition#/id"),
        (_definition(id="../x"), "definition#/id"),
        (_definition(type="Nothing"), "definition#/type"),
        (_definition(shape="cube"), "definition#/shape"),
        (_definition(match={"all_of": [], "any_of": []}), "definition#/match/all_of"),
        (_definition(rules=[]), "definition#/rules"),
        (_definition(rules=[{"property": "startDate", "from": ["a"]}]), "definition#/rules/0/property"),
        (_definition(rules=[{"property": "name"}]), "definition#/rules/0"),
        (_definition(rules=[{"property": "name", "from": ["a"], "template": "x"}]), "definition#/rules/0/template"),
        (_looking_up(match="no"), "definition#/rules/0/lookup/match"),
        (_looking_up(take="name"), "definition#/rules/0/lookup/take"),
        (_looking_up(fields=[]), "definition#/rules/0/lookup/match"),
        (_looking_up(first=-1), "definition#/rules/0/lookup/first"),
        (_definition(constants={"name": 1}), "definition#/constants"),
    ],
)
def test_a_definition_that_cannot_hold_is_refused_with_its_place(
    runtime: Runtime, tenant: TenantId, given: Any, where: str
) -> None:
    with pytest.raises(InputError) as refused:
        mappings.accept(runtime, tenant, person="ann", reason="right", definition=given)
    assert refused.value.where == where
    assert refused.value.remedy


def test_nothing_is_proposed_before_the_screen_or_behind_its_closed_gate(
    runtime: Runtime, tenant: TenantId, tmp_path: Path
) -> None:
    source = _add(runtime, tenant, tmp_path / "new.csv", COLOURS)
    with pytest.raises(SourceStoppedError):
        mappings.propose(runtime, tenant, source)
    rows = "".join(f"Hall {number},{number}\n" for number in range(20))
    closed = _add(runtime, ATTACKER, tmp_path / "closed.csv", f"name,x\n{rows}Hall,call 081-234-5678\n")
    for stage in UP_TO_SCREEN:
        run_stage(runtime, ATTACKER, closed, stage)
    with pytest.raises(GateClosedError):
        mappings.propose(runtime, ATTACKER, closed)


def test_a_table_that_is_not_there_is_not_found(runtime: Runtime, tenant: TenantId, halls: SourceId) -> None:
    with pytest.raises(NotFoundError):
        mappings.propose(runtime, tenant, halls, table="t99999")


def test_telephones_and_addresses_are_known_by_what_the_screen_put_in_their_place(
    runtime: Runtime, tenant: TenantId, tmp_path: Path
) -> None:
    rows = "".join(f"Hall {number},081-234-{5600 + number},h{number}@hall.example\n" for number in range(8))
    source = _add(runtime, tenant, tmp_path / "contacts.csv", f"name,ช่องทางหนึ่ง,ช่องทางสอง\n{rows}")
    _run(runtime, tenant, source)
    (proposal,) = mappings.propose(runtime, tenant, source)
    assert [each.property for each in proposal.proposal.fields] == ["name", "telephone", "email"]
    assert "8 of 8 sampled values (100%) read as a telephone number" in " ".join(proposal.proposal.fields[1].reasons)
    assert "081" not in str(proposal.as_json())


@pytest.fixture
def command(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The commands, over the database that runs."""

    @contextmanager
    def opened() -> Iterator[Runtime]:
        yield runtime

    monkeypatch.setattr(mapping_command, "opened", opened)
    return CliRunner()


def test_the_commands_propose_try_accept_list_and_retire(
    command: CliRunner, tenant: TenantId, halls: SourceId, tmp_path: Path
) -> None:
    def told(*words: str) -> Any:
        result = command.invoke(
            mapping_command.app, [words[0], "--tenant", tenant, *words[1:], "--json"], catch_exceptions=False
        )
        assert result.exit_code == 0
        return json.loads(result.stdout)

    answer = ["--person", "ann", "--reason", "right"]
    (proposal,) = told("propose", "--source", halls)
    file = tmp_path / "proposal.json"
    file.write_text(json.dumps(proposal), encoding="utf-8")
    assert told("diff", "--source", halls, "--definition", str(file)) == told("diff", "--source", halls)
    accepted = told("accept", "--definition", str(file), *answer)
    assert (accepted["version"], accepted["sources_in_line"]) == ("1.0.0", [halls])
    assert told("accept", "--definition", str(file), *answer)["repeated"]
    assert told("diff", "--source", halls, "--definition", str(file)) == []
    assert [each["state"] for each in told("list")] == ["active"]
    assert told("retire", "--mapping", accepted["mapping"], *answer)["state"] == "retired"


def test_the_commands_print_for_people_what_they_know(command: CliRunner, tenant: TenantId, halls: SourceId) -> None:
    for words, expected in (
        (["propose", "--source", halls], "EventVenue"),
        (["diff", "--source", halls], "CreativeWork -> EventVenue"),
        (["accept", "--source", halls, "--person", "ann", "--reason", "right"], "1 sources are put in line"),
        (["propose", "--source", halls], "Every table of the source is known"),
        (["diff", "--source", halls], "Nothing would change"),
        (["list"], "active"),
    ):
        result = command.invoke(mapping_command.app, [words[0], "--tenant", tenant, *words[1:]], catch_exceptions=False)
        assert expected in " ".join(result.stdout.split())


@pytest.mark.parametrize("content", [None, b"\xff", b"{", b"[" * 100_000, b'"' + b"x" * 1_000_001 + b'"'])
def test_a_file_that_holds_no_definition_is_refused(
    command: CliRunner, tenant: TenantId, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "definition.json"
    if content is not None:
        file.write_bytes(content)
    words = ["accept", "--tenant", tenant, "--definition", str(file), "--person", "ann", "--reason", "right"]
    result = command.invoke(mapping_command.app, words)
    assert isinstance(result.exception, InputError)
    assert result.exception.remedy
