"""Identifiers that others have given: registration numbers, codes, keys of other systems."""

from __future__ import annotations

import re
import unicodedata

from tenant_pipeline.core.standardise.characters import clean, something_left, western_digits, without_float_tail
from tenant_pipeline.core.standardise.reading import Context, Standardised

_WHOLE_NUMBER = re.compile(r"[0-9๐-๙]{2,}(?:\.0+)?")


def standardise_identifier(value: str, context: Context) -> Standardised:
    """An identifier in NFKC (compatibility forms folded), trimmed; case and leading zeros are part of it.

    One of digits only is written in 0-9 and loses the `.0` that a spreadsheet gave it.
    """
    text = something_left(clean(unicodedata.normalize("NFKC", clean(value))))
    if _WHOLE_NUMBER.fullmatch(text):
        return Standardised(without_float_tail(western_digits(text)), "identifier-number")
    return Standardised(text, "identifier")
