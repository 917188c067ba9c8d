"""Payment cards: twelve to nineteen digits with a known issuer's prefix and a Luhn check digit (ISO/IEC 7812)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import luhn

from tenant_pipeline.pii.recognisers.folded import (
    END,
    START,
    BareSeries,
    Candidate,
    FoldedRecogniser,
    digits_of,
    inside_url,
    is_bare,
    valid_matches,
)

_NUMBER = re.compile(START + r"[2-6](?:[ -]?[0-9]){11,18}" + END)
_ISSUERS = re.compile(
    r"4[0-9]{12}(?:[0-9]{3}){0,2}"
    r"|5[1-5][0-9]{14}|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}"
    r"|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|35(?:2[89]|[3-8][0-9])[0-9]{12}"
    r"|6(?:011|4[4-9][0-9]|5[0-9]{2})[0-9]{12}|62[0-9]{14,17}|(?:50|5[6-9]|6[0-9])[0-9]{10,17}"
)

_ANY_ISSUER = re.compile(START + r"[0-9](?:[ -]?[0-9]){11,18}" + END)
_WORDS = (
    "credit", "card", "visa", "mastercard", "amex", "american express", "jcb", "unionpay", "debit", "cc",
    "บัตรเครดิต", "บัตรเดบิต", "เลขที่บัตร", "หมายเลขบัตร", "信用卡", "银行卡", "卡号",
)  # fmt: skip


def _valid(text: str) -> bool:
    digits = digits_of(text)
    return _ISSUERS.fullmatch(digits) is not None and bool(luhn.is_valid(digits))


def _luhn(text: str) -> bool:
    return bool(luhn.is_valid(digits_of(text)))


class CreditCardRecogniser(FoldedRecogniser):
    """Groups, or digits among words, are enough; a bare cell is one in ten by chance, so its column must agree."""

    entity = "CREDIT_CARD"
    prefilter = r"[2-6](?:[ -]?[0-9]){11}"
    context_words = _WORDS
    series = BareSeries("credit-card", _ISSUERS, _luhn)

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Numbers with a known prefix whose check digit is right."""
        for match in valid_matches(_NUMBER, folded, _valid):
            bare = is_bare(folded, match.start(), match.end())
            unsure = bare or inside_url(folded, match.start()) or len(digits_of(match[0])) < 14
            yield Candidate(match.start(), match.end(), 0.4 if unsure else 0.8, bare)


class AnnouncedCardRecogniser(FoldedRecogniser):
    """Any issuer's number near a word that says card."""

    entity = "CREDIT_CARD"
    prefilter = r"[0-9](?:[ -]?[0-9]){11}"
    context_words = _WORDS
    needs_context = True

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Twelve to nineteen digits whose check digit is right."""
        for match in valid_matches(_ANY_ISSUER, folded, _luhn):
            yield Candidate(match.start(), match.end(), 0.2)
