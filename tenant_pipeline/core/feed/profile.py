"""What a version of a feed looks like from outside, and why a new one may have to wait for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tenant_pipeline.core.sentences.saying import say


@dataclass(frozen=True)
class FeedProfile:
    """How many rows the tables of a version have together, and which sets of fields, screened.

    `key` is the id of the digest key that made their pseudonyms: under another one, equal names differ.
    """

    rows: int
    schemas: frozenset[tuple[str, ...]]
    key: str = ""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FeedProfile:
        """The profile as `as_json` gives it."""
        schemas = frozenset(tuple(fields) for fields in value.get("schemas", ()))
        return cls(value["rows"], schemas, value.get("key", ""))

    def as_json(self) -> dict[str, Any]:
        """The profile as it is kept."""
        return {"rows": self.rows, "schemas": sorted(map(list, self.schemas)), "key": self.key}


@dataclass(frozen=True)
class Expectations:
    """What is expected of every version: so many rows at least, and no loss of more than this share of them."""

    least_rows: int = 0
    most_loss: float = 0.5


def reasons_to_wait(
    new: FeedProfile, before: FeedProfile | None, expected: Expectations, unread: Mapping[str, str]
) -> tuple[str, ...]:
    """Why a person has to look at a new version; none where it may flow on.

    `before` is the version that was taken in last, None for the first one. `unread` are the files of the new version
    that could not be read, each with the reason.
    """
    reasons = [say("unreadable: {path}: {why}", path=path, why=why) for path, why in sorted(unread.items())]
    if new.rows < expected.least_rows:
        reasons.append(
            say(
                "too-few-rows: {rows:figure}, where at least {least:figure} are expected",
                rows=new.rows,
                least=expected.least_rows,
            )
        )
    if before is None:
        return tuple(reasons)
    if new.rows < before.rows * (1 - expected.most_loss):
        reasons.append(say("shrunk: from {before:figure} rows to {now:figure}", before=before.rows, now=new.rows))
    if new.schemas != before.schemas:
        old_fields = {field for fields in before.schemas for field in fields}
        new_fields = {field for fields in new.schemas for field in fields}
        changes = [
            *(say("without {field}", field=field) for field in sorted(old_fields - new_fields)),
            *(say("with {field}", field=field) for field in sorted(new_fields - old_fields)),
        ]
        changes = changes or [say("the same fields in other tables or another order")]
        reasons.append(say("schema-changed: {changes:list}", changes=", ".join(changes)))
    return tuple(reasons)
