"""The eight contracts as the code asks them: typed views of what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tenant_pipeline.core.approval.operation import ApprovalGate
from tenant_pipeline.core.contract_terms import (
    ApprovalRule,
    CoverageDimension,
    PiiFieldRule,
    PiiPolicy,
    QualityThresholds,
    ReviewGate,
)
from tenant_pipeline.core.digest import Sha256, sha256_of_json
from tenant_pipeline.core.errors import ContractError
from tenant_pipeline.core.lifecycle import TenantState, Transition
from tenant_pipeline.core.mapping.mapping import MappingRules, mapping_rules
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.core.shared_state import MergeRule, SharedField
from tenant_pipeline.core.statement import Datatype
from tenant_pipeline.core.vocabulary import PropertyDefinition, TypeDefinition, Vocabulary


@dataclass(frozen=True)
class Contracts:
    """All eight contracts, checked."""

    documents: Mapping[str, Mapping[str, Any]]

    def digest_of(self, part: str) -> Sha256:
        """The digest of what a part obliges to: a contract (`living_city`), or one object of it (`contract/object`).

        What only people read is left out: labels, the note, and whether somebody has to look at it yet.
        """
        if part not in self._digests:
            name, _, field = part.partition("/")
            document = self.documents[name]
            self._digests[part] = sha256_of_json(_without_words(document[field] if field else document))
        return self._digests[part]

    @cached_property
    def digest(self) -> Sha256:
        """The digest of what all eight oblige to."""
        return sha256_of_json([self.digest_of(name) for name in self.documents])

    @cached_property
    def _digests(self) -> dict[str, Sha256]:
        return {}

    @property
    def awaiting_review(self) -> Mapping[str, str]:
        """The contracts that a person has yet to confirm, each with what it says of itself (`honest_note`)."""
        return {
            name: str(document["honest_note"])
            for name, document in self.documents.items()
            if document["requires_human_review"]
        }

    def authority_tier(self, origin: Origin) -> int:
        """The authority tier of an origin, 1 (best) to 5 (what an AI has said)."""
        return self._tiers[origin]

    def label(self, kind: str, identifier: str, language: str) -> str:
        """The label of an entry, such as ("source_origins", "press", "th"). Raises ContractError for none."""
        try:
            return self._labels[kind, identifier][language]
        except KeyError:
            raise ContractError(f"There is no {language} label for {identifier}", where=kind) from None

    @cached_property
    def tenant_roles(self) -> tuple[str, ...]:
        """The roles that a person may have in a tenant."""
        return tuple(each["id"] for each in self.documents["tenant_scope"]["tenant_roles"])

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The canonical types and properties."""
        living_city = self.documents["living_city"]
        return Vocabulary(
            version=living_city["schema_version"],
            types={
                each["name"]: TypeDefinition(
                    each["name"], each["parent"], tuple(each["properties"]), tuple(each["expected"])
                )
                for each in living_city["types"]
            },
            properties={
                each["name"]: PropertyDefinition(
                    name=each["name"],
                    datatype=Datatype(each["datatype"]),
                    multi_valued=each["multi_valued"],
                    per_language=each["per_language"],
                    identifying=each["identifying"],
                    unit=each["unit"],
                    tolerance=each["tolerance"],
                )
                for each in living_city["properties"]
            },
        )

    @cached_property
    def mappings(self) -> MappingRules:
        """The declarative mappings, the synonyms, and what becomes of a table that fits none."""
        return mapping_rules(self.documents["source_mapping_engine"])

    @cached_property
    def coverage_dimensions(self) -> tuple[CoverageDimension, ...]:
        """The dimensions of the coverage score, in the contract's order."""
        return tuple(
            CoverageDimension(
                id=each["id"],
                formula=each["formula"],
                weight=each["weight"],
                pass_at=each["pass_at"],
                warn_at=each["warn_at"],
                blocking=each["blocking"],
                overridable=each["overridable"],
            )
            for each in self._intake["coverage_scoring"]["dimensions"]
        )

    @property
    def fresh_within_days(self) -> int:
        """For how many days after its observation a source counts as fresh."""
        return int(self._intake["coverage_scoring"]["freshness_days"])

    @cached_property
    def pii_policy(self) -> PiiPolicy:
        """What is done with each type of personal data, and when the PII gate closes."""
        policy = self._intake["pii_policy"]
        return PiiPolicy(
            actions=policy["actions"],
            default_action=policy["default_action"],
            fields=tuple(
                PiiFieldRule(
                    id=each["id"],
                    words=tuple(each["words"]),
                    properties=tuple(each["properties"]),
                    entity_types=tuple(each["entity_types"]),
                    holds=each["holds"],
                    action=each["action"],
                )
                for each in policy["fields"]
            ),
            special_category_action=policy["special_categories"]["action"],
            quarantined_share_fail=policy["quarantined_share_fail"],
            requires_agreement=policy["requires_agreement"],
        )

    @cached_property
    def quality_thresholds(self) -> QualityThresholds:
        """From which share of failed statements the quality gate warns, and from which it closes."""
        gate = self._intake["quality_gate"]
        return QualityThresholds(warn_share=gate["warn_share"], fail_share=gate["fail_share"])

    @cached_property
    def review_gates(self) -> tuple[ReviewGate, ...]:
        """The five approval gates with their roles and SLAs."""
        return tuple(
            ReviewGate(each["id"], tuple(each["roles"]), each["sla_hours"], each["dual"])
            for each in self._intake["review_gates"]
        )

    @cached_property
    def approval_rules(self) -> Mapping[ApprovalGate, ApprovalRule]:
        """What each of the five gates asks for."""
        return {
            ApprovalGate(gate.id): ApprovalRule(
                needs=(
                    tuple(frozenset({role}) for role in self._matrix[gate.id]["approvers"])
                    if gate.dual
                    else (frozenset(self._matrix[gate.id]["approvers"]),)
                ),
                founder_at_first=self._matrix[gate.id].get("founder_for_first_pilot", False),
                sla_hours=gate.sla_hours,
                expires_after_days=self.documents["approval_matrix"]["expires_after_days"],
            )
            for gate in self.review_gates
        }

    def roles_at(self, gate: ApprovalGate) -> tuple[str, ...]:
        """The roles that may sign at a gate, in the order of the approval matrix."""
        return tuple(self._matrix[gate]["approvers"])

    @cached_property
    def _matrix(self) -> Mapping[str, Mapping[str, Any]]:
        return {each["gate"]: each for each in self.documents["approval_matrix"]["rows"]}

    @property
    def roles_never_delegated(self) -> tuple[str, ...]:
        """The roles whose decision nobody else may give."""
        return tuple(self.documents["approval_matrix"]["never_delegated"])

    @cached_property
    def transitions(self) -> tuple[Transition, ...]:
        """The ways between the states of a tenant."""
        return tuple(
            Transition(
                TenantState(each["from"]),
                TenantState(each["to"]),
                ApprovalGate(each["gate"]) if each["gate"] else None,
                each["rollback"],
            )
            for each in self.documents["tenant_scope"]["scope_transitions"]
        )

    @cached_property
    def shared_fields(self) -> Mapping[str, SharedField]:
        """The fields of a workspace's shared document, each with its merge rule and who may write it."""
        state = self.documents["hybrid_intake_workspace"]["state_model"]
        return {
            name: SharedField(name, MergeRule(state["state_merge_rules"][name]), frozenset(state["write_roles"][name]))
            for name in state["persisted_fields"]
        }

    @property
    def template_version(self) -> str:
        """The version of the tenant template."""
        return str(self.documents["living_city"]["tenant_replication"]["template_version"])

    @property
    def template_types(self) -> tuple[str, ...]:
        """The canonical types that the tenant template's checklist asks for."""
        hints = self.documents["living_city"]["tenant_replication"]["template_checklist_hint"]
        return tuple(each["type"] for each in hints)

    @property
    def _intake(self) -> Mapping[str, Any]:
        return self.documents["enterprise_intake"]

    @cached_property
    def _tiers(self) -> dict[Origin, int]:
        return {Origin(each["id"]): each["authority_tier"] for each in self._intake["source_origins"]}

    @cached_property
    def labels(self) -> dict[str, dict[str, dict[str, str]]]:
        """Every label, by kind, id and language."""
        found: dict[str, dict[str, dict[str, str]]] = {}
        for (kind, identifier), label in self._labels.items():
            found.setdefault(kind, {})[identifier] = dict(label)
        return found

    @cached_property
    def _labels(self) -> dict[tuple[str, str], Mapping[str, str]]:
        lists = [pair for document in self.documents.values() for pair in document.items()]
        lists.append(("coverage_dimensions", self._intake["coverage_scoring"]["dimensions"]))
        return {
            (kind, str(entry.get("id", entry.get("name")))): entry["label"]
            for kind, entries in lists
            if isinstance(entries, list)
            for entry in entries
            if isinstance(entry, dict) and "label" in entry
        }


_FOR_PEOPLE = ("label", "honest_note", "requires_human_review", "schema_version")


def _without_words(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_words(child) for key, child in value.items() if key not in _FOR_PEOPLE}
    return [_without_words(child) for child in value] if isinstance(value, list) else value
