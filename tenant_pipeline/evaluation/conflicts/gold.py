"""Our own gold format: `claims.jsonl`, `truth.jsonl` and, where values are finer and coarser, `order.jsonl`."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tenant_pipeline.core.conflict.comparison import Candidate
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.statement import Datatype
from tenant_pipeline.core.vocabulary import PropertyDefinition
from tenant_pipeline.evaluation.conflicts.dispute import Chain, Dispute, DisputedData

CLAIMS, TRUTH, ORDER = "claims.jsonl", "truth.jsonl", "order.jsonl"
Asked = tuple[str, str, str]


def read_gold(folder: Path) -> DisputedData:
    """The questions in a folder. Raises InputError for a line that is none, with its file and number."""
    said: dict[Asked, list[Candidate]] = defaultdict(list)
    definitions: dict[str, PropertyDefinition] = {}
    for where, line in _lines(folder / CLAIMS, ("source", "entity", "property", "value")):
        asked = (line["entity"], line["property"], line.get("lang", ""))
        try:
            definitions[asked[1]] = PropertyDefinition(
                asked[1], Datatype(line.get("datatype", "text")), tolerance=line.get("tolerance")
            )
        except ValueError:
            raise InputError(
                "There is no such datatype", where=where, remedy=f"One of {', '.join(Datatype)}."
            ) from None
        said[asked].append(
            Candidate(
                source_id=line["source"],
                statement_id=where,
                value=line["value"],
                raw_value=line.get("raw_value", line["value"]),
                locator=where,
                authority_tier=int(line.get("tier", 3)),
                origin=line.get("origin", "mixed"),
                observed_at=line.get("observed_at", ""),
                valid_from=line.get("valid_from", ""),
                valid_to=line.get("valid_to", ""),
            )
        )
    chains: dict[str, list[Chain]] = defaultdict(list)
    if (folder / ORDER).is_file():
        for _, line in _lines(folder / ORDER, ("property", "levels")):
            chains[line["property"]].append(tuple(frozenset(level) for level in line["levels"]))
    disputes = []
    for where, line in _lines(folder / TRUTH, ("entity", "property", "values")):
        asked = (line["entity"], line["property"], line.get("lang", ""))
        if asked not in said:
            raise InputError("Nobody claims anything of this", where=where, remedy="Name an entity that has claims.")
        disputes.append(
            Dispute(
                ", ".join(filter(None, asked)),
                " ".join(asked),
                definitions[asked[1]],
                asked[2],
                tuple(said[asked]),
                frozenset(line["values"]),
                tuple(chains[asked[1]]),
                frozenset(one.statement_id for one in said[asked]),
            )
        )
    claims = tuple(
        (" ".join(asked), one.source_id, one.value) for asked, all_ in said.items() for one in all_ if one.is_witness
    )
    return DisputedData(folder.name, tuple(disputes), claims)


def _lines(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not path.is_file():
        raise InputError("A gold file is missing", where=str(path), remedy=f"Put {CLAIMS} and {TRUTH} side by side.")
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not text.strip():
            continue
        where = f"{path.name}:{number}"
        try:
            line = json.loads(text)
        except ValueError:
            line = None
        if not isinstance(line, dict) or any(name not in line for name in needed):
            raise InputError(
                "A line is no JSON object with all it needs", where=where, remedy=f"Give {', '.join(needed)}."
            )
        yield where, line
