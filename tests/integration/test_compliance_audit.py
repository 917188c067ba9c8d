"""The evidence pack says of each control what was found: it turns with the facts, and shows nobody else's."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg.types.json import Jsonb
from pycrdt import Array, Doc, Map, Text

from tenant_pipeline.core.compliance.control import NOTICE, Control, EvidencePack, Outcome
from tenant_pipeline.core.compliance.lawful_basis import LawfulBasis, SpecialCategoryBasis
from tenant_pipeline.core.compliance.processing_record import ProcessingRecord
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import NotFoundError
from tenant_pipeline.core.shared_state import Presence
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import registry, roles
from tenant_pipeline.services.access import revoke_tokens_of
from tenant_pipeline.services.approvals.deciding import decide
from tenant_pipeline.services.approvals.handing_over import delegate
from tenant_pipeline.services.approvals.person_keys import add_person_key
from tenant_pipeline.services.approvals.queue import list_requests
from tenant_pipeline.services.compliance.audit import evidence_pack
from tenant_pipeline.services.compliance.breaches import open_breach
from tenant_pipeline.services.compliance.isolation_controls import row_level_security
from tenant_pipeline.services.compliance.processing_records import declare
from tenant_pipeline.services.going_live.releases import request_release
from tenant_pipeline.services.idempotency import answer_once
from tenant_pipeline.services.presence import note_presence
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.shared_state import append_updates, compact_document
from tenant_pipeline.storage.audit_log import AuditEntry
from tests.integration.conflict_statements import Sources
from tests.integration.conftest import TwoTenants
from tests.integration.releasable import publish_draft, releasable

ADMIN: dict[str, Any] = {"person": "anan", "role": "tenant-admin"}
ALL = ProcessingRecord("all-of-it", "Know the halls", LawfulBasis.CONTRACT, None, ("organisers",), 3650)


@pytest.fixture
def made(tenants: TwoTenants) -> Sources:
    return releasable(tenants.runtime)


def controls(made: Sources) -> dict[str, Control]:
    return {each.id: each for each in evidence_pack(made.runtime, made.tenant, asked_by="anan").controls}


def find_in_screen(made: Sources, source: int, *types: str) -> None:
    """Have the PII gate of a source rest on these findings."""
    with made.runtime.database.tenant(made.tenant) as connection:
        connection.execute(
            """
            INSERT INTO runtime.gate_verdicts (tenant_id, source_id, gate, output_digest, band, reasons, findings)
            VALUES (%s, %s, 'pii', 'an output', 'pass', '[]', %s)
            """,
            (made.tenant, f"src-{source:016x}", Jsonb([{"entity_type": each, "action": "hash"} for each in types])),
        )


def test_what_is_declared_turns_its_controls(made: Sources) -> None:
    find_in_screen(made, 1, "PHONE_NUMBER", "SPECIAL_CATEGORY")
    find_in_screen(made, 2)
    before = controls(made)
    first = f"src-{1:016x}"
    assert before["agreement"].outcome is Outcome.NOT_MET
    assert before["agreement-in-force"].outcome is Outcome.NOT_CHECKABLE
    assert before["lawful-basis"].evidence["without_basis"] == [first]
    assert before["special-categories"].evidence == {"with_special_categories": 1, "without_basis": [first]}
    assert before["retention"].evidence == {"held_too_long": [], "without_period": [first]}
    registry.update_tenant(made.runtime, made.tenant, person="anan", pdpa_agreement_ref="agreement-7")
    declare(made.runtime, made.tenant, ALL, reason="So it is", **ADMIN)
    after = controls(made)
    assert (after["agreement"].outcome, after["lawful-basis"].outcome) == (Outcome.MET, Outcome.MET)
    assert after["retention"].outcome is Outcome.MET
    assert after["special-categories"].outcome is Outcome.NOT_MET
    explicit = replace(ALL, special_basis=SpecialCategoryBasis.EXPLICIT_CONSENT)
    declare(made.runtime, made.tenant, explicit, reason="They said so", **ADMIN)
    assert controls(made)["special-categories"].outcome is Outcome.MET


def test_what_is_held_for_longer_than_declared_is_named(made: Sources) -> None:
    declare(made.runtime, made.tenant, replace(ALL, retention_days=30), reason="So it is", **ADMIN)
    assert controls(made)["retention"].outcome is Outcome.MET
    with made.runtime.database.tenant(made.tenant) as connection:
        connection.execute(
            "UPDATE runtime.tenant_sources SET received_at = %s WHERE tenant_id = %s AND id = %s",
            (datetime.now(UTC) - timedelta(days=31), made.tenant, f"src-{2:016x}"),
        )
    found = controls(made)["retention"]
    assert (found.outcome, found.evidence["held_too_long"]) == (Outcome.NOT_MET, [f"src-{2:016x}"])


def test_a_late_breach_is_not_met_and_one_in_time_is(made: Sources) -> None:
    now = datetime.now(UTC)
    open_breach(made.runtime, made.tenant, aware_at=now - timedelta(hours=71), summary="A mail went astray", **ADMIN)
    assert controls(made)["breach-notification"].outcome is Outcome.MET
    open_breach(made.runtime, made.tenant, aware_at=now - timedelta(hours=73), summary="A disk is gone", **ADMIN)
    found = controls(made)["breach-notification"]
    assert (found.outcome, found.evidence["breaches"], len(found.evidence["late"])) == (Outcome.NOT_MET, 2, 1)


def test_a_publication_with_its_approvals_is_met_and_one_without_is_not(made: Sources) -> None:
    publish_draft(made.runtime, made.tenant)
    found = controls(made)
    assert found["approvals"].evidence["publications"] == 1
    assert found["approvals"].outcome is Outcome.MET
    assert found["audit-log"].outcome is Outcome.MET
    assert found["isolation-probe"].outcome is Outcome.NOT_CHECKABLE
    with made.runtime.database.platform() as connection:
        connection.execute(
            """
            INSERT INTO runtime.publish_pipeline (tenant_id, stage, release_digest, approvals, created_by)
            SELECT tenant_id, 'published', release_digest, '[]', 'nobody' FROM runtime.releases WHERE tenant_id = %s
            """,
            (made.tenant,),
        )
    assert controls(made)["approvals"].outcome is Outcome.NOT_MET


def test_a_raw_value_in_any_store_is_found_and_never_quoted(made: Sources) -> None:
    publish_draft(made.runtime, made.tenant)
    clean = controls(made)["raw-personal-data"]
    assert clean.outcome is Outcome.MET, clean.evidence
    assert clean.evidence["texts"] > 50
    made.say(3, ("description", "en", "Write to somchai@hall.example or so"), compare=False)
    log = made.runtime.settings.home / "dagster" / "a run.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text("a line\ncould not read malee@hall.example\n", encoding="utf-8")
    output = made.runtime.settings.objects_directory / made.tenant / "stages" / "aa" / ("a" * 64)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text('{"name": "niran@hall.example"}', encoding="utf-8")
    try:
        found = controls(made)["raw-personal-data"]
    finally:
        log.unlink()
        output.unlink()
    assert found.outcome is Outcome.NOT_MET
    assert found.evidence["found"] == [
        {"place": "database: statements.raw_value", "entity_type": "EMAIL_ADDRESS", "count": 1},
        {"place": "database: statements.value", "entity_type": "EMAIL_ADDRESS", "count": 1},
        {"place": "files: dagster/*.log", "entity_type": "EMAIL_ADDRESS", "count": 1},
        {"place": "objects: stages", "entity_type": "EMAIL_ADDRESS", "count": 1},
    ]
    assert "hall.example" not in str(found)


def test_what_people_have_typed_into_the_workspace_is_looked_at_whether_compacted_or_not(made: Sources) -> None:
    roles.grant_role(made.runtime, made.tenant, person="noi@hall.example", role="reviewer", granted_by="test")
    document: Doc[Any] = Doc()
    for field, key, value in (
        ("review.assignment", "pair-1", "noi@hall.example"),
        ("handoff.checklist", "agreement", Map({"by": "noi@hall.example", "done": True})),
    ):
        document.get(field, type=Map)[key] = value
    append_updates(made.runtime, made.tenant, [("noi@hall.example", document.get_update())])
    clean = controls(made)["raw-personal-data"].evidence
    assert clean["found"] == [], "who is at it is no finding"
    written = document.get_state()
    document.get("upload.notes", type=Map)["day out"] = Text("Write to somchai@hall.example or so")
    document.get("conflict.drafts", type=Map)["item-1"] = Map({"person": Array(["tel 081-234-5678"])})
    append_updates(made.runtime, made.tenant, [("kanya", document.get_update(written))])
    place = "database: tenant_workspaces.crdt_doc"
    expected = [{"place": place, "entity_type": kind, "count": 1} for kind in ("EMAIL_ADDRESS", "PHONE_NUMBER")]
    for _ in range(2):
        found = controls(made)["raw-personal-data"]
        assert found.outcome is Outcome.NOT_MET
        assert [each for each in found.evidence["found"] if each["place"] == place] == expected
        assert "hall.example" not in str(found)
        compact_document(made.runtime, made.tenant)
    other = releasable(made.runtime)
    assert place not in str(controls(other)["raw-personal-data"].evidence)


def test_people_who_are_named_by_their_addresses_are_no_finding(made: Sources) -> None:
    runtime, tenant, noi = made.runtime, made.tenant, "noi@hall.example"
    roles.grant_role(runtime, tenant, person=noi, role="reviewer", granted_by="ann@city.example")
    revoke_tokens_of(runtime, tenant, noi, revoked_by="ann@city.example")
    request_release(runtime, tenant, requested_by="kanya")
    (asked, *_) = list_requests(runtime, tenant, person=noi)
    delegate(runtime, tenant, asked.request.id, role="reviewer", to="nok@hall.example", person=noi, reason="On leave")
    decided = decide(
        runtime, tenant, asked.request.id, digest=asked.request.subject_digest, approves=True,
        person="nok@hall.example", role="reviewer", reason="Seen",
    )  # fmt: skip
    public_key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    add_person_key(runtime, tenant, person=noi, public_key=public_key, added_by=noi)
    body = json.dumps(decided.as_json()).encode()
    answer_once(runtime, tenant, noi, "a key", Sha256("a" * 64), lambda: (200, body))
    note_presence(runtime, tenant, "a server", [Presence(1, 1, {"person": noi, "panel": "review"})])
    entry = AuditEntry(actor=noi, action="feed.add", subject="of somchai@hall.example")
    with runtime.database.platform() as connection:
        runtime.audit.append(connection, tenant, [entry])
    found = controls(made)["raw-personal-data"].evidence["found"]
    assert found == [{"place": "database: audit_log.subject", "entity_type": "EMAIL_ADDRESS", "count": 1}]


def test_answers_that_are_kept_to_be_given_again_are_looked_at(made: Sources) -> None:
    for key, body in (
        ("json", b'{"note": "somchai@hall.example", "person": "p@hall.example"}'),
        ("other", b"\xff 081"),
    ):
        answer_once(made.runtime, made.tenant, "anan", key, Sha256("a" * 64), lambda body=body: (200, body))
    found = controls(made)["raw-personal-data"].evidence["found"]
    assert found == [{"place": "database: idempotent_requests.body", "entity_type": "EMAIL_ADDRESS", "count": 1}]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("081-234-5678", "PHONE_NUMBER"),
        ("+66 89 765 4321", "PHONE_NUMBER"),
        ("1-1037-02071-81-1", "TH_NATIONAL_ID"),
    ],
)
def test_a_number_of_a_person_is_not_taken_for_one_of_ours(made: Sources, value: str, kind: str) -> None:
    made.say(3, ("description", "", value), compare=False)
    found = controls(made)["raw-personal-data"].evidence["found"]
    assert {"place": "database: statements.value", "entity_type": kind, "count": 1} in found


OURS_IN_LOGS = (
    '\x1b[0m08:14:41.123456 [debug] [MainThread]: call adapter, "execution_time": 0.33552098, "thread_id": "Thread-1"',
    "Command `dbt build` succeeded at 08:15:52.312432 after 12.345678 seconds; phone home: 9.123456789012345",
    'tel "invocation_id": "0b7f1c9e-2e5a-4ab9-8efb-736f3f4581e3", "ts": "2026-11-29T08:20:55.573000Z"',
    "call src-7253155230510001 of 725a3515523051b0725a3515523051b0 at <object at 0x7f3c2d1a5a10>, mobile",
)
THEIRS_IN_LOGS = (
    "could not call 081-234-5678",
    "row 12.5 skipped: tel 02.123.4567, after 0.33552098 s",
    "2026-11-29T08:20:55.573 phone=0812345678",
    "dial +66.812345678",
    "mobile: 66.812345678",
    "tel-0812345678 refused",
)


def test_figures_times_and_ids_of_ours_in_a_log_line_are_nobodys_and_a_telephone_there_is_found(made: Sources) -> None:
    log = made.runtime.settings.home / "dbt" / "dbt.log"
    log.parent.mkdir(exist_ok=True)
    try:
        log.write_text("\n".join(OURS_IN_LOGS), encoding="utf-8")
        ours = controls(made)["raw-personal-data"]
        log.write_text("\n".join(OURS_IN_LOGS + THEIRS_IN_LOGS), encoding="utf-8")
        theirs = controls(made)["raw-personal-data"]
    finally:
        log.unlink()
    assert ours.outcome is Outcome.MET, ours.evidence
    assert theirs.evidence["found"] == [
        {"place": "files: dbt/*.log", "entity_type": "PHONE_NUMBER", "count": len(THEIRS_IN_LOGS)}
    ]


def test_a_table_that_does_not_force_row_level_security_or_takes_others_rows_is_named(tenants: TwoTenants) -> None:
    with tenants.runtime.database.platform() as connection:
        assert row_level_security(connection).outcome is Outcome.MET
    with tenants.superuser() as connection:
        connection.execute("CREATE TABLE runtime.loose (tenant_id text, secret text)")
        connection.execute("GRANT SELECT ON runtime.loose TO PUBLIC")
        connection.execute("CREATE TABLE runtime.unchecked (tenant_id text)")
        connection.execute("ALTER TABLE runtime.unchecked ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        connection.execute("GRANT SELECT, INSERT ON runtime.unchecked TO tenant_runtime_tenants")
        connection.execute(
            "CREATE POLICY own_rows ON runtime.unchecked TO tenant_runtime_tenants"
            " USING (tenant_id = (SELECT app.my_tenant())) WITH CHECK (true)"
        )
    try:
        with tenants.runtime.database.platform() as connection:
            found = row_level_security(connection)
    finally:
        with tenants.superuser() as connection:
            connection.execute("DROP TABLE runtime.loose, runtime.unchecked")
    assert found.outcome is Outcome.NOT_MET
    assert [found.evidence[name] for name in ("not_forced", "granted_to_everybody")] == [["loose"]] * 2
    assert found.evidence["not_bounded"] == ["loose", "unchecked"]


def test_taking_the_evidence_is_on_the_record_and_needs_a_tenant(made: Sources) -> None:
    pack = evidence_pack(made.runtime, made.tenant, asked_by="anan")
    with made.runtime.database.tenant(made.tenant) as connection:
        noted = connection.execute(
            "SELECT actor, details FROM runtime.audit_log WHERE tenant_id = %s AND action = 'compliance.audit'",
            (made.tenant,),
        ).fetchall()
    assert [(each["actor"], each["details"]["digest"]) for each in noted] == [("anan", pack.as_json()["digest"])]
    with pytest.raises(NotFoundError):
        evidence_pack(made.runtime, TenantId("no-such-tenant"), asked_by="anan")


def test_the_evidence_of_one_tenant_holds_nothing_of_another(tenants: TwoTenants) -> None:
    runtime: Runtime = tenants.runtime
    mine, other = releasable(runtime), releasable(runtime)
    open_breach(runtime, other.tenant, aware_at=datetime.now(UTC), summary="Theirs", **ADMIN)
    other.say(7, ("description", "en", "Write to theirs@hall.example"), compare=False)
    declare(runtime, other.tenant, ALL, reason="Theirs", **ADMIN)
    found = controls(mine)
    assert found["breach-notification"].evidence["breaches"] == 0
    assert found["lawful-basis"].evidence["bases"] == []
    assert found["raw-personal-data"].outcome is Outcome.MET, found["raw-personal-data"].evidence


def test_the_page_calls_itself_evidence_and_shows_words_as_text() -> None:
    hostile = Control(
        "agreement", "s.40", "A demand", "Checked", Outcome.NOT_MET, {"said": "<script>alert(1)</script>"}
    )
    pack = EvidencePack("a-tenant", datetime(2026, 1, 2, tzinfo=UTC), (hostile,))
    page = pack.as_html()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert NOTICE in page
    assert "compliant" not in page
    assert pack.as_json()["outcomes"] == {"met": 0, "not met": 1, "not checkable by a machine": 0}
