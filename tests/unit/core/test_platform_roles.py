"""Who answers for the installation is named once in the code, once in the browser's, and known to the contracts."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tenant_pipeline import workspace
from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.platform_roles import PLATFORM_ROLES

PACKAGE = Path(workspace.__file__).parents[1]
PAIR = re.compile(r'"platform-governance", "founder"|"founder", "platform-governance"')


def test_the_contracts_know_the_roles_of_the_platform() -> None:
    assert set(PLATFORM_ROLES) <= set(load_contracts().tenant_roles)


def test_the_browser_knows_the_same_roles() -> None:
    store = (PACKAGE / "workspace" / "store.js").read_text(encoding="utf-8")
    found = re.search(r"export const PLATFORM_ROLES = (\[.*\]);", store)
    assert found is not None
    assert tuple(json.loads(found[1])) == PLATFORM_ROLES


def test_nothing_else_lists_them_anew() -> None:
    code = [each for ending in ("*.py", "*.js") for each in PACKAGE.rglob(ending) if "vendor" not in each.parts]
    lists = {str(each.relative_to(PACKAGE)) for each in code if PAIR.search(each.read_text(encoding="utf-8"))}
    assert lists == {"core/platform_roles.py", "workspace/store.js"}
