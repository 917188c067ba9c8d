"""Thai postal codes."""

from __future__ import annotations

import re

from tenant_pipeline.core.standardise.administrative_codes import PROVINCE_CODES
from tenant_pipeline.core.standardise.characters import coded, without_float_tail
from tenant_pipeline.core.standardise.reading import Context, Standardised, Unreadable


def standardise_postal_code(value: str, context: Context) -> Standardised:
    """Five digits, of which the first two are a province's. Reads Thai digits, `83000.0`, `83,000` and `83 000`."""
    digits = re.sub(r"(?<=[0-9])[ ,-](?=[0-9])", "", without_float_tail(coded(value)))
    if not re.fullmatch(r"[0-9]{5}", digits):
        raise Unreadable("postal-code-unreadable", "A Thai postal code has five digits.")
    if digits[:2] not in PROVINCE_CODES:
        raise Unreadable("postal-code-out-of-range", "The postal code's first two digits name no Thai province.")
    return Standardised(digits, "postal-code")
