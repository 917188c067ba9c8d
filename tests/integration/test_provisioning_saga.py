"""Provisioning as a saga: step by step, resumed after a kill, taken back to nothing left over, and never leaking."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql
from typer.testing import CliRunner

from tenant_pipeline.cli import instance as command
from tenant_pipeline.core.errors import InputError, NotAllowedError, ProvisioningError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.provisioner import Phase, Secret
from tenant_pipeline.services import registry
from tenant_pipeline.services.erasure.requests import request_erasure
from tenant_pipeline.services.erasure.whole_tenant import erase_tenant
from tenant_pipeline.services.provisioning import isolation_probe
from tenant_pipeline.services.provisioning.isolation_probe import IsolationBrokenError
from tenant_pipeline.services.provisioning.operations import Act, ProvisioningOperation, State, exclusive, operations
from tenant_pipeline.services.provisioning.rotation import rotate_credentials
from tenant_pipeline.services.provisioning.saga import deprovision, provision
from tenant_pipeline.services.provisioning.specification import InstanceChangedError, plan_provisioning
from tenant_pipeline.services.provisioning.steps import STEPS
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.services.runtime import Runtime, connect
from tenant_pipeline.storage import serving
from tenant_pipeline.storage.database import Connection, instance_login_of, login_of
from tests.integration.conftest import ATTACKER, VICTIM
from tests.integration.provisioned import approved, footprint, killed_at_step, small_instances, take_back

NAMES = [step.name for step in STEPS]
DOING = [(step, moment) for step in NAMES for moment in ("before", "after")]
UNDOING = [(step, moment) for step in NAMES for moment in ("before undoing", "undone")]


@pytest.fixture
def runtime(own_installation: Runtime) -> Runtime:
    return own_installation


@contextmanager
def registered(runtime: Runtime) -> Iterator[TenantId]:
    made = TenantId(f"hall-{uuid.uuid4().hex[:8]}")
    name = {"th": "หอ", "en": "Hall", "zh": "会堂"}
    registry.register_tenant(runtime, made, name=name, domain="hall.example", tier="pilot", actor="test")
    yield made
    small_instances(runtime).deprovision(made, f"tenant-{made}", timeout=20)
    runtime.database.drop_instance_login(made)


@pytest.fixture
def tenant(runtime: Runtime) -> Iterator[TenantId]:
    with registered(runtime) as made:
        yield made


@pytest.fixture
def neighbour(runtime: Runtime) -> Iterator[TenantId]:
    with registered(runtime) as made:
        yield made


def bring_up(runtime: Runtime, tenant: TenantId, *words: str) -> ProvisioningOperation:
    return provision(
        runtime,
        tenant,
        backend=small_instances(runtime, *words),
        approvals=["approval-1", "approval-2"],
        requested_by="ann",
        verify=approved,
        timeout=60,
    )


def take_down(runtime: Runtime, tenant: TenantId) -> ProvisioningOperation:
    return deprovision(
        runtime, tenant, backend=small_instances(runtime), approvals=[], requested_by="ann", verify=approved
    )


def history(runtime: Runtime, tenant: TenantId) -> list[ProvisioningOperation]:
    with runtime.database.platform() as connection:
        return operations(connection, tenant)


def audited(runtime: Runtime, tenant: TenantId) -> list[str]:
    with runtime.database.tenant(tenant) as connection:
        rows = connection.execute(
            "SELECT action FROM runtime.audit_log WHERE tenant_id = %s AND action LIKE 'instance.%%' ORDER BY sequence",
            (tenant,),
        ).fetchall()
        assert runtime.audit.verify(connection, tenant).intact
    return [row["action"] for row in rows]


def test_a_tenant_gets_its_instance_step_by_step_and_each_step_is_kept_and_audited(
    runtime: Runtime, tenant: TenantId
) -> None:
    plan = plan_provisioning(runtime, tenant, small_instances(runtime)).wanted
    operation = bring_up(runtime, tenant)
    assert operation.outcome == "done"
    assert operation.approvals == ("approval-1", "approval-2")
    assert operation.plan_digest == plan.digest()
    assert [each.step for each in operation.steps if each.state is State.DONE] == [*NAMES, "done"]
    assert audited(runtime, tenant) == [
        "instance.provision",
        *(f"instance.provision.{name}.done" for name in NAMES),
        "instance.provision.done.done",
    ]
    status = small_instances(runtime).status(tenant, operation.namespace)
    assert status.phase is Phase.HEALTHY
    assert plan_provisioning(runtime, tenant, small_instances(runtime)).wanted.digest() == plan.digest()
    again = bring_up(runtime, tenant)
    assert small_instances(runtime).status(tenant, again.namespace).endpoint == status.endpoint


def test_the_plan_is_readable_and_holds_no_secret(runtime: Runtime, tenant: TenantId) -> None:
    plan = plan_provisioning(runtime, tenant, small_instances(runtime)).as_json()
    assert plan["approves"]["specification"]["namespace"] == f"tenant-{tenant}"
    assert plan["approves"]["backend"] == "local-process"
    assert [change["action"] for change in plan["changes"]] == ["create", "create"]
    assert runtime.database.instance_token(tenant) not in str(plan)
    assert footprint(runtime)["files"] == []


def test_the_login_reads_its_live_release_and_nothing_else(runtime: Runtime, tenant: TenantId) -> None:
    bring_up(runtime, tenant)
    schema = login_of(tenant)
    with runtime.database.administration() as connection:
        for statement in (
            "INSERT INTO {0}.releases VALUES ('r1', '1.0.0', '1.0.0', 1, now()), ('r2', '1.1.0', '1.0.0', 1, now())",
            "INSERT INTO {0}.release_documents VALUES ('d1', 'a', 'Place', 'A', '{{}}', '{{}}')",
            "INSERT INTO {0}.release_documents VALUES ('d2', 'b', 'Place', 'B', '{{}}', '{{}}')",
            "INSERT INTO {0}.release_entities VALUES ('r1', 'a', 'd1'), ('r2', 'b', 'd2')",
            "INSERT INTO {0}.live_release (release_digest, switched_at) VALUES ('r1', now())",
        ):
            connection.execute(statement.format(schema))
    with psycopg.connect(runtime.database.instance_conninfo(tenant)) as instance:
        assert instance.execute(f"SELECT canonical_id FROM {schema}.live_documents").fetchall() == [("a",)]
        for relation in ("runtime.tenants", f"{schema}.release_documents", f"{schema}.release_entities"):
            with pytest.raises(errors.InsufficientPrivilege), instance.transaction():
                instance.execute(f"SELECT * FROM {relation}")


def test_without_the_approvals_nothing_is_done(runtime: Runtime, tenant: TenantId) -> None:
    before = footprint(runtime)

    def missing(connection: Connection) -> None:
        raise NotAllowedError("The founder's signature is missing")

    with pytest.raises(NotAllowedError, match="founder"):
        provision(
            runtime,
            tenant,
            backend=small_instances(runtime),
            approvals=[],
            requested_by="ann",
            verify=missing,
        )
    assert history(runtime, tenant) == []
    assert footprint(runtime) == before


def test_a_step_that_fails_takes_everything_back(runtime: Runtime, tenant: TenantId) -> None:
    before = footprint(runtime)
    with pytest.raises(ProvisioningError, match="ended with exit code 3"):
        bring_up(runtime, tenant, "crash")
    assert footprint(runtime) == before
    (operation,) = history(runtime, tenant)
    assert operation.outcome == "compensated"
    assert [each.step for each in operation.steps if each.state is State.UNDONE] == NAMES[3::-1]
    failed = next(each for each in operation.steps if each.state is State.FAILED)
    assert "exit code 3" in failed.detail["reason"]
    assert bring_up(runtime, tenant).outcome == "done"


def test_what_stood_before_stays_when_a_change_fails(runtime: Runtime, tenant: TenantId) -> None:
    bring_up(runtime, tenant)
    standing = footprint(runtime)
    with pytest.raises(ProvisioningError):
        bring_up(runtime, tenant, "crash")
    assert footprint(runtime) == standing
    assert small_instances(runtime).status(tenant, f"tenant-{tenant}").phase is Phase.HEALTHY


def test_a_tenant_whose_instance_stayed_when_a_change_failed_is_not_erased_before_it_is_taken_down(
    runtime: Runtime, tenant: TenantId
) -> None:
    for person, role in (("anan", "tenant-admin"), ("gov", "platform-governance")):
        grant_role(runtime, tenant, person=person, role=role, granted_by="test")
    with pytest.raises(ProvisioningError):
        bring_up(runtime, tenant, "crash")
    assert history(runtime, tenant)[0].left_nothing
    bring_up(runtime, tenant)
    with pytest.raises(ProvisioningError):
        bring_up(runtime, tenant, "crash")
    request = request_erasure(runtime, tenant, person="anan", role="tenant-admin", reason="The tenant leaves")
    erasing = {"person": "gov", "role": "platform-governance"}
    with pytest.raises(InputError, match="has an instance"):
        erase_tenant(runtime, tenant, request, **erasing)
    take_down(runtime, tenant)
    assert erase_tenant(runtime, tenant, request, **erasing).state() == "erased"


def test_serving_tables_with_a_release_in_them_are_never_taken_back(runtime: Runtime, tenant: TenantId) -> None:
    schema = login_of(tenant)
    with runtime.database.administration() as connection:
        serving.create_serving_tables(connection, schema)
        connection.execute(f"INSERT INTO {schema}.releases VALUES ('r1', '1.0.0', '1.0.0', 0, now())")
    with pytest.raises(ProvisioningError):
        bring_up(runtime, tenant, "crash")
    with runtime.database.administration() as connection:
        assert connection.execute(f"SELECT version FROM {schema}.releases").fetchall() == [{"version": "1.0.0"}]


def test_taken_down_only_the_tenants_releases_are_left(runtime: Runtime, tenant: TenantId) -> None:
    before = footprint(runtime)
    bring_up(runtime, tenant)
    operation = take_down(runtime, tenant)
    assert (operation.act, operation.outcome) == (Act.DEPROVISION, "done")
    after = footprint(runtime)
    assert (after["files"], after["processes"]) == (before["files"], before["processes"])
    with runtime.database.administration() as connection:
        known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (instance_login_of(tenant),)).fetchone()
        assert known is None
        assert connection.execute(f"SELECT FROM {login_of(tenant)}.release_entities").fetchall() == []
    assert take_down(runtime, tenant).outcome == "done"


def test_a_password_never_comes_back(runtime: Runtime, tenant: TenantId) -> None:
    seen = set()
    for _ in range(2):
        bring_up(runtime, tenant)
        seen.add(runtime.database.instance_conninfo(tenant))
        rotate_credentials(runtime, tenant, backend=small_instances(runtime), requested_by="ann", timeout=20)
        seen.add(runtime.database.instance_conninfo(tenant))
        take_down(runtime, tenant)
    assert len(seen) == 4


def test_rotation_gives_the_instance_new_secrets_and_the_old_ones_open_nothing(
    runtime: Runtime, tenant: TenantId
) -> None:
    with runtime.database.platform() as platform:
        platform.execute("UPDATE runtime.tenants SET status = 'pilot' WHERE id = %s", (tenant,))
    bring_up(runtime, tenant)
    old = runtime.database.instance_conninfo(tenant), runtime.database.instance_token(tenant)
    rotate_credentials(runtime, tenant, backend=small_instances(runtime), requested_by="ann", timeout=20)
    connection, token = small_instances(runtime).credentials(tenant, f"tenant-{tenant}")
    assert (connection.value, token.value) != old
    psycopg.connect(connection.value).close()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(old[0])
    assert audited(runtime, tenant)[-1] == "instance.rotate"


def test_of_two_one_wins_where_the_server_ends_idle_transactions_too(runtime: Runtime, tenant: TenantId) -> None:
    setting = "ALTER ROLE tenant_runtime_platform {} idle_in_transaction_session_timeout"
    with runtime.database.administration() as connection:
        connection.execute(sql.SQL(setting).format(sql.SQL("SET")) + sql.SQL(" = '300ms'"))
    try:
        with connect(runtime.settings) as own, exclusive(own, tenant):
            time.sleep(0.6)
            with pytest.raises(ProvisioningError, match="being changed already"), exclusive(own, tenant):
                pass
    finally:
        with runtime.database.administration() as connection:
            connection.execute(sql.SQL(setting).format(sql.SQL("RESET")))


def test_two_at_once_one_wins_and_the_other_is_told_why(runtime: Runtime, tenant: TenantId) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def wait_at_the_instance(step: str, moment: str) -> None:
        if (step, moment) == ("namespace_and_instance", "before"):
            reached.set()
            assert go_on.wait(30)

    def first() -> None:
        provision(
            runtime,
            tenant,
            backend=small_instances(runtime),
            approvals=[],
            requested_by="ann",
            verify=approved,
            on_step=wait_at_the_instance,
        )

    thread = threading.Thread(target=first)
    thread.start()
    try:
        assert reached.wait(30)
        for act in (bring_up, take_down):
            with pytest.raises(ProvisioningError, match="being changed already: ann began to provision it"):
                act(runtime, tenant)
    finally:
        go_on.set()
        thread.join()
    assert [each.outcome for each in history(runtime, tenant)] == ["done"]


def probed(operation: ProvisioningOperation) -> dict[str, Any]:
    (probe,) = [each.detail for each in operation.steps if (each.step, each.state) == ("isolation_probe", State.DONE)]
    return dict(probe)


def test_the_probe_attacks_everything_that_is_anothers_and_counts(runtime: Runtime, tenant: TenantId) -> None:
    operation = bring_up(runtime, tenant)
    probe = probed(operation)
    assert probe["came_through"] == []
    with runtime.database.administration() as connection:
        row = connection.execute(
            """
            SELECT count(*) AS tables FROM pg_class
             WHERE relkind IN ('r', 'v', 'S') AND relnamespace::regnamespace::text NOT IN ('pg_catalog',
                   'information_schema', 'pg_toast', %s)
            """,
            (login_of(tenant),),
        ).fetchone()
    assert row is not None
    assert probe["attempts"]["reading"] == row["tables"]
    assert probe["attempts"]["becoming"] > 20
    assert probe["attempts"]["files"] > 10
    assert probe["not_tried"] == []


@pytest.mark.parametrize(
    "widened",
    [
        "GRANT USAGE ON SCHEMA runtime TO {role}; GRANT SELECT ON runtime.statements TO {role}",
        "GRANT USAGE ON SCHEMA runtime TO {role}; GRANT SELECT (id) ON runtime.tenants TO {role}",
        "GRANT USAGE ON SCHEMA {victim} TO {role}; CREATE TABLE {victim}.lists (a int);"
        " GRANT INSERT ON {victim}.lists TO {role}",
        "GRANT {victim} TO {role} WITH SET TRUE",
        "GRANT CREATE ON SCHEMA {own} TO {role}",
    ],
)
@pytest.mark.parametrize("when", ["schema", "instance_healthy"])
def test_a_widened_grant_is_caught_and_everything_is_taken_back(
    runtime: Runtime, tenant: TenantId, widened: str, when: str
) -> None:
    """Before the instance is up the catalogue tells; afterwards, where the catalogue was in order, the probe does."""
    roles = {"role": instance_login_of(tenant), "victim": login_of(VICTIM), "own": login_of(tenant)}

    def widen(step: str, moment: str) -> None:
        if (step, moment) == (when, "after"):
            with runtime.database.administration() as connection:
                connection.execute(widened.format(**roles))

    before = footprint(runtime)
    try:
        with pytest.raises(ProvisioningError) as caught:
            provision(
                runtime,
                tenant,
                backend=small_instances(runtime),
                approvals=[],
                requested_by="ann",
                verify=approved,
                on_step=widen,
            )
        assert isinstance(caught.value, IsolationBrokenError) == (when == "instance_healthy")
    finally:
        with runtime.database.administration() as connection:
            connection.execute(f"DROP TABLE IF EXISTS {login_of(VICTIM)}.lists")
    assert footprint(runtime) == before


def test_a_login_that_is_dropped_while_isolation_is_probed_has_not_let_anybody_through(
    runtime: Runtime, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of another tenant is, whose instance is taken down in the meantime."""
    listed = isolation_probe._attempts
    scratch = f"nerve_{uuid.uuid4().hex[:8]}"

    def dropped_once_listed(*given: Any) -> list[Any]:
        with runtime.database.administration() as connection:
            connection.execute(f"CREATE ROLE {scratch} LOGIN".encode())
        attempts = list(listed(*given))
        assert len([each for each in attempts if scratch in each.statement.as_string()]) == 4
        with runtime.database.administration() as connection:
            connection.execute(f"DROP ROLE {scratch}".encode())
        return attempts

    before = probed(bring_up(runtime, tenant))
    monkeypatch.setattr(isolation_probe, "_attempts", dropped_once_listed)
    probe = probed(bring_up(runtime, tenant))
    assert (probe["came_through"], probe["attempts"]["becoming"]) == ([], before["attempts"]["becoming"])


