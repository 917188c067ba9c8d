"""The pinned network back end: every connection goes to an address that was checked a moment before."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

from tenant_pipeline.intake.link.addresses import is_loopback, is_public
from tenant_pipeline.intake.link.allowance import Allowance
from tenant_pipeline.intake.link.errors import NotPublicError
from tenant_pipeline.intake.link.policy import PORTS, LinkPolicy
from tenant_pipeline.intake.link.surroundings import Network

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_INTERIM = re.compile(rb"HTTP/1\.[01] 1")
LINGER_SECONDS = 0.5


class PinnedBackend(httpcore.NetworkBackend):
    """Resolves a name once for each connection, checks every address it has, and connects to one of just those.

    One address that is not public is enough to refuse the name: which of them is connected to must not be chance.
    """

    def __init__(self, policy: LinkPolicy, network: Network, allowance: Allowance) -> None:
        self._policy = policy
        self._network = network
        self._allowance = allowance

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to a checked address of `host`. Raises NotPublicError where that may not be."""
        literal = is_public(host, allow_loopback=self._policy.allow_loopback)
        found = [host] if literal else self._network.resolve(host, port, self._allowance.wait(timeout))
        addresses = list(dict.fromkeys(found))
        if not addresses or not all(is_public(each, allow_loopback=self._policy.allow_loopback) for each in addresses):
            raise NotPublicError
        if port not in PORTS and not all(is_loopback(each) for each in addresses):
            raise NotPublicError("The link leads to a port that is not open to links")
        for address in addresses[:-1]:
            try:
                return WireStream(self._connect(address, port, timeout), self._allowance)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return WireStream(self._connect(addresses[-1], port, timeout), self._allowance)

    def _connect(self, address: str, port: int, timeout: float | None) -> httpcore.NetworkStream:
        return self._network.connect(address, port, self._allowance.wait(timeout))


class WireStream(httpcore.NetworkStream):
    """A connection for one request that ends with the link's time, and counts what comes after the head.

    The count shows an answer that is longer than was declared, which HTTP libraries cut off in silence.
    """

    def __init__(self, stream: httpcore.NetworkStream, allowance: Allowance) -> None:
        self._stream = stream
        self._allowance = allowance
        self._head: bytes | None = b""
        self.body_bytes = 0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come, at least a byte, or nothing at the end."""
        data = self._stream.read(max_bytes, self._allowance.wait(timeout))
        if self._head is None:
            self.body_bytes += len(data)
        else:
            self._read_head(self._head + data)
        return data

    def read_on(self) -> None:
        """Give what comes after the declared end a moment to arrive."""
        try:
            self.read(1, LINGER_SECONDS)
        except (httpcore.NetworkError, httpcore.TimeoutException):
            return

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send."""
        self._stream.write(buffer, self._allowance.wait(timeout))

    def close(self) -> None:
        """End the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The connection, encrypted; the certificate must be for the name in the link."""
        secured = self._stream.start_tls(ssl_context, server_hostname, self._allowance.wait(timeout))
        return WireStream(secured, self._allowance)

    def get_extra_info(self, info: str) -> Any:
        """What the connection below knows."""
        return self._stream.get_extra_info(info)

    def _read_head(self, data: bytes) -> None:
        """Look for the end of the head; interim answers (1xx) come before it, with heads of their own."""
        while (end := _END_OF_HEAD.search(data)) is not None:
            if not _INTERIM.match(data):
                self._head, self.body_bytes = None, len(data) - end.end()
                return
            data = data[end.end() :]
        self._head = data
