"""Which code made a stage's output: a digest of the modules and the parts of contracts that the stage is made of.

Derived from these themselves, so nobody has to remember to raise a number: whatever could change an output
changes its version, and the stage runs again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from tenant_pipeline.contracts.contracts import Contracts
from tenant_pipeline.core.digest import canonical_json
from tenant_pipeline.core.stage import Stage

COVERAGE_SCORE = "coverage_score"
CONFLICT_MATRIX = "conflict_matrix"

_READING = (
    *(
        f"intake/{part}"
        for part in (
            "identify.py", "extract.py", "formats.py", "text_encoding.py", "text_formats.py", "archive.py",
            "refusals.py", "overruled.py", "readers", "sandbox",
        )
    ),
    "core/generic_words.py",
)  # fmt: skip
_MADE_OF: Mapping[str, tuple[str, ...]] = {
    Stage.RECEIVE: (
        "intake/receive.py",
        "intake/archive.py",
        "intake/text_encoding.py",
        "intake/refusals.py",
        "intake/overruled.py",
    ),
    Stage.IDENTIFY: _READING,
    Stage.EXTRACT: _READING,
    Stage.SCREEN: (
        "pii",
        "core/pseudonym.py",
        "core/standardise/characters.py",
        "core/mapping/choose.py",
        "core/mapping/field_words.py",
        "core/mapping/mapping.py",
        "services/field_meanings.py",
    ),
    Stage.MAP: ("core/mapping", "core/vocabulary.py"),
    Stage.STANDARDISE: ("core/standardise",),
    Stage.VALIDATE: ("core/validate",),
    Stage.LINK: ("linking", "core/entity_parts.py", "core/generic_words.py", "core/standardise/names.py"),
    Stage.ASSEMBLE: ("storage/assemble.py", "core/entity_parts.py"),
    CONFLICT_MATRIX: (
        "services/conflicts/matrix.py",
        "services/conflicts/items.py",
        "services/conflicts/standings.py",
        "services/conflicts/relation.py",
        "storage/statements.py",
        "core/conflict",
        "core/standardise",
    ),
    COVERAGE_SCORE: (
        "services/coverage/scoring.py",
        "services/coverage/counting.py",
        "services/coverage/scope.py",
        "core/coverage",
    ),
}


_OBLIGED_BY: Mapping[str, tuple[str, ...]] = {
    Stage.SCREEN: ("enterprise_intake/pii_policy", "living_city", "source_mapping_engine"),
    Stage.MAP: ("source_mapping_engine", "living_city"),
    Stage.STANDARDISE: ("living_city",),
    Stage.VALIDATE: ("living_city", "enterprise_intake/quality_gate"),
    Stage.LINK: ("living_city",),
    CONFLICT_MATRIX: ("living_city", "enterprise_intake/source_origins"),
    COVERAGE_SCORE: ("enterprise_intake/coverage_scoring", "living_city"),
}
"""The parts of contracts that decide what a stage makes of its input."""


def code_version(stage: str, contracts: Contracts) -> str:
    """The version of the code and contracts behind `stage`: 16 hexadecimal digits.

    Of the contracts it counts what they oblige to: a label or a note that changes runs nothing again.
    """
    code, parts = _digest_of_code(stage), _OBLIGED_BY.get(stage, ())
    if not parts:
        return code[:16]
    obliged = [f"{part}:{contracts.digest_of(part)}" for part in parts]
    return hashlib.sha256("\n".join([code, *obliged]).encode()).hexdigest()[:16]


@cache
def _digest_of_code(stage: str) -> str:
    digest = hashlib.sha256()
    root = files("tenant_pipeline")
    for part in ("core/stage.py", "core/tables.py", *_MADE_OF[stage]):
        for path, content in sorted(_files_below(root.joinpath(part), part)):
            digest.update(f"{path}:{len(content)}:".encode())
            digest.update(content)
    return digest.hexdigest()


@cache
def package_version() -> str:
    """The version of everything that this package runs, attacks on it included: 16 hexadecimal digits."""
    digest = hashlib.sha256()
    root = files("tenant_pipeline")
    for path, content in sorted(_files_below(root, "")):
        if path.endswith((".py", ".sql", ".json")):
            digest.update(f"{path}:{len(content)}:".encode())
            digest.update(content)
    return digest.hexdigest()[:16]


def with_parameters(version: str, parameters: Mapping[str, Any]) -> str:
    """The code version of a stage that also depends on parameters (which key, which agreement)."""
    if not parameters:
        return version
    return f"{version}-{hashlib.sha256(canonical_json(dict(parameters))).hexdigest()[:8]}"


def _files_below(entry: Traversable, path: str) -> list[tuple[str, bytes]]:
    if entry.is_file():
        return [(path, entry.read_bytes())]
    return [
        found
        for child in entry.iterdir()
        if child.name != "__pycache__"
        for found in _files_below(child, f"{path}/{child.name}")
    ]