def test_a_neighbour_that_gives_no_answer_fails_nobodys_provisioning_and_is_told_as_not_tried(
    runtime: Runtime, tenant: TenantId, neighbour: TenantId
) -> None:
    bring_up(runtime, neighbour, "curt")
    probe = probed(bring_up(runtime, tenant))
    assert probe["not_tried"] == ["other instances: one gave no answer to /"]


def test_a_login_that_the_server_does_not_come_to_judge_is_counted_as_not_tried_and_not_named(
    runtime: Runtime,
) -> None:
    probe = isolation_probe.Probe()
    isolation_probe._attack_logins(runtime, Secret("host=127.0.0.1 port=9 user=nerve_x dbname=postgres"), probe)
    with runtime.database.administration() as connection:
        names = [row["rolname"] for row in connection.execute("SELECT rolname FROM pg_roles WHERE rolcanlogin")]
    assert probe.attempts == {}
    assert f"logging in: {len(names)} that the server did not come to judge" in probe.not_tried
    assert not [name for name in names if name in " ".join(probe.not_tried)]


def test_broken_isolation_takes_down_even_what_stood_before(runtime: Runtime, tenant: TenantId) -> None:
    bring_up(runtime, tenant)

    def widen(step: str, moment: str) -> None:
        if (step, moment) == ("instance_healthy", "after"):
            with runtime.database.administration() as connection:
                connection.execute(f"GRANT tenant_runtime_tenants TO {instance_login_of(tenant)} WITH INHERIT TRUE")

    with pytest.raises(IsolationBrokenError):
        provision(
            runtime,
            tenant,
            backend=small_instances(runtime),
            approvals=[],
            requested_by="ann",
            verify=approved,
            on_step=widen,
        )
    assert footprint(runtime)["processes"] == []
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(runtime.database.instance_conninfo(tenant))


