"""Codes, references and whatever is the same only when it is written the same."""

from __future__ import annotations

from tenant_pipeline.core.conflict.comparators.pair import Pair
from tenant_pipeline.core.conflict.comparison import Verdict


def administrative_code_is_narrower(pair: Pair) -> Verdict | None:
    """One code is of an area inside the other's: a tambon of the same amphoe, an amphoe of the same changwat."""
    shorter, longer = sorted((pair.left, pair.right), key=len)
    return Verdict.REFINES if len(shorter) < len(longer) and longer.startswith(shorter) else None


def codes_differ(pair: Pair) -> Verdict:
    """The codes differ, and a code is either the same or another one."""
    return Verdict.DIFFERS


def urls_equal_ignoring_scheme_and_www(pair: Pair) -> Verdict | None:
    """The web addresses are the same but for http or https, `www.` and a trailing slash."""
    return Verdict.SAME if _place(pair.left) == _place(pair.right) else None


def url_is_a_page_of_the_other(pair: Pair) -> Verdict | None:
    """One web address is a page below the other."""
    left, right = _place(pair.left), _place(pair.right)
    return Verdict.REFINES if left.startswith(f"{right}/") or right.startswith(f"{left}/") else None


def urls_differ(pair: Pair) -> Verdict:
    """The web addresses lead to different places."""
    return Verdict.DIFFERS


def _place(url: str) -> str:
    return url.split("://", 1)[-1].removeprefix("www.").rstrip("/")
