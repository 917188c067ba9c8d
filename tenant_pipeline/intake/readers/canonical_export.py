"""Canonical exports: what another tenant's, or one's own, runtime has written out, statement by statement."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, BinaryIO

from tenant_pipeline.core.canonical_export import EXPORT_FORMAT, EXPORT_VERSION, STATEMENT_FIELDS
from tenant_pipeline.core.statement import AI_TIER
from tenant_pipeline.intake.readers.item import STATEMENTS, Item, Items, Problem, UnreadableError

TABLE = "statements"
AI_FIELD = "ai"
"""Beside the statement's own fields: `true` where nobody but an AI says so."""

LONGEST_LINE = 16 * 1024 * 1024
"""Bytes of a line: a statement's value has at most a million characters, and stands in it three times."""

_HEADER = re.compile(rf'\s*\{{\s*"format"\s*:\s*"{EXPORT_FORMAT}"')
_MAJOR = EXPORT_VERSION.partition(".")[0]


def looks_like_canonical_export(text: str, path: str) -> bool:
    """Whether the text begins with the header of a canonical export."""
    return _HEADER.match(text) is not None


def read_canonical_export(stream: BinaryIO, encoding: str) -> Items:
    """One item for each statement, at `line=<number>`; a line that says no statement is a problem.

    Raises UnreadableError for a header that is none, a version with other rules, and for an export that is not what
    was written: cut off, longer, or altered. That is known at its end, so items may have been yielded by then.
    """
    header = _json_of(_line_of(stream))
    if header.get("format") != EXPORT_FORMAT:
        raise UnreadableError("not-a-canonical-export", "The first line is not the header of a canonical export.")
    if str(header.get("version")).partition(".")[0] != _MAJOR:
        raise UnreadableError(
            "canonical-export-version",
            f"The export has a version that is not {_MAJOR}.x; read it with the release that wrote it.",
        )
    digest = hashlib.sha256()
    number, count = 1, 0
    line = _line_of(stream)
    while following := _line_of(stream):
        number += 1
        count += 1
        digest.update(line)
        yield _statement(line, number)
        line = following
    trailer = _json_of(line)
    if trailer.get("trailer") != EXPORT_FORMAT or not line.endswith(b"\n"):
        raise UnreadableError(
            "canonical-export-truncated", "The export has no last line that closes it; hand it in whole."
        )
    if trailer.get("statements") != count or trailer.get("sha256") != digest.hexdigest():
        raise UnreadableError(
            "canonical-export-altered", "The export is not what its last line says was written; export it again."
        )
    if header.get("statements") != count:
        raise UnreadableError(
            "canonical-export-altered", "The export has another number of statements than its header says."
        )


def _line_of(stream: BinaryIO) -> bytes:
    line = stream.readline(LONGEST_LINE + 1)
    if len(line) > LONGEST_LINE:
        raise UnreadableError("canonical-export-line-too-long", f"A line is longer than {LONGEST_LINE} bytes.")
    return line


def _json_of(line: bytes) -> dict[str, Any]:
    """The object of a line; an empty one where the line holds none."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _statement(line: bytes, number: int) -> Item | Problem:
    statement = _json_of(line)
    values = {name: statement.get(name) for name in STATEMENT_FIELDS}
    if not all(_is_text(value) for value in values.values()):
        return Problem(f"line={number}", "broken-statement", "The line is no statement: a field of it is not a text.")
    said = {name: value or None for name, value in values.items()}
    return Item(TABLE, f"line={number}", {**said, AI_FIELD: "true" if _is_by_ai(statement) else None}, STATEMENTS)


def _is_by_ai(statement: dict[str, Any]) -> bool:
    """Whether nobody but an AI says so: what it wrote gains no authority by being exported."""
    provenance = statement.get("provenance")
    named = provenance if isinstance(provenance, list) else []
    tiers = [each.get("authority_tier") for each in named if isinstance(each, dict)]
    return bool(tiers) and all(isinstance(tier, int) and tier >= AI_TIER for tier in tiers)


def _is_text(value: Any) -> bool:
    """Whether it is a text that can be stored: no half of a surrogate pair, no NUL."""
    return isinstance(value, str) and "\0" not in value and not any("\ud800" <= each <= "\udfff" for each in value)
