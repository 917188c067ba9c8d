"""The rooms that are open in this process: one a tenant, opened by the first who comes, closed after the last."""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tenant_pipeline.api.collaboration.room import Client, Room
from tenant_pipeline.api.metrics import DOCUMENT_CLIENTS, OPEN_DOCUMENTS
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.shared_state import sign_of

RESTARTING = 1012
LONGEST_CLOSING_SECONDS = 5.0


class Rooms:
    """Opens and closes rooms, and tells each when its document was written to elsewhere."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._server = secrets.token_hex(8)
        self._open: dict[TenantId, Room] = {}
        self._by_sign: dict[str, Room] = {}
        self._locks: defaultdict[TenantId, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def entered(self, client: Client) -> AsyncIterator[Room]:
        """The room of the client's tenant, with the client in it for as long as this block lasts."""
        tenant = client.caller.tenant
        async with self._locks[tenant]:
            room = self._open.get(tenant)
            if room is None:
                room = Room(self._runtime, tenant, self._runtime.contracts.shared_fields, self._server)
                await room.open()
                self._open[tenant] = self._by_sign[sign_of(self._runtime.database, tenant)] = room
                room.look()  # what was written between loading and listening
            room.enter(client)
        OPEN_DOCUMENTS.set(len(self._open))
        DOCUMENT_CLIENTS.inc()
        try:
            yield room
        finally:
            DOCUMENT_CLIENTS.dec()
            room.leave(client)
            await asyncio.shield(self._close_if_empty(tenant, room))

    def edited(self, sign: str) -> None:
        """A document was written to; '' for perhaps any."""
        for room in self._called(sign):
            room.look()

    def moved(self, said: str) -> None:
        """Somebody moved in a document, at the process that says so; '' for perhaps any, anywhere."""
        sign, _, server = said.partition(" ")
        if server != self._server:
            for room in self._called(sign):
                room.listen()

    def _called(self, sign: str) -> list[Room]:
        if not sign:
            return list(self._open.values())
        return [self._by_sign[sign]] if sign in self._by_sign else []

    async def stop(self) -> None:
        """Send everybody away, to come back to another process; keep what still waits, where that can be done soon."""
        rooms = list(self._open.values())
        for room in rooms:
            for client in room.clients:
                client.close(RESTARTING, "the server is restarted")
        await asyncio.gather(*(room.close(within=LONGEST_CLOSING_SECONDS) for room in rooms))

    async def _close_if_empty(self, tenant: TenantId, room: Room) -> None:
        async with self._locks[tenant]:
            if room.clients or self._open.get(tenant) is not room:
                return
            await room.close()
            if not room.clients:
                del self._open[tenant]
                del self._by_sign[sign_of(self._runtime.database, tenant)]
                OPEN_DOCUMENTS.set(len(self._open))
