"""What passes between the pipeline and a parser: frames of a kind, a length and a payload over a local socket.

The parser asks for pieces of the file (READ, answered by DATA) and sends what it finds. It is never trusted: a frame
is bounded before it is read, and what it holds is checked by whoever takes it in.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

from tenant_pipeline.core.sized_stream import SizedStream

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

REQUEST = b"Q"
READ = b"R"
DATA = b"D"
ROWS = b"T"
PROBLEMS = b"P"
RESULT = b"F"
UNREADABLE = b"U"
FAILED = b"E"

READ_BYTES = 256 * 1024
LARGEST_FRAME = 512 * 1024**2

_HEAD = struct.Struct(">cI")
_SPAN = struct.Struct(">QI")


class BrokenFramesError(Exception):
    """The other side ended, or does not keep to the form."""


class Channel:
    """Frames over a connected socket's two directions."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming = incoming
        self._outgoing = outgoing

    def send(self, kind: bytes, payload: bytes = b"") -> None:
        """Send a frame. Raises BrokenFramesError when nobody listens."""
        try:
            self._outgoing.write(_HEAD.pack(kind, len(payload)))
            self._outgoing.write(payload)
            self._outgoing.flush()
        except (OSError, ValueError):
            raise BrokenFramesError from None

    def receive(self) -> tuple[bytes, bytes]:
        """The next frame. Raises BrokenFramesError at the end, and for a frame that is too long."""
        kind, length = _HEAD.unpack(self._exactly(_HEAD.size))
        if length > LARGEST_FRAME:
            raise BrokenFramesError
        return kind, self._exactly(length)

    def _exactly(self, length: int) -> bytes:
        try:
            data = self._incoming.read(length)
        except (OSError, ValueError):
            raise BrokenFramesError from None
        if len(data) < length:
            raise BrokenFramesError
        return data


def span_asked(payload: bytes) -> tuple[int, int]:
    """Offset and length of the piece that a READ frame asks for."""
    try:
        offset, length = _SPAN.unpack(payload)
    except struct.error:
        raise BrokenFramesError from None
    return offset, min(length, READ_BYTES)


class RemoteFile(SizedStream):
    """A file that lies with the other side of the channel: seekable, read piece by piece."""

    def __init__(self, channel: Channel, size: int) -> None:
        super().__init__(size)
        self._channel = channel

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), READ_BYTES, self._size - self._position)
        if wanted <= 0:
            return 0
        self._channel.send(READ, _SPAN.pack(self._position, wanted))
        kind, data = self._channel.receive()
        if kind != DATA or len(data) > wanted:
            raise BrokenFramesError
        view[: len(data)] = data
        self._position += len(data)
        return len(data)
