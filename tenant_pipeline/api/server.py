"""A server process: the application over the database that runs. Any number of them may run side by side."""

from __future__ import annotations

import atexit
import logging
from contextlib import ExitStack
from typing import Any

import uvicorn
from fastapi import FastAPI

from tenant_pipeline.api.application import create_application
from tenant_pipeline.services.runtime import connect
from tenant_pipeline.settings import Settings

OPTIONS: dict[str, Any] = {
    "access_log": False,
    "server_header": False,
    "log_level": "warning",
    "timeout_graceful_shutdown": 3,
    "timeout_keep_alive": 65,
    "ws_max_size": 4 * 1024 * 1024,
}
"""How uvicorn serves it, wherever it is served."""


def application() -> FastAPI:
    """The application with a runtime of its own, which is closed when the process ends."""
    stack = ExitStack()
    atexit.register(stack.close)
    return create_application(stack.enter_context(connect(Settings())))


def serve(host: str, port: int, workers: int = 1) -> None:
    """Serve until SIGTERM or SIGINT. Every line of the log is JSON, or uvicorn's own of starting and stopping."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    uvicorn.run(
        "tenant_pipeline.api.server:application",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        **OPTIONS,
    )
