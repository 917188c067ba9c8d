"""The raw zone in a folder and in a bucket, against the driver alone on the same server: `make benchmark-object-store`.

Prints JSON: MB a second of writing and reading one file, the ratio to the driver's own put and get of the same bytes,
and by how much the process grew. The size in MiB is the first argument (512 if none). The server is rclone on loopback.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from obstore.store import S3Store

from benchmarks.machine import print_found
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.storage.object_store import Objects, RawZone
from tenant_pipeline.storage.object_store_bucket import BucketStore
from tenant_pipeline.storage.object_store_folder import ObjectStore
from tests.bucket_server import bucket_server, its_environment

PIECE = 1024 * 1024


def main() -> None:
    """Measure and print."""
    mebibytes = int(sys.argv[1]) if len(sys.argv) > 1 else 512
    size = mebibytes * PIECE
    with (
        tempfile.TemporaryDirectory(prefix="object-store-") as name,
        bucket_server(Path(name) / "s3") as server,
        its_environment(server),
    ):
        folder = Path(name)
        file = folder / "large"
        with file.open("wb") as written:
            for _ in range(mebibytes):
                written.write(os.urandom(PIECE))
        driver = S3Store.from_url(server.url)
        bare = {
            "write": size / _seconds(lambda: driver.put("bare", file)) / 1e6,
            "read": size / _seconds(lambda: _drained(driver)) / 1e6,
        }
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        local = _measured(ObjectStore(folder / "objects"), file, size)
        bucket = _measured(BucketStore(f"{server.url}/zone", folder / "staging", 60, 60), file, size)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print_found(
        bytes=size,
        folder_mb_per_s={act: round(rate, 1) for act, rate in local.items()},
        bucket_mb_per_s={act: round(rate, 1) for act, rate in bucket.items()},
        driver_alone_mb_per_s={act: round(rate, 1) for act, rate in bare.items()},
        bucket_to_driver={act: round(bucket[act] / bare[act], 2) for act in bare},
        bucket_to_folder={act: round(bucket[act] / local[act], 2) for act in local},
        grown_mib=round(grown, 1),
    )


def _measured(objects: Objects, file: Path, size: int) -> dict[str, float]:
    zone = RawZone(objects, TenantId("a-tenant"), b"k" * 32)
    digests: list[Sha256] = []

    def write() -> None:
        with file.open("rb") as stream:
            digests.append(zone.put(stream)[0])

    def read() -> None:
        with zone.open(digests[0]) as stream:
            while stream.read(PIECE):
                pass

    return {"write": size / _seconds(write) / 1e6, "read": size / _seconds(read) / 1e6}


def _drained(driver: S3Store) -> None:
    for _ in driver.get("bare"):
        pass


def _seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
