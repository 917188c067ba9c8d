"""Why the rules propose what they propose, in sentences for the person who is to sign."""

from __future__ import annotations

from tenant_pipeline.core.conflict.comparison import Candidate, ConflictItem
from tenant_pipeline.core.conflict.resolution import NO_WITNESS
from tenant_pipeline.core.statement import AI_TIER


def explain(item: ConflictItem) -> list[str]:
    """The sentences about an item's verdict and proposal, the rule's own first. They name no value."""
    best = min(one.authority_tier for one in item.candidates)
    says_it = [one for one in item.candidates if one.value == item.proposed_value]
    sentences = [_of_rule(item, best, says_it), f"The values were compared by {item.rule}: {item.verdict}."]
    if item.needs_person:
        sentences.append(f"Sources of tier {best} differ, so that a person decides whatever the ranking says.")
    return sentences


def _of_rule(item: ConflictItem, best: int, says_it: list[Candidate]) -> str:
    match item.proposed_rule:
        case "authority_tier":
            return f"It is the only value that a source of tier {best}, the best among them, has."
        case "independent_corroboration":
            witnesses = {
                one.source_id for one in says_it if one.origin not in NO_WITNESS and one.authority_tier < AI_TIER
            }
            return (
                f"Of the values of tier {best} most sources say it: {len(witnesses)} of"
                f" {len({one.source_id for one in item.candidates})}. What an AI wrote is not counted."
            )
        case "recency":
            latest = max(one.observed_at for one in says_it)[:10]
            return f"Of the values of tier {best} that are said equally often it was observed last, on {latest}."
        case "statement_id":
            return "Nothing tells the best values apart: it is the first by statement id, whichever source came first."
    return f"It is proposed by the rule {item.proposed_rule}."
