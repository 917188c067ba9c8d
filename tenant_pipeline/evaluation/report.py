"""What an evaluation says: a row for each data set, ours beside the peers', and the worst errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tenant_pipeline.evaluation.counts import Counts


@dataclass(frozen=True)
class WorstError:
    """One error for a person to read: where, what the gold data says, what was found, and how wrong it is (0–1)."""

    place: str
    expected: str
    found: str
    why: str
    weight: float = 1.0


@dataclass(frozen=True)
class Measured:
    """One data set's outcome.

    `peers` are others' counts on the same data in the same run. `groups` splits our counts `by type`, `by language` or
    `by source`. `figures` are measures that are no such counts, such as a share of items resolved. `notes` say what a
    reader must know to judge the figures.
    """

    dataset: str
    ours: Counts
    peers: Mapping[str, Counts] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, Counts]] = field(default_factory=dict)
    figures: Mapping[str, float | int | str | None] = field(default_factory=dict)
    errors: tuple[WorstError, ...] = ()
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The outcome as JSON; errors from the worst down."""
        return {
            "dataset": self.dataset,
            "ours": self.ours.as_json(),
            "peers": {name: counts.as_json() for name, counts in self.peers.items()},
            "groups": {
                by: {name: counts.as_json() for name, counts in groups.items()} for by, groups in self.groups.items()
            },
            "figures": dict(self.figures),
            "errors": [
                {"place": each.place, "expected": each.expected, "found": each.found, "why": each.why}
                for each in sorted(self.errors, key=lambda error: -error.weight)
            ],
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Evaluation:
    """All that `evaluate` measured of one judgement (`pii`, `linking`, `conflicts`, `extraction`)."""

    subject: str
    measured: tuple[Measured, ...]
    skipped: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The whole evaluation as JSON; `skipped` names data sets that were not there, with the reason."""
        return {
            "subject": self.subject,
            "datasets": [each.as_json() for each in self.measured],
            "skipped": list(self.skipped),
        }
