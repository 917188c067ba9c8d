"""What one changed record of a feed costs: `make benchmark-changed-record ROWS=10000`.

Prints JSON. A feed on loopback is taken in, then a version of it in which one record is another. By stage: processor
seconds (of this process, its children and the database together), and how many rows of which tables were written;
beside them what the first version took, which is what taking everything in anew would cost.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.machine import print_found
from benchmarks.measured import processor_seconds
from tenant_pipeline.core.feed.schedule import Schedule
from tenant_pipeline.core.origin import Origin
from tenant_pipeline.core.stage import STAGES
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.feeds.feeds import Feed, NewFeed, add_feed
from tenant_pipeline.services.feeds.polling import Answer, ask_now, poll_feed
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.registry import register_tenant
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tenant_pipeline.settings import Settings

TENANT = TenantId("one-register")
ROWS = 10_000
TABLES = (
    "statements", "entities", "entity_members", "entity_keys", "entity_blocking_keys", "entity_features", "judgements",
)  # fmt: skip


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of requests."""


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/register.csv"
        finally:
            server.shutdown()


def _register(rows: int, *, changed: bool) -> str:
    halls = (f"PKT-{number},Hall {number} of the register,{83000 + number % 900}" for number in range(rows - 1))
    last = f"PKT-{rows - 1},{'Renamed' if changed else 'Last'} hall,83000"
    return "\n".join(["licence_no,venue_name_en,postcode", *halls, last, ""])


def _row_versions(runtime: Runtime) -> dict[str, set[tuple[str, str, str]]]:
    """Each row as it lies there: what is written lies elsewhere or is of another transaction, and locks show, too."""
    with runtime.database.tenant(TENANT) as connection:
        return {
            table: {
                (row["ctid"], row["xmin"], row["xmax"])
                for row in connection.execute(f"SELECT ctid::text, xmin::text, xmax::text FROM runtime.{table}")  # type: ignore[call-overload]
            }
            for table in TABLES
        }


def _take_in(runtime: Runtime, feed: Feed) -> dict[str, Any]:
    ask_now(runtime, TENANT, feed.id)
    assert poll_feed(runtime, TENANT, feed.id).answer is Answer.VERSION
    measured: dict[str, Any] = {}
    for stage in STAGES:
        before, began = _row_versions(runtime), processor_seconds()
        run_stage(runtime, TENANT, feed.source_id, stage)
        seconds, after = processor_seconds() - began, _row_versions(runtime)
        written = Counter({table: len(rows - before[table]) for table, rows in after.items()})
        measured[str(stage)] = {"processor_seconds": round(seconds, 2), "rows_written": dict(+written)}
    return measured


def measure(rows: int) -> dict[str, Any]:
    """Take a register of so many rows in, then one with another name in the last."""
    with tempfile.TemporaryDirectory(prefix="tenant-runtime-changed-") as folder:
        Path(folder).chmod(0o755)
        public = Path(folder) / "public"
        public.mkdir()
        with (
            _served(public) as url,
            open_runtime(Settings(home=Path(folder) / "home", loopback_links=True)) as runtime,
        ):
            name = {"th": "ก", "en": "a", "zh": "普"}
            register_tenant(
                runtime, TENANT, name=name, domain="a.example", tier="pilot", actor="benchmark", pdpa_agreement_ref="D"
            )
            wanted = NewFeed("Register", url, Origin.REGULATOR, Schedule("0 6 * * *", "Asia/Bangkok"))
            feed = add_feed(runtime, TENANT, wanted, actor="benchmark")
            measured = []
            for changed in (False, True):
                (public / "register.csv").write_text(_register(rows, changed=changed))
                measured.append(_take_in(runtime, feed))
    first, second = measured
    return {
        "rows": rows,
        "first_version": first,
        "one_record_changed": second,
        "ratio": {
            stage: round(second[stage]["processor_seconds"] / first[stage]["processor_seconds"], 3)
            for stage in first
            if first[stage]["processor_seconds"]
        },
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


if __name__ == "__main__":
    print_found(**measure(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS))
