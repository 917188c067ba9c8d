"""Hold contracts against the code: what they say is either obeyed or refused, never passed over.

A contract has values that the code obeys (tiers, thresholds, SLAs, roles, mappings, labels) and statements of what the
code does (the stages of publishing, the order of resolution, how a tenant is kept apart). Of the latter, one that says
something else than the code would be believed by whoever reads it; so it is refused, with its place.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tenant_pipeline.core.approval.operation import PUBLISHING, ROLLBACK_GATE, ApprovalGate
from tenant_pipeline.core.conflict.comparison import AI_ORIGINS
from tenant_pipeline.core.conflict.order import ORDER
from tenant_pipeline.core.coverage.dimensions import DIMENSIONS
from tenant_pipeline.core.errors import ContractError
from tenant_pipeline.core.lifecycle import GATED_WAYS, OUT_OF_SERVICE, TenantState, goes_forward
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.platform_roles import PLATFORM_ROLES
from tenant_pipeline.core.stage import STAGES
from tenant_pipeline.core.statement import AI_TIER, Datatype

Documents = Mapping[str, Mapping[str, Any]]

_NAMED_IN_CODE = {
    "tenant_roles": {"tenant-admin", "reviewer", "contributor", "viewer", *PLATFORM_ROLES},
    "persisted_fields": {
        "wizard.answers", "upload.notes", "conflict.drafts", "review.assignment", "handoff.checklist",
    },
}  # fmt: skip
"""What the code and the workspace ask for by its name; a contract may have more."""

_DESCRIBED: Mapping[str, tuple[str, ...]] = {
    "enterprise_intake": (
        "coverage_scoring/dimensions/*/formula", "coverage_scoring/thresholds", "coverage_scoring/overrides",
        "conflict_resolution/tier_one_proposes", "conflict_resolution/tier_one_against_tier_one_needs_person",
        "conflict_resolution/sign_off_gate", "pii_policy/digest",
        "tenant_ownership/owner", "tenant_ownership/isolation", "tenant_ownership/founder_sign_off",
        "shareability_and_resellability/visibility", "shareability_and_resellability/share_scope",
        "shareability_and_resellability/resell_flag_default", "shareability_and_resellability/payments",
    ),
    "multi_source_intake": (
        "stages/*/position", "stages/*/takes", "stages/*/gives", "stages/*/stopped_by", "conservation",
    ),
    "approval_matrix": ("rules",),
    "publish_workflow": ("rollback/history", "blocked_until"),
    "hybrid_intake_workspace": ("workspace_panels/*/id", "workspace_view_modes/*/id", "collaboration"),
    "tenant_scope": ("app_registry_handoff", "feature_flag_handoff"),
}  # fmt: skip
"""What a contract only describes, by its place: as the package's own contracts have it, so the code does it."""


def check_against_code(documents: Documents, packaged: Documents) -> None:
    """Return where contracts say of this code what it does. `packaged` are its own.

    Raises ContractError naming the file, the place in it (a JSON pointer) and what stands there in this release.
    """
    _check_enumerations(documents)
    _check_publishing(documents["publish_workflow"])
    _check_tiers(documents["enterprise_intake"]["source_origins"])
    _check_thresholds(documents["enterprise_intake"])
    _check_ways(documents["tenant_scope"])
    _check_datatypes(documents["living_city"]["properties"])
    _check_mapped_origins(documents["source_mapping_engine"]["mappings"])
    _check_names(documents)
    for name, places in _DESCRIBED.items():
        for place in places:
            _check_described(name, documents[name], packaged[name], place.split("/"))


def _check_enumerations(documents: Documents) -> None:
    """What is enumerated is what the code enumerates, in its order."""
    intake = documents["enterprise_intake"]
    stages, states = documents["multi_source_intake"]["stages"], documents["tenant_scope"]["states"]
    order = [rule.replace("_", "-") for rule in ORDER]
    for kind, known, where, found in (
        ("origins", _names(Origin), "enterprise_intake.json#/source_origins", _ids(intake["source_origins"])),
        ("unit modes", _names(UnitMode), "enterprise_intake.json#/unit_modes", _ids(intake["unit_modes"])),
        ("stages", _names(STAGES), "multi_source_intake.json#/stages", _ids(stages)),
        (
            "coverage dimensions", _names(DIMENSIONS), "enterprise_intake.json#/coverage_scoring/dimensions",
            _ids(intake["coverage_scoring"]["dimensions"]),
        ),
        (
            "order of resolution", order, "enterprise_intake.json#/conflict_resolution/order",
            intake["conflict_resolution"]["order"],
        ),
        ("approval gates", _names(ApprovalGate), "enterprise_intake.json#/review_gates", _ids(intake["review_gates"])),
        ("states of a tenant", _names(TenantState), "tenant_scope.json#/states", _ids(states)),
    ):  # fmt: skip
        _require_same(f"The contract's {kind} are not those of this code", found, known, where)


def _check_publishing(workflow: Mapping[str, Any]) -> None:
    found = [[each["id"], each["gate"]] for each in workflow["stages"]]
    known = [[stage, None if gate is None else str(gate)] for stage, gate in PUBLISHING.items()]
    _require_same(
        "The contract publishes by other stages or gates than this code", found, known, "publish_workflow.json#/stages"
    )
    _require_same(
        "The contract rolls back through another gate than this code",
        workflow["rollback"]["gate"], str(ROLLBACK_GATE), "publish_workflow.json#/rollback/gate",
    )  # fmt: skip