def killed(runtime: Runtime, tenant: TenantId, act: str, step: str, moment: str) -> None:
    killed_at_step(runtime, tenant, act, step, moment, backend=small_instances)


@pytest.mark.parametrize(("step", "moment"), DOING)
def test_killed_at_a_step_it_is_resumed_or_taken_back(
    runtime: Runtime, tenant: TenantId, step: str, moment: str
) -> None:
    before = footprint(runtime)
    killed(runtime, tenant, "provision", step, moment)
    assert take_back(runtime, tenant, small_instances(runtime)).outcome == "compensated"
    assert footprint(runtime) == before
    killed(runtime, tenant, "provision", step, moment)
    operation = bring_up(runtime, tenant)
    assert operation.outcome == "done"
    assert [each.step for each in operation.steps if each.state is State.DONE] == [*NAMES, "done"]
    assert small_instances(runtime).status(tenant, operation.namespace).phase is Phase.HEALTHY
    assert len(history(runtime, tenant)) == 2
    take_down(runtime, tenant)
    assert footprint(runtime)["processes"] == []


@pytest.mark.parametrize(("step", "moment"), UNDOING)
def test_killed_while_it_is_taken_back_that_is_finished_first(
    runtime: Runtime, tenant: TenantId, step: str, moment: str
) -> None:
    before = footprint(runtime)
    killed(runtime, tenant, "provision", "isolation_probe", "after")
    killed(runtime, tenant, "deprovision", step, moment)
    assert take_back(runtime, tenant, small_instances(runtime)).outcome == "compensated"
    assert footprint(runtime) == before


