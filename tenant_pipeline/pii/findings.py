"""The tally of what was found: by entity type, place and action, never the value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
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
    ]
)


@dataclass(frozen=True, order=True)
class Place:
    """Where in a source something was found: the table, the field's position (−1 for what is no field), its name."""

    table: str
    position: int
    field: str


@dataclass
class _Tally:
    count: int = 0
    max_score: float = 0.0
    sample_digest: str = ""


@dataclass
class Findings:
    """Counts that grow as batches are screened; their number is bounded by fields × entity types × actions."""

    _tallies: dict[tuple[Place, str, Action], _Tally] = field(default_factory=dict)

    def add(self, place: Place, entity_type: str, action: Action, *, count: int, score: float, digest: str) -> None:
        """Count `count` more occurrences of a value whose keyed digest is `digest`.

        The sample is the smallest digest, so that it does not depend on the order of rows.
        """
        tally = self._tallies.setdefault((place, entity_type, action), _Tally())
        tally.count += count
        tally.max_score = max(tally.max_score, score)
        tally.sample_digest = min(filter(None, (tally.sample_digest, digest)))

    def by_type(self, *, allowed: bool) -> dict[str, int]:
        """Occurrences per entity type: those that policy allows, or all others."""
        counts: Counter[str] = Counter()
        for (_, entity_type, action), tally in self._tallies.items():
            if (action is Action.ALLOW) is allowed:
                counts[entity_type] += tally.count
        return dict(sorted(counts.items()))

    def rows(self) -> tuple[Mapping[str, Any], ...]:
        """The rows of the findings table, by place and entity type."""
        return tuple(
            {
                "entity_type": entity_type,
                "table": place.table,
                "field": place.field,
                "count": tally.count,
                "max_score": round(tally.max_score, 4),
                "sample_digest": tally.sample_digest,
                "action": str(action),
            }
            for (place, entity_type, action), tally in sorted(self._tallies.items(), key=lambda item: item[0])
        )

    def frame(self) -> pd.DataFrame:
        """The findings table."""
        table = pa.Table.from_pylist([dict(row) for row in self.rows()], schema=_SCHEMA)
        frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
        return frame