def _check_tiers(origins: Iterable[Mapping[str, Any]]) -> None:
    """What an AI has said has the last tier, and nothing else has it."""
    for number, each in enumerate(origins):
        if (each["authority_tier"] == AI_TIER) != (each["id"] in AI_ORIGINS):
            raise ContractError(
                f"Tier {AI_TIER} is that of what an AI has said, and of nothing else",
                where=f"enterprise_intake.json#/source_origins/{number}/authority_tier",
                remedy=f"Give {each['id']} {AI_TIER if each['id'] in AI_ORIGINS else f'a tier below {AI_TIER}'}.",
            )


def _check_thresholds(intake: Mapping[str, Any]) -> None:
    """Warning comes before failing."""
    gate = intake["quality_gate"]
    if gate["warn_share"] > gate["fail_share"]:
        raise ContractError(
            "The quality gate would close before it warns",
            where="enterprise_intake.json#/quality_gate/warn_share",
            remedy="Give a share that is not above fail_share.",
        )
    for number, each in enumerate(intake["coverage_scoring"]["dimensions"]):
        if each["warn_at"] > each["pass_at"]:
            raise ContractError(
                f"The dimension {each['id']} would pass before it warns",
                where=f"enterprise_intake.json#/coverage_scoring/dimensions/{number}/warn_at",
                remedy="Give a share that is not above pass_at.",
            )


def _check_ways(scope: Mapping[str, Any]) -> None:
    """Ways forward pass the gates that the code takes them through; ways back and out of service pass none."""
    states = [str(state) for state in TenantState]
    for number, way in enumerate(scope["scope_transitions"]):
        where = f"tenant_scope.json#/scope_transitions/{number}"
        if not {way["from"], way["to"]} <= set(states):
            raise ContractError("There is no such state", where=where, remedy=f"One of {', '.join(states)}.")
        step = (TenantState(way["from"]), TenantState(way["to"]))
        gate = GATED_WAYS.get(step)
        if gate is None and (goes_forward(*step) or way["gate"] is not None):
            raise ContractError(
                f"This code takes no tenant from {way['from']} to {way['to']} by approvals",
                where=where,
                remedy="Leave the way out; one back, or out of service, has no gate (null).",
            )
        passes = None if gate is None else str(gate)
        _require_same("The way passes another gate than in this code", way["gate"], passes, f"{where}/gate")
        back = gate is None and TenantState(way["to"]) not in OUT_OF_SERVICE
        _require_same("Only a way to an earlier state rolls back", way["rollback"], back, f"{where}/rollback")


def _check_datatypes(properties: Iterable[Mapping[str, Any]]) -> None:
    known = [str(datatype) for datatype in Datatype]
    for number, each in enumerate(properties):
        if each["datatype"] not in known:
            raise ContractError(
                f"There is no datatype {each['datatype']}",
                where=f"living_city.json#/properties/{number}/datatype",
                remedy=f"One of {', '.join(known)}.",
            )


def _check_mapped_origins(mappings: Iterable[Mapping[str, Any]]) -> None:
    known = {str(origin) for origin in Origin}
    for number, each in enumerate(mappings):
        if not known.issuperset(each["origins"]):
            raise ContractError(
                f"The mapping {each['id']} is for an origin that there is not",
                where=f"source_mapping_engine.json#/mappings/{number}/origins",
                remedy=f"One of {', '.join(sorted(known))}.",
            )


def _check_names(documents: Documents) -> None:
    """What the code asks for by its name is there."""
    for name, where, found in (
        ("tenant_roles", "tenant_scope.json#/tenant_roles", _ids(documents["tenant_scope"]["tenant_roles"])),
        (
            "persisted_fields", "hybrid_intake_workspace.json#/state_model/persisted_fields",
            documents["hybrid_intake_workspace"]["state_model"]["persisted_fields"],
        ),
    ):  # fmt: skip
        missing = sorted(_NAMED_IN_CODE[name] - set(found))
        if missing:
            raise ContractError(
                f"The contract lacks what this code names: {', '.join(missing)}", where=where, remedy="Add it."
            )


def _check_described(name: str, found: Any, known: Any, path: list[str], pointer: str = "") -> None:
    if not path:
        what = "The contract describes something else than this code does"
        _require_same(what, found, known, f"{name}.json#{pointer}")
        return
    first, rest = path[0], path[1:]
    if first != "*":
        _check_described(name, found[first], known[first], rest, f"{pointer}/{first}")
        return
    _require_same(
        "The contract enumerates other things than this code", _ids(found), _ids(known), f"{name}.json#{pointer}"
    )
    for number, (one, other) in enumerate(zip(found, known, strict=True)):
        _check_described(name, one, other, rest, f"{pointer}/{number}")


def _names(of: Iterable[str]) -> list[str]:
    return [str(each) for each in of]


def _ids(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    return [str(each["id"]) for each in entries]


def _require_same(what: str, found: Any, known: Any, where: str) -> None:
    if found != known:
        raise ContractError(
            what, where=where, remedy=f"This release says: {json.dumps(known, ensure_ascii=False)[:400]}"
        )
