"""Names: compared within a language, by their keys."""

from __future__ import annotations

from rapidfuzz.distance import JaroWinkler

from tenant_pipeline.linking.comparators.evidence import Evidence
from tenant_pipeline.linking.features import Features

NEARLY = 0.93
ALIKE = 0.85


def names(left: Features, right: Features) -> Evidence | None:
    """The best agreement of their names in a language that both have; None without such a language.

    Names that are the same in a second language weigh more than the one: translations seldom agree by chance.
    """
    best: Evidence | None = None
    agreeing: set[str] = set()
    for one in left.values.get("name", []):
        for other in right.values.get("name", []):
            language, _, text = one.partition(":")
            other_language, _, other_text = other.partition(":")
            if language != other_language or not text or not other_text:
                continue
            found = _compare(language, text, other_text)
            if text == other_text:
                agreeing.add(language)
            if best is None or found.bits > best.bits:
                best = found
    if best is not None and len(agreeing) > 1:
        return Evidence("names", best.bits + 3.0, f"Their names in {' and '.join(sorted(agreeing))} are the same.")
    return best


def _compare(language: str, text: str, other: str) -> Evidence:
    if text == other:
        return Evidence("names", 9.0 if len(text) > 3 else 5.0, f"Their names in {language} are the same.")
    similarity = JaroWinkler.similarity(text, other)
    if similarity >= NEARLY:
        return Evidence("names", 5.0, f"Their names in {language} are nearly the same ({similarity:.2f}).")
    if similarity >= ALIKE:
        return Evidence("names", 1.0, f"Their names in {language} are alike ({similarity:.2f}).")
    return Evidence("names", -8.0, f"Their names in {language} differ ({similarity:.2f}).")
