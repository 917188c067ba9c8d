"""One limit of time for an operation of many requests and waits."""

from __future__ import annotations

import time


class Deadline:
    """The moment, `seconds` from now, at which an operation gives up."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def remaining(self) -> float:
        """Seconds left, 0.0 once it has passed."""
        return max(0.0, self._end - time.monotonic())

    def pause(self, seconds: float = 0.25) -> bool:
        """Wait a little, never beyond the deadline. False once it has passed."""
        time.sleep(min(seconds, self.remaining))
        return self.remaining > 0
