"""The feeds' web server, a process of its own on loopback: answers by plan, keeps to ETags, and counts what was asked.

`python -m benchmarks.feed_week.server SEED` prints its port.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from benchmarks.feed_week.plan import Answer, answers

SLOW_SECONDS = 0.3


def serve(seed: int) -> None:
    """Answer until the process is ended."""
    plans: dict[str, Iterator[Answer]] = {}
    asked: dict[str, Counter[str]] = {}
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/asked":
                self._send(200, json.dumps({path: dict(counted) for path, counted in asked.items()}).encode())
                return
            if self.path == "/bare":
                self._send(304, b"")
                return
            _, tenant, feed = self.path.split("/")
            with lock:
                answer = next(plans.setdefault(self.path, answers(seed, tenant, int(feed))))
                status = self._status(answer)
                asked.setdefault(self.path, Counter())[f"{status} {answer.kind}"] += 1
            if answer.kind == "slow":
                time.sleep(SLOW_SECONDS)
            etag = f'"{sha256(answer.body).hexdigest()}"'
            body = b"" if status != 200 else answer.body
            self._send(status, body, {"ETag": etag} if status in (200, 304) else {}, cut=answer.kind == "truncated")

        def _status(self, answer: Answer) -> int:
            if answer.kind in ("failing", "busy"):
                return 503 if answer.kind == "failing" else 429
            known = self.headers.get("If-None-Match", "")
            return 304 if known == f'"{sha256(answer.body).hexdigest()}"' and answer.kind == "unchanged" else 200

        def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None, *, cut: bool = False) -> None:
            self.send_response_only(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(listening.server_port, flush=True)
    listening.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
