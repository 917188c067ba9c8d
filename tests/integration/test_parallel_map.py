"""Batches worked on in other processes give what they give here, and the processes are gone when they are to be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pandas as pd
import psutil
import pyarrow as pa
import pytest

from tenant_pipeline.core.errors import ProcessLostError
from tenant_pipeline.core.standardise.stage import standardise
from tenant_pipeline.services.parallel_map import WORTH_ROWS, parallel_map
from tenant_pipeline.services.pii_analyzer import analyzer, analyzer_over
from tests.unit.core.standardise_memory import VOCABULARY, MemoryStage, stage_of, statement, statements

pytestmark = pytest.mark.slow

PLACE = "a-tenant|src-0000000000000001 screen"


def twice(number: int) -> tuple[int, int]:
    return 2 * number, os.getpid()


def end_from_outside(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_results_come_in_order_from_other_processes_and_batches_are_taken_as_needed() -> None:
    taken = 0

    def numbers() -> Iterator[int]:
        nonlocal taken
        for number in range(1, 21):
            taken = number
            yield number

    with parallel_map(2, WORTH_ROWS, where=PLACE) as batch_map:
        results = batch_map(twice, numbers())
        first, process = next(results)
        assert first == 2
        assert process != os.getpid()
        assert taken <= 4
        assert [result for result, _ in results] == [2 * number for number in range(2, 21)]


@pytest.mark.parametrize(("processes", "rows"), [(1, WORTH_ROWS), (2, WORTH_ROWS - 1)])
def test_one_processor_or_few_rows_start_no_process(processes: int, rows: int) -> None:
    with parallel_map(processes, rows, where=PLACE) as batch_map:
        assert list(batch_map(twice, [3])) == [(6, os.getpid())]


def test_a_process_that_the_kernel_ends_is_a_typed_error_with_its_remedy() -> None:
    with (
        pytest.raises(ProcessLostError, match="TENANT_RUNTIME_PROCESSES") as lost,
        parallel_map(2, WORTH_ROWS, where=PLACE) as batch_map,
    ):
        list(batch_map(end_from_outside, [1]))
    assert lost.value.where == PLACE


def test_no_process_is_left_when_the_one_that_began_it_is_killed() -> None:
    begun = (
        "import time\n"
        "from tenant_pipeline.services.parallel_map import WORTH_ROWS, parallel_map\n"
        "with parallel_map(2, WORTH_ROWS, where='here') as batch_map:\n"
        "    list(batch_map(abs, [1, 2, 3]))\n"
        "    print('begun', flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", begun], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "begun\n"
        left = psutil.Process(parent.pid).children(recursive=True)
        parent.kill()
    assert left
    deadline = time.monotonic() + 20
    while any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in left):
        assert time.monotonic() < deadline, "processes outlive the one that began them"
        time.sleep(0.1)


def test_personal_data_is_found_by_other_processes_as_by_this_one() -> None:
    texts = pa.array([f"โทร 08{number:08d}" if number % 3 else f"Hall {number}" for number in range(7_000)])
    with parallel_map(2, WORTH_ROWS, where=PLACE) as batch_map:
        assert analyzer_over(batch_map).find_all(texts, ("tel",)) == analyzer().find_all(texts, ("tel",)) != {}


def test_statements_are_standardised_by_other_processes_as_by_this_one() -> None:
    frames = [
        statements(*(statement("Event", "startDate", f"{day}/0{month}/2566") for day in (1, 30, 31)))
        for month in (1, 2, 3)
    ]
    here, elsewhere = MemoryStage(), MemoryStage()
    counts = standardise(stage_of(*frames), here, vocabulary=VOCABULARY)
    with parallel_map(2, WORTH_ROWS, where=PLACE) as batch_map:
        assert standardise(stage_of(*frames), elsewhere, vocabulary=VOCABULARY, batch_map=batch_map) == counts
    pd.testing.assert_frame_equal(elsewhere.frame, here.frame)
    assert elsewhere.rejects == here.rejects != []
