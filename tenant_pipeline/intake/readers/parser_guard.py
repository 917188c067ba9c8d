"""Where a library may meet hostile bytes: whatever it stumbles into is a refusal of that object by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import BinaryIO

from tenant_pipeline.intake.readers.item import Items, Problem, UnreadableError

Reader = Callable[[BinaryIO, str], Items]


@contextmanager
def refused_as(code: str, reason: str) -> Iterator[None]:
    """Turn a parser's error into UnreadableError. Parsers of packed documents raise nearly every built-in error; only
    the lack of memory is not the object's fault alone and stays what it is."""
    try:
        yield
    except (UnreadableError, MemoryError):
        raise
    except Exception:
        raise UnreadableError(code, reason) from None


def until_broken(code: str, reason: str) -> Callable[[Reader], Reader]:
    """What was read before a file breaks off is kept and the break told as a problem; a file that is broken from its
    beginning on is refused."""

    def keeping(reader: Reader) -> Reader:
        @wraps(reader)
        def read(stream: BinaryIO, encoding: str) -> Items:
            found = 0
            try:
                for found, item in enumerate(reader(stream, encoding), 1):  # noqa: B007 - counts what was given
                    yield item
            except (UnreadableError, MemoryError):
                raise
            except Exception:
                if not found:
                    raise UnreadableError(code, reason) from None
                yield Problem(f"after={found}", code, reason)

        return read

    return keeping


def within_bounds(reader: Reader) -> Reader:
    """Refuse, under the code `too-deep`, values nested deeper or numbers longer than Python goes."""

    @wraps(reader)
    def bounded(stream: BinaryIO, encoding: str) -> Items:
        try:
            yield from reader(stream, encoding)
        except (RecursionError, OverflowError, ValueError):
            raise UnreadableError("too-deep", "Its values are too deeply nested, or its numbers too long.") from None

    return bounded
