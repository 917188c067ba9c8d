"""Claims of a wiki's editors about places and people in windows of time, with what the wiki settled on.

`{window: {"claims": [[source, entity, attribute, value]], "truth": [[entity, attribute, [value]]], "partial_order":
{attribute: [[[coarse], [fine]]]}}}`. A question is one attribute of one entity in one window; the values to choose from
are those claimed in the window, and whoever claims one of them in any window is heard. A truth of `null` or none at all
means that the wiki settled on nothing.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tenant_pipeline.core.conflict.comparison import Candidate
from tenant_pipeline.core.statement import Datatype
from tenant_pipeline.core.vocabulary import PropertyDefinition
from tenant_pipeline.evaluation.conflicts.dispute import Chain, Dispute, DisputedData

FOLDER = "wikiconflict_paris_pois"
NEAR_METRES = 150.0
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_BEGIN = datetime(2000, 1, 1, tzinfo=UTC)


def read_wiki_edits(path: Path) -> DisputedData:
    """The questions of a file, with every claim made of them."""
    windows: Mapping[str, Mapping[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    said: dict[tuple[str, str], list[Candidate]] = defaultdict(list)
    asked: dict[tuple[str, str, str], list[Candidate]] = defaultdict(list)
    for window, edits in windows.items():
        for place, (source, entity, attribute, value) in enumerate(edits["claims"]):
            claim = _candidate(source, _canonical(value), window, place)
            said[entity, attribute].append(claim)
            asked[window, entity, attribute].append(claim)
    disputes = []
    for window, edits in windows.items():
        chains = {name: tuple(_chains(each)) for name, each in edits["partial_order"].items()}
        for entity, attribute, truths in edits["truth"]:
            made = asked[window, entity, attribute]
            values = {one.value for one in made}
            heard = tuple(one for one in said[entity, attribute] if one.value in values)
            true = frozenset(_canonical(each) for each in truths or () if each not in (None, "null"))
            definition = _definition(attribute, [one.value for one in said[entity, attribute]])
            key = f"window {window}, {entity}, {attribute}"
            if heard:
                item, of = f"{entity} {attribute}", frozenset(one.statement_id for one in made)
                disputes.append(Dispute(key, item, definition, "", heard, true, chains.get(attribute, ()), of))
    claims = sorted(
        {
            (f"{entity} {attribute}", one.source_id, one.value)
            for (entity, attribute), all_ in said.items()
            for one in all_
        }
    )
    return DisputedData(
        path.stem,
        tuple(disputes),
        tuple(claims),
        ("Whoever claims one of a window's values in any window is heard; no editor has authority over another.",),
    )


def _candidate(source: str, value: str, window: str, place: int) -> Candidate:
    seen = _BEGIN + timedelta(hours=int(window), seconds=place)
    statement = f"{int(window):06d}-{place:06d}"
    return Candidate(
        source, statement, value, value, f"window={window}&claim={place + 1}", 3, "mixed", seen.isoformat()
    )


def _chains(orders: Iterable[Iterable[Iterable[Any]]]) -> Iterator[Chain]:
    for order in orders:
        yield tuple(frozenset(_canonical(value) for value in level) for level in order)


def _canonical(value: Any) -> str:
    """A value as the pipeline would have it: coordinates as one text, dates without the parts that are not known."""
    if isinstance(value, list):
        return ",".join(str(part) for part in value)
    text = str(value)
    return re.sub(r"(?:-00){1,2}$", "", text) if _DATE.fullmatch(text) else text


def _definition(attribute: str, values: list[str]) -> PropertyDefinition:
    """What kind of property it is, by the form of most of its values."""
    forms: tuple[tuple[Datatype, re.Pattern[str]], ...] = (
        (Datatype.GEO, re.compile(r"-?[0-9.]+,-?[0-9.]+")),
        (Datatype.DATE, re.compile(r"[0-9]{4}(?:-[0-9]{2}){0,2}")),
        (Datatype.URL, re.compile(r"https?://\S+")),
        (Datatype.NUMBER, _NUMBER),
    )
    for datatype, form in forms:
        if sum(bool(form.fullmatch(value)) for value in values) * 2 > len(values):
            return PropertyDefinition(attribute, datatype, tolerance=NEAR_METRES if datatype is Datatype.GEO else None)
    return PropertyDefinition(attribute, Datatype.NAME if attribute.startswith("label") else Datatype.TEXT)
