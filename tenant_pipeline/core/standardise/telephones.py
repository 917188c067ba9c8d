"""Telephone numbers, read as dialled in Thailand unless they carry a country code."""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers
from phonenumbers import PhoneNumberFormat, shortnumberinfo

from tenant_pipeline.core.pseudonym import TOKEN_PATTERN, is_token
from tenant_pipeline.core.standardise.characters import coded
from tenant_pipeline.core.standardise.reading import Context, Standardised, Unreadable

REGION = "TH"

_SEPARATOR = re.compile(
    rf"({TOKEN_PATTERN})|\s*(?:[,;|]|(?<=[0-9])\s*/\s*(?=[0-9+(])|\s/\s|\bor\b|\band\b|หรือ|และ|或|、)\s*",
    re.IGNORECASE,
)
_LABELS = "tel(?:ephone)?|phone|mobile|fax|hotline|call|โทรศัพท์|โทรสาร|โทร|มือถือ|สายด่วน|电话|電話"
_LABEL = re.compile(rf"^(?:{_LABELS})[.:\s]*", re.IGNORECASE)
_NEXT_LINE = re.compile(rf"(?<=[0-9๐-๙])[^\S\r\n]*[\r\n]\s*(?=[0๐+(]|{_LABELS})", re.IGNORECASE)
"""The end of a line behind which another number may begin: as it is dialled, or with its label."""
_EXTENSION = re.compile(r"\s*(?:ต่อ|extension|ext\.?|x|#|;\s*ext=|分机|轉|转)\s*[:.]?\s*([0-9]{1,7})$", re.IGNORECASE)
_LINES = re.compile(r"^(.*[0-9])\s*(?:-|ถึง|to|~)\s*([0-9]{1,2})$")
_MOST_LINES = 20


def standardise_telephone(value: str, context: Context) -> Standardised:
    """E.164, with an extension behind `;ext=` as in RFC 3966; a Thai short number (1155, 191) as its digits.

    Several numbers in one text, or on lines of their own, become several values, and so do consecutive lines written
    `0-7632-1234-6`. Pseudonyms among them pass. Raises Unreadable when any number is none that the numbering plan
    knows.
    """
    try:
        found = _found(value)
    except Unreadable:
        line_by_line = _NEXT_LINE.sub("; ", value)
        if line_by_line == value:
            raise
        found = _found(line_by_line)
    first, *others = found
    return Standardised(first, found[first], tuple(others))


def _found(value: str) -> dict[str, str]:
    """The canonical numbers of a text, at least one, each with the rule that read it."""
    text = re.sub(r"(;)\s*(ext=)", r"\2", coded(value))
    found: dict[str, str] = {}
    for part in _parts(text):
        found.update(_numbers(part))
    if not found:
        raise Unreadable("telephone-unreadable", "The value holds no telephone number.")
    return found


def _parts(text: str) -> Iterator[str]:
    for part in _SEPARATOR.split(text):
        if part and part.strip():
            yield part.strip()


def _numbers(text: str) -> dict[str, str]:
    """The canonical numbers of one part of the text, each with the rule that read it."""
    if is_token(text):
        return {text: "telephone"}
    text = _LABEL.sub("", text)
    extension = _EXTENSION.search(text) or re.search(r"ext=([0-9]{1,7})$", text)
    if extension:
        number = _e164(text[: extension.start()])
        return {f"{number};ext={extension[1]}": "telephone-extension"}
    if re.fullmatch(r"[0-9]{3,4}", text) and shortnumberinfo.is_valid_short_number_for_region(_parsed(text), REGION):
        return {text: "telephone-short-number"}
    if (lines := _LINES.match(text)) and not _is_valid(text):
        return dict.fromkeys(_consecutive(_e164(lines[1]), lines[2]), "telephone-consecutive-lines")
    return {_e164(text): "telephone"}


def _consecutive(first: str, last_digits: str) -> Iterator[str]:
    """The lines from `first` to the one that ends in `last_digits`."""
    start = int(first)
    end = int(first[: -len(last_digits)] + last_digits)
    if not start < end <= start + _MOST_LINES:
        raise Unreadable("telephone-invalid", "The last of the consecutive lines does not follow the first.")
    for line in range(start, end + 1):
        yield f"+{line}"


def _is_valid(text: str) -> bool:
    try:
        return phonenumbers.is_valid_number(_parsed(text))
    except Unreadable:
        return False


def _parsed(text: str) -> phonenumbers.PhoneNumber:
    if re.search(r"[^0-9+().\s*-]", text):
        raise Unreadable("telephone-unreadable", "The value has letters or signs that no telephone number has.")
    try:
        return phonenumbers.parse(re.sub(r"^00(?=[1-9])", "+", text), REGION)
    except phonenumbers.NumberParseException:
        raise Unreadable("telephone-unreadable", "The value is not a telephone number.") from None


def _e164(text: str) -> str:
    number = _parsed(text)
    if not phonenumbers.is_valid_number(number):
        raise Unreadable("telephone-invalid", "The numbering plan knows no such telephone number.")
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))
