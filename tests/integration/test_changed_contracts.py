"""Other contracts put in: what they decide is judged anew, also when they are taken out again; nothing else is."""

from __future__ import annotations

import json
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

import tenant_pipeline.contracts
from tenant_pipeline.cli.dagster_environment import dagster_environment
from tenant_pipeline.cli.shell import opened
from tenant_pipeline.contracts.loader import CONTRACTS
from tenant_pipeline.core.errors import ContractError
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.stage import STAGES
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import roles
from tenant_pipeline.services.conflicts import matrix
from tenant_pipeline.services.conflicts.matrix import update_conflicts
from tenant_pipeline.services.conflicts.reading import list_conflicts
from tenant_pipeline.services.conflicts.standings import standings_of
from tenant_pipeline.services.coverage.reading import read_coverage
from tenant_pipeline.services.coverage.scoring import update_coverage
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.runtime import Runtime, connect, open_runtime
from tenant_pipeline.services.sources import Source, get_source
from tenant_pipeline.services.templates.publishing import list_templates
from tenant_pipeline.services.templates.upgrading import plan_upgrade, upgrade
from tenant_pipeline.settings import Settings
from tests.installed import migrated_home
from tests.integration.hall_steps import assembled, csv_file
from tests.integration.waiting_locks import wait_for_a_waiting_lock
from tests.registered import registered


class WithContracts(Protocol):
    """Opens the installation by contracts of which one was changed."""

    def __call__(self, change: Callable[[Any], None], contract: str = "enterprise_intake") -> Runtime: ...


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with migrated_home() as home, open_runtime(Settings(home=home)) as installed:
        yield installed


@pytest.fixture
def tenant(runtime: Runtime) -> TenantId:
    return registered(runtime, f"t{uuid.uuid4().hex[:12]}")


@pytest.fixture
def with_contracts(runtime: Runtime, tmp_path: Path) -> Iterator[WithContracts]:
    """The same installation as a process has it that was started with a changed contract."""
    with ExitStack() as stack:

        def put(change: Callable[[Any], None], contract: str = "enterprise_intake") -> Runtime:
            folder = tmp_path / f"contracts-{uuid.uuid4()}"
            folder.mkdir()
            for each in CONTRACTS:
                shutil.copy(Path(tenant_pipeline.contracts.__file__).parent / f"{each}.json", folder)
            file = folder / f"{contract}.json"
            document = json.loads(file.read_text(encoding="utf-8"))
            change(document)
            file.write_text(json.dumps(document), encoding="utf-8")
            return stack.enter_context(connect(runtime.settings.model_copy(update={"contracts": folder})))

        yield put


def tier_of_press(tier: int) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        next(each for each in document["source_origins"] if each["id"] == "press")["authority_tier"] = tier

    return change


def all_must_pass(document: Any) -> None:
    for each in document["coverage_scoring"]["dimensions"]:
        each["pass_at"] = each["warn_at"] = 1


def judged(runtime: Runtime, source: Source) -> tuple[bool, bool]:
    """Judge a source; whether the matrix, and whether the score, was found as it stands."""
    matrix = update_conflicts(runtime, source.tenant, source.id)
    return matrix.repeated, update_coverage(runtime, source.tenant, source.id).repeated


def test_a_changed_tier_reaches_sources_that_were_received_before_and_so_does_the_old_one(
    runtime: Runtime,
    tenant: TenantId,
    tmp_path: Path,
    with_contracts: WithContracts,
) -> None:
    press = assembled(runtime, tenant, Origin.PRESS, UnitMode.SINGLE_FILE, csv_file(tmp_path, 900, "press.csv"))
    partner = assembled(runtime, tenant, Origin.PARTNER_DOC, UnitMode.SINGLE_FILE, csv_file(tmp_path, 950, "p.csv"))
    both = (press, partner)
    assert [judged(runtime, each) for each in both] == [(False, False)] * 2
    assert [judged(runtime, each) for each in both] == [(True, True)] * 2

    def proposed() -> str:
        (item,) = list_conflicts(
            runtime, tenant, source=None, property_="maximumAttendeeCapacity", verdict="differs", limit=10
        )
        return str(item["proposed_value"])

    assert proposed() == "950"
    changed = with_contracts(tier_of_press(1))
    for stage in STAGES:
        assert run_stage(changed, tenant, press.id, stage).repeated, stage
    for at, rank, value in ((changed, 1, "900"), (runtime, 3, "950"), (changed, 1, "900")):
        assert [judged(at, each) for each in both] == [(False, True)] * 2
        assert [judged(at, each) for each in both] == [(True, True)] * 2
        with at.database.tenant(tenant) as connection:
            assert get_source(connection, tenant, press.id).authority_rank == rank
        assert proposed() == value


