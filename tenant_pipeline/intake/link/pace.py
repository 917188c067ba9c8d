"""Courtesy: some time lies between two requests to one host."""

from __future__ import annotations

from tenant_pipeline.intake.link.allowance import Allowance
from tenant_pipeline.intake.link.errors import TooSlowError
from tenant_pipeline.intake.link.surroundings import Surroundings


class Pace:
    """Knows when each host was asked last."""

    def __init__(self, interval: float, surroundings: Surroundings, allowance: Allowance) -> None:
        self._interval = interval
        self._surroundings = surroundings
        self._allowance = allowance
        self._intervals: dict[str, float] = {}
        self._asked: dict[str, float] = {}

    def slow_down(self, host: str, interval: float) -> None:
        """Leave at least this many seconds between requests to a host."""
        self._intervals[host] = max(interval, self._intervals.get(host, self._interval))

    def wait(self, host: str) -> None:
        """Wait until the host may be asked again. Raises TooSlowError where that is past the deadline."""
        clock = self._surroundings.clock
        if host in self._asked:
            pause = self._asked[host] + self._intervals.get(host, self._interval) - clock()
            if pause > 0:
                if pause >= self._allowance.seconds():
                    raise TooSlowError
                self._surroundings.sleep(pause)
        self._asked[host] = clock()
