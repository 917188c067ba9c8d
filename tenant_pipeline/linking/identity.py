"""What becomes of canonical ids when homes are put together or taken apart: the moves, and their entries in the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """Homes that leave one canonical entity for another. `change` is `merge` when the one that they leave is itself
    among them (its id is then an alias), and `split` when it stays behind."""

    change: str
    from_id: str
    into_id: str
    homes: tuple[str, ...]


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    """The changes that lead from one assignment of homes to canonical ids to another, in order."""
    moved: dict[tuple[str, str], list[str]] = {}
    for home in sorted(before):
        if before[home] != after[home]:
            moved.setdefault((before[home], after[home]), []).append(home)
    return [
        Change("merge" if old in homes else "split", old, new, tuple(homes))
        for (old, new), homes in sorted(moved.items())
    ]
