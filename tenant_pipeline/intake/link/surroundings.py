"""What a fetch needs from outside: the network, the clocks, and how to wait."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import httpcore

from tenant_pipeline.intake.link.errors import LinkError, PassingError


class Network(Protocol):
    """Names and connections."""

    def resolve(self, host: str, port: int, timeout: float) -> Sequence[str]:
        """The IP addresses of a name. Raises LinkError where there are none, or not in time."""
        ...

    def connect(self, address: str, port: int, timeout: float) -> httpcore.NetworkStream:
        """A connection to an IP address. Raises httpcore's ConnectError or ConnectTimeout."""
        ...


class SystemNetwork:
    """The resolver and the sockets of this machine."""

    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def resolve(self, host: str, port: int, timeout: float) -> Sequence[str]:
        """The IP addresses of a name. The system's call knows no time limit, so it is left behind where it hangs."""
        name = f"{host}." if "." in host else host  # the dot keeps the resolver from trying names of the own network
        answers: queue.SimpleQueue[list[str] | OSError | UnicodeError] = queue.SimpleQueue()

        def ask() -> None:
            try:
                found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
                answers.put([str(entry[4][0]) for entry in found])
            except (OSError, UnicodeError) as error:
                answers.put(error)

        threading.Thread(target=ask, daemon=True, name="resolve-link").start()
        try:
            answer = answers.get(timeout=max(timeout, 0.001))
        except queue.Empty:
            raise PassingError("The name in the link was not resolved in time") from None
        if isinstance(answer, socket.gaierror) and answer.errno == socket.EAI_AGAIN:
            raise PassingError("The name in the link cannot be resolved at the moment")
        if isinstance(answer, Exception):
            raise LinkError("The name in the link is not known", remedy="Check the address.")
        return answer

    def connect(self, address: str, port: int, timeout: float) -> httpcore.NetworkStream:
        """A connection to an IP address."""
        return self._backend.connect_tcp(address, port, timeout)


@dataclass(frozen=True)
class Surroundings:
    """The network, a clock that only goes forward, the time of day in seconds, and sleep."""

    network: Network = field(default_factory=SystemNetwork)
    clock: Callable[[], float] = time.monotonic
    time_of_day: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
