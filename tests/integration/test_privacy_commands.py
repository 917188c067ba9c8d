"""The commands on personal data, and what a real reader's nested records meet on their way through the screen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tenant_pipeline.cli import privacy as privacy_command
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.stage import STAGES, Stage
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import roles, sources
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.runtime import Runtime
from tests.integration.conftest import TwoTenants
from tests.registered import registered

TENANT = TenantId("privacy-commands")
ASKING = ("--person", "ann@tenant.example", "--reason", "Published")
SIGNING = ("--person", "gov@city.example", "--role", "founder", "--reason", "Seen")


@pytest.fixture(scope="module")
def runtime(tenants: TwoTenants) -> Runtime:
    registered(tenants.runtime, TENANT, pdpa_agreement_ref="a-1")
    roles.grant_role(tenants.runtime, TENANT, person="gov@city.example", role="founder", granted_by="test")
    return tenants.runtime


@pytest.fixture
def told(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command and read the JSON that it prints."""

    @contextmanager
    def opened() -> Iterator[Runtime]:
        yield runtime

    monkeypatch.setattr(privacy_command, "opened", opened)

    def tell(*words: str, given: str = "") -> Any:
        result = CliRunner().invoke(privacy_command.app, [*words, "--json"], input=given, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return tell


def test_the_commands_declare_sign_show_and_revoke(told: Any) -> None:
    of_tenant = ("--tenant", TENANT)
    asked = told(
        "declare", *of_tenant, "--class", "business-contact", "--origin", "partner-doc", "--field", "telephone",
        "--type", "PHONE_NUMBER", "--type", "EMAIL_ADDRESS", "--until", "2099-01-01", *ASKING,
    )  # fmt: skip
    assert (asked["state"], asked["entity_types"], asked["expires_at"]) == (
        "waiting", ["EMAIL_ADDRESS", "PHONE_NUMBER"], "2099-01-01T00:00:00+00:00",
    )  # fmt: skip
    signed = told("sign", *of_tenant, "--declaration", asked["id"], *SIGNING)
    assert (signed["state"], signed["signed_by"]) == ("signed", "gov@city.example")
    shown = told("show", *of_tenant)
    assert [each["id"] for each in shown["declarations"]] == [asked["id"]]
    assert [key["in_use"] for key in shown["digest_keys"]] == [True]
    revoked = told("revoke", *of_tenant, "--declaration", asked["id"], *SIGNING)
    assert revoked["state"] == "revoked"


def test_the_commands_rotate_find_and_destroy(told: Any) -> None:
    (first,) = told("show", "--tenant", TENANT)["digest_keys"]
    (second,) = told("rotate-key", TENANT, *SIGNING)
    assert second["version"] == first["version"] + 1
    given = ("find", "--tenant", TENANT, "--type", "PHONE_NUMBER", *ASKING)
    spoken = {told_["key_id"]: told_["pseudonym"] for told_ in told(*given, given="081-234-5678\n")}
    assert spoken == {
        told_["key_id"]: told_["pseudonym"] for told_ in told(*given, given="+66 81 234 5678")
    }  # fmt: skip
    assert set(spoken) == {first["key_id"], second["key_id"]}
    assert told("destroy-key", TENANT, str(first["version"]), *SIGNING) == [second]
    assert {row["key_id"] for row in told(*given, given="0812345678")} == {second["key_id"]}


def test_the_resources_of_a_dataset_that_is_withheld_are_withheld_with_it(runtime: Runtime, tmp_path: Path) -> None:
    def dataset(name: str, notes: str) -> dict[str, Any]:
        return {"name": name, "notes": notes, "resources": [{"name": f"{name} {n}", "url": "x"} for n in (1, 2)]}

    answer = {"success": True, "result": {"results": [dataset("halls", "x"), dataset("of", "ID 3-1006-00445-63-5")]}}
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(answer), encoding="utf-8")
    source = sources.add_source(
        runtime, TENANT, origin=Origin.REGULATOR, unit_mode=UnitMode.SINGLE_FILE, places=[str(path)], title="datasets",
        actor="test",
    )  # fmt: skip
    for stage in STAGES[: STAGES.index(Stage.SCREEN) + 1]:
        record = run_stage(runtime, TENANT, source.id, stage)
    screened = runtime.stage_store(TENANT).read(record.output_digest)
    kept = [text for table in screened.tables("records") for frame in table.batches() for text in frame["locator"]]
    assert [text.partition("#")[2] for text in sorted(kept)] == [
        "/result/results/0", "/result/results/0/resources/0", "/result/results/0/resources/1",
    ]  # fmt: skip
    codes = sorted(code for frame in screened.rejects() for code in frame["code"])
    assert codes == ["pii-parent-withheld", "pii-parent-withheld", "pii-th-national-id"]
