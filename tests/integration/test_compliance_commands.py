"""The commands: declare, run a breach's clock, take the evidence to files, ask for erasure and do it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from tenant_pipeline.cli import compliance, erasure
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.services import registry
from tenant_pipeline.services.runtime import Runtime
from tests.integration.conflict_statements import Sources
from tests.integration.conftest import TwoTenants
from tests.integration.releasable import releasable

ADMIN = ("--person", "anan", "--role", "tenant-admin")


@pytest.fixture
def made(tenants: TwoTenants, monkeypatch: pytest.MonkeyPatch) -> Sources:
    @contextmanager
    def opened() -> Iterator[Runtime]:
        yield tenants.runtime

    for command in (compliance, erasure):
        monkeypatch.setattr(command, "opened", opened)
    return releasable(tenants.runtime)


def told(app: typer.Typer, *words: str, expect: int = 0) -> str:
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert result.exit_code == expect, result.output
    return result.stdout


def test_what_is_declared_is_in_the_evidence_that_is_written_to_files(made: Sources, tmp_path: Path) -> None:
    declare = (
        "declare", "--tenant", made.tenant, "--activity", "guest-register", "--purpose", "Know <the> guests",
        "--basis", "legal-obligation", "--subjects", "guests", "--retention-days", "90", "--destination", "SG=contract",
        "--reason", "The officer asked", *ADMIN,
    )  # fmt: skip
    told(compliance.app, *declare)
    (shown,) = json.loads(told(compliance.app, "show", "--tenant", made.tenant, "--json"))
    assert (shown["version"], shown["destinations"]) == (1, [{"country": "SG", "safeguard": "contract"}])
    told(compliance.app, "breach", "open", "--tenant", made.tenant, "--summary", "A disk is gone",
         "--aware-at", "2026-01-02", *ADMIN)  # fmt: skip
    (breach,) = json.loads(told(compliance.app, "breach", "list", "--tenant", made.tenant, "--json"))
    assert (breach["state"], breach["overdue"], breach["due"]) == ("open", True, "2026-01-05T00:00:00+00:00")
    pack, page = tmp_path / "pack.json", tmp_path / "pack.html"
    audit = ("audit", "--tenant", made.tenant, "--person", "anan", "--json", str(pack), "--page", str(page))
    assert told(compliance.app, *audit, expect=7).splitlines()[-1] == (
        "Not met: 2 of the 11 controls that a machine can check (agreement, breach-notification);"
        " 3 more are for people to judge."
    )
    controls = {each["id"]: each for each in json.loads(pack.read_text(encoding="utf-8"))["controls"]}
    assert controls["breach-notification"]["outcome"] == "not met"
    assert controls["transfers"]["evidence"] == {"destinations": {"guest-register": ["SG: contract"]}}
    assert "Control evidence" in page.read_text(encoding="utf-8")
    told(compliance.app, "breach", "close", "--tenant", made.tenant, "--breach", breach["id"],
         "--notified-at", "2026-01-03", "--reason", "Told the Office", *ADMIN)  # fmt: skip
    registry.update_tenant(made.runtime, made.tenant, person="anan", pdpa_agreement_ref="agreement-7")
    assert told(compliance.app, *audit).splitlines()[-1].startswith("Met: all 11 controls that a machine can check;")
    assert json.loads(pack.read_text(encoding="utf-8"))["met"] is True
    (closed,) = json.loads(told(compliance.app, "breach", "list", "--tenant", made.tenant, "--json"))
    assert (closed["state"], closed["overdue"], closed["hours_left"]) == ("closed", False, 48.0)
    told(compliance.app, "end", "--tenant", made.tenant, "--activity", "guest-register", "--reason", "Over", *ADMIN)
    with pytest.raises(InputError, match="safeguards"):
        told(compliance.app, *(word.replace("SG=contract", "SG=hope") for word in declare))


def test_one_asks_for_erasure_and_another_does_it(made: Sources) -> None:
    (asked,) = json.loads(told(erasure.app, "request", "--tenant", made.tenant, "--reason", "Left", "--json", *ADMIN))
    assert (asked["state"], asked["overdue"]) == ("waiting", False)
    which: tuple[Any, ...] = ("--tenant", made.tenant, "--request", asked["id"])
    done = json.loads(told(erasure.app, "run", *which, "--person", "gov", "--role", "platform-governance"))
    assert done["state"] == "erased"
    assert json.loads(told(erasure.app, "show", *which)) == {**done, "days_left": done["days_left"]}
