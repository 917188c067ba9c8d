"""robots.txt (RFC 9309): what a site asks programs to leave alone, and how often it wants to be asked."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import httpx
from protego import Protego

from tenant_pipeline.intake.link.policy import USER_AGENT

MOST_BYTES = 512 * 1024
"""More is not read; RFC 9309 asks for 500 KiB."""

_GROUP = re.compile(r"\s*user[-\s]*agent\s*[:\s]\s*(.*)", re.IGNORECASE)


@dataclass(frozen=True)
class Robots:
    """The rules of one site."""

    rules: Protego

    @classmethod
    def parse(cls, body: bytes) -> Robots:
        """Read a robots.txt; lines that are no rules are passed over."""
        lines = body[:MOST_BYTES].decode("utf-8-sig", errors="replace").splitlines()
        return cls(Protego.parse("\n".join(_ours_or_other(line) for line in lines)))

    def allow(self, url: httpx.URL) -> bool:
        """Whether our user agent may ask for this address."""
        return bool(self.rules.can_fetch(str(url), USER_AGENT))

    def interval(self) -> float:
        """The seconds that the site wants between two requests; 0 where it says nothing."""
        wanted = [self.rules.crawl_delay(USER_AGENT) or 0.0]
        rate = self.rules.request_rate(USER_AGENT)
        if rate is not None and rate.requests > 0:
            wanted.append(rate.seconds / rate.requests)
        return max((each for each in wanted if math.isfinite(each) and each > 0), default=0.0)


def _ours_or_other(line: str) -> str:
    """A line in which the groups of all other robots have one name.

    Only ours and everybody's matter, and the parser's time grows with the number of names times that of rules.
    """
    found = _GROUP.match(line.partition("#")[0])
    if found is None:
        return line
    name = found[1].strip().partition("/")[0].lower()
    return f"User-agent: {name if name in (USER_AGENT, '*') else 'other-robot'}"
