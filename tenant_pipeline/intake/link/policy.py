"""What a link may cost and where it may lead."""

from __future__ import annotations

from dataclasses import dataclass

USER_AGENT = "tenant-runtime"

PORTS = frozenset({80, 443, 8080, 8443})
"""The ports of web servers. Databases and caches speak on high ports, so those are not let in wholesale."""


@dataclass(frozen=True)
class LinkPolicy:
    """The limits of one link, all its redirects, retries and pages included.

    `max_bytes` counts the bytes of every body that arrives, also of those that were broken off. `quiet_seconds` is
    how long a server may say nothing. `request_interval_seconds` lies at least between two requests to one host.
    `allow_loopback` opens this machine's own addresses at any port, for a runtime that is tried out against a local
    server. `obey_robots` is off for a feed only: robots.txt speaks to programs that come of themselves (RFC 9309), and
    a feed is what its publisher offers to be asked for.
    """

    max_bytes: int = 200 * 1024 * 1024
    max_pages: int = 1_000
    max_redirects: int = 5
    max_attempts: int = 4
    timeout_seconds: float = 600.0
    quiet_seconds: float = 30.0
    request_interval_seconds: float = 0.5
    allow_loopback: bool = False
    obey_robots: bool = True
