"""Our own gold format: a file, and beside it `<file>.expected.jsonl` with a record a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.evaluation.extraction.record import Record

SUFFIX = ".expected.jsonl"


@dataclass(frozen=True)
class Case:
    """A file and the records that should come out of it."""

    file: Path
    expected: tuple[Record, ...]


def cases(folder: Path) -> Iterator[Case]:
    """The cases of a folder, by name.

    Raises InputError for an expectation without its file, and for a line that is no JSON object of texts.
    """
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        file = path.with_name(path.name.removesuffix(SUFFIX))
        if not file.is_file():
            raise InputError(
                "An expectation has no file beside it", where=str(path), remedy=f"Put {file.name} beside it."
            )
        lines = path.read_text(encoding="utf-8").splitlines()
        yield Case(file, tuple(_record(line, f"{path.name}:{number}") for number, line in enumerate(lines, 1) if line))


def _record(line: str, where: str) -> Record:
    try:
        values = json.loads(line)
    except ValueError:
        values = None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise InputError(
            "An expected record is no JSON object of texts",
            where=where,
            remedy='Write one object a line, such as {"name": "Hall A", "capacity": "1200"}.',
        )
    return Record(where, values)
