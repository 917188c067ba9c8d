"""Codes, references and whatever is the same only when it is written the same."""

from __future__ import annotations

from tenant_pipeline.core.conflict.comparison import Compared, Verdict
from tenant_pipeline.core.vocabulary import PropertyDefinition


def compare_codes(left: str, right: str, lang: str, definition: PropertyDefinition) -> Compared:
    """The codes differ: a code is the same or another one."""
    if left == right:
        return Compared(Verdict.SAME, "codes_equal")
    return Compared(Verdict.DIFFERS, "codes_differ")


def compare_urls(left: str, right: str, lang: str, definition: PropertyDefinition) -> Compared:
    """The web addresses are the same but for the scheme, `www.` and a trailing slash."""
    if _place(left) == _place(right):
        return Compared(Verdict.SAME, "urls_equal_ignoring_scheme_and_www")
    return Compared(Verdict.DIFFERS, "urls_differ")


def _place(url: str) -> str:
    return url.split("://", 1)[-1].removeprefix("www.").rstrip("/")
