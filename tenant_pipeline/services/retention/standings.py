"""What a tenant's knowledge base rested on, source by source, and until when.

It rests on what was assembled of a source last. That may be older than the source's newest version, which can wait at a
gate or for a person; and it may be content that was there before: then earlier stages have no new record, for the same
input is never taken twice. Only `link` and `assemble` have one for each taking (`services.taking_in`). So what was
assembled is told from the records of `assemble`, backwards by their digests.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tenant_pipeline.core.stage import STAGES, Stage

READ_WITHIN = timedelta(hours=1)
"""A release is read for a while before it is noted as built, and what is assembled meanwhile may be in it or not."""


@dataclass(frozen=True)
class Standing:
    """A unit, and the outputs that lead from it into the knowledge base, which it rests on from `since` to `until`.

    It does so still where there is no `until`.
    """

    unit: str
    outputs: frozenset[str]
    since: datetime
    until: datetime | None

    def may_be_in(self, releases: Sequence[datetime]) -> bool:
        """Whether a release can rest on it; `releases` are the times at which they were built, in order."""
        first = bisect_left(releases, self.since - READ_WITHIN)
        return first < len(releases) and (self.until is None or releases[first] <= self.until + READ_WITHIN)


class Trail:
    """The records of a source's stages, given in order of time."""

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        self._assembled = [row for row in records if row["stage"] == Stage.ASSEMBLE]
        self._made_of = {row["output_digest"]: row["input_digest"] for row in records}
        self._newest = {(row["stage"], row["input_digest"]): row["output_digest"] for row in records}

    def outputs_from(self, unit: str) -> Iterator[str]:
        """The outputs that lead from a unit through the stages, the newest of each stage."""
        digest: str | None = unit
        for stage in STAGES:
            digest = self._newest.get((stage, digest))
            if digest is None:
                return
            yield digest

    def standings(self) -> list[Standing]:
        """What was assembled, one after the other; the last is in force."""
        ends = [row["finished_at"] for row in self._assembled[1:]]
        return [self._standing(row, until) for row, until in zip(self._assembled, [*ends, None], strict=False)]

    def _standing(self, assembled: Mapping[str, Any], until: datetime | None) -> Standing:
        outputs = []
        digest = assembled["output_digest"]
        while digest in self._made_of:
            outputs.append(digest)
            digest = self._made_of[digest]
        return Standing(digest, frozenset(outputs), assembled["finished_at"], until)
