"""A scanner for malware that is there where no ClamAV is."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator

import pytest

# The antivirus test file (EICAR), kept in two parts so that this file is none.
INFECTED = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
LARGEST = 1_000_000


class _Daemon(socketserver.StreamRequestHandler):
    """The part of clamd's protocol that is used: zINSTREAM, chunks with their lengths, a limit on the stream."""

    def handle(self) -> None:
        assert self.rfile.read(10) == b"zINSTREAM\0"
        content = b""
        while length := int.from_bytes(self.rfile.read(4), "big"):
            content += self.rfile.read(length)
            if len(content) > LARGEST:
                self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
                return
        self.wfile.write(b"stream: Eicar-Signature FOUND\0" if INFECTED in content else b"stream: OK\0")


@pytest.fixture
def daemon() -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Daemon) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"tcp://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