def test_two_sources_that_get_another_tier_are_compared_at_once(
    runtime: Runtime,
    tenant: TenantId,
    tmp_path: Path,
    with_contracts: WithContracts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = [csv_file(tmp_path, capacity, f"{capacity}.csv") for capacity in (900, 950)]
    press = [assembled(runtime, tenant, Origin.PRESS, UnitMode.SINGLE_FILE, file) for file in files]
    for each in press:
        judged(runtime, each)
    changed, first = with_contracts(tier_of_press(1)), threading.Event()

    def once_the_other_waits(*given: Any) -> Any:
        if not first.is_set():
            first.set()
            wait_for_a_waiting_lock(runtime)
        return standings_of(*given)

    monkeypatch.setattr(matrix, "standings_of", once_the_other_waits)
    with ThreadPoolExecutor(2) as pool:
        records = list(pool.map(lambda each: update_conflicts(changed, tenant, each.id), press))
    assert [record.repeated for record in records] == [False, False]
    with changed.database.tenant(tenant) as connection:
        assert [get_source(connection, tenant, each.id).authority_rank for each in press] == [1, 1]


def test_changed_thresholds_score_again_and_count_again_for_the_tenant(
    runtime: Runtime,
    tenant: TenantId,
    tmp_path: Path,
    with_contracts: WithContracts,
) -> None:
    source = assembled(runtime, tenant, Origin.PRESS, UnitMode.SINGLE_FILE, csv_file(tmp_path, 900))
    judged(runtime, source)

    def passed(at: Runtime) -> int:
        return sum(each.found.band == "pass" for each in read_coverage(at, tenant, source.id))

    before, changed = passed(runtime), with_contracts(all_must_pass)
    assert judged(changed, source) == (True, False)
    assert passed(changed) < before
    assert judged(runtime, source) == (True, False)
    assert passed(runtime) == before
    assert judged(runtime, source) == (True, True)


def template_types_of(runtime: Runtime, tenant: TenantId) -> int:
    """How many types the tenant's coverage is measured by."""
    return {each.dimension.id: each.found.denominator for each in read_coverage(runtime, tenant)}["breadth"]


def test_tenants_keep_the_template_of_a_contract_that_is_changed_and_go_up_to_the_later_one(
    runtime: Runtime, tenant: TenantId, with_contracts: WithContracts
) -> None:
    def wider(document: Any) -> None:
        replication = document["tenant_replication"]
        replication["template_version"] = "1.1.0"
        label = {"th": "ป้ายรถเมล์", "en": "Bus stop", "zh": "公交站"}
        replication["template_checklist_hint"].append({"type": "BusStop", "label": label})

    asked = template_types_of(runtime, tenant)
    changed = with_contracts(wider, "living_city")
    assert template_types_of(changed, tenant) == asked
    plan = plan_upgrade(changed, tenant, "1.1.0")
    assert {each.type for each in plan.changes} == {"BusStop"}
    roles.grant_role(runtime, tenant, person="gov", role="platform-governance", granted_by="test")
    upgrade(changed, tenant, "1.1.0", plan=plan.digest(), person="gov", role="platform-governance")
    for at in (changed, runtime):
        assert template_types_of(at, tenant) == asked + 1
        assert [each["version"] for each in list_templates(at)] == ["1.0.0", "1.1.0"]


def test_another_checklist_under_the_number_of_a_template_that_is_in_use_is_refused(
    runtime: Runtime, tenant: TenantId, with_contracts: WithContracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def narrower(document: Any) -> None:
        document["tenant_replication"]["template_checklist_hint"].pop()

    changed = with_contracts(narrower, "living_city")
    assert template_types_of(changed, tenant) == template_types_of(runtime, tenant)
    another = TenantId(f"t{uuid.uuid4().hex[:12]}")
    with pytest.raises(ContractError, match=r"Template 1\.0\.0 is published and says something else"):
        registered(changed, another)
    monkeypatch.setenv("TENANT_RUNTIME_HOME", str(runtime.settings.home))
    monkeypatch.setenv("TENANT_RUNTIME_CONTRACTS", str(changed.settings.contracts))
    with pytest.raises(ContractError, match="says something else") as refused, opened():
        pass
    assert "higher template_version" in refused.value.remedy


def test_every_process_of_dagster_gets_the_folder_wherever_it_is_started(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = runtime.settings.model_copy(update={"contracts": Path("ours")})
    told = dagster_environment(replace(runtime, settings=settings))
    assert told["TENANT_RUNTIME_CONTRACTS"] == str(tmp_path / "ours")
    assert "TENANT_RUNTIME_CONTRACTS" not in dagster_environment(runtime)


def test_nothing_opens_with_half_a_folder(runtime: Runtime, tmp_path: Path) -> None:
    settings = runtime.settings.model_copy(update={"contracts": tmp_path})
    with pytest.raises(ContractError, match="missing"), connect(settings):
        pass
