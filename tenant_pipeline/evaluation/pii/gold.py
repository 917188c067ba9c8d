"""Gold data for personal data: texts with the spans that persons marked in them, and how labels become our types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
    """A text, its language (`th`, `en`, `zh`), what is marked in it, where it stands and of which data set it is."""

    text: str
    language: str
    spans: tuple[Span, ...]
    place: str
    dataset: str


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
    "CN_ID": "CN_RESIDENT_ID",
    "PER": "PERSON",
    "NAME": "PERSON",
}
"""Others' labels that mean one of our types; a label that is a type of ours needs no entry."""
