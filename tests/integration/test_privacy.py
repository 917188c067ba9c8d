"""What is declared holds when it is signed, only there and only so long; keys change without losing anybody."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tenant_pipeline.core.errors import (
    DecidedMeanwhileError,
    GateClosedError,
    InputError,
    NotAllowedError,
    NotFoundError,
    SourceStoppedError,
)
from tenant_pipeline.core.gate import Gate
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.pseudonym import key_id_of_token
from tenant_pipeline.core.stage import STAGES, Stage
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.linking.pair import pair_id
from tenant_pipeline.linking.score import Match
from tenant_pipeline.pii.declarations import DeclaredClass
from tenant_pipeline.pii.policy import Action
from tenant_pipeline.pii.special_categories import SpecialCategory
from tenant_pipeline.services import digest_keys, gates, normalisation, roles, source_queue, sources
from tenant_pipeline.services.conflicts.matrix import update_conflicts
from tenant_pipeline.services.coverage.scoring import update_coverage
from tenant_pipeline.services.judgements import judge
from tenant_pipeline.services.lineage import current_gate_states, every_record
from tenant_pipeline.services.link_explanations import show_pair
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.privacy_declarations import declare, list_declarations, queue_expired, revoke, sign
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source
from tenant_pipeline.services.stage_records import StageRecord
from tenant_pipeline.storage.database import Connection
from tenant_pipeline.storage.statements import statements_of
from tests.integration.conftest import ATTACKER, TwoTenants
from tests.registered import registered

TENANT, OTHER = TenantId("privacy-tenant"), TenantId("privacy-other")
TO_SCREEN = STAGES[: STAGES.index(Stage.SCREEN) + 1]
ASKING = {"person": "ann@tenant.example", "reason": "Published on the venue's own page"}
SIGNING = {"person": "gov@city.example", "role": "platform-governance", "reason": "Seen on the page"}
PHONE, MAIL, PERSONAL = "076-123-456", "sales@hall.example", "081-234-5678"
NATIONAL_ID = "3839900000011"


@pytest.fixture(scope="module")
def runtime(tenants: TwoTenants) -> Runtime:
    for tenant in (TENANT, OTHER):
        registered(tenants.runtime, tenant, pdpa_agreement_ref="agreement-1")
    for tenant in (TENANT, OTHER, ATTACKER):
        for person, role in (
            (SIGNING["person"], "platform-governance"), (ASKING["person"], "platform-governance"),
            (ASKING["person"], "tenant-admin"),
        ):  # fmt: skip
            roles.grant_role(tenants.runtime, tenant, person=person, role=role, granted_by="test")
    return tenants.runtime


def handed_in(runtime: Runtime, folder: Path, text: str, tenant: TenantId = TENANT, name: str = "venues.csv") -> Source:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return sources.add_source(
        runtime, tenant, origin=Origin.PARTNER_DOC, unit_mode=UnitMode.SINGLE_FILE, places=[str(path)],
        title=folder.name, actor="test",
    )  # fmt: skip


def venues(runtime: Runtime, folder: Path, tenant: TenantId = TENANT, name: str = "venues.csv") -> Source:
    rows = f"name_en,capacity,telephone,email,note\n{folder.name} Hall,10,{PHONE},{MAIL},{PERSONAL}\n"
    return handed_in(runtime, folder, rows, tenant, name)


def screened(runtime: Runtime, source: Source) -> dict[str, Any]:
    """The one record of the source after its screen, by field."""
    for stage in TO_SCREEN:
        record = run_stage(runtime, source.tenant, source.id, stage)
    (table,) = runtime.stage_store(source.tenant).read(record.output_digest).tables("records")
    (frame,) = table.batches()
    columns = zip(table.descriptor.fields, table.descriptor.field_columns, strict=True)
    return {name: frame[column].iloc[0] for name, column in columns}


def through(runtime: Runtime, source: Source) -> dict[str, StageRecord]:
    """Bring the source through all stages and have it scored and compared."""
    where = (runtime, source.tenant, source.id)
    records = {str(stage): run_stage(*where, stage) for stage in STAGES}
    return records | {"conflicts": update_conflicts(*where), "coverage": update_coverage(*where)}


def says(runtime: Runtime, source: Source) -> str:
    """Everything that the source's current statements say."""
    with runtime.database.tenant(source.tenant) as connection:
        return str(statements_of(connection, source.tenant, source=source.id, limit=1000))


