"""A web server on loopback that behaves as badly as it is told."""

from __future__ import annotations

import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """An answer: `declared` is the length it claims, `sent` how much of the body really comes, `pause` lies before
    every tenth byte."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    declared: int | None = None
    sent: int | None = None
    pause: float = 0.0


@dataclass
class Server:
    """Answers by path and query; several answers to one are given in turn, the last one for good."""

    url: str
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    given: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def answer(self, path: str, *answers: Answer) -> str:
        """Set the answers to a path, and return its address."""
        self.answers[path] = list(answers)
        return self.url + path

    def paths(self) -> list[str]:
        """What was asked for, robots.txt left out."""
        return [path for path, _ in self.asked if path != "/robots.txt"]

    def headers(self, path: str) -> list[Mapping[str, str]]:
        """The headers of the requests for a path."""
        return [headers for asked, headers in self.asked if asked == path]


@contextmanager
def serve(encryption: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that runs as long as the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            server.asked.append((self.path, dict(self.headers.items())))
            known = server.answers.get(self.path, [Answer(status=404)])
            answer = known[min(server.given[self.path], len(known) - 1)]
            server.given[self.path] += 1
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status != 304:
                self.send_header(
                    "Content-Length", str(len(answer.body) if answer.declared is None else answer.declared)
                )
            self.end_headers()
            body = answer.body if answer.sent is None else answer.body[: answer.sent]
            with suppress(OSError):  # the other side has had enough
                self._send(body, answer.pause)
            self.close_connection = True

        def _send(self, body: bytes, pause: float) -> None:
            if not pause:
                self.wfile.write(body)
                return
            for start in range(0, len(body), 10):
                time.sleep(pause)
                self.wfile.write(body[start : start + 10])

        def log_message(self, format: str, *args: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if encryption is not None:
        listening.socket = encryption.wrap_socket(listening.socket, server_side=True)
    scheme = "http" if encryption is None else "https"
    server = Server(f"{scheme}://127.0.0.1:{listening.server_port}")
    thread = threading.Thread(target=lambda: listening.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
