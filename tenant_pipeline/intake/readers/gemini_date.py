"""The moment of an entry of My Activity, as its page writes it in English, Thai or Chinese."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from tenant_pipeline.core.standardise.dates import standardise_date
from tenant_pipeline.core.standardise.reading import Context, Unreadable

LONGEST_DATE = 60
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}")
_OFFSET = re.compile(r"\s*\b(?:GMT|UTC)\s*([+\u2212-])([0-9]{1,2}):?([0-9]{2})?(?![0-9])")
_HALF = re.compile(r"(上午|下午|午前|午後)\s*([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)")
_ZONE = re.compile(r"\s+([A-Z]{2,5})$")
_ZONES = {
    "PST": "-08:00", "PDT": "-07:00", "MST": "-07:00", "MDT": "-06:00", "CST": "-06:00", "CDT": "-05:00",
    "EST": "-05:00", "EDT": "-04:00", "BST": "+01:00", "CET": "+01:00", "CEST": "+02:00", "ICT": "+07:00",
    "SGT": "+08:00", "HKT": "+08:00", "JST": "+09:00", "KST": "+09:00", "GMT": "+00:00", "UTC": "+00:00",
}  # fmt: skip


def activity_moment(line: str) -> str | None:
    """A line as a moment in ISO 8601: in UTC where its zone is known, without a zone otherwise. None for any other
    line."""
    if len(line) > LONGEST_DATE or not _CLOCK.search(line):
        return None
    text = " ".join(line.split())
    zone = ""
    if offset := _OFFSET.search(text):
        zone = f"{'+' if offset[1] == '+' else '-'}{int(offset[2]):02d}:{offset[3] or '00'}"
        text = text[: offset.start()] + text[offset.end() :]
    elif (named := _ZONE.search(text)) and named[1] not in ("AM", "PM"):
        zone = _ZONES.get(named[1], "")
        text = text[: named.start()]
    text = _HALF.sub(lambda half: f" {half[2]} {'am' if half[1] in ('上午', '午前') else 'pm'}", text)
    try:
        value = standardise_date(f"{text} {zone}".strip(), Context()).value
        at = datetime.fromisoformat(value)
    except (Unreadable, ValueError, OverflowError):
        return None
    try:
        return at.astimezone(UTC).isoformat() if at.tzinfo is not None else at.isoformat()
    except OverflowError:
        return None
