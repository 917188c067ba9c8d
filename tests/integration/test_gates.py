"""A gate holds in whatever run asks; an override is somebody's word, for a reason, until a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import GateClosedError, InputError, NotAllowedError, NotFoundError, SourceStoppedError
from tenant_pipeline.core.gate import Band, Gate, GateVerdict
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.stage import STAGES, Stage
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services import gates, registry, roles, sources
from tenant_pipeline.services.conflicts.matrix import update_conflicts
from tenant_pipeline.services.coverage.scoring import update_coverage
from tenant_pipeline.services.lineage import current_gate_states
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.runtime import Runtime
from tests.integration.conflict_statements import new_tenant
from tests.integration.conftest import ATTACKER, TwoTenants
from tests.registered import registered

TENANT = TenantId("gate-test")
UP_TO_SCREEN = STAGES[: STAGES.index(Stage.SCREEN) + 1]
AFTER_SCREEN = STAGES[STAGES.index(Stage.SCREEN) + 1 :]


@dataclass(frozen=True)
class Later(Runtime):
    """The same installation, a day on."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=1)


@dataclass(frozen=True)
class Earlier(Runtime):
    """The same installation, with a clock that was set back by a day."""

    def now(self) -> datetime:
        return datetime.now(UTC) - timedelta(days=1)


def _with_check_digit(twelve: str) -> str:
    total = sum(int(digit) * weight for digit, weight in zip(twelve, range(13, 1, -1), strict=True))
    return twelve + str((11 - total % 11) % 10)


@pytest.fixture(scope="module")
def runtime(tenants: TwoTenants) -> Runtime:
    registered(tenants.runtime, TENANT, pdpa_agreement_ref="DPA-1")
    for role in ("platform-governance", "founder", "tenant-admin"):
        roles.grant_role(tenants.runtime, TENANT, person="ann", role=role, granted_by="test")
    roles.grant_role(tenants.runtime, ATTACKER, person="eve", role="founder", granted_by="test")
    return tenants.runtime


def _add(runtime: Runtime, path: Path, content: str, tenant: TenantId = TENANT) -> SourceId:
    path.write_text(content)
    return sources.add_source(
        runtime, tenant, origin=Origin.PARTNER_DOC, unit_mode=UnitMode.SINGLE_FILE, places=[str(path)],
        title=path.name, actor="test",
    ).id  # fmt: skip


@pytest.fixture
def stopped(runtime: Runtime, tmp_path: Path, request: pytest.FixtureRequest) -> SourceId:
    """A source that the PII gate has stopped: an id in more than half of its records."""
    start = abs(hash(request.node.name)) % 10**6
    rows = "".join(f"Delegate {n},{_with_check_digit(f'38399{start + n:07d}')}\n" for n in range(6))
    source = _add(runtime, tmp_path / "ids.csv", "delegate,national id\n" + rows + "Guest,\n" * 4)
    for stage in UP_TO_SCREEN:
        run_stage(runtime, TENANT, source, stage)
    return source


def test_no_stage_downstream_reads_a_source_whose_gate_is_closed(runtime: Runtime, stopped: SourceId) -> None:
    with pytest.raises(GateClosedError, match="quarantined"):
        run_stage(runtime, TENANT, stopped, Stage.MAP)
    for stage in AFTER_SCREEN[1:]:
        with pytest.raises(SourceStoppedError):
            run_stage(runtime, TENANT, stopped, stage)
    for update in (update_conflicts, update_coverage):
        with pytest.raises(GateClosedError):
            update(runtime, TENANT, stopped)


def test_an_override_opens_it_until_it_expires_and_then_everything_stops_again(
    runtime: Runtime, stopped: SourceId
) -> None:
    state = gates.override(
        runtime, TENANT, stopped, Gate.PII, person="ann", role="platform-governance", reason="checked by hand",
        expires_at=runtime.now() + timedelta(hours=1),
    )  # fmt: skip
    assert state.open
    assert state.overridden_by == "ann"
    for stage in AFTER_SCREEN:
        run_stage(runtime, TENANT, stopped, stage)
    later = Later(**vars(runtime))
    assert not current_gate_states(later, TENANT, stopped)[Gate.PII].open
    with pytest.raises(GateClosedError):
        run_stage(later, TENANT, stopped, Stage.MAP)
    with runtime.database.tenant(TENANT) as connection:
        audited = connection.execute(
            "SELECT actor, details ->> 'reason' AS reason FROM runtime.audit_log"
            " WHERE tenant_id = %s AND action = 'gate.override' AND subject = %s",
            (TENANT, f"{stopped}:pii"),
        ).fetchall()
    assert audited == [{"actor": "ann", "reason": "checked by hand"}]


