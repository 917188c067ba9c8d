"""The process that parsers are forked from: it holds the readers in memory, and never a byte of a source.

It is started without the environment of whoever starts it, and gives up files and network at once. For each request
it gets the end of a socket and the end of a pipe; it forks a warden, the warden forks the parser, waits for it and
writes to the pipe how it ended.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

import tenant_pipeline
from tenant_pipeline.intake.sandbox.isolation import isolate
from tenant_pipeline.intake.sandbox.limits import address_space
from tenant_pipeline.intake.sandbox.parse import serve_request


def main(descriptor: int) -> None:
    """Fork a parser for every pair of descriptors that comes in, until the other side is gone."""
    held = address_space()
    isolate(Path(tenant_pipeline.__file__).parent)
    gc.freeze()  # what is loaded by now is shared by all parsers
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the pipeline, which then closes the socket
    control = socket.socket(fileno=descriptor)
    while True:
        message, received, _, _ = socket.recv_fds(control, 16, 2)
        if not message:
            return
        connection, status = received
        if os.fork() == 0:
            control.close()
            _watch(connection, status, held)
        os.close(connection)
        os.close(status)


def _watch(connection: int, status: int, held: int) -> None:
    """Run a parser, and tell how it ended: 0, or the number of the signal that ended it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    parser = os.fork()
    if parser == 0:
        os.close(status)
        try:
            serve_request(connection, held)
        finally:
            os._exit(0)
    os.close(connection)
    _, ended = os.waitpid(parser, 0)
    with suppress(BrokenPipeError):  # whoever has its answer asks no more
        os.write(status, bytes([os.WTERMSIG(ended) if os.WIFSIGNALED(ended) else 0]))
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
