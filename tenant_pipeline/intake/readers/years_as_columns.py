"""Statistics with a column for each year, Buddhist or Common Era: each figure becomes an observation of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tenant_pipeline.intake.readers.item import Item, Items, Problem

OBSERVATION_OF = "observation of"
OBSERVATION_MEASURE = "observation measure"
OBSERVATION_YEAR = "observation year"
OBSERVATION_VALUE = "observation value"

_YEAR = re.compile(
    r"(?:(?P<measure>.*?\S)\s+)??(?:ปีงบประมาณ|ปี|พ\.ศ\.|ค\.ศ\.|fy|year)?\s*"
    r"(?P<year>19\d\d|20\d\d|24[5-9]\d|25\d\d|260\d)\s*年?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class YearColumns:
    """Which columns are years: a column's name to the measure and the year that it names."""

    years: Mapping[str, tuple[str | None, str]]
    described_by: str | None

    def items(self, table: str, locator: str, row: Mapping[str, str | None]) -> Items:
        """The observations of a row, the other columns with each.

        A row without a figure is a record of its other columns; one that says nothing there but a name is a problem.
        """
        around = {name: value or None for name, value in row.items() if name not in self.years}
        observed = False
        for name, (measure, year) in self.years.items():
            value = row.get(name)
            if value is None or not value.strip():
                continue
            observed = True
            yield Item(
                f"{table} by year".strip(),
                f"{locator}&column={name}",
                {
                    **around,
                    OBSERVATION_OF: around.get(self.described_by) if self.described_by else None,
                    OBSERVATION_MEASURE: measure,
                    OBSERVATION_YEAR: year,
                    OBSERVATION_VALUE: value,
                },
            )
        if observed:
            return
        if len({value.strip() for value in around.values() if value and value.strip()}) > 1:
            yield Item(table, locator, around)
        else:
            yield Problem(locator, "no-figures", "The row has no figure in any of its years.")


def year_columns(header: Sequence[str]) -> YearColumns | None:
    """The columns that are years where at least two are; None for an ordinary table."""
    years = {}
    for name in header:
        found = _YEAR.fullmatch(name.strip())
        if found:
            years[name] = (found["measure"], found["year"])
    if len(years) < 2:
        return None
    return YearColumns(years, next((name for name in header if name not in years), None))
