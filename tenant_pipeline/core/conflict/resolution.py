"""Which value the rules propose. They propose: a person signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenant_pipeline.core.conflict.comparison import Candidate
from tenant_pipeline.core.statement import AI_TIER

NO_WITNESS = frozenset({"chatgpt", "claude", "gemini", "perplexity"})
"""Origins that repeat what others have said: never counted as confirming a value, nor are an AI's words elsewhere."""


@dataclass(frozen=True)
class Proposal:
    """The proposed value, the rule that decided, and whether the rules must not decide alone."""

    value: str
    rule: str
    needs_person: bool


def propose(candidates: Sequence[Candidate], differing: bool) -> Proposal:
    """The value that ranks first: by authority tier, then independent corroboration, then recency, then statement id.

    Only values of the best tier compete. Where sources of tier 1 differ, a person decides whatever the ranking says.
    """
    best = min(candidate.authority_tier for candidate in candidates)
    competing = [candidate for candidate in candidates if candidate.authority_tier == best]
    values = sorted({candidate.value for candidate in competing})
    if len(values) == 1:
        return Proposal(values[0], "authority_tier", False)
    needs_person = differing and best == 1

    witnesses = {
        value: len({one.source_id for one in candidates if one.value == value and _is_witness(one)}) for value in values
    }
    most = max(witnesses.values())
    confirmed = [value for value in values if witnesses[value] == most]
    if len(confirmed) == 1:
        return Proposal(confirmed[0], "independent_corroboration", needs_person)

    latest = {value: max(one.observed_at for one in competing if one.value == value) for value in confirmed}
    newest = max(latest.values())
    recent = [value for value in confirmed if latest[value] == newest]
    if len(recent) == 1:
        return Proposal(recent[0], "recency", needs_person)
    first = min((one for one in competing if one.value in recent), key=lambda one: (one.statement_id, one.value))
    return Proposal(first.value, "statement_id", needs_person)


def _is_witness(candidate: Candidate) -> bool:
    return candidate.origin not in NO_WITNESS and candidate.authority_tier < AI_TIER
