"""A secret that is shown to one site, and to nobody else, wherever its answers lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx


@dataclass(frozen=True)
class Credential:
    """A request header with a secret value, for the addresses of one web origin: scheme, host and port."""

    origin: str
    header: str
    value: str = field(repr=False)

    def headers(self, url: httpx.URL) -> Mapping[str, str]:
        """The header where `url` is of that origin; nothing elsewhere."""
        return {self.header: self.value} if _origin(url) == _origin(httpx.URL(self.origin)) else {}


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    ports = {"http": 80, "https": 443}
    return url.scheme, url.host, url.port or ports.get(url.scheme)
