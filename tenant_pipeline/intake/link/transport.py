"""Requests of an httpx client over pinned connections, a new one for each request."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import httpcore
import httpx

from tenant_pipeline.intake.link.connection import PinnedBackend, WireStream
from tenant_pipeline.intake.link.errors import LengthError


class PinnedTransport(httpx.BaseTransport):
    """No proxies and no connection that is used again: each request has its name resolved and checked anew."""

    def __init__(self, backend: PinnedBackend, ssl_context: ssl.SSLContext) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context, network_backend=backend, max_keepalive_connections=0
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises httpcore's errors, and the errors of a link."""
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Answer(answer))

    def close(self) -> None:
        """Close what is open."""
        self._pool.close()


class _Answer(httpx.SyncByteStream):
    """The body of an answer. Raises LengthError where it is not as long as declared."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer
        headers = {name.lower(): value for name, value in answer.headers}
        declared = headers.get(b"content-length", b"")
        self._declared = int(declared) if declared.isdigit() else None
        self._framed = b"transfer-encoding" in headers

    def __iter__(self) -> Iterator[bytes]:
        came = 0
        for chunk in self._answer.iter_stream():
            came += len(chunk)
            yield chunk
        if self._declared is None:
            return
        wire = self._answer.extensions["network_stream"]
        assert isinstance(wire, WireStream)
        if not self._framed:
            wire.read_on()
            came = wire.body_bytes
        if came != self._declared:
            raise LengthError

    def close(self) -> None:
        self._answer.close()
