"""The penetration test without which the pilot does not go on: made in a process of its own, beside the first run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tenant_pipeline.cli.demo.people import GOVERNS
from tenant_pipeline.cli.shell import console
from tenant_pipeline.core.errors import TenantRuntimeError
from tenant_pipeline.services.penetration_tests import list_tests, what_keeps_from_serving
from tenant_pipeline.services.runtime import Runtime

SECONDS = 300.0


@contextmanager
def attacked_meanwhile(runtime: Runtime) -> Iterator[Callable[[], None]]:
    """Attack the installation while the block runs, unless a test stands; calling what it yields waits for the end.

    What it yields tells what came of the test. It raises TenantRuntimeError where anything came through.
    """
    with runtime.database.platform() as connection:
        stands = not what_keeps_from_serving(connection, runtime.settings.pentest_valid_days)
    if stands:
        yield lambda: _tell(runtime)
        return
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        attack = subprocess.Popen(
            [sys.executable, "-m", "tenant_pipeline", "pentest", "--person", GOVERNS],
            env={**os.environ, "TENANT_RUNTIME_HOME": str(runtime.settings.home)},
            stdout=said,
            stderr=said,
        )

        def ended() -> None:
            if attack.wait(SECONDS) != 0:
                said.seek(0)
                raise TenantRuntimeError(f"The penetration test did not end well: {said.read()[-2_000:]}")
            _tell(runtime)

        try:
            yield ended
        finally:
            attack.kill()
            attack.wait()


def _tell(runtime: Runtime) -> None:
    last = list_tests(runtime)[0]
    console.print(
        f"{last['person']} attacked it as another tenant: {last['forms']} forms, {last['attempts']} attempts,"
        f" {len(last['came_through'])} came through.",
        highlight=False,
    )
