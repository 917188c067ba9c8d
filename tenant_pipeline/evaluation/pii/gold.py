"""Gold data for personal data: texts with the spans that persons marked in them, and how labels become our types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tenant_pipeline.pii.recognisers.registry import RECOGNISERS


@dataclass(frozen=True, order=True)
class Span:
    """A marked stretch of a text: offsets in characters, and its label or type."""

    start: int
    end: int
    type: str

    def overlaps(self, other: Span) -> bool:
        """Whether the two share a character."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class GoldText:
    """A text, its language (`th`, `en`, `zh`), what is marked in it and where it stands."""

    text: str
    language: str
    spans: tuple[Span, ...]
    place: str
    source: str = ""


@dataclass(frozen=True)
class GoldSet:
    """A data set: its texts, and the labels of its own that mean one of our types (None: nothing of ours)."""

    name: str
    texts: tuple[GoldText, ...]
    types: Mapping[str, str | None]

    def type_of(self, label: str) -> str | None:
        """Our type for one of the set's labels; None where we have none."""
        if label in self.types:
            return self.types[label]
        mapped = DEFAULT_TYPES.get(label, label)
        return mapped if mapped in OUR_TYPES else None


OUR_TYPES = frozenset(recogniser.entity for recogniser in RECOGNISERS) - {"SOURCE_TOKEN"}

DEFAULT_TYPES: Mapping[str, str] = {
    "PHONE": "PHONE_NUMBER",
    "TELEPHONE": "PHONE_NUMBER",
    "EMAIL": "EMAIL_ADDRESS",
    "IBAN": "IBAN_CODE",
    "SSN": "US_SSN",
    "US_DRIVER_LICENSE": "DRIVING_LICENCE",
    "DRIVER_LICENSE": "DRIVING_LICENCE",
    "US_PASSPORT": "PASSPORT",
    "PASSPORT_NUMBER": "PASSPORT",
    "TH_TNIN": "TH_NATIONAL_ID",
    "PER": "PERSON",
    "NAME": "PERSON",
}
"""Labels of presidio, presidio-research and Thai NER that mean one of our types."""


def needs_a_trained_model(entity_type: str, language: str) -> bool:
    """Whether a type can be judged fairly only with a trained model configured.

    Names outside Thai: without a model they are told by lists and the words around them, which find a part of them and
    are meant to. Everything else, and names in Thai, must be found as the package comes.
    """
    return entity_type == "PERSON" and language != "th"
