"""Codes of Thai provinces, districts and tambons, as the Department of Provincial Administration numbers them."""

from __future__ import annotations

import re

from tenant_pipeline.core.standardise.characters import coded, without_float_tail
from tenant_pipeline.core.standardise.reading import Context, Standardised, Unreadable

PROVINCE_CODES = frozenset(
    str(code)
    for first, last in ((10, 27), (30, 58), (60, 67), (70, 77), (80, 86), (90, 96))
    for code in range(first, last + 1)
    if code not in (28, 29, 59)
)
"""The 77 provinces (Bangkok, 10, among them). ISO 3166-2 uses the same two digits behind `TH-`."""

_ISO_3166_2 = re.compile(r"^TH[- ]?(?=[0-9]{2}$)", re.IGNORECASE)


def standardise_administrative_code(value: str, context: Context) -> Standardised:
    """The code as its digits: 2 for a province, 4 for a district, 6 for a tambon.

    Reads Thai digits, a spreadsheet's `8301.0`, `TH-83`, and codes padded with zeros to six digits (`830100` is the
    district 8301: no tambon is numbered 00). Raises Unreadable for other lengths and for provinces that do not exist.
    """
    digits = re.sub(r"[\s-]", "", _ISO_3166_2.sub("", without_float_tail(coded(value))))
    if not re.fullmatch(r"[0-9]+", digits):
        raise Unreadable("administrative-code-unreadable", "An administrative code has digits only.")
    rule = "administrative-code"
    if len(digits) in (4, 6) and digits.endswith("00"):
        digits, rule = re.sub(r"(?:00)+$", "", digits), "administrative-code-unpadded"
    if len(digits) not in (2, 4, 6):
        raise Unreadable("administrative-code-length", "An administrative code has 2, 4 or 6 digits.")
    if digits[:2] not in PROVINCE_CODES:
        raise Unreadable("administrative-code-unknown-province", "The code's first two digits name no Thai province.")
    return Standardised(digits, rule)
