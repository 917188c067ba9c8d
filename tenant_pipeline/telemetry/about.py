"""Whom and what the present work is about: said once where it begins, and on every line and span within it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

Field = Literal["request_id", "tenant", "source", "stage", "run_id", "feed", "step", "asset"]
"""All that may be said: identifiers of ours, never a person, a title or a value."""

_about: ContextVar[Mapping[str, str]] = ContextVar("about", default={})  # noqa: B039 (it is never changed)


@contextmanager
def about(fields: Mapping[Field, str]) -> Iterator[None]:
    """Everything that is logged or traced in the block is about this too; what is empty is left out."""
    token = _about.set({**_about.get(), **{name: value for name, value in fields.items() if value}})
    try:
        yield
    finally:
        _about.reset(token)


def what_about() -> Mapping[str, str]:
    """What the present work is about."""
    return _about.get()