CARDS = """BEGIN:VCARD
VERSION:3.0
N:Kittisak;Prayut;;;
FN:Prayut Kittisak
ORG:Bay Centre
END:VCARD
BEGIN:VCARD
VERSION:3.0
N:มณีโชติ;อรัญญา;;;
FN:อรัญญา มณีโชติ
END:VCARD
"""


def test_persons_on_a_few_contact_cards_do_not_pass_and_each_card_stays_a_record(
    runtime: Runtime, tmp_path: Path
) -> None:
    source = handed_in(runtime, tmp_path, CARDS, name="cards.vcf")
    records = through(runtime, source)
    said = says(runtime, source)
    assert not [name for name in ("Prayut", "Kittisak", "อรัญญา", "มณีโชติ") if name in said]
    assert "Bay Centre" in said
    assert (records["map"].rows_in, records["map"].rejected) == (2, 0)
    assert len(set(re.findall("⟦PERSON:[^⟧]+⟧", said))) == 2


def contacts(runtime: Runtime, of: Source, **changed: Any) -> str:
    said = {"source": of.id, "field": "telephone", "entity_types": ("PHONE_NUMBER",), **ASKING, **changed}
    return declare(runtime, of.tenant, DeclaredClass.BUSINESS_CONTACT, **said).id


def how(runtime: Runtime, source: Source) -> Source:
    """The source as it stands now."""
    with runtime.database.tenant(source.tenant) as connection:
        return sources.get_source(connection, source.tenant, source.id)


def withheld(runtime: Runtime, of: Source, **changed: Any) -> str:
    """Declare that every record with a telephone number is withheld: stricter than the contract, so unsigned."""
    said = {"source": of.id, "entity_types": ("PHONE_NUMBER",), "action": Action.QUARANTINE, **ASKING, **changed}
    return declare(runtime, of.tenant, DeclaredClass.ACTION, **said).id


def audit(runtime: Runtime, tenant: TenantId, action: str) -> list[dict[str, Any]]:
    with runtime.database.tenant(tenant) as connection:
        return connection.execute(
            "SELECT actor, subject, details FROM runtime.audit_log WHERE tenant_id = %s AND action = %s",
            (tenant, action),
        ).fetchall()


def test_a_business_contact_passes_once_it_is_signed_and_only_in_its_field(runtime: Runtime, tmp_path: Path) -> None:
    source = venues(runtime, tmp_path)
    assert str(screened(runtime, source)["telephone"]).startswith("⟦PHONE_NUMBER:")
    declaration = contacts(runtime, source)
    assert str(screened(runtime, source)["telephone"]).startswith("⟦PHONE_NUMBER:")
    sign(runtime, TENANT, declaration, **SIGNING)
    record = screened(runtime, source)
    assert record["telephone"] == PHONE
    assert str(record["note"]).startswith("⟦PHONE_NUMBER:")
    assert str(record["email"]).startswith("⟦EMAIL_ADDRESS:")
    (state,) = current_gate_states(runtime, TENANT, source.id).values()
    assert f"Left as it is under the signed declaration {declaration}: 1 PHONE_NUMBER." in state.reasons
    assert [each["declaration"] for each in state.findings if each["action"] == "allow"] == [declaration]
    assert [each["actor"] for each in audit(runtime, TENANT, "privacy.sign") if each["subject"] == declaration] == [
        SIGNING["person"]
    ]


def test_a_declaration_of_a_property_holds_for_the_field_that_is_mapped_to_it(runtime: Runtime, tmp_path: Path) -> None:
    source = venues(runtime, tmp_path)
    declaration = contacts(runtime, source, field="", property_="email", entity_types=("EMAIL_ADDRESS",))
    sign(runtime, TENANT, declaration, **SIGNING)
    record = screened(runtime, source)
    assert record["email"] == MAIL
    assert str(record["telephone"]).startswith("⟦PHONE_NUMBER:")


