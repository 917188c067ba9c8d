"""The tally of what was found: by entity type, place, action and declaration, never the value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow as pa

from tenant_pipeline.pii.policy import Action

_SCHEMA = pa.schema(
    [
        ("entity_type", pa.string()),
        ("table", pa.string()),
        ("field", pa.string()),
        ("count", pa.int64()),
        ("max_score", pa.float64()),
        ("sample_digest", pa.string()),
        ("action", pa.string()),
        ("category", pa.string()),
        ("declaration", pa.string()),
    ]
)


@dataclass(frozen=True, order=True)
class Place:
    """Where in a source something was found: the table, the field's position (−1 for what is no field), its name."""

    table: str
    position: int
    field: str


@dataclass(frozen=True, order=True)
class Kind:
    """What was found and what became of it: `category` of a special category, `declaration` that it follows from."""

    entity_type: str
    action: Action
    category: str = ""
    declaration: str = ""


@dataclass
class _Tally:
    count: int = 0
    max_score: float = 0.0
    sample_digest: str = ""


@dataclass
class Findings:
    """Counts that grow as batches are screened; their number is bounded by fields × kinds."""

    _tallies: dict[tuple[Place, Kind], _Tally] = field(default_factory=dict)

    def add(self, place: Place, kind: Kind, *, count: int, score: float, digest: str) -> None:
        """Count `count` more occurrences of a value whose keyed digest is `digest` ("" where none may be kept).

        The sample is the smallest digest, so that it does not depend on the order of rows.
        """
        tally = self._tallies.setdefault((place, kind), _Tally())
        tally.count += count
        tally.max_score = max(tally.max_score, score)
        tally.sample_digest = min(filter(None, (tally.sample_digest, digest)), default="")

    def dealt_with(self) -> dict[str, int]:
        """Occurrences per entity type of what was not left as it is."""
        return self._counts(lambda kind: kind.entity_type if kind.action is not Action.ALLOW else "")

    def allowed(self, declaration: str = "") -> dict[str, int]:
        """Occurrences per entity type of what is left as it is by the contract's policy, or by a declaration."""
        return self._counts(
            lambda kind: kind.entity_type if kind.action is Action.ALLOW and kind.declaration == declaration else ""
        )

    def allowing(self) -> list[str]:
        """The declarations because of which something is left as it is."""
        kinds = (kind for _, kind in self._tallies)
        return sorted({kind.declaration for kind in kinds if kind.declaration and kind.action is Action.ALLOW})

    def categories(self) -> dict[str, int]:
        """Values per special category."""
        return self._counts(lambda kind: kind.category)

    def rows(self) -> tuple[Mapping[str, Any], ...]:
        """The rows of the findings table, by place and kind."""
        return tuple(
            {
                "entity_type": kind.entity_type,
                "table": place.table,
                "field": place.field,
                "count": tally.count,
                "max_score": round(tally.max_score, 4),
                "sample_digest": tally.sample_digest,
                "action": str(kind.action),
                "category": kind.category,
                "declaration": kind.declaration,
            }
            for (place, kind), tally in sorted(self._tallies.items(), key=lambda item: item[0])
        )

    def frame(self) -> pd.DataFrame:
        """The findings table."""
        table = pa.Table.from_pylist([dict(row) for row in self.rows()], schema=_SCHEMA)
        frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
        return frame

    def _counts(self, name: Callable[[Kind], str]) -> dict[str, int]:
        """Occurrences by what `name` says of their kind; "" leaves a kind out."""
        counts: Counter[str] = Counter()
        for (_, kind), tally in self._tallies.items():
            if named := name(kind):
                counts[named] += tally.count
        return dict(sorted(counts.items()))
