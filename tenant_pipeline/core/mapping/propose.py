"""A mapping proposed for a table that nobody declared one for, from its fields' names and a sample of its values."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass, field

from tenant_pipeline.core.mapping.choose import choose, is_declared
from tenant_pipeline.core.mapping.content_profile import SAMPLE_ROWS, Profile, profile
from tenant_pipeline.core.mapping.definition import FIRST_VERSION, mapping_id_for
from tenant_pipeline.core.mapping.field_names import known_names, type_by_name
from tenant_pipeline.core.mapping.mapping import Mapping, MappingRules, Rule, field_key
from tenant_pipeline.core.mapping.proposal import Alternative, Conflict, FieldProposal, Proposal
from tenant_pipeline.core.mapping.weighing import LATITUDE, LONGITUDE, Candidate, weigh
from tenant_pipeline.core.vocabulary import Vocabulary

FLOOR = 0.6
"""The confidence below which a field stays unmapped."""
TYPE_WORD = 0.3
"""What a word for a type beside a name adds to what speaks for that type."""
MOST_ALTERNATIVES = 3
_HALVES = frozenset({LATITUDE, LONGITUDE})


@dataclass
class _Field:
    """A field on its way to a proposal."""

    name: str
    found: Profile
    candidates: list[Candidate]
    taken: Candidate | None = None
    notes: list[str] = field(default_factory=list)


def propose_for_table(
    rules: MappingRules,
    vocabulary: Vocabulary,
    fields: Sequence[str],
    shape: str,
    origin: str,
    sample_rows: Sequence[Sequence[str | None]],
) -> Proposal:
    """Propose a mapping for a table with these fields.

    `sample_rows` are rows as they come from the PII screen, cells in the order of `fields`; at most SAMPLE_ROWS of
    them are looked at. Pure: the same table gets the same proposal.
    """
    rows = sample_rows[:SAMPLE_ROWS]
    known = known_names(rules)
    table: list[_Field] = []
    seen: set[str] = set()
    for position, name in enumerate(fields):
        values = [row[position] if position < len(row) else None for row in rows]
        found, key = profile(values), field_key(name)
        each = _Field(name, found, [])
        if not key:
            each.notes.append("its name has no letter and no digit, so no rule can name it")
        elif key in seen:
            each.notes.append("another field has the same name, and only the first of them is read")
        else:
            each.candidates = weigh(name, values, found, known, vocabulary)
        seen.add(key)
        table.append(each)
    type_, why = _type(table, rules, vocabulary)
    conflicts = _assign(table, vocabulary, _allowed(vocabulary, type_), type_)
    conflicts += _pair_up(table)
    today = choose(rules, fields, shape, origin)
    return Proposal(
        mapping=_mapping(table, fields, shape, type_),
        type=type_,
        type_reason=why,
        fields=tuple(_told(each) for each in table),
        conflicts=tuple(conflicts),
        sampled_rows=len(rows),
        today=today.mapping.id,
        today_reason=today.reason,
        declared=is_declared(today),
    )


def _type(table: Sequence[_Field], rules: MappingRules, vocabulary: Vocabulary) -> tuple[str, str]:
    """The type that most of what is known fits: one that a name's words say, or one that the properties tell."""
    best = [(each, each.candidates[0]) for each in table if each.candidates and each.candidates[0].confidence >= FLOOR]
    if not best:
        return rules.otherwise_type, "no field is known surely enough"
    said = [type_by_name(each.name) for each, candidate in best if candidate.property == "name"]
    properties = {candidate.property for _, candidate in best} | (
        {LATITUDE} if any(candidate.property == "geo" for _, candidate in best) else set()
    )
    told = [type_ for type_, telling in rules.type_by_properties if telling & properties]
    weights: dict[str, float] = {}
    for type_ in [*(name for name in said if name in vocabulary.types), *told, rules.otherwise_type]:
        if type_ is None or type_ in weights:
            continue
        allowed = _allowed(vocabulary, type_)
        weights[type_] = sum(
            max((each.confidence for each in one.candidates if each.property in allowed and each.confidence >= FLOOR),
                default=0.0)
            for one in table
        ) + TYPE_WORD * said.count(type_)  # fmt: skip
    chosen = max(weights, key=lambda type_: weights[type_])
    how = "a word beside a name says so" if chosen in said else "its properties tell it"
    fitting = sum(candidate.property in _allowed(vocabulary, chosen) for _, candidate in best)
    return chosen, f"{how}, and it has {fitting} of the {len(best)} properties that are known"


def _allowed(vocabulary: Vocabulary, type_: str) -> set[str]:
    """The properties of a type, and the halves of a position where it may have one."""
    allowed = vocabulary.properties_of(type_)
    return allowed | _HALVES if "geo" in allowed else allowed


