"""Run one instance: `python -m tenant_pipeline.nerve`, told by its environment."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tenant_pipeline.core.garbage import loading_code

with loading_code():
    import uvicorn

    from tenant_pipeline.nerve.application import create_application
    from tenant_pipeline.nerve.settings import InstanceSettingsError, read_settings


class _JsonLines(logging.Formatter):
    """A log record as one line of JSON; of a request its method, path and status, never what was asked for."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"at": datetime.now(UTC).isoformat(), "level": record.levelname, "logger": record.name}
        if record.name == "uvicorn.access" and isinstance(record.args, tuple) and len(record.args) == 5:
            _, method, path, _, status = record.args
            line |= {"method": str(method), "path": str(path).split("?", 1)[0], "status": str(status)}
        else:
            line["message"] = record.getMessage()
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=False)


def main() -> int:
    """Serve until told to stop. Exit code 2 where the instance was not told what it needs."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    try:
        settings = read_settings(os.environ)
    except InstanceSettingsError as error:
        logging.getLogger("nerve").error("%s", error)
        return 2
    listening = socket.create_server((settings.host, settings.port))
    if settings.port_file is not None:
        _write_whole(settings.port_file, str(listening.getsockname()[1]))
    server = uvicorn.Server(
        uvicorn.Config(
            create_application(settings),
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=5,
            limit_concurrency=200,
        )
    )
    asyncio.run(server.serve(sockets=[listening]))
    return 0


def _write_whole(target: Path, text: str) -> None:
    """Write a file that appears with all of its text or not at all."""
    with tempfile.NamedTemporaryFile("w", dir=target.parent, delete=False, encoding="ascii") as file:
        file.write(text)
    os.replace(file.name, target)


if __name__ == "__main__":
    sys.exit(main())