def test_killed_while_it_is_taken_back_the_next_provisioning_begins_anew(runtime: Runtime, tenant: TenantId) -> None:
    killed(runtime, tenant, "provision", "isolation_probe", "after")
    killed(runtime, tenant, "deprovision", "schema", "before undoing")
    assert bring_up(runtime, tenant).outcome == "done"
    assert [each.outcome for each in history(runtime, tenant)] == ["done", "compensated"]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", ["instance_removed", "role_dropped", "done"])
def test_killed_while_taking_down_the_next_call_goes_on(
    runtime: Runtime, tenant: TenantId, step: str, moment: str
) -> None:
    before = footprint(runtime)
    bring_up(runtime, tenant)
    killed(runtime, tenant, "deprovision", step, moment)
    with pytest.raises(ProvisioningError, match="not finished"):
        bring_up(runtime, tenant)
    assert take_down(runtime, tenant).outcome == "done"
    after = footprint(runtime)
    assert (after["files"], after["processes"]) == (before["files"], before["processes"])
    assert len(history(runtime, tenant)) == 2


@pytest.mark.parametrize("change", ["template_version = '9.0.0'", "status = 'archived'"])
def test_provisioning_that_was_killed_can_be_taken_down_whatever_has_changed_since(
    runtime: Runtime, tenant: TenantId, change: str
) -> None:
    before = footprint(runtime)
    killed(runtime, tenant, "provision", "schema", "after")
    with runtime.database.platform() as connection:
        connection.execute(f"UPDATE runtime.tenants SET {change} WHERE id = %s".encode(), (tenant,))

    def forbidden(connection: Connection) -> None:
        raise NotAllowedError("Not in this role")

    with pytest.raises(NotAllowedError):
        deprovision(
            runtime, tenant, backend=small_instances(runtime), approvals=[], requested_by="ann", verify=forbidden
        )
    assert [each.outcome for each in history(runtime, tenant)] == ["open"]
    killed(runtime, tenant, "deprovision", "schema", "undone")
    assert take_down(runtime, tenant).left_nothing
    assert [each.outcome for each in history(runtime, tenant)] == ["done", "compensated"]
    assert footprint(runtime) == before


