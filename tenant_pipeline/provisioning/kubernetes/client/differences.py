"""By which fields two states of an object differ. Only paths are told, never a value: one may be a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_SERVERS_OWN = frozenset({"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"})
_PLAIN = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def differences(live: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """The paths that `wanted` would add, change or take away, sorted; status and the server's bookkeeping aside.

    Elements of a list are named by their `name` where all have one that is their own, else by their position.
    """
    return tuple(sorted(_compare(_comparable(live), _comparable(wanted), "")))


def _comparable(body: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in body.get("metadata", {}).items() if key not in _SERVERS_OWN}
    return {key: value for key, value in body.items() if key != "status"} | {"metadata": metadata}


def _compare(live: Any, wanted: Any, path: str) -> Iterator[str]:
    if isinstance(live, Mapping) and isinstance(wanted, Mapping):
        for key in live.keys() | wanted.keys():
            yield from _compare(live.get(key), wanted.get(key), _below(path, key))
    elif isinstance(live, list) and isinstance(wanted, list):
        yield from _compare_lists(live, wanted, path)
    elif live != wanted:
        yield path


def _compare_lists(live: list[Any], wanted: list[Any], path: str) -> Iterator[str]:
    ours, theirs = _named(live), _named(wanted)
    if ours is None or theirs is None:
        ours, theirs = ({str(at): one for at, one in enumerate(items)} for items in (live, wanted))
    for name in ours.keys() | theirs.keys():
        if name in ours and name in theirs:
            yield from _compare(ours[name], theirs[name], f"{path}[{name}]")
        else:
            yield f"{path}[{name}]"
    if ours.keys() == theirs.keys() and list(ours) != list(theirs):
        yield path


def _named(items: Sequence[Any]) -> dict[str, Any] | None:
    if not all(isinstance(item, Mapping) and isinstance(item.get("name"), str) for item in items):
        return None
    named = {item["name"]: item for item in items}
    return named if len(named) == len(items) else None


def _below(path: str, key: str) -> str:
    if not _PLAIN.fullmatch(key):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key
