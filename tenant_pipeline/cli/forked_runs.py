"""The processes of runs, which are forked from one that has loaded the code, and end as a Python of their own would."""

from __future__ import annotations

import atexit
from multiprocessing.context import ForkServerContext, ForkServerProcess


class ForkedRun(ForkServerProcess):
    """A run. What is to be done when a process ends, such as sending its last spans, a forked one leaves out."""

    def run(self) -> None:
        """Do the run's work, and then what was registered for the end of its process."""
        try:
            super().run()
        finally:
            atexit._run_exitfuncs()


class ForkedRuns(ForkServerContext):
    """Where Dagster asks for a process, it gets one of those."""

    Process = ForkedRun  # type: ignore[assignment, misc, unused-ignore]
