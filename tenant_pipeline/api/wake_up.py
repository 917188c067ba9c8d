"""Waking who waits for something new: one listening connection a process, mended when the database was away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

import psycopg
from psycopg import sql

from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.shared_state import EDITED
from tenant_pipeline.storage.audit_log import GROWN

RETRY_SECONDS = 1.0
_log = logging.getLogger(__name__)


class WakeUp:
    """Wakes everybody in this process whenever an audit log has grown, and whenever the connection was mended.

    It says nothing of whose log it was: each looks for itself, with the rights that it has. `edited` is called with
    the sign of a shared document that was written to; with '' when it may have been any.
    """

    def __init__(self, runtime: Runtime, edited: Callable[[str], None]) -> None:
        self._runtime = runtime
        self._edited = edited
        self._changed = asyncio.Event()
        self.stopped = False
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

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _listen(self) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._runtime.database.platform_conninfo(), autocommit=True
                ) as connection:
                    for channel in (GROWN, EDITED):
                        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                    self._wake()  # what was notified while nobody listened
                    self._edited("")
                    async for notified in connection.notifies():
                        if notified.channel == EDITED:
                            self._edited(notified.payload)
                        else:
                            self._wake()
            except (psycopg.Error, OSError) as error:
                _log.warning("the database does not answer: %s", type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)
