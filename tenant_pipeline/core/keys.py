"""The key under which personal data is digested."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class DigestKey:
    """A tenant's key for keyed digests, whose secret never leaves the runtime.

    The id is stored with each digest, so that keys can be rotated.
    """

    key_id: str
    secret: bytes = field(repr=False)
