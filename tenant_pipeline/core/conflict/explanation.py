"""Why an item stands in the matrix and what is proposed, in sentences for the person who is to sign."""

from __future__ import annotations

from tenant_pipeline.core.conflict.comparators.registry import SENTENCES
from tenant_pipeline.core.conflict.comparison import ConflictItem
from tenant_pipeline.core.sentences.saying import say


def explanation(item: ConflictItem) -> list[str]:
    """How the values were compared, how the proposal came about, what the sources' record says of it, and why a person
    must decide where the rules may not. The sentences quote no value.
    """
    sentences = [SENTENCES[item.rule], *item.explanation]
    share = item.advice.get(item.proposed_value or "")
    if share is not None:
        sentences.append(
            say("By the record of its sources, the proposed value is {share:figure} likely.", share=f"{share:.0%}")
        )
        likeliest = max(item.advice.values())
        if likeliest > share:
            sentences.append(
                say("By that record another value is likelier: {likeliest:figure}.", likeliest=f"{likeliest:.0%}")
            )
    if item.needs_person:
        reason = f"{item.needs_person_reason[:1].lower()}{item.needs_person_reason[1:]}"
        sentences.append(say("A person must decide: {reason:sentence}", reason=reason))
    return sentences
