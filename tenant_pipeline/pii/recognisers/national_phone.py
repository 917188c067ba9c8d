"""Telephone numbers as people write them at home: `(02) 4921 8282`, `0371 123456`, `0678 12 34 56`, `71-33-52-22`.

Nearly every string of nine digits is somebody's number somewhere, so a numbering plan alone decides nothing: what
counts is that the digits are grouped as a number's are, and that a trunk prefix or a word near by says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

import phonenumbers

from tenant_pipeline.pii.recognisers.folded import END, START, Candidate, FoldedRecogniser, digits_of, inside_url
from tenant_pipeline.pii.recognisers.numbering_plans import TRUNK_ZERO, national_numbers
from tenant_pipeline.pii.recognisers.phone_words import MENTIONING_WORDS
from tenant_pipeline.pii.recognisers.street_address import street_follows

REGIONS = (
    "CN", "TW", "JP", "KR", "MY", "ID", "PH", "VN", "IN", "AU", "NZ", "GB", "IE", "DE", "AT", "CH", "FR", "BE", "NL",
    "IT", "SE", "FI", "PL", "HU", "RO", "RU", "TR", "IL", "ZA", "AE", "BR", "AR",
)  # fmt: skip
"""Whose visitors come to Thailand most and whose numbers begin with a trunk 0 or 8, or stand in brackets."""

_TRUNK = re.compile(
    START
    + r"(?<![0-9][-/ ])(?<![+-])(?:\(0[0-9]{1,4}\)[ ]?|0[0-9]{1,4}[ /])[0-9]{2,8}(?:[ -][0-9]{2,5}){0,3}"
    + END
    + r"(?!-[0-9])"
)
_GROUPED = re.compile(
    START
    + r"(?<![0-9][-/])(?<![+.,:])(?:\([0-9]{1,5}\)[ -]?[0-9]{2,8}(?:[ .-][0-9]{2,5}){0,4}"
    + r"|[0-9]{2,5}[ /-][0-9]{2,8}(?:[ -][0-9]{2,5}){0,4}|[0-9]{2,4}(?:\.[0-9]{2,4}){2,4})"
    + END
    + r"(?!-[0-9])"
)
_DATE = re.compile(
    r"(?:1[89]|2[0-6])[0-9]{2}([ ./-])[01]?[0-9]\1[0-3]?[0-9](?![0-9])"
    r"|[0-3]?[0-9]([ ./-])[0-3]?[0-9]\2(?:(?:1[89]|2[0-6])[0-9]{2}|[0-9]{2})(?![0-9]|[./-][0-9])"
)


@cache
def _plans_with_a_trunk_zero() -> re.Pattern[str]:
    # The parser takes what begins with 00, or with 0 and the region's own country code, for an international number.
    plans = (
        f"(?!{phonenumbers.country_code_for_region(region)})(?:{national_numbers(region)})" for region in TRUNK_ZERO
    )
    return re.compile(f"0(?!0)(?:{'|'.join(plans)})")


@lru_cache(maxsize=20_000)
def in_a_plan(number: str) -> bool:
    """Whether `number`, as it is dialled at home, is valid in the plan of any of the regions."""
    if _plans_with_a_trunk_zero().fullmatch(digits_of(number)):
        return True
    for region in REGIONS:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(number, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False


class NationalPhoneRecogniser(FoldedRecogniser):
    """A trunk prefix, groups, and a number that some plan knows. Hyphens alone group codes as well."""

    entity = "PHONE_NUMBER"
    prefilter = r"0[0-9]{1,4}[ /)][ ]?[0-9]{2}"
    context_words = MENTIONING_WORDS

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Nine to eleven digits in such groups."""
        for match in _TRUNK.finditer(folded):
            plausible = 9 <= len(digits_of(match[0])) <= 11 and not _DATE.match(match[0])
            if plausible and in_a_plan(match[0]) and not street_follows(folded, match.end()):
                yield Candidate(match.start(), match.end(), 0.55)


class MentionedPhoneRecogniser(FoldedRecogniser):
    """Seven to twelve digits in groups, where a word near by goes with a telephone: `answering at 78 651 450`."""

    entity = "PHONE_NUMBER"
    prefilter = r"[0-9]{2,5}[ ./)-][ -]?[0-9]{2}"
    context_words = MENTIONING_WORDS
    needs_context = True

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Grouped digits that are no date."""
        for match in _GROUPED.finditer(folded):
            sized = 7 <= len(digits_of(match[0])) <= 12 and not _DATE.match(match[0])
            if sized and not inside_url(folded, match.start()) and not street_follows(folded, match.end()):
                yield Candidate(match.start(), match.end(), 0.2)