def test_a_declaration_of_an_origin_holds_for_its_sources_and_for_no_other_tenant(
    runtime: Runtime, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    declaration = contacts(runtime, venues(runtime, tmp_path), source=None, origin=Origin.PARTNER_DOC, table="nowhere")
    sign(runtime, TENANT, declaration, **SIGNING)
    assert str(screened(runtime, venues(runtime, tmp_path))["telephone"]).startswith("⟦PHONE_NUMBER:")
    everywhere = contacts(runtime, venues(runtime, tmp_path), source=None, origin=Origin.PARTNER_DOC)
    sign(runtime, TENANT, everywhere, **SIGNING)
    assert screened(runtime, venues(runtime, tmp_path))["telephone"] == PHONE
    assert str(screened(runtime, venues(runtime, tmp_path / "other", OTHER))["telephone"]).startswith("⟦PHONE_NUMBER:")
    revoke(runtime, TENANT, everywhere, person="ann@tenant.example", role="tenant-admin", reason="No longer so")


def test_only_the_sources_that_a_declaration_is_about_are_screened_anew(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "beside").mkdir()
    source, beside = venues(runtime, tmp_path), venues(runtime, tmp_path / "beside")
    for each in (source, beside):
        screened(runtime, each)
    sign(runtime, TENANT, contacts(runtime, source), **SIGNING)
    assert [record.stage for record in every_record(runtime, source)] == ["receive", "identify", "extract"]
    assert [record.stage for record in every_record(runtime, beside)] == ["receive", "identify", "extract", "screen"]


def test_a_revoked_declaration_holds_no_longer_and_cannot_be_signed_again(runtime: Runtime, tmp_path: Path) -> None:
    source = venues(runtime, tmp_path)
    declaration = contacts(runtime, source)
    sign(runtime, TENANT, declaration, **SIGNING)
    assert screened(runtime, source)["telephone"] == PHONE
    for _ in range(2):
        revoke(runtime, TENANT, declaration, person="ann@tenant.example", role="tenant-admin", reason="Was a mistake")
    assert str(screened(runtime, source)["telephone"]).startswith("⟦PHONE_NUMBER:")
    with pytest.raises(InputError, match="revoked"):
        sign(runtime, TENANT, declaration, **SIGNING)
    again = contacts(runtime, source)
    assert again != declaration
    assert len([each for each in audit(runtime, TENANT, "privacy.revoke") if each["subject"] == declaration]) == 1


@pytest.mark.parametrize("pruned", [False, True])
def test_what_a_declaration_let_in_leaves_the_knowledge_base_when_it_is_revoked(
    runtime: Runtime, tmp_path: Path, pruned: bool
) -> None:
    source = venues(runtime, tmp_path)
    first = through(runtime, source)
    assert PHONE not in says(runtime, source)
    declaration = contacts(runtime, source)
    sign(runtime, TENANT, declaration, **SIGNING)
    through(runtime, source)
    assert PHONE in says(runtime, source)
    revoke(runtime, TENANT, declaration, person="ann@tenant.example", role="tenant-admin", reason="Was a mistake")
    if pruned:
        for stage in (Stage.SCREEN, Stage.LINK, Stage.ASSEMBLE):
            digest, after = first[stage].output_digest, datetime.now(UTC) + timedelta(days=1)
            assert runtime.stage_store(TENANT).plain.remove(digest, after)
    again = through(runtime, source)
    assert PHONE not in says(runtime, source)
    made = {name for name, record in again.items() if not record.repeated}
    assert made == {"link", "assemble", "conflicts", "coverage"}
    assert how(runtime, source).ingest_status == "assembled"
    assembled = [
        each for each in audit(runtime, TENANT, "stage.complete") if each["subject"] == f"{source.id}:assemble"
    ]
    assert len(assembled) == 3
    assert all(record.repeated for record in through(runtime, source).values())


def test_what_a_declaration_let_in_is_shown_of_no_pair_when_it_is_revoked(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "beside").mkdir()
    source, beside = venues(runtime, tmp_path), venues(runtime, tmp_path / "beside")
    declaration = contacts(runtime, source)
    sign(runtime, TENANT, declaration, **SIGNING)
    ends = []
    for each in (source, beside):
        for stage in STAGES:
            run_stage(runtime, TENANT, each.id, stage)
        with runtime.database.tenant(TENANT) as connection:
            (name,) = statements_of(connection, TENANT, source=each.id, property_="name", limit=9)
        ends.append(name["entity_id"])
    judged = judge(runtime, TENANT, *ends, Match.DIFFERENT, **SIGNING)
    pair = pair_id(judged.left_id, judged.right_id)
    with runtime.database.tenant(TENANT) as connection:
        (said,) = statements_of(connection, TENANT, source=source.id, property_="telephone", limit=9)
    assert said["value"] in str(show_pair(runtime, TENANT, pair)["sides"])
    revoke(runtime, TENANT, declaration, person="ann@tenant.example", role="tenant-admin", reason="Was a mistake")
    for stage in STAGES:
        run_stage(runtime, TENANT, source.id, stage)
    shown = show_pair(runtime, TENANT, pair)
    assert said["value"] not in str(shown)
    assert all(side["features"]["values"]["name"] for side in shown["sides"])


def test_what_was_linked_under_a_declaration_and_not_assembled_is_linked_anew_when_it_is_revoked(
    runtime: Runtime, tmp_path: Path
) -> None:
    source = venues(runtime, tmp_path)
    through(runtime, source)
    declaration = contacts(runtime, source)
    sign(runtime, TENANT, declaration, **SIGNING)
    for stage in STAGES[:-1]:
        run_stage(runtime, TENANT, source.id, stage)
    revoke(runtime, TENANT, declaration, person="ann@tenant.example", role="tenant-admin", reason="Was a mistake")
    again = through(runtime, source)
    assert not again["link"].repeated
    assert not again["assemble"].repeated
    assert PHONE not in says(runtime, source)


def test_a_gate_that_a_declaration_closed_is_open_when_it_is_revoked(runtime: Runtime, tmp_path: Path) -> None:
    source = venues(runtime, tmp_path)
    screened(runtime, source)
    declaration = withheld(runtime, source)
    for stage in TO_SCREEN:
        run_stage(runtime, TENANT, source.id, stage)
    with pytest.raises(GateClosedError):
        run_stage(runtime, TENANT, source.id, Stage.MAP)
    revoke(runtime, TENANT, declaration, person="ann@tenant.example", role="tenant-admin", reason="Was a mistake")
    screened(runtime, source)
    run_stage(runtime, TENANT, source.id, Stage.MAP)
    with runtime.database.tenant(TENANT) as connection:
        newest, closed = gates.states(connection, TENANT, runtime.now(), source.id)
    assert (newest.open, closed.open) == (True, False)
    assert [newest] == list(current_gate_states(runtime, TENANT, source.id).values())
    again = screened(runtime, source)
    assert str(again["telephone"]).startswith("⟦PHONE_NUMBER:")
    with runtime.database.tenant(TENANT) as connection:
        assert gates.states(connection, TENANT, runtime.now(), source.id) == [newest, closed]


def test_a_gate_that_a_declaration_opened_is_closed_when_it_is_revoked(runtime: Runtime, tmp_path: Path) -> None:
    source = handed_in(runtime, tmp_path, f"delegate,national id\n{tmp_path.name},{NATIONAL_ID}\n")
    for stage in TO_SCREEN:
        run_stage(runtime, TENANT, source.id, stage)
    with pytest.raises(GateClosedError):
        run_stage(runtime, TENANT, source.id, Stage.MAP)
    declaration = declare(
        runtime, TENANT, DeclaredClass.ACTION, source=source.id, entity_types=("TH_NATIONAL_ID",), action=Action.ALLOW,
        **ASKING,
    ).id  # fmt: skip
    sign(runtime, TENANT, declaration, **SIGNING)
    assert screened(runtime, source)["national id"] == NATIONAL_ID
    run_stage(runtime, TENANT, source.id, Stage.MAP)
    revoke(runtime, TENANT, declaration, person="ann@tenant.example", role="tenant-admin", reason="Was a mistake")
    for stage in TO_SCREEN:
        run_stage(runtime, TENANT, source.id, stage)
    with pytest.raises(GateClosedError):
        run_stage(runtime, TENANT, source.id, Stage.MAP)


def test_an_override_opens_no_gate_that_closes_for_another_reason_later(runtime: Runtime, tmp_path: Path) -> None:
    source = venues(runtime, tmp_path, ATTACKER)
    for stage in TO_SCREEN:
        run_stage(runtime, ATTACKER, source.id, stage)
    overridden = gates.override(
        runtime, ATTACKER, source.id, Gate.PII, **SIGNING, expires_at=runtime.now() + timedelta(hours=1)
    )
    assert any("agreement" in reason for reason in overridden.reasons)
    run_stage(runtime, ATTACKER, source.id, Stage.MAP)
    declaration = withheld(runtime, source)
    for stage in TO_SCREEN:
        run_stage(runtime, ATTACKER, source.id, stage)
    with pytest.raises(GateClosedError):
        run_stage(runtime, ATTACKER, source.id, Stage.MAP)
    revoke(runtime, ATTACKER, declaration, **SIGNING)
    for stage in TO_SCREEN:
        run_stage(runtime, ATTACKER, source.id, stage)
    run_stage(runtime, ATTACKER, source.id, Stage.MAP)


def test_a_declaration_expires_and_its_sources_are_put_in_line_once(runtime: Runtime, tmp_path: Path) -> None:
    source = venues(runtime, tmp_path)
    until = runtime.now() + timedelta(days=30)
    declaration = contacts(runtime, source, expires_at=until)
    sign(runtime, TENANT, declaration, **SIGNING)
    assert screened(runtime, source)["telephone"] == PHONE
    with runtime.database.tenant(TENANT) as connection:
        source_queue.set_progress(connection, TENANT, source.id, "assemble", "assembled")
    assert queue_expired(runtime) == 0
    _a_month_later(runtime, declaration, source.id)
    assert queue_expired(runtime) == 1
    assert queue_expired(runtime) == 0
    assert str(screened(runtime, source)["telephone"]).startswith("⟦PHONE_NUMBER:")
    (found,) = [each for each in list_declarations(runtime, TENANT) if each.id == declaration]
    assert found.state(runtime.now()) == "expired"


def _a_month_later(runtime: Runtime, declaration: str, source: str) -> None:
    """What was done with the declaration and the source was done 31 days before. As a superuser, past every trigger."""
    with runtime.database.administration() as connection:
        connection.execute("ALTER TABLE runtime.privacy_declarations DISABLE TRIGGER append_only")
        for table, column, one in (
            ("privacy_declarations", "expires_at", declaration),
            ("tenant_sources", "queued_at", source),
        ):
            connection.execute(
                f"UPDATE runtime.{table} SET {column} = {column} - interval '31 days' WHERE id = %s".encode(), (one,)
            )
        connection.execute("ALTER TABLE runtime.privacy_declarations ENABLE ALWAYS TRIGGER append_only")


@pytest.mark.parametrize("decided", ["signed", "expired", "rotated"])
def test_a_source_of_which_something_is_decided_while_a_run_has_it_begins_anew(
    runtime: Runtime, tmp_path: Path, decided: str
) -> None:
    source = venues(runtime, tmp_path)
    declaration = contacts(runtime, source, expires_at=runtime.now() + timedelta(days=30))
    if decided == "expired":
        sign(runtime, TENANT, declaration, **SIGNING)
    screened(runtime, source)
    assert how(runtime, source).ingest_status == "running"
    if decided == "signed":
        sign(runtime, TENANT, declaration, **SIGNING)
    elif decided == "expired":
        _a_month_later(runtime, declaration, source.id)
    else:
        digest_keys.rotate(runtime, TENANT, **SIGNING)
    for _ in range(2):
        with pytest.raises(DecidedMeanwhileError, match="screen"):
            run_stage(runtime, TENANT, source.id, Stage.MAP)
        found = how(runtime, source)
        assert (found.ingest_status, found.alone, found.not_before) == ("waiting", False, None)
    told = [
        each["details"]["code"] for each in audit(runtime, TENANT, "stage.interrupted") if each["subject"] == source.id
    ]
    assert told == (["decided-meanwhile"] if decided == "expired" else [])
    through(runtime, source)
    assert (PHONE in says(runtime, source)) == (decided == "signed")
    assert how(runtime, source).ingest_status == "assembled"
    assert how(runtime, source).hindrance is None


def test_what_is_decided_of_a_source_while_it_is_assembled_puts_it_in_line(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = venues(runtime, tmp_path)
    declaration = contacts(runtime, source)
    assemble = normalisation._STAGES_IN_TRANSACTION[Stage.ASSEMBLE]

    def signed_meanwhile(work: normalisation.StageWork, connection: Connection) -> normalisation.StageResult:
        sign(runtime, TENANT, declaration, **SIGNING)
        return assemble(work, connection)

    for stage in STAGES[:-1]:
        run_stage(runtime, TENANT, source.id, stage)
    with monkeypatch.context() as patched:
        patched.setitem(normalisation._STAGES_IN_TRANSACTION, Stage.ASSEMBLE, signed_meanwhile)  # type: ignore[arg-type]
        run_stage(runtime, TENANT, source.id, Stage.ASSEMBLE)
    assert PHONE not in says(runtime, source)
    assert (how(runtime, source).ingest_stage, how(runtime, source).ingest_status) == ("assemble", "waiting")
    with pytest.raises(DecidedMeanwhileError):
        update_coverage(runtime, TENANT, source.id)
    through(runtime, source)
    assert PHONE in says(runtime, source)


def test_a_source_that_a_declaration_stopped_is_in_line_when_it_has_expired(runtime: Runtime, tmp_path: Path) -> None:
    source = venues(runtime, tmp_path)
    declaration = withheld(runtime, source, expires_at=runtime.now() + timedelta(days=30))
    for stage in TO_SCREEN:
        run_stage(runtime, TENANT, source.id, stage)
    with pytest.raises(GateClosedError):
        run_stage(runtime, TENANT, source.id, Stage.MAP)
    queue_expired(runtime)
    assert how(runtime, source).ingest_status == "stopped"
    _a_month_later(runtime, declaration, source.id)
    assert queue_expired(runtime) == 1
    assert how(runtime, source).ingest_status == "waiting"
    through(runtime, source)


def test_a_stage_that_never_ran_is_no_decision(runtime: Runtime, tmp_path: Path) -> None:
    source = venues(runtime, tmp_path)
    run_stage(runtime, TENANT, source.id, Stage.RECEIVE)
    with pytest.raises(SourceStoppedError) as stopped:
        run_stage(runtime, TENANT, source.id, Stage.MAP)
    assert not isinstance(stopped.value, DecidedMeanwhileError)
    assert how(runtime, source).ingest_status == "stopped"


@pytest.mark.parametrize(
    ("changed", "why", "error"),
    [
        ({"role": "tenant-admin"}, "may not do this", NotAllowedError),
        ({"role": "founder"}, "does not have the role", NotAllowedError),
        ({"person": "ann@tenant.example"}, "may not sign it", NotAllowedError),
        ({"reason": " "}, "person and a reason", InputError),
    ],
)
def test_only_governance_signs_and_never_who_asked(
    runtime: Runtime, tmp_path: Path, changed: dict[str, str], why: str, error: type[Exception]
) -> None:
    source = venues(runtime, tmp_path)
    declaration = contacts(runtime, source)
    with pytest.raises(error, match=why):
        sign(runtime, TENANT, declaration, **{**SIGNING, **changed})
    assert str(screened(runtime, source)["telephone"]).startswith("⟦PHONE_NUMBER:")


def test_the_database_itself_refuses_a_requesters_signature_and_a_tenants_own(
    runtime: Runtime, tenants: TwoTenants, tmp_path: Path
) -> None:
    declaration = contacts(runtime, venues(runtime, tmp_path))
    statement = (
        "INSERT INTO runtime.privacy_declaration_steps"
        " (tenant_id, declaration_id, step, requested_by, person, role, reason)"
        " VALUES (%s, %s, 'signed', %s, %s, 'founder', 'x')"
    )
    asked = ASKING["person"]
    with runtime.database.platform() as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(statement, (TENANT, declaration, asked, asked.upper()))
    with runtime.database.platform() as connection, pytest.raises(psycopg.errors.ForeignKeyViolation):
        connection.execute(statement, (TENANT, declaration, "somebody", asked))
    with tenants.login(TENANT) as login, pytest.raises(psycopg.errors.InsufficientPrivilege):
        login.execute(statement, (TENANT, declaration, asked, "gov@city.example"))


@pytest.mark.parametrize(
    "said",
    [
        {"entity_types": ("PERSON",)},
        {"entity_types": ("PHONE_NUMBER", "TH_NATIONAL_ID")},
        {"entity_types": ()},
        {"field": ""},
        {"property_": "telephone"},
        {"action": Action.ALLOW},
        {"origin": Origin.PRESS},
        {"source": None},
    ],
)
def test_names_documents_and_vague_declarations_are_refused(
    runtime: Runtime, tmp_path: Path, said: dict[str, Any]
) -> None:
    with pytest.raises(InputError):
        contacts(runtime, venues(runtime, tmp_path), **said)


def test_what_is_stricter_holds_at_once_and_what_is_looser_waits_for_a_signature(
    runtime: Runtime, tmp_path: Path
) -> None:
    source = venues(runtime, tmp_path)
    said = {"source": source.id, **ASKING}
    declare(
        runtime, TENANT, DeclaredClass.ACTION, field="note", entity_types=("PHONE_NUMBER",), action=Action.MASK, **said
    )
    looser = declare(
        runtime, TENANT, DeclaredClass.ACTION, field="email", entity_types=("EMAIL_ADDRESS",), action=Action.ALLOW,
        **said,
    )  # fmt: skip
    record = screened(runtime, source)
    assert record["note"] == "⟦PHONE_NUMBER⟧"
    assert str(record["email"]).startswith("⟦EMAIL_ADDRESS:")
    assert looser.state(runtime.now()) == "waiting"
    sign(runtime, TENANT, looser.id, **SIGNING)
    assert screened(runtime, source)["email"] == MAIL


def test_a_declared_special_category_is_dropped_and_a_false_alarm_takes_a_signature(
    runtime: Runtime, tmp_path: Path
) -> None:
    source = handed_in(runtime, tmp_path, f"first_name,shirt,religion\nMali,{tmp_path.name},Buddhist\n")
    assert screened(runtime, source)["religion"] is None or str(screened(runtime, source)["religion"]) == "<NA>"
    declare(
        runtime, TENANT, DeclaredClass.SPECIAL_CATEGORY, source=source.id, field="shirt",
        category=SpecialCategory.HEALTH, **ASKING,
    )  # fmt: skip
    alarm = declare(runtime, TENANT, DeclaredClass.NO_SPECIAL_CATEGORY, source=source.id, field="religion", **ASKING)
    record = screened(runtime, source)
    assert (str(record["shirt"]), str(record["religion"])) == ("<NA>", "<NA>")
    sign(runtime, TENANT, alarm.id, **SIGNING)
    assert screened(runtime, source)["religion"] == "Buddhist"


def test_another_tenant_neither_sees_nor_signs_nor_revokes_a_declaration(runtime: Runtime, tmp_path: Path) -> None:
    source = venues(runtime, tmp_path)
    declaration = contacts(runtime, source)
    assert declaration not in [each.id for each in list_declarations(runtime, ATTACKER)]
    with pytest.raises(NotFoundError):
        sign(runtime, ATTACKER, declaration, **SIGNING)
    with pytest.raises(NotFoundError):
        revoke(runtime, ATTACKER, declaration, person="x", role="y", reason="z")
    with pytest.raises(NotFoundError):
        contacts(runtime, replace(source, tenant=ATTACKER))


def _path(runtime: Runtime, source: Source) -> str:
    with runtime.database.tenant(source.tenant) as connection:
        (row,) = connection.execute(
            """
            SELECT display_path, filename
              FROM runtime.objects AS object
              JOIN runtime.tenant_sources AS source ON source.tenant_id = object.tenant_id AND source.id = source_id
             WHERE source.tenant_id = %s AND source_id = %s
            """,
            (source.tenant, source.id),
        ).fetchall()
    assert row["filename"] == row["display_path"]
    return str(row["display_path"])


def test_a_new_key_screens_the_sources_anew_and_the_old_one_still_tells_who_it_was(
    runtime: Runtime, tmp_path: Path
) -> None:
    source = venues(runtime, tmp_path, name=f"{PERSONAL}.csv")
    before = str(screened(runtime, source)["note"])
    assert key_id_of_token(before) in _path(runtime, source)
    rotated = digest_keys.rotate(runtime, TENANT, **SIGNING)
    assert [record.stage for record in every_record(runtime, source)] == ["receive", "identify", "extract"]
    after = str(screened(runtime, source)["note"])
    assert key_id_of_token(after) == rotated.key_id != key_id_of_token(before)
    assert rotated.key_id in _path(runtime, source)
    spoken = digest_keys.pseudonyms_of(
        runtime, TENANT, "PHONE_NUMBER", PERSONAL, person="dpo@tenant.example", reason="A person's request"
    )
    assert spoken[key_id_of_token(before)] == before
    assert spoken[key_id_of_token(after)] == after
    assert PERSONAL not in str(audit(runtime, TENANT, "privacy.find"))
    foreign = digest_keys.pseudonyms_of(
        runtime, OTHER, "PHONE_NUMBER", PERSONAL, person="dpo@tenant.example", reason="A person's request"
    )
    assert not {before, after} & set(foreign.values())
    assert not set(spoken) & set(foreign)


def test_a_rotation_killed_at_any_point_is_finished_by_the_next_and_asks_for_one_key(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digest_keys.list_keys(runtime, OTHER)
    make = runtime.keys.make_digest_key

    def killed_before(tenant: TenantId, version: int) -> None:
        raise KeyboardInterrupt

    def killed_after(tenant: TenantId, version: int) -> None:
        make(tenant, version)
        raise KeyboardInterrupt

    for killed in (killed_before, killed_after):
        monkeypatch.setattr(
            type(runtime.keys), "make_digest_key", lambda self, tenant, version, do=killed: do(tenant, version)
        )
        with pytest.raises(KeyboardInterrupt):
            digest_keys.rotate(runtime, OTHER, **SIGNING)
    monkeypatch.undo()
    digest_keys.rotate(runtime, OTHER, **SIGNING)
    after = digest_keys.list_keys(runtime, OTHER)
    assert [key.version for key in after] == [*(key.version for key in before), before[-1].version + 1]
    assert len(audit(runtime, OTHER, "privacy.rotate-key")) == len(audit(runtime, OTHER, "privacy.key-made")) == 1


def test_only_an_old_key_can_be_destroyed_and_only_by_governance(runtime: Runtime) -> None:
    digest_keys.rotate(runtime, OTHER, **SIGNING)
    oldest, *_, newest = digest_keys.list_keys(runtime, OTHER)
    with pytest.raises(InputError, match="in use"):
        digest_keys.destroy(runtime, OTHER, newest.version, **SIGNING)
    with pytest.raises(NotAllowedError, match="may not"):
        digest_keys.destroy(runtime, OTHER, oldest.version, **{**SIGNING, "role": "tenant-admin"})
    with pytest.raises(NotFoundError):
        digest_keys.destroy(runtime, OTHER, newest.version + 7, **SIGNING)
    for _ in range(2):
        digest_keys.destroy(runtime, OTHER, oldest.version, **SIGNING)
    assert oldest not in digest_keys.list_keys(runtime, OTHER)
    assert len(audit(runtime, OTHER, "privacy.destroy-key")) == 1
