"""What is left of the bytes and the time that one link may cost."""

from __future__ import annotations

from collections.abc import Callable

from tenant_pipeline.intake.link.errors import TooLargeError, TooSlowError
from tenant_pipeline.intake.link.policy import LinkPolicy


class Allowance:
    """Counts down over all requests of a link."""

    def __init__(self, policy: LinkPolicy, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._quiet = policy.quiet_seconds
        self._deadline = clock() + policy.timeout_seconds
        self._bytes = policy.max_bytes

    def seconds(self) -> float:
        """The seconds that are left. Raises TooSlowError when there are none."""
        left = self._deadline - self._clock()
        if left <= 0:
            raise TooSlowError
        return left

    def wait(self, asked: float | None = None) -> float:
        """How long to wait for the network: not past the deadline. Raises TooSlowError at the deadline."""
        return min(self.seconds(), self._quiet if asked is None else asked)

    def take(self, count: int) -> None:
        """Note bytes that came. Raises TooLargeError when they are more than are left."""
        self._bytes -= count
        if self._bytes < 0:
            raise _too_large()

    def expect(self, count: int) -> None:
        """Raise TooLargeError when bytes that are announced are more than are left."""
        if count > self._bytes:
            raise _too_large()


def _too_large() -> TooLargeError:
    return TooLargeError(
        "The document behind the link is too large", remedy="Download it, and hand in the part that matters."
    )
