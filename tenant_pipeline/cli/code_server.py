"""Dagster's server of a code location, whose runs begin as copies of a process that has loaded the code already.

Dagster's own starts a new Python for each run, which then loads all code for seconds. Here the first run starts a
process that loads the code and nothing else: it opens no connection and starts no thread. That run and all further
ones are forked from it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from dagster._cli import main as dagster_command
from dagster._grpc import server

from tenant_pipeline.cli.forked_runs import ForkedRuns

MODULE = "--module-name"
BESIDE = {"tenant_pipeline.definitions": ["tenant_pipeline.cli.code_of_runs"]}
"""What the runs of a location load later on."""


def serve(arguments: Sequence[str]) -> None:
    """`dagster api grpc` with these arguments."""
    location = arguments[arguments.index(MODULE) + 1]
    runs = ForkedRuns()
    runs.set_forkserver_preload([location, *BESIDE.get(location, [])])

    class Server(server.DagsterApiServer):
        """Dagster's, but for the way in which it starts a run."""

        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self._mp_ctx = runs  # type: ignore[assignment]

    server.DagsterApiServer = Server  # type: ignore[misc]
    sys.argv = ["dagster", "api", "grpc", *arguments]
    dagster_command()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    serve(sys.argv[1:])
