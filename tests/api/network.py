"""A network between a browser and the server that can be cut, and slowed down: bytes are passed on as they come."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

CHUNK = 64 * 1024


class Network:
    """Listens on a port of its own. `bytes_a_second` holds what is sent to the server back; None lets it through."""

    def __init__(self, server: str) -> None:
        parts = urlsplit(server)
        self._server = (str(parts.hostname), int(parts.port or 80))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.bytes_a_second: float | None = None
        self.down = False

    def cut(self) -> None:
        """End every connection in the middle of what it carries; new ones are refused until `mend`."""
        self.down = True
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Let connections through again."""
        self.down = False

    def run(self) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                browser, _ = self._listener.accept()
                if self.down:
                    browser.close()
                    continue
                server = socket.create_connection(self._server)
                self._open |= {browser, server}
                threading.Thread(target=self._pass_on, args=(browser, server, True), daemon=True).start()
                threading.Thread(target=self._pass_on, args=(server, browser, False), daemon=True).start()

    def close(self) -> None:
        """Stop listening, and end what is open."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _pass_on(self, source: socket.socket, target: socket.socket, held_back: bool) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                target.sendall(data)
                if held_back and self.bytes_a_second:
                    time.sleep(len(data) / self.bytes_a_second)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._open -= {source, target}


@contextmanager
def network_before(server: str) -> Iterator[Network]:
    """A network that leads to that server."""
    network = Network(server)
    threading.Thread(target=network.run, daemon=True).start()
    try:
        yield network
    finally:
        network.close()
