"""Dagster's server of a code location, whose runs begin as copies of a process that has loaded the code already.

Dagster's own starts a new Python for each run, which then loads all code for seconds. Here the first run starts a
process that loads the code and nothing else: it opens no connection and starts no thread. That run and all further
ones are forked from it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

from tenant_pipeline.core.garbage import loading_code

with loading_code():
    from dagster._cli import main as dagster_command
    from dagster._grpc import server

    from tenant_pipeline.cli.forked_runs import ForkedRuns
    from tenant_pipeline.cli.supervised import take_children_along

MODULE = "--module-name"
CODE_OF_RUNS = {"tenant_pipeline.definitions": "tenant_pipeline.cli.code_of_runs"}
"""What loads a location together with what its runs would load later on."""


def serve(arguments: Sequence[str]) -> None:
    """`dagster api grpc` with these arguments."""
    take_children_along()
    location = arguments[arguments.index(MODULE) + 1]
    runs = ForkedRuns()
    runs.set_forkserver_preload([CODE_OF_RUNS.get(location, location)])

    class Server(server.DagsterApiServer):
        """Dagster's, but for the way in which it starts a run."""

        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self._mp_ctx = runs  # type: ignore[assignment]

    server.DagsterApiServer = Server  # type: ignore[misc]
    with loading_code(), suppress(Exception):  # what is wrong with it, the server finds as well, and tells
        import_module(location)
    sys.argv = ["dagster", "api", "grpc", *arguments]
    dagster_command()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    serve(sys.argv[1:])
