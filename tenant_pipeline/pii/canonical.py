"""The canonical form of a found value, so that the same value has the same pseudonym however it was written."""

from __future__ import annotations

import ipaddress
import re
import unicodedata

import phonenumbers

from tenant_pipeline.pii.folding import fold
from tenant_pipeline.pii.readings import revealed
from tenant_pipeline.pii.recognisers.folded import digits_of
from tenant_pipeline.pii.recognisers.person_titles import TITLE
from tenant_pipeline.pii.recognisers.thai_phone import thai_number

_OTHER_REGIONS = ("CN", "US")
"""Whose national numbering plan a number without a plus sign is read in, first fit first, when it is no Thai one."""

_DIGITS_ONLY = frozenset({"TH_NATIONAL_ID", "TH_TAX_ID", "CREDIT_CARD", "TH_BANK_ACCOUNT", "US_SSN"})
_ALPHANUMERIC = frozenset({"CN_RESIDENT_ID", "PASSPORT", "IBAN_CODE", "MAC_ADDRESS", "DRIVING_LICENCE"})
_FLOAT_TAIL = re.compile(r"(?<=[0-9]{6})\.0+\Z")


def canonical_value(entity_type: str, text: str) -> str:
    """The canonical form of `text` as a value of `entity_type`.

    Telephone numbers become E.164 (digits where no plan fits), numbers their digits, documents their letters and
    digits in upper case, addresses and handles case-folded, names NFC, without title, spaces collapsed, case-folded.
    Invisible characters, percent escapes and the `.0` of a float make no difference, but that in a name such a
    character may be its space.
    """
    whole = text if entity_type == "PERSON" else revealed(text)
    folded = fold(unicodedata.normalize("NFC", whole)).strip()
    number = _FLOAT_TAIL.sub("", folded)
    if entity_type == "PHONE_NUMBER":
        return _e164(number)
    if entity_type in _DIGITS_ONLY:
        return digits_of(number)
    if entity_type in _ALPHANUMERIC:
        return re.sub(r"[^0-9A-Za-z]", "", number).upper()
    if entity_type == "VEHICLE_PLATE":
        return re.sub(r"[\s.·-]", "", folded).upper()
    if entity_type == "IP_ADDRESS":
        return str(ipaddress.ip_address(folded)) if _is_address(folded) else folded
    if entity_type == "LINE_ID":
        return folded.lstrip("@").casefold()
    collapsed = re.sub(r"\s+", " ", folded).casefold()
    if entity_type == "PERSON":
        title = TITLE.match(collapsed)
        return collapsed[title.end() :] or collapsed if title else collapsed
    return collapsed


def _e164(folded: str) -> str:
    digits = digits_of(folded)
    if not folded.startswith("+") and thai_number(digits):
        return f"+66{digits[1:]}"
    if folded.startswith("+66") and thai_number(f"0{digits[2:]}"):
        return f"+{digits}"
    regions: tuple[str | None, ...] = (None,) if folded.startswith("+") else _OTHER_REGIONS
    for region in regions:
        try:
            number = phonenumbers.parse(folded, region)
        except phonenumbers.NumberParseException:
            continue
        if region is None or phonenumbers.is_valid_number(number):
            formatted: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            return formatted
    return f"+{digits}" if re.fullmatch(r"66[2-9][0-9]{7,8}|861[3-9][0-9]{9}", digits) else digits


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
