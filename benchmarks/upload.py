"""Taking in one large file, against writing the same bytes to the same disk: `make benchmark-upload`.

Prints JSON: bytes a second of both, their ratio, and by how much the process grew. The size in GiB is the first
argument (5 if none); the folder to work in is the second (a new temporary one if none).
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import print_found
from tenant_pipeline.core.origin import UnitMode
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.intake.unit_reader import unit_from_paths
from tenant_pipeline.storage.object_store import RawZone
from tenant_pipeline.storage.object_store_folder import ObjectStore

PIECE = os.urandom(1024 * 1024)


def main() -> None:
    """Measure and print."""
    size = int(float(sys.argv[1] if len(sys.argv) > 1 else 5) * 1024**3)
    folder = Path(tempfile.mkdtemp(prefix="upload-", dir=sys.argv[2] if len(sys.argv) > 2 else None))
    try:
        source = folder / "large.bin"
        plain = _plain_write(source, size)
        zone = RawZone(ObjectStore(folder / "objects"), TenantId("a-tenant"), os.urandom(32))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        unit = unit_from_paths(UnitMode.SINGLE_FILE, [source], zone)
        seconds = time.perf_counter() - started
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert unit.files[0].size == size
        print_found(
            bytes=size,
            upload_mb_per_s=round(size / seconds / 1e6, 1),
            plain_write_mb_per_s=round(plain, 1),
            ratio=round(size / seconds / 1e6 / plain, 2),
            grown_mib=round(grown / 1024, 1),
        )
    finally:
        shutil.rmtree(folder)


def _plain_write(path: Path, size: int) -> float:
    """MB/s of writing `size` bytes, synced."""
    started = time.perf_counter()
    with path.open("wb") as file:
        for _ in range(size // len(PIECE)):
            file.write(PIECE)
        file.write(PIECE[: size % len(PIECE)])
        file.flush()
        os.fsync(file.fileno())
    return size / (time.perf_counter() - started) / 1e6


if __name__ == "__main__":
    main()
