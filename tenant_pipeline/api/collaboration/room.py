"""One tenant's document in this process, and who has it open: an edit is checked, kept, and only then shown."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Protocol, TypeVar

import psycopg
from anyio import to_thread
from pycrdt import Doc

from tenant_pipeline.api.callers import Caller
from tenant_pipeline.api.collaboration.field_rights import EditRefusedError, TrialCopy
from tenant_pipeline.api.collaboration.frames import STEP_1, STEP_2, UPDATE, presence_frame, sync_frame
from tenant_pipeline.api.collaboration.neighbours import Neighbours
from tenant_pipeline.api.collaboration.update_format import BrokenUpdateError, state_vector
from tenant_pipeline.api.metrics import DOCUMENT_UPDATES
from tenant_pipeline.core.shared_state import Presence, SharedField, writes_something
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.shared_state import (
    COMPACTED_AFTER,
    append_updates,
    compact_document,
    load_document,
    updates_after,
)
from tenant_pipeline.telemetry.about import about

NOT_ALLOWED, BROKEN, TOO_LARGE, TRY_AGAIN = 4403, 4400, 4413, 1013
LARGEST_DOCUMENT = 8 * 1024 * 1024
BYTES_WAITING = LARGEST_DOCUMENT
MOST_AT_ONCE = 200
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.2, 10.0
_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Client(Protocol):
    """A window that has the document open."""

    caller: Caller

    def send(self, frame: bytes) -> None:
        """Put a frame in line for it; one that is too slow is closed."""

    def close(self, code: int, reason: str) -> None:
        """End its connection."""


class Room:
    """A document, its clients, and one task that keeps what they write; `server` names this process to the others."""

    def __init__(self, runtime: Runtime, tenant: TenantId, fields: Mapping[str, SharedField], server: str) -> None:
        self._runtime = runtime
        self._tenant = tenant
        self._fields = fields
        self._neighbours = Neighbours(runtime, tenant, server)
        self._clients: dict[Client, dict[int, Presence]] = {}
        self._waiting: list[tuple[Client, bytes]] = []
        self._bytes_waiting = 0
        self._work = asyncio.Event()
        self._look = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._seen = 0
        self._size = 0
        self._kept_singly = 0
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Load the document, and begin to keep what is written. Raises what the database raises."""
        await self._load()
        self._task = asyncio.create_task(self._keep_on(), name=f"room of {self._tenant}")

    async def close(self, within: float | None = None) -> None:
        """Keep what still waits, and stop; after so many seconds all the same, as where the database is away.

        Windows have what was not kept then, and come back with it.
        """
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), within)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def clients(self) -> list[Client]:
        """Who has the document open."""
        return list(self._clients)

    def enter(self, client: Client) -> None:
        """Let a client in: it is asked for what it has, and told who is here."""
        self._clients[client] = {}
        client.send(sync_frame(STEP_1, self._document.get_state()))
        others = [each for states in self._clients.values() for each in states.values() if each.state is not None]
        others += self._neighbours.present()
        if others:
            client.send(presence_frame(others))

    def leave(self, client: Client) -> None:
        """Let a client go: the others see that its windows are gone."""
        states = self._clients.pop(client, {})
        gone = [Presence(each.client, each.clock + 1, None) for each in states.values() if each.state is not None]
        if gone:
            self._broadcast(presence_frame(gone), None)
            self._neighbours.tell(gone)
            self._begin_work()

    def state_for(self, state: bytes) -> bytes:
        """What a client with that state vector lacks, as a frame. Raises BrokenUpdateError for bytes that are none."""
        state_vector(state)  # read strictly first: the CRDT makes room for as many clients as a vector claims to have
        return sync_frame(STEP_2, self._document.get_update(state))

    def write(self, client: Client, update: bytes) -> None:
        """Put an edit in line: it is checked and kept, and then shown to the others; or its client is told why not.

        Where too much waits already, its client is sent away, and comes back with what it has.
        """
        if self._bytes_waiting + len(update) > BYTES_WAITING:
            client.close(TRY_AGAIN, "too much waits to be kept")
            return
        self._bytes_waiting += len(update)
        self._waiting.append((client, update))
        self._begin_work()

    def look(self) -> None:
        """Another process may have written: look."""
        self._look = True
        self._begin_work()

    def listen(self) -> None:
        """Somebody may have moved at another process: hear where to."""
        self._neighbours.listen()
        self._begin_work()

    def announce(self, client: Client, presences: list[Presence]) -> None:
        """Tell the others what a client says of its windows. A client speaks for windows that are nobody else's.

        A window that has written is nobody's who writes nothing: they would keep its own person from coming back.
        """
        own = self._clients.get(client)
        if own is None:
            return
        if not writes_something(self._fields, client.caller.roles):
            written = state_vector(self._document.get_state())
            presences = [each for each in presences if each.client not in written]
        taken = {window for other, states in self._clients.items() if other is not client for window in states}
        taken |= {each.client for each in self._neighbours.present() if each.person != client.caller.person}
        said = [each for each in presences if each.client not in taken]
        for each in said:
            own[each.client] = each
        if said:
            self._broadcast(presence_frame(said), client)
            self._neighbours.tell(said)
            self._begin_work()

    def _begin_work(self) -> None:
        self._idle.clear()
        self._work.set()

    async def _load(self) -> None:
        kept = await to_thread.run_sync(partial(load_document, self._runtime, self._tenant))
        self._document: Doc[Any] = Doc()
        for update in kept.updates:
            self._document.apply_update(update)
        self._seen, self._kept_singly = kept.newest, len(kept.updates)
        self._copy_anew()

    def _copy_anew(self) -> None:
        whole = self._document.get_update()
        self._size = len(whole)
        self._trial = TrialCopy(self._fields, whole)

    async def _keep_on(self) -> None:
        """Never ends by itself: whatever goes wrong is told, waited out, and tried again."""
        wait = FIRST_WAIT_SECONDS
        while True:
            await self._work.wait()
            self._work.clear()
            try:
                await self._step()
                wait = FIRST_WAIT_SECONDS
            except Exception as error:
                with about({"tenant": self._tenant}):
                    _log.error("what was written waits: %s", type(error).__name__, exc_info=error)
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT_SECONDS)
                self._work.set()
            if not self._waiting and not self._look and not self._neighbours.waiting:
                self._idle.set()
            elif not self._work.is_set():
                self._work.set()

    async def _step(self) -> None:
        if self._look:
            self._look = False  # before looking: what is written meanwhile is looked for again
            try:
                await self._catch_up()
            except Exception:
                self._look = True
                raise
        if self._waiting:
            await self._keep_what_waits()
        if self._neighbours.waiting:
            moved = await self._neighbours.exchange()
            if moved:
                self._broadcast(presence_frame(moved), None)

    async def _keep_what_waits(self) -> None:
        if any(map(self._is_in_doubt, self._waiting[:MOST_AT_ONCE])):
            await self._catch_up()
        written = self._waiting[:MOST_AT_ONCE]
        batch = self._checked(written)
        del self._waiting[:MOST_AT_ONCE]
        self._bytes_waiting -= sum(len(update) for _, update in written)
        if batch:
            try:
                await self._keep(batch)
            except Exception:
                # Their windows still have what was not kept: sent away, they come back with it.
                for client, _ in batch:
                    client.close(TRY_AGAIN, "what was written could not be kept")
                self._copy_anew()
                raise
        if self._kept_singly > COMPACTED_AFTER:
            self._size = await to_thread.run_sync(partial(compact_document, self._runtime, self._tenant))
            self._kept_singly = 0

    def _is_in_doubt(self, written: tuple[Client, bytes]) -> bool:
        """Whether a client brings what others wrote: it saw that at another process, and we perhaps have not yet."""
        client, update = written
        try:
            new = self._trial.brings(update)
        except BrokenUpdateError:
            return False
        mute = not writes_something(self._fields, client.caller.roles)
        return bool(new) and (mute or not new.isdisjoint(self._windows_of_others(client)))

    def _windows_of_others(self, client: Client) -> set[int]:
        """The windows that other persons have, here and elsewhere."""
        person = client.caller.person
        here = (states for other, states in self._clients.items() if other.caller.person != person)
        there = {each.client for each in self._neighbours.present() if each.person != person}
        return there.union(*here)

    def _checked(self, written: list[tuple[Client, bytes]]) -> list[tuple[Client, bytes]]:
        """Those of the edits that may be made; whose may not be made is told, and let in again with a fresh copy."""
        accepted: list[tuple[Client, bytes]] = []
        for client, update in written:
            if self._size + len(update) > LARGEST_DOCUMENT:
                client.close(TOO_LARGE, "the document is full")
                continue
            try:
                others = self._windows_of_others(client)
                self._trial.tries(update, client.caller.person, client.caller.roles, others)
            except (EditRefusedError, BrokenUpdateError) as error:
                code = NOT_ALLOWED if isinstance(error, EditRefusedError) else BROKEN
                client.close(code, str(error))
                DOCUMENT_UPDATES.labels("refused").inc()
                with about({"tenant": self._tenant}):
                    _log.warning("an edit is refused", extra={"fields": {"closed_with": code}})
                self._copy_anew()
                for _, before in accepted:
                    self._trial.takes(before)
            else:
                self._size += len(update)
                accepted.append((client, update))
        return accepted

    async def _keep(self, batch: list[tuple[Client, bytes]]) -> None:
        updates = [(client.caller.person, update) for client, update in batch]
        newest = await self._until_done(partial(append_updates, self._runtime, self._tenant, updates))
        self._kept_singly += len(batch)
        DOCUMENT_UPDATES.labels("kept").inc(len(batch))
        if newest - len(batch) != self._seen:
            await self._catch_up()
            return
        self._seen = newest
        for client, update in batch:
            self._document.apply_update(update)
            self._broadcast(sync_frame(UPDATE, update), client)

    async def _catch_up(self) -> None:
        """Take in what others have written, here and elsewhere, and show it to everybody."""
        found = await self._until_done(partial(updates_after, self._runtime, self._tenant, self._seen))
        if found is None:
            before = self._document.get_state()
            await self._load()
            self._broadcast(sync_frame(UPDATE, self._document.get_update(before)), None)
            return
        for each in found:
            self._document.apply_update(each.update)
            self._trial.takes(each.update)
            self._seen = each.number
            self._broadcast(sync_frame(UPDATE, each.update), None)

    async def _until_done(self, work: Callable[[], _T]) -> _T:
        """Do `work` in a thread; while the database does not answer, wait and try again."""
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                return await to_thread.run_sync(work)
            except psycopg.Error as error:
                with about({"tenant": self._tenant}):
                    _log.warning("the document waits for the database: %s", type(error).__name__)
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT_SECONDS)

    def _broadcast(self, frame: bytes, but: Client | None) -> None:
        for client in self.clients:
            if client is not but:
                client.send(frame)
