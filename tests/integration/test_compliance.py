"""Control evidence: what was declared, what the stores show, and what is late. Nothing is claimed beyond it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tenant_pipeline.cli import compliance as command
from tenant_pipeline.core.compliance.basis import LawfulBasis, Safeguard, SpecialBasis
from tenant_pipeline.core.errors import InputError, NotAllowedError, NotFoundError
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import registry, roles
from tenant_pipeline.services.compliance.breaches import list_breaches, note_notification, open_breach
from tenant_pipeline.services.compliance.evidence import gather_evidence
from tenant_pipeline.services.compliance.processing_records import declare_processing, processing_records
from tenant_pipeline.services.compliance.rescan import rescan
from tenant_pipeline.services.runtime import Runtime
from tests.integration.conftest import ATTACKER, TwoTenants

VALID_NATIONAL_ID = "3839900123457"
ADMIN = {"person": "anan", "role": "tenant-admin"}


@pytest.fixture
def runtime(tenants: TwoTenants) -> Runtime:
    return tenants.runtime


@pytest.fixture
def tenant(runtime: Runtime) -> TenantId:
    made = TenantId(f"pdpa-{uuid.uuid4().hex[:8]}")
    name = {"th": "ทดสอบ", "en": "Test", "zh": "测试"}
    registry.register_tenant(runtime, made, name=name, domain="p.example", tier="pilot", actor="test")
    roles.grant_role(runtime, made, person="anan", role="tenant-admin", granted_by="test")
    roles.grant_role(runtime, made, person="rin", role="reviewer", granted_by="test")
    return made


def declare(runtime: Runtime, tenant: TenantId, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "purpose": "Bookings", "basis": LawfulBasis.CONTRACT, "origins": [], "data_subjects": "guests",
        "retention_days": 365, **ADMIN, **more,
    }  # fmt: skip
    return declare_processing(runtime, tenant, **given)


def add_source(runtime: Runtime, tenant: TenantId, *types: str, received: datetime | None = None) -> str:
    """A source whose PII gate has found these types."""
    source = f"src-{uuid.uuid4().hex[:16]}"
    with runtime.database.administration() as connection:
        connection.execute(
            """
            INSERT INTO runtime.tenant_sources
                   (tenant_id, id, origin, unit_mode, title, filename, url, unit_digest, rights, ingest_stage,
                    ingest_status, authority_rank, received_by, received_at)
            VALUES (%s, %s, 'partner-doc', 'folder', 't', '', '', %s, '', '', 'assembled', 1, 'test', %s)
            """,
            (tenant, source, "a" * 64, received or datetime.now(UTC)),
        )
        connection.execute(
            """
            INSERT INTO runtime.gate_verdicts (tenant_id, source_id, gate, input_digest, band, reasons, findings)
            VALUES (%s, %s, 'pii', %s, 'pass', '[]', %s)
            """,
            (tenant, source, "a" * 64, json.dumps([{"entity_type": each, "count": 1} for each in types])),
        )
    return source


def standings(runtime: Runtime, tenant: TenantId) -> dict[str, str]:
    return {each.id: str(each.standing) for each in gather_evidence(runtime, tenant)}


def test_personal_data_need_an_agreement_a_basis_and_for_special_categories_a_ground(
    runtime: Runtime, tenant: TenantId
) -> None:
    plain, special = add_source(runtime, tenant, "PHONE_NUMBER"), add_source(runtime, tenant, "SPECIAL_CATEGORY")
    found = {each.id: each for each in gather_evidence(runtime, tenant)}
    assert found["data-handling-agreement"].standing == "not met"
    assert sorted(found["lawful-basis"].evidence["without_a_record"]) == sorted([plain, special])
    assert found["special-categories"].evidence["without_a_ground"] == [special]
    registry.update_tenant(runtime, tenant, person="anan", pdpa_agreement_ref="DPA-1")
    declare(runtime, tenant, origins=[Origin.PRESS])
    assert standings(runtime, tenant)["lawful-basis"] == "not met"
    declare(runtime, tenant, special_basis=SpecialBasis.EXPLICIT_CONSENT)
    after = standings(runtime, tenant)
    assert [after[each] for each in ("data-handling-agreement", "lawful-basis", "special-categories")] == ["met"] * 3
    (record,) = processing_records(runtime, tenant)
    assert record["special_basis"] == "explicit-consent"


def test_what_is_kept_longer_than_declared_is_named(runtime: Runtime, tenant: TenantId) -> None:
    old = add_source(runtime, tenant, received=datetime.now(UTC) - timedelta(days=40))
    add_source(runtime, tenant)
    assert standings(runtime, tenant)["retention"] == "for people to judge"
    declare(runtime, tenant, retention_days=30)
    retention = next(each for each in gather_evidence(runtime, tenant) if each.id == "retention")
    assert (retention.standing, retention.evidence["kept_too_long"]) == ("not met", [old])
    declare(runtime, tenant, retention_days=60)
    assert standings(runtime, tenant)["retention"] == "met"


def test_only_who_answers_for_the_data_declares_and_only_what_can_be(runtime: Runtime, tenant: TenantId) -> None:
    with pytest.raises(NotAllowedError):
        declare(runtime, tenant, person="rin", role="reviewer")
    for wrong in ({"purpose": " "}, {"retention_days": 0}, {"destinations": {"Singapore": Safeguard.CONSENT}}):
        with pytest.raises(InputError):
            declare(runtime, tenant, **wrong)
    assert processing_records(runtime, tenant) == []


def test_a_breach_is_late_after_seventy_two_hours(runtime: Runtime, tenant: TenantId) -> None:
    now = runtime.now()
    fresh = open_breach(runtime, tenant, known_at=now - timedelta(hours=71), summary="A lost laptop", **ADMIN)
    assert not fresh.is_late(now)
    assert fresh.is_late(now + timedelta(hours=2))
    assert fresh.as_json(now)["hours_left"] == 1.0
    assert standings(runtime, tenant)["breach-clock"] == "met"
    late = open_breach(runtime, tenant, known_at=now - timedelta(hours=73), summary="A letter gone astray", **ADMIN)
    assert standings(runtime, tenant)["breach-clock"] == "not met"
    told = note_notification(runtime, tenant, fresh.id, summary="By the form", **ADMIN)
    assert told.notified_by == "anan"
    assert [each.id for each in list_breaches(runtime, tenant)] == [late.id, fresh.id]
    with pytest.raises(InputError, match="already"):
        note_notification(runtime, tenant, fresh.id, summary="Again", **ADMIN)
    with pytest.raises(NotFoundError):
        note_notification(runtime, tenant, "brc-none", summary="By the form", **ADMIN)
    with pytest.raises(InputError):
        open_breach(runtime, tenant, known_at=now + timedelta(days=1), summary="Not yet", **ADMIN)


def test_a_raw_national_id_in_any_row_or_log_is_found_and_never_repeated(runtime: Runtime, tenant: TenantId) -> None:
    assert rescan(runtime, tenant).found == {}
    source = add_source(runtime, tenant)
    spelt = f"เลขบัตร {VALID_NATIONAL_ID[0]}-{VALID_NATIONAL_ID[1:5]}-{VALID_NATIONAL_ID[5:10]}-" \
            f"{VALID_NATIONAL_ID[10:12]}-{VALID_NATIONAL_ID[12]}"  # fmt: skip
    with runtime.database.administration() as connection:
        connection.execute("UPDATE runtime.tenant_sources SET title = %s WHERE id = %s", (spelt, source))
    logs = runtime.settings.home / "logs"
    logs.mkdir(exist_ok=True)
    (logs / "rescan-test.log").write_text(f"it said {VALID_NATIONAL_ID}\n", encoding="utf-8")
    try:
        found = rescan(runtime, tenant).found
        assert found == {"table tenant_sources: TH_NATIONAL_ID": 1, "log rescan-test.log: TH_NATIONAL_ID": 1}
        control = next(each for each in gather_evidence(runtime, tenant) if each.id == "no-raw-identifiers")
        assert control.standing == "not met"
        assert VALID_NATIONAL_ID not in json.dumps(control.as_json())
    finally:
        (logs / "rescan-test.log").unlink()


def test_another_tenant_reads_no_record_and_no_breach(runtime: Runtime, tenant: TenantId) -> None:
    declare(runtime, tenant)
    open_breach(runtime, tenant, known_at=runtime.now(), summary="A lost laptop", **ADMIN)
    for login, seen in ((tenant, 1), (ATTACKER, 0)):
        with runtime.database.tenant(login) as connection:
            for table in ("processing_records", "breach_steps"):
                rows = connection.execute(f"SELECT 1 FROM runtime.{table} WHERE tenant_id = %s", (tenant,)).fetchall()
                assert len(rows) == seen


def test_the_evidence_pack_is_written_as_a_page_and_as_json_and_claims_no_compliance(
    runtime: Runtime, tenant: TenantId, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    @contextmanager
    def opened() -> Iterator[Runtime]:
        yield runtime

    monkeypatch.setattr(command, "opened", opened)
    declare(runtime, tenant, purpose="<script>alert(1)</script>", destinations={"SG": Safeguard.CONSENT})
    page, pack = tmp_path / "evidence.html", tmp_path / "evidence.json"
    asked = ["audit", "--tenant", tenant, "--page", str(page), "--pack", str(pack), "--json"]
    result = CliRunner().invoke(command.app, asked, catch_exceptions=False)
    assert result.exit_code == 0
    written = json.loads(pack.read_text(encoding="utf-8"))
    assert written == json.loads(result.stdout)
    assert written["kind"] == "control evidence"
    assert len(written["controls"]) == 12
    html = page.read_text(encoding="utf-8")
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "SG: consent" in html
    assert "It is no statement that the law is complied with" in html
    add_source(runtime, tenant, "PHONE_NUMBER")
    assert CliRunner().invoke(command.app, asked).exit_code == 1
