"""Telephone numbers of other countries: after a plus sign, in a known form, or near a telling word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import phonenumbers

from tenant_pipeline.pii.recognisers.folded import END, START, Candidate, FoldedRecogniser, digits_of, valid_matches
from tenant_pipeline.pii.recognisers.phone_words import PHONE_WORDS

_PLUS = re.compile(r"(?<![0-9A-Za-z+])\+ ?[1-9](?:[ .\-()/]{0,3}[0-9]){6,14}(?![0-9])")
_AMERICAN = re.compile(
    START + r"(?:(?:00)?1[ .\-])?\(?[2-9][0-9]{2}\)?[ .\-]{1,2}[2-9][0-9]{2}[ .\-][0-9]{4}(?:[ ]?x[0-9]{1,5})?" + END
)
_ANY = re.compile(
    START + r"(?<![0-9]-)(?<!\+)\(?[0-9](?:[ .\-()/]{0,3}[0-9]){6,15}(?:[ ]?(?:x|ext\.?)[ ]?[0-9]{1,5})?(?![0-9A-Za-z])"
)
_LINKED = re.compile(r"(?i:tel:|callto:|sms:|wa\.me/|phone=)(\+?[0-9](?:-?[0-9]){6,14})")
_DATE = re.compile(
    r"(?:19|20|24|25)[0-9]{2}[ ./\-][0-9]{1,2}[ ./\-][0-9]{1,2}(?![0-9])"
    r"|[0-9]{1,2}[ ./\-][0-9]{1,2}[ ./\-](?:19|20|24|25)[0-9]{2}(?![0-9])"
)


@lru_cache(maxsize=20_000)
def _possible(text: str) -> bool:
    try:
        return bool(phonenumbers.is_possible_number(phonenumbers.parse(text, None)))
    except phonenumbers.NumberParseException:
        return False


def _longest_possible(text: str) -> str | None:
    """The longest beginning of `text`, cut at a separator, that is a possible number."""
    while text:
        if _possible(text):
            return text
        shorter = re.sub(r"[ .\-()/]+[0-9]+$", "", text)
        if shorter == text:
            return None
        text = shorter
    return None


class PlusPhoneRecogniser(FoldedRecogniser):
    """`+66 81 234 5678`, `+86 138-0013-8000`: the plus sign and a possible length are enough."""

    entity = "PHONE_NUMBER"
    prefilter = r"\+ ?[1-9](?:[ .\-()/]{0,3}[0-9]){6}"
    context_words = PHONE_WORDS

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Possible numbers after a plus sign."""
        for match in _PLUS.finditer(folded):
            number = _longest_possible(match[0])
            if number is not None:
                yield Candidate(match.start(), match.start() + len(number), 0.75)


class LinkedPhoneRecogniser(FoldedRecogniser):
    """The number in `tel:`, `wa.me/`, `phone=` and their like, where the address itself says what it is."""

    entity = "PHONE_NUMBER"
    prefilter = r"(?i:tel:|callto:|sms:|wa\.me/|phone=)\+?[0-9]{7}"

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Digits after such a prefix."""
        for match in _LINKED.finditer(folded):
            yield Candidate(match.start(1), match.end(1), 0.8)


class AmericanPhoneRecogniser(FoldedRecogniser):
    """`(415) 555-2671`: three, three and four digits with separators, in the North American plan."""

    entity = "PHONE_NUMBER"
    prefilter = r"[2-9][0-9]{2}\)?[ .\-]{1,2}[2-9][0-9]{2}[ .\-][0-9]{4}"
    context_words = PHONE_WORDS

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Numbers of that form."""
        for match in _AMERICAN.finditer(folded):
            yield Candidate(match.start(), match.end(), 0.55)


_TIMES = re.compile(r"[0-2]?[0-9]\.[0-5][0-9][ ]?-[ ]?[0-2]?[0-9]\.[0-5][0-9]")


def _phone_sized(text: str) -> bool:
    if _TIMES.match(text):
        return False
    return 7 <= len(digits_of(re.split("x|ext", text)[0])) <= 15 and not _DATE.match(text)


class AnnouncedPhoneRecogniser(FoldedRecogniser):
    """Seven to fifteen digits right after a word such as โทร, tel or 电话, or in a field so named."""

    entity = "PHONE_NUMBER"
    prefilter = r"[0-9](?:[ .\-()/]{0,3}[0-9]){6}"
    context_words = PHONE_WORDS
    needs_context = True

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Digit groups of a telephone number's size that are no date."""
        for match in valid_matches(_ANY, folded, _phone_sized):
            yield Candidate(match.start(), match.end(), 0.2)
