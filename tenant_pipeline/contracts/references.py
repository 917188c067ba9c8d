"""Hold contracts against one another: what one names, it or another defines."""

from __future__ import annotations

from tenant_pipeline.contracts.contracts import Contracts
from tenant_pipeline.core.approval.operation import ApprovalGate
from tenant_pipeline.core.errors import ContractError


def check_references(contracts: Contracts) -> None:
    """Return where whatever the contracts name is defined. Raises ContractError naming the file and the place in it."""
    _check_names(contracts)
    _check_shared_fields(contracts)
    _check_roles(contracts)


def _check_names(contracts: Contracts) -> None:
    """Types and properties that are named anywhere exist, and a mapping says only properties that its type has."""
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


def _check_shared_fields(contracts: Contracts) -> None:
    """Each field of the workspace's shared document has a merge rule, and roles that may write it."""
    state = contracts.documents["hybrid_intake_workspace"]["state_model"]
    for field in state["persisted_fields"]:
        if not {field} <= state["state_merge_rules"].keys() & state["write_roles"].keys():
            raise ContractError(
                f"The field {field} has no merge rule, or nobody to write it",
                where="hybrid_intake_workspace.json#/state_model",
                remedy="Give it both.",
            )


def _check_roles(contracts: Contracts) -> None:
    """Who never delegates, and who may write a shared field, is a role of a tenant."""
    roles = set(contracts.tenant_roles)
    writing = contracts.documents["hybrid_intake_workspace"]["state_model"]["write_roles"]
    for where, named in (
        ("approval_matrix.json#/never_delegated", set(contracts.roles_never_delegated)),
        ("hybrid_intake_workspace.json#/state_model/write_roles", set().union(*writing.values())),
    ):
        if named - roles:
            raise ContractError(
                f"There is no role of a tenant: {', '.join(sorted(named - roles))}",
                where=where,
                remedy=f"One of {', '.join(contracts.tenant_roles)}.",
            )


def check_signers(contracts: Contracts) -> None:
    """Return where the approval matrix says of each gate who signs there, and the review gates say the same.

    Raises ContractError naming the file and the place in it.
    """
    rows = contracts.documents["approval_matrix"]["rows"]
    gates = {gate.id for gate in contracts.review_gates}
    for row in rows:
        if row["gate"] not in gates:
            raise ContractError(f"There is no gate {row['gate']}", where=f"approval_matrix.json#/rows ({row['id']})")
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
