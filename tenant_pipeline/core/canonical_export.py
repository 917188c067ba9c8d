"""The documented form of a tenant's statements outside the runtime, which `export` writes and the reader reads.

UTF-8, one JSON object a line, each line ended by a line feed. The first is the header, the last the trailer; between
them stands one line for each statement, ordered by entity. The trailer's digest is the SHA-256 of the statements'
lines, line feeds included, so that an export that was cut off or edited is told from a whole one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

EXPORT_FORMAT = "tenant-runtime-canonical-export"
EXPORT_VERSION = "1.1.0"

STATEMENT_FIELDS = (
    "entity", "type", "property", "value", "raw_value", "lang", "datatype", "valid_from", "valid_to",
)  # fmt: skip
"""What a line says. `provenance`, a list with the first in authority first, says who says so."""

PROVENANCE_FIELDS = ("source", "origin", "authority_tier", "locator", "method", "observed_at", "raw_value")


def export_lines(tenant: str, exported_at: str, count: int, statements: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """The lines of an export of `count` statements: header, statements, trailer.

    The trailer says how many there were; one that is not `count` is the caller's to notice.
    """
    yield _line(
        {
            "format": EXPORT_FORMAT,
            "version": EXPORT_VERSION,
            "tenant": tenant,
            "exported_at": exported_at,
            "statements": count,
        }
    )
    digest = hashlib.sha256()
    written = 0
    for statement in statements:
        line = _line(statement)
        digest.update(line)
        written += 1
        yield line
    yield _line({"trailer": EXPORT_FORMAT, "statements": written, "sha256": digest.hexdigest()})


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"
