"""What an update of the CRDT leans on, read from its bytes (Yjs' update format, version 1).

An update may build on edits that the document does not have. It would wait inside the document and take effect with
somebody else's edit, in their name: such an update is refused, and its sender asked for all that it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

GC, DELETED, JSON, BINARY, STRING, EMBED, FORMAT, TYPE, ANY, DOCUMENT, SKIP = range(11)
NAMED_TYPES = (3, 5)
DEEPEST = 64

StateVector = Mapping[int, int]
"""By client: how many of its edits are there."""


class BrokenUpdateError(ValueError):
    """The bytes are no update."""


@dataclass
class Leaning:
    """The edits that an update brings, and the furthest of each client that it refers to or takes away."""

    brings: dict[int, tuple[int, int]] = field(default_factory=dict)
    refers: dict[int, int] = field(default_factory=dict)

    def stands_on(self, there: StateVector) -> bool:
        """Whether all that it leans on is there already, or comes with it."""
        if any(first > there.get(client, 0) for client, (first, _) in self.brings.items()):
            return False
        return all(
            end <= max(there.get(client, 0), self.brings.get(client, (0, 0))[1]) for client, end in self.refers.items()
        )

    def new_to(self, there: StateVector) -> frozenset[int]:
        """The clients of which it brings edits that are not there."""
        return frozenset(client for client, (_, end) in self.brings.items() if end > there.get(client, 0))

    def _refer(self, client: int, end: int) -> None:
        self.refers[client] = max(end, self.refers.get(client, 0))


def state_vector(data: bytes) -> StateVector:
    """A state vector's bytes as a mapping. Raises BrokenUpdateError."""
    read = _Reader(data)
    found = {read.number(): read.number() for _ in range(read.count())}
    if not read.ended:
        raise BrokenUpdateError("something follows on the state vector")
    return found


def leaning_of(update: bytes) -> Leaning:
    """What an update brings and leans on. Raises BrokenUpdateError for bytes that are none."""
    read = _Reader(update)
    found = Leaning()
    for _ in range(read.count()):
        structs, client, clock = read.count(), read.number(), read.number()
        first = clock
        for _ in range(structs):
            clock += _struct(read, found)
        before = found.brings.get(client)
        found.brings[client] = (min(first, before[0]), max(clock, before[1])) if before else (first, clock)
    for _ in range(read.count()):
        client = read.number()
        for _ in range(read.count()):
            found._refer(client, read.number() + read.number())
    if not read.ended:
        raise BrokenUpdateError("something follows on the update")
    return found


def _struct(read: _Reader, found: Leaning) -> int:
    """Read one struct; return how many edits it is."""
    info = read.byte()
    kind = info & 0x1F
    if kind == SKIP:
        raise BrokenUpdateError("edits are left out")
    if kind == GC:
        return read.number()
    for flag in (0x80, 0x40):
        if info & flag:
            found._refer(read.number(), read.number() + 1)
    if not info & 0xC0:
        if read.number() == 1:
            read.skip(read.count())
            if not info & 0x20:
                # In a row beside the keys it would be seen by nobody, and raise no event.
                raise BrokenUpdateError("a field has its values under keys")
        else:
            found._refer(read.number(), read.number() + 1)
        if info & 0x20:
            read.skip(read.count())
    return _content(read, kind)


def _content(read: _Reader, kind: int) -> int:
    if kind == DELETED:
        return read.number()
    if kind == JSON:
        length = read.count()
        for _ in range(length):
            read.skip(read.count())
        return length
    if kind == STRING:
        return len(read.text().encode("utf-16-le")) // 2
    if kind in (BINARY, EMBED):
        read.skip(read.count())
    elif kind == FORMAT:
        read.skip(read.count())
        read.skip(read.count())
    elif kind == TYPE:
        if read.number() in NAMED_TYPES:
            read.skip(read.count())
    elif kind == ANY:
        length = read.count()
        for _ in range(length):
            _any(read, 0)
        return length
    else:
        raise BrokenUpdateError("there is no such content in a workspace")
    return 1


def _any(read: _Reader, depth: int) -> None:
    """Skip one value of lib0's `any` encoding."""
    if depth > DEEPEST:
        raise BrokenUpdateError("a value is nested too deep")
    kind = read.byte()
    if kind == 125:
        read.signed()
    elif kind == 124:
        read.skip(4)
    elif kind in (122, 123):
        read.skip(8)
    elif kind in (116, 119):
        read.skip(read.count())
    elif kind in (117, 118):
        for _ in range(read.count()):
            if kind == 118:
                read.skip(read.count())
            _any(read, depth + 1)
    elif kind not in (120, 121, 126, 127):
        raise BrokenUpdateError("there is no such kind of value")


class _Reader:
    """Bytes, read from their beginning."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def ended(self) -> bool:
        return self._at == len(self._data)

    def byte(self) -> int:
        if self._at >= len(self._data):
            raise BrokenUpdateError("it ends too soon")
        self._at += 1
        return self._data[self._at - 1]

    def number(self) -> int:
        """An unsigned integer of seven bits a byte."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise BrokenUpdateError("a number is too large")

    def count(self) -> int:
        """How many follow: never more than there are bytes left."""
        value = self.number()
        if value > len(self._data) - self._at:
            raise BrokenUpdateError("it ends too soon")
        return value

    def signed(self) -> None:
        """Skip an integer with a sign."""
        while self.byte() >= 0x80:
            pass

    def skip(self, length: int) -> None:
        if length > len(self._data) - self._at:
            raise BrokenUpdateError("it ends too soon")
        self._at += length

    def text(self) -> str:
        length = self.count()
        self.skip(length)
        try:
            return self._data[self._at - length : self._at].decode()
        except UnicodeDecodeError:
            raise BrokenUpdateError("a text is not UTF-8") from None
