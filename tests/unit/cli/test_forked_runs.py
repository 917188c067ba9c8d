"""The process of a run ends as a Python of its own would."""

from __future__ import annotations

from pathlib import Path

from tenant_pipeline.cli.forked_runs import ForkedRuns


def test_what_is_left_for_the_end_of_a_process_is_done_when_a_run_ends(tmp_path: Path) -> None:
    told = tmp_path / "told"
    work = f"import atexit, pathlib; atexit.register(pathlib.Path({str(told)!r}).write_text, 'ended')"
    run = ForkedRuns().Process(target=exec, args=(work, {}))
    run.start()
    run.join(120)
    assert run.exitcode == 0
    assert told.read_text() == "ended"
