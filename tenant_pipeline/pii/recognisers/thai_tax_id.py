"""Tax ids of Thai companies: thirteen digits that begin with 0, the last one a check digit modulo 11.

A natural person's tax id is the national id (first digit 1–8), so that one is `TH_NATIONAL_ID`. A company's is in the
public register of the Department of Business Development and no personal data; it is told apart by its own type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum.th import moa

from tenant_pipeline.pii.recognisers.folded import (
    END,
    START,
    BareSeries,
    Candidate,
    FoldedRecogniser,
    digits_of,
    is_bare,
    valid_matches,
)

_NUMBER = re.compile(START + r"(?<![0-9]-)0(?:[ -]?[0-9]){12}" + END)
_GROUPED = re.compile(
    r"0[ -](?:[0-9]{4}[ -][0-9]{5}[ -][0-9]{2}[ -][0-9]|[0-9]{2}[ -][0-9][ -][0-9]{3}[ -][0-9]{5}[ -][0-9])"
)
_REGISTERED = re.compile(r"0(?:[1-9][0-9][1-7][45][0-9]{2}|99[0-9]{4})[0-9]{6}")
"""Province, kind of company and Buddhist year of registration (last three digits); 099 is a public body."""


def _valid(text: str) -> bool:
    return bool(moa.is_valid(digits_of(text)))


class ThaiTaxIdRecogniser(FoldedRecogniser):
    """Sure in its groups or with a likely year of registration; other bare numbers may be barcodes padded with 0."""

    entity = "TH_TAX_ID"
    prefilter = r"0(?:[ -]?[0-9]){12}"
    context_words = (
        "เลขประจำตัวผู้เสียภาษี", "ผู้เสียภาษี", "เลขผู้เสียภาษี", "ทะเบียนนิติบุคคล", "นิติบุคคล", "ทะเบียนบริษัท", "ภาษี",
        "tax id", "taxid", "tax no", "tax number", "taxpayer", "tin", "vat", "vat no", "company registration",
        "registration no", "juristic", "税号", "税务", "纳税人",
    )  # fmt: skip
    series = BareSeries("th-tax-id", re.compile(r"0[0-9]{12}"), _valid)

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Numbers whose check digit is right."""
        for match in valid_matches(_NUMBER, folded, _valid):
            bare = is_bare(folded, match.start(), match.end())
            yield Candidate(match.start(), match.end(), _score(match[0], bare), bare)


def _score(number: str, bare: bool) -> float:
    if _GROUPED.fullmatch(number):
        return 0.95
    if _REGISTERED.fullmatch(digits_of(number)):
        return 0.75
    return 0.3 if bare else 0.6
