"""Where a source comes from (13 origins), how it is handed in (4 unit modes), and the unit itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tenant_pipeline.core.digest import Sha256, sha256_of_json


class Origin(StrEnum):
    """The thirteen source origins of the enterprise intake contract."""

    FOUNDER = "founder"
    CANONICAL = "canonical"
    CONCEPT = "concept"
    SYSTEM = "system"
    LEGACY_WIKI = "legacy-wiki"
    PARTNER_DOC = "partner-doc"
    REGULATOR = "regulator"
    PRESS = "press"
    CHATGPT = "chatgpt"
    CLAUDE = "claude"
    GEMINI = "gemini"
    PERPLEXITY = "perplexity"
    MIXED = "mixed"


class UnitMode(StrEnum):
    """The four ways in which a source is handed in."""

    SINGLE_FILE = "single-file"
    FOLDER = "folder"
    LINK = "link"
    AI_BUNDLE = "ai-bundle"


@dataclass(frozen=True)
class UnitFile:
    """A file of a unit as it was handed in: its path inside the unit ('/'-separated), digest and size in bytes."""

    path: str
    sha256: Sha256
    size: int


@dataclass(frozen=True)
class Unit:
    """What a tenant handed in as one source. Its files lie in the raw zone under their digests."""

    mode: UnitMode
    files: tuple[UnitFile, ...]

    @property
    def digest(self) -> Sha256:
        """The digest that identifies this revision of the source: the input digest of `receive`."""
        return sha256_of_json(self.as_json())

    def as_json(self) -> dict[str, Any]:
        """The JSON form, files in the order of their paths."""
        files = sorted(self.files, key=lambda file: file.path)
        return {
            "mode": str(self.mode),
            "files": [{"path": file.path, "sha256": file.sha256, "size": file.size} for file in files],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Unit:
        """The unit that `as_json` described."""
        return cls(
            UnitMode(value["mode"]),
            tuple(UnitFile(file["path"], Sha256(file["sha256"]), file["size"]) for file in value["files"]),
        )
