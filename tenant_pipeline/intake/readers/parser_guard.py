"""Where a library may meet hostile bytes: whatever it stumbles into is a refusal of that object by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tenant_pipeline.intake.readers.item import UnreadableError


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
