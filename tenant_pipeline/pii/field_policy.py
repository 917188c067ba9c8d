"""What holds for one field: the contract's rule for the type or the field, and what the tenant has declared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from tenant_pipeline.core.contract_terms import PiiFieldRule, PiiPolicy
from tenant_pipeline.core.tables import TableDescriptor
from tenant_pipeline.pii.declarations import CONTACT_TYPES, Declaration, DeclaredClass, FieldMeaning
from tenant_pipeline.pii.field_phrases import FieldPhrases, field_phrases
from tenant_pipeline.pii.policy import Action, action_for, action_named
from tenant_pipeline.pii.special_categories import SPECIAL_CATEGORY, SpecialCategory, category_of


@dataclass(frozen=True)
class Ruling:
    """An action, and the id of the declaration that it follows from; "" where it is the contract's."""

    action: Action
    declaration: str = ""


@dataclass(frozen=True)
class WholeField:
    """What every value of a field is, whatever it looks like."""

    entity_type: str
    ruling: Ruling
    category: str = ""
    signed: bool = False
    """Whether somebody answers for it: then nothing within the values is asked about."""


@dataclass(frozen=True)
class FieldPolicy:
    """The rulings for one field. `whole` goes before what is found within its values, unless that asks for more."""

    policy: PiiPolicy
    rules: tuple[PiiFieldRule, ...] = ()
    declarations: tuple[Declaration, ...] = ()
    whole: WholeField | None = None
    _known: dict[str, Ruling] = field(default_factory=dict, init=False, repr=False, compare=False)

    def ruling(self, entity_type: str) -> Ruling:
        """What becomes of a value of this type here. Raises ContractError for an action that does not exist."""
        if entity_type not in self._known:
            self._known[entity_type] = self._ruling(entity_type)
        return self._known[entity_type]

    def _ruling(self, entity_type: str) -> Ruling:
        named = [rule for rule in self.rules if entity_type in rule.entity_types]
        contract = action_named(named[0].action, entity_type) if named else action_for(self.policy, entity_type)
        return _declared(Ruling(contract), entity_type, self.declarations)


def field_policy(
    policy: PiiPolicy,
    descriptor: TableDescriptor,
    name: str,
    meaning: FieldMeaning | None,
    declarations: Sequence[Declaration],
    *,
    values: Callable[[], Iterable[str]],
    holds_persons: Callable[[], bool],
) -> FieldPolicy:
    """What holds for the field of that name. `values` are its distinct values, `holds_persons` says so of its table."""
    rules = tuple(rule for rule in policy.fields if _applies(rule, name, meaning))
    about = tuple(one for one in declarations if one.is_about(descriptor, name, meaning))
    category = _category(name, about, values, holds_persons)
    if category is not None:
        of_contract = Ruling(action_named(policy.special_category_action, SPECIAL_CATEGORY), category[1])
        ruling = _declared(of_contract, SPECIAL_CATEGORY, about)
        signed = any(one.signed for one in about if one.id == category[1])
        return FieldPolicy(policy, rules, about, WholeField(SPECIAL_CATEGORY, ruling, str(category[0]), signed))
    for rule in rules:
        if rule.holds:
            ruling = _declared(Ruling(action_named(rule.action, rule.holds)), rule.holds, about)
            return FieldPolicy(policy, rules, about, WholeField(rule.holds, ruling))
    return FieldPolicy(policy, rules, about)


def _category(
    name: str,
    declarations: Sequence[Declaration],
    values: Callable[[], Iterable[str]],
    holds_persons: Callable[[], bool],
) -> tuple[SpecialCategory, str] | None:
    for one in declarations:
        if one.declared is DeclaredClass.SPECIAL_CATEGORY and one.category is not None:
            return one.category, one.id
    if any(one.declared is DeclaredClass.NO_SPECIAL_CATEGORY and one.signed for one in declarations):
        return None
    found = category_of(name, values, holds_persons)
    return None if found is None else (found, "")


def _applies(rule: PiiFieldRule, name: str, meaning: FieldMeaning | None) -> bool:
    return _phrases(rule.words).found_in(name) or (meaning is not None and meaning.property in rule.properties)


@lru_cache(maxsize=64)
def _phrases(words: tuple[str, ...]) -> FieldPhrases:
    return field_phrases(words)


def _declared(contract: Ruling, entity_type: str, declarations: Sequence[Declaration]) -> Ruling:
    """The strictest of what is signed stands instead of the contract's; what is not signed can only be stricter."""
    said = [
        (Ruling(action, one.id), one.signed)
        for one in declarations
        if (action := _action_of(one, entity_type)) is not None
    ]
    signed = [ruling for ruling, is_signed in said if is_signed]
    start = max(signed, key=lambda ruling: ruling.action.strictness) if signed else contract
    return max((start, *(ruling for ruling, is_signed in said if not is_signed)), key=lambda one: one.action.strictness)


def _action_of(declaration: Declaration, entity_type: str) -> Action | None:
    if declaration.declared is DeclaredClass.BUSINESS_CONTACT:
        return Action.ALLOW if entity_type in CONTACT_TYPES and entity_type in declaration.entity_types else None
    if declaration.declared is DeclaredClass.ACTION and entity_type in declaration.entity_types:
        return declaration.action
    return None
