"""Paths, screened: what folders and files are called may be persons, of whom a source has a file each."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pyarrow as pa

from tenant_pipeline.core.pseudonym import REPLACEMENT
from tenant_pipeline.pii.column_evidence import person_evidence
from tenant_pipeline.pii.findings import Place
from tenant_pipeline.pii.folding import fold
from tenant_pipeline.pii.readings import seen
from tenant_pipeline.pii.replacement import Replacer

_APART = re.compile(rf"({REPLACEMENT.pattern}|!?/|\.[0-9A-Za-z]{{1,8}}(?=\Z|!/))")
"""Between the names in a path, and behind them: what has been replaced, steps, the ending of a file or an archive."""

_SAMPLE = 2_000
"""So many names are asked together whether they are persons'."""


def names_in_paths(paths: Iterable[str]) -> tuple[str, ...]:
    """Whether the folders and files of these paths are called after persons, as context for each of them."""
    names: dict[str, None] = {}
    for path in paths:
        names |= dict.fromkeys(fold(seen(name)) for name in _APART.split(path)[::2] if name)
        if len(names) >= _SAMPLE:
            break
    return person_evidence(pa.array(list(names), type=pa.string()))


def screened_path(path: str, replacer: Replacer, place: Place, persons: tuple[str, ...]) -> str:
    """A path without personal data; `persons` is what `names_in_paths` says of it and those beside it."""
    screened = str(replacer.json(path, place))
    return replacer.each(screened, _APART, place, persons) if persons else screened
