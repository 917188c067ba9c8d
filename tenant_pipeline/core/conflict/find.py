"""Find the items of the conflict matrix among what sources say of the same entities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from functools import cache
from itertools import combinations, groupby
from operator import itemgetter

import pandas as pd

from tenant_pipeline.core.conflict.comparators.registry import EQUAL_AFTER_STANDARDISATION, compare
from tenant_pipeline.core.conflict.comparison import SEVERITY, Candidate, Compared, ConflictItem, Verdict
from tenant_pipeline.core.conflict.resolution import MOST_VALUES, Proposal, propose
from tenant_pipeline.core.conflict.standing import SourceStanding
from tenant_pipeline.core.conflict.validity import VALID_AT_DIFFERENT_TIMES, hold_together
from tenant_pipeline.core.digest import sha256_of_json
from tenant_pipeline.core.sentences.saying import say
from tenant_pipeline.core.vocabulary import PropertyDefinition, Vocabulary

RULES_VERSION = "2.0.0"

_GROUP = ["canonical_id", "property", "lang"]
_CANDIDATE = [
    "source_id", "statement_id", "value", "raw_value", "locator", "authority_tier", "origin", "observed_at",
    "valid_from", "valid_to",
]  # fmt: skip
_TEXT = [column for column in _CANDIDATE if column not in ("value", "authority_tier")] + ["lang"]


def find_conflicts(
    frame: pd.DataFrame, vocabulary: Vocabulary, standings: Mapping[str, SourceStanding] | None = None
) -> list[ConflictItem]:
    """The items among these candidates: whole groups of an entity's property in one language, whatever their order.

    A single-valued property that two sources write differently is an item, also when a rule finds the values to be
    the same: each difference is explained. What an AI wrote counts as another source than the one it lies in. Values
    of a property that may have several unite and never conflict, absent values are no candidates, and values that held
    at different times do not contradict each other. `standings` are what is known of the sources' record.
    """
    single = {name for name, definition in vocabulary.properties.items() if not definition.multi_valued}
    frame = frame[frame["property"].isin(single) & frame["value"].fillna("").ne("")]
    if frame.empty:
        return []
    missing = {column: "" for column in ("valid_from", "valid_to") if column not in frame.columns}
    frame = frame.assign(**missing)
    frame = frame.assign(**{column: frame[column].astype("string").fillna("") for column in _TEXT})
    frame["speaker"] = frame["source_id"] + frame["authority_tier"].astype("string")
    grouped = frame.groupby(_GROUP, sort=False)
    sources = grouped["speaker"].transform("nunique")
    written = grouped["raw_value"].transform("nunique")
    values = grouped["value"].transform("nunique")
    disputed = frame[(sources >= 2) & ((written >= 2) | (values >= 2))].sort_values(_GROUP)
    columns = [disputed[column].tolist() for column in (*_GROUP, "type", *_CANDIDATE)]
    items = []
    for (canonical_id, property_, lang), rows in groupby(zip(*columns, strict=True), key=itemgetter(0, 1, 2)):
        group = list(rows)
        candidates = sorted(
            (
                Candidate(source, statement, value, raw, locator, int(tier), origin, observed, begins, ends)
                for _, _, _, _, source, statement, value, raw, locator, tier, origin, observed, begins, ends in group
            ),
            key=lambda one: (one.authority_tier, *map(str, astuple(one))),
        )
        type_ = min(row[3] for row in group)
        definition = vocabulary.property(property_)
        items.append(_item(canonical_id, type_, definition, lang, tuple(candidates), standings))
    return items


def _item(
    canonical_id: str,
    type_: str,
    definition: PropertyDefinition,
    lang: str,
    candidates: tuple[Candidate, ...],
    standings: Mapping[str, SourceStanding] | None,
) -> ConflictItem:
    known: dict[tuple[str, str], Compared] = {}

    def compared(left: str, right: str) -> Compared:
        pair = (left, right) if left <= right else (right, left)
        if pair not in known:
            known[pair] = compare(*pair, lang, definition)
        return known[pair]

    def proposed(among: Sequence[Candidate]) -> Proposal:
        return propose(among, lambda left, right: compared(left, right).verdict, standings)

    proposal = proposed(candidates)
    values = sorted({one.value for one in candidates})
    pairs = (
        list(combinations(values, 2))
        if len(values) <= MOST_VALUES
        else [(proposal.value, value) for value in values if value != proposal.value]
    )
    apart = _apart(candidates)
    at_one_time = [pair for pair in pairs if not apart(*pair)]
    in_turn = len(at_one_time) < len(pairs)
    at_first = Compared(Verdict.SAME, VALID_AT_DIFFERENT_TIMES if in_turn else EQUAL_AFTER_STANDARDISATION)
    worst = max([at_first, *(compared(*pair) for pair in at_one_time)], key=_gravity)
    reason = _why_a_person(proposal, len(values), in_turn, worst.verdict)
    proposed_values = _one_for_each_time(proposal.value, candidates, apart, proposed) if in_turn else (proposal.value,)
    explanation = proposal.explanation
    if (count := len(proposed_values)) > 1:
        explanation += (say("{count:figure} values are proposed, each for its own time.", count=count),)
    return ConflictItem(
        canonical_id=canonical_id,
        type=type_,
        property=definition.name,
        lang=lang,
        verdict=worst.verdict,
        rule=worst.rule,
        candidates=candidates,
        candidates_digest=candidates_digest(candidates),
        proposed_value=proposal.value,
        proposed_rule=proposal.rule,
        needs_person=bool(reason),
        needs_person_reason=reason,
        explanation=explanation,
        advice=proposal.advice,
        proposed_values=proposed_values,
    )


def _gravity(found: Compared) -> tuple[int, bool]:
    """What tells the gravest; of equal verdicts, any rule tells more than that the values are equal."""
    return SEVERITY[found.verdict], found.rule != EQUAL_AFTER_STANDARDISATION


def _why_a_person(proposal: Proposal, values: int, in_turn: bool, verdict: Verdict) -> str:
    """Why the rules must not decide alone between so many values, "" where they may."""
    if in_turn and verdict is Verdict.SAME and values <= MOST_VALUES:
        return ""  # What held at other times contradicts nothing, on whatever authority.
    if proposal.needs_person_reason:
        return proposal.needs_person_reason
    if values > MOST_VALUES:
        return say(
            "There are {count:figure} different values: perhaps several things were taken for one.", count=values
        )
    if in_turn:
        return say("Some of the values held one after the other, and others at one time.")
    return ""


def _apart(candidates: Sequence[Candidate]) -> Callable[[str, str], bool]:
    """Whether two values are said to have held one after the other, by all who say them."""
    if not any(one.valid_from or one.valid_to for one in candidates):
        return lambda left, right: False
    said: dict[str, list[Candidate]] = {}
    for one in candidates:
        said.setdefault(one.value, []).append(one)

    @cache
    def apart(left: str, right: str) -> bool:
        return left != right and not hold_together(said[left], said[right])

    return apart


def _one_for_each_time(
    first: str,
    candidates: Sequence[Candidate],
    apart: Callable[[str, str], bool],
    proposed: Callable[[Sequence[Candidate]], Proposal],
) -> tuple[str, ...]:
    """`first`, and of the values that held at another time than all of these again what is proposed.

    Of too many values, all: what is left out here is released nowhere, and a person is asked.
    """
    if len({one.value for one in candidates}) > MOST_VALUES:
        return tuple(sorted({one.value for one in candidates}))
    found, left = [first], candidates
    while left := [one for one in left if apart(one.value, found[-1])]:
        found.append(proposed(left).value)
    return tuple(found)


def candidates_digest(candidates: Sequence[Candidate]) -> str:
    """What a sign-off covers: who says what, on what authority, for when; and this version of the rules.

    Not where it stands and when it was last seen: a feed that says the same again reopens nothing.
    """
    seen = sorted(
        [one.source_id, one.statement_id, one.value, one.raw_value, str(one.authority_tier), one.origin, one.valid_from,
         one.valid_to]
        for one in candidates
    )  # fmt: skip
    return sha256_of_json([RULES_VERSION, seen])
