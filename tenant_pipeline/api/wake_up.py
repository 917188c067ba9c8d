"""Waking who waits for something new: one listening connection a process, mended when the database was away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress

import psycopg
from psycopg import sql

from tenant_pipeline.api.metrics import LISTENING
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import GROWN

RETRY_SECONDS = 1.0
_log = logging.getLogger(__name__)


class WakeUp:
    """Wakes everybody in this process whenever an audit log has grown, and whenever the connection was mended.

    It says nothing of whose log it was: each looks for itself, with the rights that it has. `hearers`, by channel, are
    called with what is notified there; with '' when they may have missed something.
    """

    def __init__(self, runtime: Runtime, hearers: Mapping[str, Callable[[str], None]]) -> None:
        self._runtime = runtime
        self._hearers = {GROWN: self._wake, **hearers}
        self._changed = asyncio.Event()
        self.stopped = False
        self.listening = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._listen(), name="wake up")

    async def stop(self) -> None:
        """Listen no more, and wake everybody for the last time."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self.stopped = True
        self._wake()

    def next_change(self) -> asyncio.Event:
        """What is set when next something may be new. Taken before one looks, so that nothing is missed in between."""
        return self._changed

    async def wait(self, change: asyncio.Event, seconds: float) -> bool:
        """Return when something may be new, or after so many seconds; say which."""
        try:
            await asyncio.wait_for(change.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _wake(self, _: str = "") -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _note(self, *, listening: bool) -> None:
        self.listening = listening
        LISTENING.set(int(listening))

    async def _listen(self) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._runtime.database.platform_conninfo(), autocommit=True
                ) as connection:
                    for channel in self._hearers:
                        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                    self._note(listening=True)
                    for hear in self._hearers.values():
                        hear("")  # what was notified while nobody listened
                    async for notified in connection.notifies():
                        self._hearers[notified.channel](notified.payload)
            except (psycopg.Error, OSError) as error:
                _log.warning("the database does not answer: %s", type(error).__name__)
            finally:
                self._note(listening=False)
            await asyncio.sleep(RETRY_SECONDS)
