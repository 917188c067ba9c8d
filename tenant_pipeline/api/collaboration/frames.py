"""The frames on the wire: y-protocols' own, so that Yjs in a browser speaks with us."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tenant_pipeline.api.collaboration.update_format import BrokenUpdateError
from tenant_pipeline.core.shared_state import Presence

SYNC, AWARENESS = 0, 1
STEP_1, STEP_2, UPDATE = 0, 1, 2
EMPTY_UPDATE = b"\x00\x00"
MOST_STATES = 4
LARGEST_STATE = 2_000
LARGEST_NUMBER = 2**53 - 1
"""The largest whole number that JavaScript knows exactly: no browser sends a larger one."""


class BrokenFrameError(ValueError):
    """The frame is none of the protocol's."""


@dataclass(frozen=True)
class SyncFrame:
    """A step of synchronising, or an update; `payload` is a state vector in the first step, an update otherwise."""

    step: int
    payload: bytes


def read_frame(data: bytes) -> SyncFrame | list[Presence]:
    """A frame as what it says. Raises BrokenFrameError for any other bytes."""
    try:
        kind, at = _number(data, 0)
        if kind == SYNC:
            step, at = _number(data, at)
            payload, at = _buffer(data, at)
            if step not in (STEP_1, STEP_2, UPDATE) or at != len(data):
                raise BrokenFrameError
            return SyncFrame(step, payload)
        if kind == AWARENESS:
            payload, at = _buffer(data, at)
            if at != len(data):
                raise BrokenFrameError
            return _presences(payload)
    except (IndexError, BrokenUpdateError, UnicodeDecodeError, RecursionError):
        pass
    raise BrokenFrameError


def sync_frame(step: int, payload: bytes) -> bytes:
    """A step of synchronising, or an update, as a frame."""
    return bytes([SYNC, step]) + _written(len(payload)) + payload


def presence_frame(presences: list[Presence]) -> bytes:
    """What windows say of themselves, as a frame."""
    payload = _written(len(presences))
    for each in presences:
        state = json.dumps(each.state, ensure_ascii=False, separators=(",", ":")).encode()
        payload += _written(each.client) + _written(each.clock) + _written(len(state)) + state
    return bytes([AWARENESS]) + _written(len(payload)) + payload


def _presences(payload: bytes) -> list[Presence]:
    count, at = _number(payload, 0)
    if count > MOST_STATES:
        raise BrokenFrameError
    found = []
    for _ in range(count):
        client, at = _number(payload, at)
        clock, at = _number(payload, at)
        text, at = _buffer(payload, at)
        if len(text) > LARGEST_STATE or client > LARGEST_NUMBER or clock > LARGEST_NUMBER:
            raise BrokenFrameError
        try:
            state = json.loads(text, parse_constant=_no_number)
            json.dumps(state, ensure_ascii=False).encode()  # half a character cannot be passed on
        except ValueError:
            raise BrokenFrameError from None
        if state is not None and not isinstance(state, dict):
            raise BrokenFrameError
        found.append(Presence(client, clock, state))
    if at != len(payload):
        raise BrokenFrameError
    return found


def _no_number(name: str) -> None:
    raise BrokenFrameError(name)  # NaN and the infinities are none of JSON's


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise BrokenFrameError


def _buffer(data: bytes, at: int) -> tuple[bytes, int]:
    length, at = _number(data, at)
    if length > len(data) - at:
        raise BrokenFrameError
    return data[at : at + length], at + length


def _written(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)
