"""The live log as server-sent events, gone on with from where a client was cut off (`Last-Event-ID`)."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from tenant_pipeline.api.authentication.authenticator import CallerOf, authenticator_of, caller_of
from tenant_pipeline.api.callers import Caller
from tenant_pipeline.api.metrics import EVENT_STREAMS
from tenant_pipeline.api.problems import ProblemError
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.api.wake_up import WakeUp
from tenant_pipeline.services.live_log import entries_after, newest_number
from tenant_pipeline.services.runtime import Runtime

router = APIRouter(prefix="/api/tenant/{tenant}", tags=["live log"])

HEARTBEAT_SECONDS = 15.0
LOOK_AGAIN_SECONDS = 60.0
STREAMS_A_PERSON = 20
SHOWN_AT_FIRST = 500
EVENT = {
    "type": "object",
    "required": ["id", "data"],
    "properties": {
        "id": {"type": "string", "description": "The entry's number."},
        "data": {"type": "string", "description": "JSON: at, kind, actor, subject, source_id, stage, details."},
    },
}
_open_streams: Counter[tuple[str, str]] = Counter()


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": EVENT}}}},
)
async def events(
    caller: CallerOf,
    runtime: RuntimeOf,
    request: Request,
    last_event_id: Annotated[int, Header(ge=-1, le=2**62, description="The last that was seen; -1 for none.")] = -1,
    after: Annotated[int, Query(ge=-1, le=2**62, description="As Last-Event-ID, for the first time.")] = -1,
    follow: Annotated[bool, Query(description="Wait for what comes; else end with what is there.")] = True,
) -> StreamingResponse:
    """What happens in the tenant, as it happens: each entry once, in order, none left out."""
    whose = (caller.tenant, caller.person)
    if _open_streams[whose] >= STREAMS_A_PERSON:
        raise ProblemError(429, "too-many-streams", "You listen in too many places", "Close some of them.")
    number = last_event_id if last_event_id >= 0 else after
    if number < 0:
        newest = await to_thread.run_sync(partial(newest_number, runtime, caller.tenant))
        number = max(0, newest - SHOWN_AT_FIRST)
    stream = _stream(runtime, request, caller, number, follow=follow)
    return StreamingResponse(_counted(whose, stream), media_type="text/event-stream")


async def _counted(whose: tuple[str, str], stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    _open_streams[whose] += 1
    EVENT_STREAMS.inc()
    try:
        async for piece in stream:
            yield piece
    finally:
        EVENT_STREAMS.dec()
        _open_streams[whose] -= 1
        if not _open_streams[whose]:
            del _open_streams[whose]


async def _stream(
    runtime: Runtime, request: Request, caller: Caller, number: int, *, follow: bool
) -> AsyncIterator[bytes]:
    """It ends with the token, and soon after the token was taken back or the roles were."""
    wake_up: WakeUp = request.app.state.wake_up
    looked = time.monotonic()
    yield b"retry: 1000\n\n"
    while runtime.now() < caller.until:
        if time.monotonic() - looked >= LOOK_AGAIN_SECONDS:
            if not await _still_let_in(request, caller):
                return
            looked = time.monotonic()
        change = wake_up.next_change()
        entries = await to_thread.run_sync(partial(entries_after, runtime, caller.tenant, number))
        for entry in entries:
            number = entry["sequence"]
            yield _message(entry)
        if not entries:
            if not follow or wake_up.stopped:
                return
            left = (caller.until - runtime.now()).total_seconds()
            if not await wake_up.wait(change, max(0.0, min(HEARTBEAT_SECONDS, LOOK_AGAIN_SECONDS, left))):
                yield b": still here\n\n"


async def _still_let_in(request: Request, caller: Caller) -> bool:
    try:
        token = await to_thread.run_sync(authenticator_of(request).token, request)
        await caller_of(request, token, caller.tenant)
    except ProblemError:
        return False
    return True


def _message(entry: dict[str, object]) -> bytes:
    subject, _, stage = str(entry["subject"]).partition(":")
    said = {
        "at": entry["at"],
        "kind": entry["action"],
        "actor": entry["actor"],
        "subject": entry["subject"],
        "source_id": subject if subject.startswith("src-") else "",
        "stage": stage if subject.startswith("src-") else "",
        "details": entry["details"],
    }
    return f"id: {entry['sequence']}\ndata: {json.dumps(said, ensure_ascii=False, default=str)}\n\n".encode()
