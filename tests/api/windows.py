"""A person's window on the shared document, as a browser would have it."""

from __future__ import annotations

import json
import time
import zlib
from typing import Any

from pycrdt import Decoder, Doc, Map, Text
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tenant_pipeline.api.collaboration.frames import (
    AWARENESS,
    STEP_1,
    STEP_2,
    UPDATE,
    SyncFrame,
    presence_frame,
    read_frame,
    sync_frame,
)
from tenant_pipeline.core.shared_state import Presence
from tenant_pipeline.core.tenancy import TenantId
from tests.api.conftest import OWN, Served


class Window:
    """A person's window: a document of its own, and a connection that may go and come back."""

    def __init__(self, served: Served, person: str, tenant: TenantId = OWN) -> None:
        self.document: Doc[Any] = Doc()
        self._tenant = tenant
        self.move(served)
        self._token = served.token(person, tenant)
        self._unsent: list[bytes] = []
        self._watch = self.document.observe(lambda event: self._unsent.append(event.update))
        self._person = person
        self._clock = 0
        self.others: dict[int, Presence] = {}

    def move(self, served: Served) -> None:
        """From now on it comes to this server."""
        self._url = f"{served.url.replace('http', 'ws')}/api/tenant/{self._tenant}/document"
        self.socket: ClientConnection | None = None

    def field(self, name: str) -> Map[Any]:
        return self.document.get(name, type=Map)

    def come(self) -> Window:
        """Connect, and exchange what either side lacks."""
        headers = {"Authorization": f"Bearer {self._token}"}
        self._connection = connect(self._url, additional_headers=headers, open_timeout=10, proxy=None)
        self.socket = self._connection.__enter__()
        self._unsent.clear()
        self.socket.send(sync_frame(STEP_1, self.document.get_state()))
        answered = asked = False
        while not (answered and asked):
            frame = _received(self._bytes(60))
            if not isinstance(frame, SyncFrame):
                self.others |= {each.client: each for each in frame}
            else:
                answered = answered or frame.step == STEP_2
                asked = asked or frame.step == STEP_1
                self._take(frame)
        return self

    def go(self) -> None:
        if self.socket is not None:
            self._connection.__exit__(None, None, None)
            self.socket = None

    def write(self, field: str, key: str, value: Any) -> None:
        """Edit, and send the edit when connected."""
        self.field(field)[key] = value
        self.send()

    def begin(self, field: str, key: str) -> None:
        """Begin a text by the edit that everybody begins it with."""
        seed: Doc[Any] = Doc(client_id=zlib.crc32(f"{field}/{key}".encode()))
        seed.get(field, type=Map)[key] = Text("")
        self.document.apply_update(seed.get_update())

    def send(self) -> None:
        assert self.socket is not None
        while self._unsent:
            self.socket.send(sync_frame(UPDATE, self._unsent.pop(0)))

    def see(self, field: str, key: str, value: Any, seconds: float = 60) -> None:
        """Read what comes until the field has that value."""
        until = time.monotonic() + seconds
        while self.field(field).get(key) != value:
            assert time.monotonic() < until, f"{field}/{key} is {self.field(field).get(key)!r}"
            self.read(0.2)

    def read(self, seconds: float) -> None:
        """Take in what comes within so many seconds."""
        try:
            frame = _received(self._bytes(seconds))
        except TimeoutError:
            return
        if isinstance(frame, SyncFrame):
            self._take(frame)
        else:
            self.others |= {each.client: each for each in frame}

    def says(self, **state: Any) -> None:
        """Let the others know where this window is."""
        assert self.socket is not None
        self._clock += 1
        own = Presence(self.document.client_id, self._clock, {"person": self._person, **state})
        self.socket.send(presence_frame([own]))

    def hears(self, other: Window, seconds: float = 60, **state: Any) -> None:
        """Read what comes until the other window is known to be there; gone, if no state is given."""
        until = time.monotonic() + seconds
        expected = {"person": other._person, **state} if state else None
        while (heard := self.others.get(other.document.client_id)) is None or heard.state != expected:
            assert time.monotonic() < until, heard
            self.read(0.2)

    def closed(self) -> tuple[int, str]:
        """The code and reason with which it is closed, within a minute."""
        assert self.socket is not None
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                self.read(0.2)
            except ConnectionClosed as closed:
                return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
        raise AssertionError("it stays open")

    def _bytes(self, seconds: float) -> bytes:
        assert self.socket is not None
        data = self.socket.recv(seconds)
        assert isinstance(data, bytes)
        return data

    def _take(self, frame: SyncFrame) -> None:
        assert self.socket is not None
        if frame.step == STEP_1:
            self.socket.send(sync_frame(STEP_2, self.document.get_update(frame.payload)))
            return
        before = len(self._unsent)
        self.document.apply_update(frame.payload)
        del self._unsent[before:]


def _received(data: bytes) -> SyncFrame | list[Presence]:
    """What a server has sent. It may tell of more windows at once than a window may: of all that have just gone."""
    if data[0] != AWARENESS:
        return read_frame(data)
    states = Decoder(Decoder(data[1:]).read_message() or b"")
    return [
        Presence(states.read_var_uint(), states.read_var_uint(), json.loads(states.read_var_string()))
        for _ in range(states.read_var_uint())
    ]
