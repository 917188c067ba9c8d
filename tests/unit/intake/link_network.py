"""A network in memory: names resolve as told, connections are counted, and nothing leaves the process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import httpcore

from tenant_pipeline.intake.link.surroundings import Surroundings


@dataclass
class StubNetwork:
    """Names resolve to `resolved` in turn, the last answer for good; each connection reads the next of `answers`."""

    resolved: list[list[str]] = field(default_factory=lambda: [["93.184.216.34"]])
    answers: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    connects: list[tuple[str, int]] = field(default_factory=list)

    def resolve(self, host: str, port: int, timeout: float) -> Sequence[str]:
        """The addresses that were told."""
        self.asked.append(host)
        return self.resolved[min(len(self.asked), len(self.resolved)) - 1]

    def connect(self, address: str, port: int, timeout: float) -> httpcore.NetworkStream:
        """A connection that gives the next answer."""
        self.connects.append((address, port))
        answer = self.answers[len(self.connects) - 1] if len(self.connects) <= len(self.answers) else b""
        return httpcore.MockStream([answer])


@dataclass
class StubTime:
    """A clock that only sleeping moves."""

    seconds: float = 1_000.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        """The time."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.slept.append(seconds)
        self.seconds += seconds


def surroundings(network: StubNetwork) -> Surroundings:
    """The network with a time of its own, so that nothing really waits."""
    time = StubTime()
    return Surroundings(network, time.clock, lambda: 0.0, time.sleep)


def answer(body: bytes = b"", status: str = "200 OK", *headers: str) -> bytes:
    """An HTTP answer on the wire."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body
