"""Records withheld, and the records that belong to them: what lies under a withheld record's locator goes with it.

A reader that finds records within a record gives them locators that go on where their parent's ends: `/3` and
`/3/resources/0`, `message=7` and `message=7&table=1&line=2`. They tell of the same person as the record around them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tenant_pipeline.core.tables import TableReader

PARENT_CODE = "pii-parent-withheld"
PARENT_REASON = "The record that this one belongs to is withheld."

_STEP = re.compile(r"[/&]")
_STEPS = r"#.+[/&]|#/."
"""A locator that can have a record above it: more than one step, or one below the root of a document."""


@dataclass
class WithheldRecords:
    """The locators of the records of one object that are withheld so far, as the source gave them: never write them."""

    _locators: set[str] = field(default_factory=set)

    def add(self, locators: pa.Array) -> None:
        """Remember the locators of records that are withheld."""
        self._locators.update(locators.drop_null().to_pylist())

    def below(self, locators: pa.Array) -> npt.NDArray[np.bool_] | None:
        """Which of the records lie under one that is withheld; None when none does."""
        if not self._locators:
            return None
        nested = pc.fill_null(pc.match_substring_regex(locators, _STEPS), False)
        rows = np.flatnonzero(nested.to_numpy(zero_copy_only=False))
        texts = locators.take(pa.array(rows)).to_pylist()
        found = [row for row, text in zip(rows, texts, strict=True) if not self._locators.isdisjoint(ancestors(text))]
        if not found:
            return None
        below = np.zeros(len(locators), dtype=bool)
        below[found] = True
        return below


def ancestors(locator: str) -> Iterator[str]:
    """The locators of every record that one may lie under: `o1#/a/0/b/1` lies under `/a/0/b`, `/a/0`, `/a` and `/`."""
    object_, _, place = locator.partition("#")
    for step in _STEP.finditer(place, 1):
        if step.start() < len(place) - 1:
            yield f"{object_}#{place[: step.start()]}"
    if place.startswith("/") and place != "/":
        yield f"{object_}#/"


def parents_first(tables: Sequence[TableReader]) -> Iterator[tuple[TableReader, WithheldRecords]]:
    """The tables in their order, but within one object those whose locators are shorter by a step before the others.

    A parent is then always screened before its children, and no table has to be held back or read twice. With each
    comes what is to be remembered of its object.
    """
    for _, group in groupby(tables, key=lambda table: table.descriptor.about.get("object")):
        of_object, withheld = list(group), WithheldRecords()
        for table in sorted(of_object, key=_steps) if len(of_object) > 1 else of_object:
            yield table, withheld


def _steps(table: TableReader) -> int:
    """How many steps the table's first locator has."""
    for frame in table.batches(["locator"]):
        if len(frame):
            place = str(frame["locator"].iloc[0]).partition("#")[2]
            return len(_STEP.findall(place.rstrip("/")))
    return 0
