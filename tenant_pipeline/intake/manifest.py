"""The objects that `receive` listed, as the stages after it read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.tables import StageReader


@dataclass(frozen=True)
class ManifestEntry:
    """One object: its number, its path within the unit, its digest."""

    object: str
    path: str
    sha256: Sha256


def manifest_entries(received: StageReader) -> Iterator[ManifestEntry]:
    """The objects in their order."""
    for table in received.tables("manifest"):
        for frame in table.batches(["object", "path", "sha256"]):
            for name, path, digest in frame.itertuples(index=False, name=None):
                yield ManifestEntry(name, path, Sha256(digest))
