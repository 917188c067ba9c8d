"""An installation whose objects and audit checkpoints lie in a bucket of a real S3-compatible server process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tenant_pipeline.core.compliance.control import Outcome
from tenant_pipeline.core.cost.month import Month
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.stage import STAGES, Stage
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import registry, roles, sources
from tenant_pipeline.services.audit_trail import seal_audit, verify_audit
from tenant_pipeline.services.compliance.personal_data_scan import raw_personal_data
from tenant_pipeline.services.compliance.stored_texts import stored_texts
from tenant_pipeline.services.cost.measuring import usage_of
from tenant_pipeline.services.erasure import whole_tenant
from tenant_pipeline.services.erasure.requests import request_erasure
from tenant_pipeline.services.erasure.whole_tenant import STEPS, erase_tenant
from tenant_pipeline.services.lineage import every_record
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.observation.figures import read_figures
from tenant_pipeline.services.runtime import Runtime, connect
from tests.bucket_server import BucketServer, bucket_server, its_environment
from tests.integration.conftest import TwoTenants
from tests.registered import registered

TENANT, NEIGHBOUR = TenantId("bucket-tenant"), TenantId("bucket-neighbour")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BucketServer]:
    with bucket_server(tmp_path_factory.mktemp("s3")) as server, its_environment(server):
        yield server


@pytest.fixture(scope="module")
def runtime(tenants: TwoTenants, server: BucketServer) -> Iterator[Runtime]:
    """The same database and keys, with the objects elsewhere."""
    there = tenants.runtime
    settings = there.settings.model_copy(
        update={"object_store_url": server.url, "database_dsn": SecretStr(there.database.conninfo())}
    )
    with connect(settings) as runtime:
        for tenant in (TENANT, NEIGHBOUR):
            registered(runtime, tenant, pdpa_agreement_ref="DPA-1")
        yield runtime


def _take_in(runtime: Runtime, tenant: TenantId, folder: Path) -> sources.Source:
    file = folder / "halls.csv"
    file.write_text(
        "name,phone,postal code\n" + "".join(f"Hall {n},081-234-{5000 + n},83000\n" for n in range(200)), "utf-8"
    )
    source = sources.add_source(
        runtime, tenant, origin=Origin.PARTNER_DOC, unit_mode=UnitMode.SINGLE_FILE, places=[str(file)], title="Halls",
        actor="test",
    )  # fmt: skip
    for stage in STAGES:
        run_stage(runtime, tenant, source.id, stage)
    return source


@pytest.mark.slow
def test_a_source_walks_all_nine_stages_in_a_bucket_and_is_erased_from_it(
    runtime: Runtime, server: BucketServer, tmp_path: Path
) -> None:
    source = _take_in(runtime, TENANT, tmp_path)
    records = {Stage(record.stage): record for record in every_record(runtime, source)}
    assert list(records) == list(STAGES)
    assert not (runtime.settings.objects_directory / TENANT).exists()
    assert not any(b"081-234" in path.read_bytes() or b"PAR1" in path.read_bytes()[:4] for path in server.files())

    places = {place.partition(",")[0] for place, _ in stored_texts(runtime, TENANT)}
    assert "objects: stages" in places
    assert raw_personal_data(runtime, TENANT).outcome is Outcome.MET
    assert usage_of(runtime, TENANT, Month.of(runtime.now())).stored_bytes > 5_000

    seal_audit(runtime, TENANT)
    (report,) = verify_audit(runtime, TENANT)
    assert report["intact"]
    assert report["checkpoints"] == 1
    assert [name for name, _ in runtime.objects.listed(f"_audit/{TENANT}")]

    runtime.raw_zone(NEIGHBOUR).put((tmp_path / "halls.csv").open("rb"))
    roles.grant_role(runtime, TENANT, person="gov", role="platform-governance", granted_by="test")
    roles.grant_role(runtime, TENANT, person="anan", role="tenant-admin", granted_by="test")
    request = request_erasure(runtime, TENANT, person="anan", role="tenant-admin", reason="The tenant leaves")
    done = erase_tenant(runtime, TENANT, request, person="gov", role="platform-governance")
    assert done.steps["proof"]["clean"], done.steps["proof"]
    assert done.steps["files"]["files"] > 10
    assert not list(runtime.objects.listed(TENANT))
    assert len(list(runtime.objects.listed(NEIGHBOUR))) == 1
    assert verify_audit(runtime, TENANT)[0]["intact"]


def test_what_an_erasure_has_left_in_the_bucket_is_counted_though_nobody_can_read_it(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = registered(runtime, "bucket-leaver")
    roles.grant_role(runtime, tenant, person="gov", role="platform-governance", granted_by="test")
    roles.grant_role(runtime, tenant, person="anan", role="tenant-admin", granted_by="test")
    (tmp_path / "left").write_bytes(b"left")

    def leaves_a_file(runtime: Runtime, tenant: TenantId, person: str) -> Mapping[str, Any]:
        runtime.objects.publish([(f"{tenant}/stages/aa/{'a' * 64}", tmp_path / "left")])
        return STEPS["history"](runtime, tenant, person)

    monkeypatch.setattr(whole_tenant, "STEPS", {**STEPS, "history": leaves_a_file})
    request = request_erasure(runtime, tenant, person="anan", role="tenant-admin", reason="The tenant leaves")
    done = erase_tenant(runtime, tenant, request, person="gov", role="platform-governance")
    assert (done.state(), done.steps["proof"]["files"]) == ("remains", 1)


def test_a_checkpoint_that_is_missing_or_changed_in_the_bucket_is_noticed(
    runtime: Runtime, server: BucketServer
) -> None:
    tenant = NEIGHBOUR
    seal_audit(runtime, tenant)
    (age,) = [
        each.value for each in read_figures(runtime) if each.name == "tenant_runtime_audit_checkpoint_age_seconds"
    ]
    assert 0 <= age < 3600
    registry.update_tenant(runtime, tenant, domain="other.example", person="test")
    seal_audit(runtime, tenant)
    assert verify_audit(runtime, tenant)[0] | {"entries": 0} == {
        "tenant": tenant, "intact": True, "entries": 0, "checkpoints": 2, "problem": "",
    }  # fmt: skip
    first, last = sorted(path for path in server.files() if tenant in str(path) and "_audit" in str(path))
    whole = first.read_bytes()
    first.write_bytes(whole.replace(b'"at":"2', b'"at":"3'))
    assert "not signed" in verify_audit(runtime, tenant)[0]["problem"]
    first.write_bytes(whole)
    assert verify_audit(runtime, tenant)[0]["intact"]
    runtime.objects.delete(f"_audit/{tenant}/{first.name}")
    assert "does not follow" in verify_audit(runtime, tenant)[0]["problem"]
    assert last.exists()
