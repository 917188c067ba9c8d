"""A real little instance: the HTTP server that the tests run in Nerve's place, under the same environment contract.

Its behaviour is set by words after the script's name: `crash` ends it at once, `deaf` answers ready with 503, `curt`
hangs up on strangers.
"""

from __future__ import annotations

import hmac
import json
import os
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

WORDS = sys.argv[1:]
TOKEN = Path(os.environ["NERVE_TOKEN_FILE"]).read_text()
KEPT: list[bytearray] = []


class Instance(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/health/"):
            return self.answer(503 if "deaf" in WORDS and self.path.endswith("ready") else 200, {})
        shown = self.headers.get("Authorization", "")
        if not hmac.compare_digest(shown, f"Bearer {TOKEN}"):
            if "curt" in WORDS:
                return None
            return self.answer(401, {})
        if self.path == "/about":
            about = {
                "pid": os.getpid(),
                "uid": os.getuid(),
                "gid": os.getgid(),
                "environment": dict(os.environ),
                "arguments": sys.argv,
                "session": os.getsid(0),
                "nice": os.nice(0),
            }
            return self.answer(200, about)
        if self.path.startswith("/read"):
            try:
                return self.answer(200, {"read": Path(self.path.removeprefix("/read")).read_bytes().decode()})
            except OSError as error:
                return self.answer(403, {"refused": type(error).__name__})
        if self.path.startswith("/keep/"):
            try:
                KEPT.append(bytearray(int(self.path.removeprefix("/keep/"))))
            except MemoryError:
                return self.answer(507, {})
            return self.answer(200, {})
        if self.path.startswith("/connect/"):
            try:
                socket.create_connection(("127.0.0.1", int(self.path.removeprefix("/connect/"))), 2).close()
            except OSError as error:
                return self.answer(403, {"refused": type(error).__name__})
            return self.answer(200, {})
        if self.path == "/stray":
            stray = subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)
            return self.answer(200, {"pid": stray.pid})
        if self.path == "/die":
            os._exit(7)
        return self.answer(404, {})

    def answer(self, status: int, body: dict[str, object]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


if "crash" in WORDS:
    print("cannot go on", flush=True)
    sys.exit(3)
server = ThreadingHTTPServer((os.environ["NERVE_HOST"], int(os.environ["NERVE_PORT"])), Instance)
port_file = Path(os.environ["NERVE_PORT_FILE"])
waiting = port_file.with_suffix(".new")
waiting.write_text(str(server.server_address[1]))
waiting.replace(port_file)
print("listening", flush=True)
server.serve_forever()
