"""An S3-compatible server process on loopback (rclone's), behind a proxy of ours that can be made faulty.

The proxy also gives two answers as S3 gives them and rclone does not: 206 to a request for a range, and 412 to a
conditional write over what is there.
"""

from __future__ import annotations

import http.client
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.ports import free_port

ACCESS_KEY, SECRET_KEY = "tenant-runtime-test", "a-secret-of-the-test"
BUCKET = "bucket"
PIECE = 1024 * 1024

LONGEST_HANG_SECONDS, SLOWNESS_SECONDS = 30, 0.2


class Misbehaviour(Enum):
    """What a request meets: no answer at all, half of the body and then nothing, less than was asked for, delay."""

    CUT = "the connection is closed at once"
    HANG = "no answer until the client gives up"
    TRUNCATE = "half of the body goes through, then the connection is closed"
    SHORT = "the answer is whole in form, and holds half of the body"
    SLOW = "it goes through after a while"


Fault = Callable[[str, str, int], "int | Misbehaviour | None"]
"""Given a request's method, path and number: a status to answer with, how it misbehaves, None to pass it on."""


@dataclass
class BucketServer:
    """A running server: the folder that it serves, where its proxy listens, and what the proxy has seen."""

    folder: Path
    port: int
    fault: Fault | None = None
    requests: list[tuple[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"s3://{BUCKET}/an/installation"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }

    def files(self) -> list[Path]:
        """The files that the server keeps."""
        return [path for path in self.folder.rglob("*") if path.is_file()]


@contextmanager
def bucket_server(folder: Path) -> Iterator[BucketServer]:
    """A server over `folder`, with one bucket."""
    (folder / BUCKET).mkdir(parents=True)
    port = free_port()
    process = subprocess.Popen(
        [
            str(Path(sys.executable).with_name("rclone")), "serve", "s3", f"--addr=127.0.0.1:{port}",
            f"--auth-key={ACCESS_KEY},{SECRET_KEY}", "--config=/dev/null", str(folder),
        ],
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )  # fmt: skip
    try:
        _wait_for(port)
        server = BucketServer(folder, 0)
        proxy = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server, port))
        proxy.daemon_threads = True
        server.port = proxy.server_port
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            proxy.shutdown()
            thread.join()
            proxy.server_close()
    finally:
        process.kill()
        process.wait()


@contextmanager
def its_environment(server: BucketServer, **changes: str) -> Iterator[None]:
    """The process's environment with the server's endpoint and credentials in it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**server.environment, **changes}.items():
            patch.setenv(name, value)
        yield


def _handler(server: BucketServer, port: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            server.requests.append((self.command, self.path))
            fault = server.fault(self.command, self.path, len(server.requests)) if server.fault else None
            length = int(self.headers.get("Content-Length") or 0)
            if isinstance(fault, int) or fault in (Misbehaviour.CUT, Misbehaviour.HANG):
                self._fail(fault, length)
                return
            if fault is Misbehaviour.SLOW:
                time.sleep(SLOWNESS_SECONDS)
            halved = fault in (Misbehaviour.TRUNCATE, Misbehaviour.SHORT)
            half_sent = length // 2 if halved and length else None
            behind = http.client.HTTPConnection("127.0.0.1", port)
            try:
                if self.headers.get("If-None-Match") == "*" and self._is_there():
                    self._drain(length)
                    self._answer(412, {}, b"")
                    return
                behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    behind.putheader(name, value)
                behind.endheaders()
                while length:
                    piece = self.rfile.read(min(PIECE, length))
                    behind.send(piece if half_sent is None else piece[:half_sent])
                    length -= len(piece)
                if half_sent is not None:
                    self.close_connection = True
                    return
                answer = behind.getresponse()
                status = 206 if answer.status == 200 and answer.getheader("Content-Range") else answer.status
                self.send_response_only(status)
                whole = int(answer.getheader("Content-Length") or 0)
                for name, value in answer.getheaders():
                    if name.lower() == "content-length" and fault is Misbehaviour.SHORT:
                        self.send_header(name, str(whole // 2))
                    elif name.lower() != "transfer-encoding":
                        self.send_header(name, value)
                if self.command != "HEAD" and answer.getheader("Content-Length") is None and status != 204:
                    body = answer.read()
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                    return
                self.end_headers()
                if halved:
                    self.wfile.write(answer.read(whole // 2))
                    self.close_connection = True
                    return
                while piece := answer.read(PIECE):
                    self.wfile.write(piece)
            finally:
                behind.close()

        def _is_there(self) -> bool:
            return (server.folder / self.path.lstrip("/")).exists()

        def _drain(self, length: int) -> None:
            while length:
                length -= len(self.rfile.read(min(PIECE, length)))

        def _fail(self, fault: int | Misbehaviour | None, length: int) -> None:
            if isinstance(fault, int):
                self._drain(length)
                self._answer(fault, {}, b"")
                return
            if fault is Misbehaviour.HANG:
                self._drain(length)
                select.select([self.connection], [], [], LONGEST_HANG_SECONDS)
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _pass_on

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    return Handler


def _wait_for(port: int) -> None:
    for _ in range(600):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise TimeoutError("the server did not start")
