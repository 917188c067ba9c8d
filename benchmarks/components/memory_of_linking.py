"""Memory while a large source is linked, process by process: `python -m benchmarks.components.memory_of_linking ROWS`.

The unique set sizes (what no other process shares) of the main process and of those that read entities ahead, at ten
moments of the stage `link`, evenly spread. Then the same parts are given to such processes again and again: what they
hold has to level off. Those processes are there from half a million statements on, which is 46,000 rows.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path

import psutil

from benchmarks.components.figure import figure, print_figures
from benchmarks.scale.installation import installation, register
from benchmarks.scale.venue_file import MAPPING, write_venues
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.stage import Stage
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.linking.gather import Ahead, gather
from tenant_pipeline.linking.kinds import family
from tenant_pipeline.services import mappings
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.parallel_map import parallel_map
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import add_source
from tenant_pipeline.storage.stage_store import StoredStage

TENANT = TenantId("components")
MOMENTS, AGAIN = 10, 4
SECONDS_BETWEEN = 0.2
_OTHERS = ("postgres", "sandbox.server", "resource_tracker")


class Sizes:
    """Of this process and of those below it that work on the source, what each held from moment to moment."""

    def __init__(self) -> None:
        self.seen: list[list[float]] = []
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Sizes:
        self._watcher.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._watcher.join()

    def at_moments(self) -> list[list[float]]:
        """Ten of the samples, evenly spread: for each its sizes in MiB, this process first."""
        last = len(self.seen) - 1
        return [self.seen[last * number // (MOMENTS - 1)] for number in range(MOMENTS)]

    def _watch(self) -> None:
        while not self._ended.is_set():
            self.seen.append(_sizes())
            self._ended.wait(SECONDS_BETWEEN)


def main(rows: int) -> None:
    """Measure and print."""
    with installation() as runtime, tempfile.TemporaryDirectory(prefix="components-") as folder:
        path = Path(folder) / "venues.csv"
        write_venues(path, rows)
        register(runtime, TENANT)
        mappings.accept(runtime, TENANT, person="benchmark", reason="the register's own fields", definition=MAPPING)
        source = add_source(
            runtime, TENANT, origin=Origin.REGULATOR, unit_mode=UnitMode.SINGLE_FILE, places=[str(path)],
            title="Venues", actor="benchmark",
        )  # fmt: skip
        for stage in tuple(Stage)[: list(Stage).index(Stage.LINK)]:
            record = run_stage(runtime, TENANT, source.id, stage)
        with Sizes() as sizes:
            run_stage(runtime, TENANT, source.id, Stage.LINK)
        validated = runtime.stage_store(TENANT).read(record.output_digest)
        held = _again_and_again(runtime, validated, record.rows_out)
    moments = sizes.at_moments()
    middle, end = (max(each[0] for each in part) for part in (moments[:5], moments[5:]))
    figures = [
        figure("link, memory of the main process, second half", "MiB, unique set size", end, beside="first half",
               beside_value=middle, ratio=end / middle, rows=rows, moments=moments)
    ]  # fmt: skip
    if held:
        figures.append(
            figure(f"a process that reads entities ahead, the parts given {AGAIN} times", "MiB, unique set size",
                   held[-1], beside="given once", beside_value=held[0], ratio=held[-1] / held[0], rows=rows,
                   each_time=held)
        )  # fmt: skip
    print_figures(*figures)


def _again_and_again(runtime: Runtime, validated: StoredStage, statements: int) -> list[float]:
    """What the largest of the processes holds each time that it was given all parts: nothing without processes."""
    vocabulary = runtime.contracts.vocabulary
    families = {type_: family(vocabulary, type_) for type_ in vocabulary.types}
    held = []
    with parallel_map(0, statements, where="benchmark") as batch_map:
        for _ in range(AGAIN):
            for _part in gather(validated, frozenset(), "benchmark", Ahead(partial(nullcontext, batch_map), families)):
                pass
            others = _sizes()[1:]
            held += [max(others)] if others else []
    return held


def _sizes() -> list[float]:
    this = psutil.Process()
    found = []
    for process in (this, *this.children(recursive=True)):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            command = " ".join([process.name(), *process.cmdline()])
            if process == this or not any(other in command for other in _OTHERS):
                found.append(round(process.memory_full_info().uss / 2**20, 1))
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]))