def _assign(table: Sequence[_Field], vocabulary: Vocabulary, allowed: set[str], type_: str) -> list[Conflict]:
    """Give each field the surest meaning that nobody surer has taken. Properties with many values take many fields."""
    holders: dict[tuple[str, str], _Field] = {}
    lost: dict[tuple[str, str], list[_Field]] = {}
    pairs = [(each, candidate) for each in table for candidate in each.candidates if candidate.confidence >= FLOOR]
    for each, candidate in sorted(pairs, key=lambda pair: -pair[1].confidence):
        if each.taken is not None:
            continue
        if candidate.property not in allowed:
            each.notes.append(f"it looks like {candidate.property}, which {_article(type_)} does not have")
            continue
        place = (candidate.property, candidate.lang)
        definition = vocabulary.properties.get(candidate.property)
        if place in holders and not (definition is not None and definition.multi_valued):
            lost.setdefault(place, []).append(each)
            each.notes.append(
                f"{_slot(*place)} is taken by the field {holders[place].name!r},"
                f" {_by_how_much(holders[place], candidate)}"
            )
            continue
        holders.setdefault(place, each)
        each.taken = candidate
    return [
        Conflict(
            property_,
            lang,
            holders[property_, lang].name,
            tuple(each.name for each in others),
            "kept the field with the greatest confidence, and of equals the first",
        )
        for (property_, lang), others in lost.items()
    ]


def _by_how_much(holder: _Field, candidate: Candidate) -> str:
    confidence = holder.taken.confidence if holder.taken else 0.0
    if confidence == candidate.confidence:
        return "which comes first"
    return f"which is surer ({confidence:.2f} against {candidate.confidence:.2f})"


def _pair_up(table: Sequence[_Field]) -> list[Conflict]:
    """A latitude needs its longitude, and a table has one position: halves without the other give way."""
    halves = {each.taken.property: each for each in table if each.taken and each.taken.property in _HALVES}
    whole = next((each for each in table if each.taken and each.taken.property == "geo"), None)
    if not halves:
        return []
    if len(halves) == 1:
        (single,) = halves.values()
        single.taken = None
        single.notes.append("half of a position means nothing, and no field is the other half")
        return []
    if whole is None or whole.taken is None:
        return []
    pair = [halves[LATITUDE], halves[LONGITUDE]]
    if min(half.taken.confidence for half in pair if half.taken) >= whole.taken.confidence:
        winner, losers = " and ".join(half.name for half in pair), [whole]
    else:
        winner, losers = whole.name, pair
    for loser in losers:
        loser.taken = None
        loser.notes.append(f"the position is taken from {winner}")
    return [Conflict("geo", "", winner, tuple(loser.name for loser in losers), "kept the surer position")]


def _mapping(table: Sequence[_Field], fields: Sequence[str], shape: str, type_: str) -> Mapping | None:
    taken = [(each, each.taken) for each in table if each.taken is not None]
    if not taken:
        return None
    halves: MappingOf[str, str] = {one.property: each.name for each, one in taken if one.property in _HALVES}
    made = [
        Rule(one.property, (each.name,), one.lang, template=one.template)
        for each, one in taken
        if one.property not in _HALVES
    ]
    if halves:
        made.append(Rule("geo", latitude=(halves[LATITUDE],), longitude=(halves[LONGITUDE],)))
    return Mapping(
        id=mapping_id_for(fields, shape),
        version=FIRST_VERSION,
        type=type_,
        shape=shape,
        origins=(),
        all_of=tuple(dict.fromkeys(name for name in fields if field_key(name))),
        any_of=(),
        key=tuple(each.name for each, one in taken if one.property == "identifier" and _names_each_record(each)),
        rules=tuple(made),
        constants={},
    )


def _names_each_record(each: _Field) -> bool:
    return each.found.distinct and 0 < each.found.values == each.found.rows


def _told(each: _Field) -> FieldProposal:
    best = each.taken or (each.candidates[0] if each.candidates else None)
    alternatives = tuple(
        Alternative(one.property, one.lang, round(one.confidence, 2))
        for one in [candidate for candidate in each.candidates if candidate is not each.taken][:MOST_ALTERNATIVES]
    )
    reasons = list(best.reasons) if best else []
    if each.taken is None:
        if best is None:
            reasons.append("stays unmapped: neither its name nor its values say what it means")
        elif best.confidence < FLOOR:
            guess = _slot(best.property, best.lang)
            reasons.append(f"stays unmapped: {guess} has confidence {best.confidence:.2f}, below {FLOOR}")
        else:
            reasons.append("stays unmapped")
    return FieldProposal(
        field=each.name,
        property=each.taken.property if each.taken else "",
        lang=each.taken.lang if each.taken else "",
        confidence=round(best.confidence, 2) if best else 0.0,
        reasons=(*reasons, *each.notes),
        alternatives=alternatives,
        values=each.found.values,
        share=round(each.taken.share, 4) if each.taken and each.taken.share is not None else None,
    )


def _slot(property_: str, lang: str) -> str:
    return f"{property_}@{lang}" if lang else property_


def _article(type_: str) -> str:
    return f"{'an' if type_[:1] in 'AEIOU' else 'a'} {type_}"
