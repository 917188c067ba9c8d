"""Which code made a stage's output: a digest of the modules and contracts that the stage is made of.

Derived from the files themselves, so nobody has to remember to raise a number: whatever could change an output
changes its version, and the stage runs again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from tenant_pipeline.core.digest import canonical_json
from tenant_pipeline.core.stage import Stage

COVERAGE_SCORE = "coverage_score"
CONFLICT_MATRIX = "conflict_matrix"

_READING = tuple(
    f"intake/{part}"
    for part in ("identify.py", "extract.py", "formats.py", "text_encoding.py", "archive.py", "readers", "sandbox")
)
_MADE_OF: Mapping[str, tuple[str, ...]] = {
    Stage.RECEIVE: ("intake/receive.py", "intake/archive.py", "intake/refusals.py", "intake/release.py"),
    Stage.IDENTIFY: (*_READING, "intake/refusals.py", "intake/release.py"),
    Stage.EXTRACT: _READING,
    Stage.SCREEN: (
        "pii",
        "core/pseudonym.py",
        "core/standardise/characters.py",
        "core/mapping/choose.py",
        "core/mapping/field_words.py",
        "core/mapping/mapping.py",
        "services/field_meanings.py",
        "contracts/enterprise_intake.json",
        "contracts/living_city.json",
        "contracts/source_mapping_engine.json",
    ),
    Stage.MAP: ("core/mapping", "contracts/source_mapping_engine.json", "contracts/living_city.json"),
    Stage.STANDARDISE: ("core/standardise", "contracts/living_city.json"),
    Stage.VALIDATE: ("core/validate", "contracts/living_city.json", "contracts/enterprise_intake.json"),
    Stage.LINK: ("linking", "core/entity_parts.py", "core/standardise/names.py", "contracts/living_city.json"),
    Stage.ASSEMBLE: ("storage/assemble.py", "core/entity_parts.py"),
    CONFLICT_MATRIX: (
        "services/conflicts/matrix.py",
        "services/conflicts/items.py",
        "services/conflicts/standings.py",
        "services/conflicts/relation.py",
        "storage/statements.py",
        "core/conflict",
        "core/standardise",
        "contracts/living_city.json",
    ),
    COVERAGE_SCORE: (
        "services/coverage/scoring.py",
        "services/coverage/counting.py",
        "services/coverage/scope.py",
        "core/coverage",
        "contracts/enterprise_intake.json",
        "contracts/living_city.json",
    ),
}


@cache
def code_version(stage: str) -> str:
    """The version of the code and contracts behind `stage`: 16 hexadecimal digits."""
    digest = hashlib.sha256()
    root = files("tenant_pipeline")
    for part in ("core/stage.py", "core/tables.py", *_MADE_OF[stage]):
        for path, content in sorted(_files_below(root.joinpath(part), part)):
            digest.update(f"{path}:{len(content)}:".encode())
            digest.update(content)
    return digest.hexdigest()[:16]


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
