"""A server process: the application over the database that runs. Any number of them may run side by side."""

from __future__ import annotations

import atexit
import os
import signal
from contextlib import ExitStack
from typing import Any

import uvicorn
from fastapi import FastAPI

from tenant_pipeline.api.application import create_application
from tenant_pipeline.api.metrics import FOLDER_VARIABLE
from tenant_pipeline.api.served_address import served_at
from tenant_pipeline.services.runtime import connect
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.migrations import refuse_newer
from tenant_pipeline.storage.owned_folder import working_folder
from tenant_pipeline.telemetry.logs import log_of_process

OPTIONS: dict[str, Any] = {
    "access_log": False,
    "server_header": False,
    "log_config": None,
    "log_level": "warning",
    "timeout_graceful_shutdown": 3,
    "timeout_keep_alive": 65,
    "ws_max_size": 4 * 1024 * 1024,
}
"""How uvicorn serves it, wherever it is served."""


def application() -> FastAPI:
    """The application with a runtime of its own, which is closed when the process ends."""
    log_of_process("api")
    stack = ExitStack()
    atexit.register(stack.close)
    return create_application(stack.enter_context(connect(Settings())))


def serve(host: str, port: int, workers: int = 1) -> None:
    """Serve until SIGTERM or SIGINT. Raises SettingsError where the database is newer than this code."""
    log_of_process("api")
    settings = Settings()
    with connect(settings) as runtime:
        refuse_newer(runtime.database)
    # When uvicorn has shut down it raises the signal once more, which by default would leave the blocks below unclosed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        if not settings.public_url:
            stack.enter_context(served_at(settings.home, host, port))
        if workers > 1:  # each is a new interpreter, which finds it there before it loads prometheus_client
            os.environ.setdefault(FOLDER_VARIABLE, str(stack.enter_context(working_folder("metrics"))))
        uvicorn.run(
            "tenant_pipeline.api.server:application",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            **OPTIONS,
        )
