"""The part of the contract on personal data: what it says by field, and what it may not say."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tenant_pipeline.contracts
from tenant_pipeline.contracts.loader import CONTRACTS, load_contracts
from tenant_pipeline.core.errors import ContractError
from tenant_pipeline.pii.policy import Action

RULE = {
    "id": "rule",
    "words": ["fax"],
    "properties": [],
    "entity_types": ["PHONE_NUMBER"],
    "holds": "",
    "action": "mask",
}


def loaded(folder: Path, change: Callable[[Any], None]) -> Any:
    packaged = Path(tenant_pipeline.contracts.__file__).parent
    for contract in CONTRACTS:
        shutil.copy(packaged / f"{contract}.json", folder)
    file = folder / "enterprise_intake.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    change(document["pii_policy"])
    file.write_text(json.dumps(document), encoding="utf-8")
    return load_contracts(folder).pii_policy


def test_every_rule_for_a_field_names_an_action_there_is() -> None:
    policy = load_contracts().pii_policy
    assert policy.fields
    assert {Action(rule.action) for rule in policy.fields} <= set(Action)
    assert policy.special_category_action == "drop"


def test_a_rule_is_read_as_it_is_written(tmp_path: Path) -> None:
    policy = loaded(tmp_path, lambda policy: policy["fields"].append(RULE))
    rule = policy.fields[-1]
    assert (rule.words, rule.entity_types, rule.holds, rule.action) == (("fax",), ("PHONE_NUMBER",), "", "mask")


@pytest.mark.parametrize(
    "change",
    [
        lambda policy: policy["special_categories"].update(action="hash"),
        lambda policy: policy["special_categories"].update(action="allow"),
        lambda policy: policy["fields"].append({**RULE, "action": "shred"}),
        lambda policy: policy["fields"].append({**RULE, "words": []}),
        lambda policy: policy["fields"].append({**RULE, "properties": ["shoeSize"]}),
        lambda policy: policy.pop("fields"),
    ],
)
def test_what_the_code_could_not_keep_is_refused(tmp_path: Path, change: Callable[[Any], None]) -> None:
    with pytest.raises(ContractError):
        loaded(tmp_path, change)