def test_provisioning_that_was_killed_and_is_for_another_instance_by_now_is_taken_back(
    runtime: Runtime, tenant: TenantId
) -> None:
    before = footprint(runtime)
    killed(runtime, tenant, "provision", "instance_healthy", "after")
    with runtime.database.platform() as connection:
        connection.execute("UPDATE runtime.tenants SET template_version = '9.0.0' WHERE id = %s", (tenant,))
    with pytest.raises(InstanceChangedError, match="since it was approved"):
        bring_up(runtime, tenant)
    assert footprint(runtime) == before
    (operation,) = history(runtime, tenant)
    assert operation.outcome == "compensated"
    assert [each.detail["reason"] for each in operation.steps if each.state is State.FAILED] == [
        "The instance has changed since it was approved"
    ]
    assert bring_up(runtime, tenant).outcome == "done"


def test_the_commands_show_rotate_and_take_down_in_a_granted_role(
    runtime: Runtime, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def opened() -> Iterator[Runtime]:
        yield runtime

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(command.app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    monkeypatch.setattr(command, "opened", opened)
    monkeypatch.setattr(command, "local_processes", small_instances)
    monkeypatch.setattr(command, "backend_of", small_instances)
    planned = json.loads(run("plan", "--tenant", tenant, "--json"))
    assert planned["digest"] == plan_provisioning(runtime, tenant, small_instances(runtime)).wanted.digest()
    bring_up(runtime, tenant)
    shown = json.loads(run("status", "--tenant", tenant, "--json"))
    assert (shown["phase"], shown["operations"][0]["outcome"]) == ("healthy", "done")
    assert [row["phase"] for row in json.loads(run("list", "--json")) if row["tenant"] == tenant] == ["healthy"]
    assert "listening" in run("logs", "--tenant", tenant)
    role = ("--person", "ann", "--role", "platform-governance")
    for act in ("rotate", "deprovision"):
        with pytest.raises(NotAllowedError):
            run(act, "--tenant", tenant, *role)
    grant_role(runtime, tenant, person="ann", role="platform-governance", granted_by="test")
    assert run("rotate", "--tenant", tenant, *role).startswith("healthy http://127.0.0.1:")
    run("deprovision", "--tenant", tenant, *role)
    assert small_instances(runtime).status(tenant, f"tenant-{tenant}").phase is Phase.ABSENT


def test_another_tenant_sees_nothing_of_an_instance(runtime: Runtime, tenant: TenantId) -> None:
    bring_up(runtime, tenant)
    with runtime.database.tenant(ATTACKER) as connection:
        for table in ("instance_logins", "provisioning_operations", "provisioning_steps"):
            found = connection.execute(f"SELECT FROM runtime.{table} WHERE tenant_id = %s", (tenant,)).fetchall()
            assert found == []
    with runtime.database.tenant(tenant) as connection:
        assert [each.outcome for each in operations(connection, tenant)] == ["done"]