def test_a_clock_that_is_set_back_keeps_no_override_in_force(runtime: Runtime, stopped: SourceId) -> None:
    earlier = Earlier(**vars(runtime))
    given = {"person": "ann", "role": "platform-governance", "reason": "checked by hand"}
    with pytest.raises(InputError, match="expired already"):
        gates.override(earlier, TENANT, stopped, Gate.PII, **given, expires_at=earlier.now() + timedelta(hours=1))
    with runtime.database.platform() as connection:
        connection.execute(
            """
            INSERT INTO runtime.gate_overrides
                   (tenant_id, id, source_id, gate, output_digest, person, role, reason, created_at, expires_at)
            SELECT tenant_id, gen_random_uuid(), source_id, gate, output_digest, 'ann', 'founder', 'checked',
                   now() - interval '1 hour', now() - interval '1 minute'
              FROM runtime.gate_verdicts WHERE tenant_id = %s AND source_id = %s
            """,
            (TENANT, stopped),
        )
    assert not current_gate_states(earlier, TENANT, stopped)[Gate.PII].open
    with pytest.raises(GateClosedError):
        run_stage(earlier, TENANT, stopped, Stage.MAP)


@pytest.mark.parametrize(
    ("person", "role", "reason", "hours", "error"),
    [
        ("ann", "tenant-admin", "please", 1, NotAllowedError),
        ("eve", "founder", "please", 1, NotAllowedError),
        ("ann", "platform-governance", " ", 1, InputError),
        ("ann", "founder", "x", -1, InputError),
    ],
)
def test_an_override_without_the_role_a_reason_or_a_time_to_come_is_refused(
    runtime: Runtime, stopped: SourceId, person: str, role: str, reason: str, hours: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        gates.override(
            runtime, TENANT, stopped, Gate.PII, person=person, role=role, reason=reason,
            expires_at=runtime.now() + timedelta(hours=hours),
        )  # fmt: skip
    assert not current_gate_states(runtime, TENANT, stopped)[Gate.PII].open


def test_a_gate_is_asked_for_one_output_or_for_the_newest_whatever_was_judged_before(
    runtime: Runtime, stopped: SourceId
) -> None:
    with runtime.database.tenant(TENANT) as connection:
        (closed,) = gates.states(connection, TENANT, runtime.now(), stopped)
        for number in range(3):
            verdict = GateVerdict(Gate.PII, Band.PASS, (), ())
            gates.record_verdict(connection, TENANT, stopped, Sha256(f"{number:064x}"), verdict)
        now = runtime.now()
        assert gates.state(connection, TENANT, stopped, Gate.PII, closed.output_digest, now) == closed
        assert gates.state(connection, TENANT, stopped, Gate.QUALITY, closed.output_digest, now) is None
        (newest,) = gates.newest_states(connection, TENANT, [stopped], now)
        assert (newest.output_digest, newest.open) == (f"{2:064x}", True)
        assert [each.output_digest for each in gates.states(connection, TENANT, now, stopped)] == [
            f"{2:064x}", f"{1:064x}", f"{0:064x}", closed.output_digest,
        ]  # fmt: skip


def test_a_gate_that_is_open_needs_no_override(runtime: Runtime, tmp_path: Path) -> None:
    source = _add(runtime, tmp_path / "halls.csv", "name,capacity\nHall,10\nOther hall,20\n")
    for stage in UP_TO_SCREEN:
        run_stage(runtime, TENANT, source, stage)
    with pytest.raises(NotFoundError):
        gates.override(
            runtime, TENANT, source, Gate.PII, person="ann", role="founder", reason="why not",
            expires_at=runtime.now() + timedelta(hours=1),
        )  # fmt: skip


def test_personal_data_without_an_agreement_closes_the_gate_until_one_is_recorded(
    runtime: Runtime, tmp_path: Path
) -> None:
    tenant = new_tenant(runtime).tenant
    rows = "".join(f"Hall {n},{n}\n" for n in range(20))
    source = _add(runtime, tmp_path / "one.csv", f"name,note\n{rows}Hall,call 081-234-5678\n", tenant)
    for stage in UP_TO_SCREEN:
        run_stage(runtime, tenant, source, stage)
    state = current_gate_states(runtime, tenant, source)[Gate.PII]
    assert not state.open
    assert any("agreement" in reason for reason in state.reasons)
    with pytest.raises(GateClosedError, match="tenant update --pdpa-agreement"):
        run_stage(runtime, tenant, source, Stage.MAP)
    registry.update_tenant(runtime, tenant, person="anan", pdpa_agreement_ref="DPA-1")
    with runtime.database.tenant(tenant) as connection:
        assert sources.get_source(connection, tenant, source).ingest_status == "waiting"
    for stage in UP_TO_SCREEN:
        run_stage(runtime, tenant, source, stage)
    assert current_gate_states(runtime, tenant, source)[Gate.PII].open


def test_another_tenants_source_is_not_there(runtime: Runtime, stopped: SourceId) -> None:
    for stage in STAGES:
        with pytest.raises(NotFoundError):
            run_stage(runtime, ATTACKER, stopped, stage)
    with pytest.raises(NotFoundError):
        gates.override(
            runtime, ATTACKER, stopped, Gate.PII, person="eve", role="founder", reason="mine",
            expires_at=runtime.now() + timedelta(hours=1),
        )  # fmt: skip
