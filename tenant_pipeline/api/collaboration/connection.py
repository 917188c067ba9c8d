"""One WebSocket: who comes is verified, what comes is read strictly, and it ends when the token does."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from datetime import UTC, datetime

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from tenant_pipeline.api.authentication.authenticator import authenticator_of, caller_of
from tenant_pipeline.api.callers import Caller
from tenant_pipeline.api.collaboration.frames import (
    EMPTY_UPDATE,
    STEP_1,
    BrokenFrameError,
    SyncFrame,
    read_frame,
)
from tenant_pipeline.api.collaboration.room import BROKEN, LARGEST_DOCUMENT, Room
from tenant_pipeline.api.collaboration.rooms import Rooms
from tenant_pipeline.api.guards import own_origins
from tenant_pipeline.api.problems import ProblemError
from tenant_pipeline.core.shared_state import Presence
from tenant_pipeline.storage.keys import KeysDestroyedError

router = APIRouter()

SIGNED_OUT, FOREIGN, NOT_YOURS, TOO_MANY, TOO_SLOW, TEXT, TOO_LONG = 4401, 4403, 4404, 4429, 1013, 1003, 1009
LONGEST_FRAME = 1024 * 1024
FRAMES_IN_LINE = 1000
BYTES_IN_LINE = 2 * LARGEST_DOCUMENT
FRAMES_A_SECOND = 60
BURST = 300
WINDOWS_A_PERSON = 20
LOOK_AGAIN_SECONDS = 60.0
_windows: Counter[tuple[str, str]] = Counter()
_log = logging.getLogger(__name__)


@router.websocket("/api/tenant/{tenant}/document")
async def document(websocket: WebSocket, tenant: str) -> None:
    """The tenant's shared document, for as long as the caller's token is good."""
    await websocket.accept()
    try:
        caller = await _admitted(websocket, tenant)
    except ProblemError as refusal:
        code = {401: SIGNED_OUT, 403: FOREIGN, 429: TOO_MANY}.get(refusal.status, NOT_YOURS)
        await websocket.close(code, refusal.title)
        return
    whose = (caller.tenant, caller.person)
    _windows[whose] += 1
    try:
        await _Connection(websocket, caller).serve(websocket.app.state.rooms)
    finally:
        _windows[whose] -= 1
        if not _windows[whose]:
            del _windows[whose]


async def _admitted(websocket: WebSocket, tenant: str) -> Caller:
    origin = websocket.headers.get("origin")
    with_bearer = "authorization" in websocket.headers
    public_url = websocket.app.state.runtime.settings.public_url
    if not with_bearer and origin not in own_origins(public_url, websocket):
        raise ProblemError(403, "foreign-origin", "The page is another site's")
    caller = await _caller(websocket, tenant)
    if _windows[caller.tenant, caller.person] >= WINDOWS_A_PERSON:
        raise ProblemError(429, "too-many-windows", "You have it open too often")
    return caller


async def _caller(websocket: WebSocket, tenant: str) -> Caller:
    """Who may have the document open. Raises ProblemError: 401, or 404, also for a tenant that was erased."""
    token = await asyncio.to_thread(authenticator_of(websocket).token, websocket)
    caller = await caller_of(websocket, token, tenant)
    try:
        await asyncio.to_thread(websocket.app.state.runtime.keys.require_not_destroyed, caller.tenant)
    except KeysDestroyedError as error:
        raise ProblemError(404, error.code, "The tenant was erased") from None
    return caller


class _Connection:
    """A client of a room, over a WebSocket."""

    def __init__(self, websocket: WebSocket, caller: Caller) -> None:
        self.caller = caller
        self._websocket = websocket
        self._line: asyncio.Queue[bytes] = asyncio.Queue(FRAMES_IN_LINE)
        self._bytes_in_line = 0
        self._ending: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self._budget, self._filled = float(BURST), time.monotonic()

    def send(self, frame: bytes) -> None:
        """Put a frame in line; whoever does not take them fast enough is closed, and comes back for what it missed."""
        if self._line.full() or self._bytes_in_line + len(frame) > BYTES_IN_LINE:
            self.close(TOO_SLOW, "too slow")
            return
        self._bytes_in_line += len(frame)
        self._line.put_nowait(frame)

    def close(self, code: int, reason: str) -> None:
        """End the connection; the first reason counts."""
        if not self._ending.done():
            self._ending.set_result((code, reason[:100]))

    async def serve(self, rooms: Rooms) -> None:
        """Serve until it ends, one way or another."""
        async with rooms.entered(self) as room:
            tasks = [
                asyncio.create_task(self._receive(room)),
                asyncio.create_task(self._forward()),
                asyncio.create_task(self._look_again()),
            ]
            code, reason = await self._ending
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._websocket.client_state is WebSocketState.CONNECTED:
            try:
                await self._websocket.close(code, reason)
            except (RuntimeError, WebSocketDisconnect):
                _log.debug("it was gone already")

    async def _receive(self, room: Room) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                self.close(1000, "")
                return
            data = message.get("bytes")
            if data is None:
                self.close(TEXT, "frames are binary here")
            elif len(data) > LONGEST_FRAME:
                self.close(TOO_LONG, "the frame is too long")
            elif not self._within_rate():
                self.close(TOO_MANY, "too many frames")
            else:
                try:
                    self._take(room, read_frame(data))
                except ValueError:
                    self.close(BROKEN, "the frame cannot be read")
            if self._ending.done():
                return

    def _take(self, room: Room, frame: SyncFrame | list[Presence]) -> None:
        if not isinstance(frame, SyncFrame):
            if any(each.state is not None and each.person != self.caller.person for each in frame):
                raise BrokenFrameError
            room.announce(self, frame)
        elif frame.step == STEP_1:
            self.send(room.state_for(frame.payload))
        elif frame.payload != EMPTY_UPDATE:
            room.write(self, frame.payload)

    async def _forward(self) -> None:
        try:
            while True:
                frame = await self._line.get()
                await self._websocket.send_bytes(frame)
                self._bytes_in_line -= len(frame)
        except (RuntimeError, WebSocketDisconnect):
            self.close(1000, "")

    async def _look_again(self) -> None:
        """End it when the token expires; look now and then whether it or the roles are gone, or the tenant is."""
        while True:
            left = (self.caller.until - datetime.now(UTC)).total_seconds()
            if left <= 0:
                self.close(SIGNED_OUT, "the token has expired")
                return
            await asyncio.sleep(min(left, LOOK_AGAIN_SECONDS))
            try:
                self.caller = await _caller(self._websocket, self.caller.tenant)
            except ProblemError:
                self.close(SIGNED_OUT, "the token is not good any more")
                return
            except Exception as error:
                _log.warning("the token of an open document could not be looked at: %s", type(error).__name__)

    def _within_rate(self) -> bool:
        now = time.monotonic()
        self._budget = min(float(BURST), self._budget + (now - self._filled) * FRAMES_A_SECOND)
        self._filled = now
        self._budget -= 1
        return self._budget >= 0
