"""The matrix as one HTML page that needs nothing else: a heat map of sources by properties, and the items below it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from tenant_pipeline.core.conflict.comparison import Verdict
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services import sources
from tenant_pipeline.services.conflicts import reading
from tenant_pipeline.services.conflicts.reading import ALL, Filter
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source

SHADES = 5
MOST_DRAWN = 2_000
LONGEST_SHOWN = 300
"""Characters of a value; the whole of it is in the form of its item."""

VERDICTS = (Verdict.DIFFERS, Verdict.INCOMPARABLE, Verdict.REFINES, Verdict.SAME)


@dataclass(frozen=True)
class Cell:
    """One source and one property: its items by verdict, those that differ by whether somebody has signed them."""

    by_verdict: Mapping[str, int]
    open: int
    signed: int

    @property
    def items(self) -> int:
        """All items of the cell."""
        return sum(self.by_verdict.values())

    @property
    def says(self) -> str:
        """The cell in words, for whoever does not see it."""
        counted = ", ".join(f"{count} {verdict}" for verdict, count in self.by_verdict.items() if count)
        return f"{counted}; {self.open} open, {self.signed} signed"


def draw_matrix(runtime: Runtime, tenant: TenantId, wanted: Filter = ALL, *, items: int = 200) -> str:
    """The page: the heat map over all items of the filter, and the first `items` of them with what each source says.

    Whatever a source says is escaped, and the page's own policy lets it load and run nothing.
    """
    every = {source.id: source for source in sources.list_sources(runtime, tenant)}
    counts = reading.counts_of_matrix(runtime, tenant, wanted)
    page = reading.page_of_matrix(runtime, tenant, wanted, limit=min(items, MOST_DRAWN))
    cells = _cells(counts)
    totals = reading.totals_of_matrix(runtime, tenant, wanted)
    worst = max((cell.open for cell in cells.values()), default=0)
    properties = _by_open_items(cells, 1)
    return _template().render(
        tenant=tenant,
        drawn_at=runtime.now().isoformat(timespec="minutes"),
        totals=totals,
        verdicts=VERDICTS,
        properties=properties,
        sources=[every[SourceId(source)] for source in _by_open_items(cells, 0)],
        cells=cells,
        shade=lambda cell: _shade(cell.open, worst),
        sections=_sections(page.items, properties, every),
        drawn={item["property"] for item in page.items},
        shown=len(page.items),
    )


def _cells(counts: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Cell]:
    grouped: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in counts:
        grouped[row["source_id"], row["property"]].append(row)
    return {key: _cell(rows) for key, rows in grouped.items()}


def _cell(rows: Iterable[Mapping[str, Any]]) -> Cell:
    by_verdict, by_status = Counter[str](), Counter[str]()
    for row in rows:
        by_verdict[row["verdict"]] += row["items"]
        if row["status"] == "signed" or row["verdict"] == "differs":
            by_status[row["status"]] += row["items"]
    return Cell({str(verdict): by_verdict[verdict] for verdict in VERDICTS}, by_status["open"], by_status["signed"])


def _by_open_items(cells: Mapping[tuple[str, str], Cell], axis: int) -> list[str]:
    """The sources (axis 0) or properties (axis 1), those with the most open items first."""
    opened, all_ = Counter[str](), Counter[str]()
    for key, cell in cells.items():
        opened[key[axis]] += cell.open
        all_[key[axis]] += cell.items
    return sorted(all_, key=lambda name: (-opened[name], -all_[name], name))


def _shade(count: int, worst: int) -> int:
    """0 for nothing open, then 1 to SHADES by powers of the largest count, so that one large cell pales no other."""
    if count == 0:
        return 0
    return max(1, min(SHADES, round(SHADES * (count.bit_length() / worst.bit_length()))))


def _sections(
    items: Iterable[Mapping[str, Any]], properties: Iterable[str], every: Mapping[Any, Source]
) -> list[dict[str, Any]]:
    """The items by property, each with the sources that say something of them as columns."""
    grouped: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for item in items:
        grouped[item["property"]].append(item)
    return [
        {
            "property": property_,
            "items": grouped[property_],
            "sources": [
                source
                for identifier, source in every.items()
                if any(identifier in item["cells"] for item in grouped[property_])
            ],
        }
        for property_ in properties
        if property_ in grouped
    ]


def _short(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"


def _breakable(name: str) -> Markup:
    """A property's name, which a narrow column may break where a new word begins."""
    return Markup("<wbr>").join(re.split(r"(?<=[a-z])(?=[A-Z])", name))


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"short": _short, "breakable": _breakable}
    text = files("tenant_pipeline.services.conflicts").joinpath("matrix.html.jinja").read_text(encoding="utf-8")
    return environment.from_string(text)
