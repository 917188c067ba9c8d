"""Trying again what may pass: with growing, random pauses, as long as the server asks for, within the time."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

from tenacity import RetryCallState, Retrying, retry_if_exception_type

from tenant_pipeline.intake.link.allowance import Allowance
from tenant_pipeline.intake.link.errors import PassingError
from tenant_pipeline.intake.link.policy import LinkPolicy

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 20.0


class Retries:
    """The attempts at one document: its redirects, its body and what is taken up again share them."""

    def __init__(self, policy: LinkPolicy, allowance: Allowance, sleep: Callable[[float], None]) -> None:
        self._most = policy.max_attempts
        self._allowance = allowance
        self._sleep = sleep
        self._failures = 0

    def attempts(self) -> Retrying:
        """Attempts that end with the PassingError of the last one."""
        return Retrying(
            retry=retry_if_exception_type(PassingError),
            after=self._count,
            wait=self._pause,
            stop=self._is_over,
            sleep=self._sleep,
            reraise=True,
        )

    def _count(self, state: RetryCallState) -> None:
        self._failures += 1

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, PassingError) else None
        longest = min(FIRST_PAUSE_SECONDS * 2.0**self._failures, LONGEST_PAUSE_SECONDS)
        return (asked or 0.0) + random.uniform(longest / 2, longest)

    def _is_over(self, state: RetryCallState) -> bool:
        return self._failures >= self._most or state.upcoming_sleep >= self._allowance.seconds()


def retry_after(text: str, time_of_day: float) -> float | None:
    """The seconds that a Retry-After header asks for, given in seconds or as a date; None where it is neither."""
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    at = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    return max(at - time_of_day, 0.0)
