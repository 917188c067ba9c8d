"""Load the contracts, refuse what is broken, and hand out typed views of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tenant_pipeline.contracts.against_code import check_against_code
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

CONTRACTS = (
    "enterprise_intake",
    "multi_source_intake",
    "source_mapping_engine",
    "tenant_scope",
    "approval_matrix",
    "publish_workflow",
    "hybrid_intake_workspace",
    "living_city",
)
SUPPORTED_VERSION = (1, 0)
"""The newest major and minor version of a contract that this code understands."""
LANGUAGES = ("th", "en", "zh")


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


def load_contracts(directory: Path | None = None) -> Contracts:
    """The contracts of the package, or of `directory` (the schemas are always the package's).

    Raises ContractError naming the file, the place in it (a JSON pointer) and the remedy.
    """
    packaged = _packaged()
    if directory is None:
        return packaged
    if not directory.is_dir():
        raise ContractError(
            "There is no such folder of contracts",
            where=str(directory),
            remedy=f"Put all of {', '.join(f'{name}.json' for name in CONTRACTS)} there, or leave the setting out.",
        )
    return _checked_together(Contracts(_read(directory)), packaged)


@cache
def _packaged() -> Contracts:
    contracts = Contracts(_read(files("tenant_pipeline.contracts")))
    return _checked_together(contracts, contracts)


def _read(directory: Traversable) -> Mapping[str, Mapping[str, Any]]:
    return {name: _checked(directory, name) for name in CONTRACTS}


def _checked_together(contracts: Contracts, packaged: Contracts) -> Contracts:
    check_against_code(contracts.documents, packaged.documents)
    _check_references(contracts)
    _check_signers(contracts)
    return contracts


def _checked(directory: Traversable, name: str) -> Mapping[str, Any]:
    file = f"{name}.json"
    try:
        document = json.loads(directory.joinpath(file).read_text(encoding="utf-8"), object_pairs_hook=_once_each)
    except _TwiceError as error:
        raise ContractError(
            f"The contract has the field {error} twice", where=file, remedy="Leave the one that holds."
        ) from None
    except FileNotFoundError:
        raise ContractError(
            "The contract is missing",
            where=str(directory.joinpath(file)),
            remedy="Put it there: all eight stand together, those of the release where none has changed.",
        ) from None
    except OSError as error:
        raise ContractError(
            f"The contract cannot be read ({type(error).__name__})",
            where=str(directory.joinpath(file)),
            remedy="Let the account that the runtime runs as read it.",
        ) from None
    except ValueError as error:
        place = f"{file} line {error.lineno}" if isinstance(error, json.JSONDecodeError) else file
        raise ContractError("The contract is not JSON", where=place, remedy="Restore it from the release.") from None
    _check_version(document, file)
    schema_file = files("tenant_pipeline.contracts").joinpath("schemas", f"{name}.schema.json")
    schema = json.loads(schema_file.read_text(encoding="utf-8"))
    for problem in Draft202012Validator(schema).iter_errors(document):
        raise ContractError(
            f"The contract breaks its schema: {problem.message[:200]}",
            where=f"{file}#/{'/'.join(str(part) for part in problem.absolute_path)}",
            remedy="Mend the contract, or restore it from the release.",
        )
    _check_labels(document, file)
    checked: Mapping[str, Any] = document
    return checked


class _TwiceError(Exception):
    """A field stands twice in one object of JSON: which of the two was meant, nobody can tell."""


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for name in names if names.count(name) > 1))
    return fields


def _check_version(document: Any, file: str) -> None:
    version = document.get("schema_version", "") if isinstance(document, dict) else ""
    parts = str(version).split(".")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        raise ContractError("The contract has no semantic version", where=f"{file}#/schema_version")
    if (int(parts[0]), int(parts[1])) > SUPPORTED_VERSION:
        raise ContractError(
            f"The contract is of version {version}, newer than this code understands",
            where=f"{file}#/schema_version",
            remedy=f"Install a newer release, or use a contract of version {'.'.join(map(str, SUPPORTED_VERSION))}.",
        )


def _check_labels(value: Any, file: str, pointer: str = "") -> None:
    """Every label in Thai, English and Chinese, wherever it stands."""
    for key, child in _children(value):
        place = f"{pointer}/{key}"
        if key == "label" and any(not str(child.get(language, "")).strip() for language in LANGUAGES):
            raise ContractError(
                "A label is missing in one of its three languages",
                where=f"{file}#{place}",
                remedy="Give it in th, en and zh.",
            )
        _check_labels(child, file, place)


def _children(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _check_references(contracts: Contracts) -> None:
    """Types, properties and gates that are named anywhere exist."""
    vocabulary = contracts.vocabulary
    for definition in vocabulary.types.values():
        if definition.parent is not None:
            vocabulary.type(definition.parent)
        for name in (*definition.properties, *definition.expected):
            vocabulary.property(name)
    for number, mapping in enumerate(contracts.mappings.mappings):
        allowed = vocabulary.properties_of(mapping.type)
        for place, name in (
            *((f"rules/{position}/property", rule.property) for position, rule in enumerate(mapping.rules)),
            *((f"constants/{property_}", property_) for property_ in mapping.constants),
        ):
            vocabulary.property(name)
            if name not in allowed:
                raise ContractError(
                    f"The mapping {mapping.id} says a property that {mapping.type} does not have: {name}",
                    where=f"source_mapping_engine.json#/mappings/{number}/{place}",
                    remedy=f"Add it to the properties of {mapping.type} in living_city.json, or leave it out.",
                )
    for synonym in contracts.mappings.synonyms:
        if synonym.property not in ("latitude", "longitude"):
            vocabulary.property(synonym.property)
    for name in (
        contracts.mappings.otherwise_type,
        *(type_ for type_, _ in contracts.mappings.type_by_properties),
        *contracts.template_types,
    ):
        vocabulary.type(name)
    for name in (
        contracts.mappings.otherwise_property,
        *(each for _, properties in contracts.mappings.type_by_properties for each in properties),
    ):
        if name not in ("latitude", "longitude"):
            vocabulary.property(name)
    for field_rule in contracts.pii_policy.fields:
        for name in field_rule.properties:
            vocabulary.property(name)
    state = contracts.documents["hybrid_intake_workspace"]["state_model"]
    for field in state["persisted_fields"]:
        if not {field} <= state["state_merge_rules"].keys() & state["write_roles"].keys():
            raise ContractError(
                f"The field {field} has no merge rule, or nobody to write it",
                where="hybrid_intake_workspace.json#/state_model",
                remedy="Give it both.",
            )
    roles = set(contracts.tenant_roles)
    for where, named in (
        ("approval_matrix.json#/never_delegated", set(contracts.roles_never_delegated)),
        ("hybrid_intake_workspace.json#/state_model/write_roles", set().union(*state["write_roles"].values())),
    ):
        if named - roles:
            raise ContractError(
                f"There is no role of a tenant: {', '.join(sorted(named - roles))}",
                where=where,
                remedy=f"One of {', '.join(contracts.tenant_roles)}.",
            )
    gates = {gate.id for gate in contracts.review_gates}
    for row in contracts.documents["approval_matrix"]["rows"]:
        if row["gate"] not in gates:
            raise ContractError(f"There is no gate {row['gate']}", where=f"approval_matrix.json#/rows ({row['id']})")


def _check_signers(contracts: Contracts) -> None:
    """Who signs at a gate stands in the approval matrix, and the review gates say the same."""
    rows = contracts.documents["approval_matrix"]["rows"]
    for gate in contracts.review_gates:
        named = [row for row in rows if row["gate"] == gate.id]
        if len(named) != 1:
            raise ContractError(
                f"The gate {gate.id} has {len(named)} rows", where="approval_matrix.json#/rows", remedy="Give it one."
            )
        (row,) = named
        where = f"approval_matrix.json#/rows ({row['id']})"
        for role in row["approvers"]:
            if role not in contracts.tenant_roles:
                raise ContractError(
                    f"There is no role of a tenant: {role}",
                    where=where,
                    remedy=f"One of {', '.join(contracts.tenant_roles)}.",
                )
        people = max(2, len(row["approvers"])) if gate.dual else 1
        if set(row["approvers"]) != set(gate.roles) or row["distinct_people"] != people:
            raise ContractError(
                f"The contracts disagree on who signs at {gate.id}",
                where=where,
                remedy="Give the gate in enterprise_intake.json#/review_gates the same roles, and `dual` where each of"
                " them has to sign.",
            )
        if gate.id == ApprovalGate.CONFLICT_RESOLUTION and gate.dual:
            raise ContractError(
                "A conflict is signed by one person here, and the matrix asks for more",
                where=where,
                remedy="Set distinct_people to 1, and `dual` of the review gate to false.",
            )
        if gate.id == ApprovalGate.TENANT_INSTANTIATE and not row.get("founder_for_first_pilot", False):
            raise ContractError(
                "The founder signs for the first pilot: enterprise_intake.json#/tenant_ownership says so",
                where=where,
                remedy="Set founder_for_first_pilot to true.",
            )
