"""Content digests: SHA-256 over bytes, or over canonical JSON (RFC 8785 for the types used here)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, NewType

Sha256 = NewType("Sha256", str)
"""A SHA-256 digest as 64 lower-case hexadecimal digits."""


def canonical_json(value: Any) -> bytes:
    """The one byte form of `value` (texts, numbers, booleans, None, lists, objects; floats as Python prints them)."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def sha256_of_bytes(data: bytes) -> Sha256:
    """SHA-256 of `data`."""
    return Sha256(hashlib.sha256(data).hexdigest())


def sha256_of_json(value: Any) -> Sha256:
    """SHA-256 of the canonical JSON of `value`."""
    return sha256_of_bytes(canonical_json(value))


def short_id(prefix: str, parts: Iterable[str], length: int = 24) -> str:
    """A deterministic identifier: `prefix` and `length` hex digits of the SHA-256 over the parts.

    The parts are framed by their lengths, so that ("ab", "c") and ("a", "bc") differ.
    """
    texts = [part.encode() for part in parts]
    framed = b"".join([piece for text in texts for piece in (len(text).to_bytes(8, "big"), text)])
    return f"{prefix}{hashlib.sha256(framed).hexdigest()[:length]}"
