"""Whether a person may make an edit: it is tried on a copy of the document, and what it changed is looked at."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pycrdt import Array, Doc, Map, Text

from tenant_pipeline.api.collaboration.update_format import BrokenUpdateError, leaning_of, state_vector
from tenant_pipeline.core.shared_state import SharedField, Written, refusal, writes_something


class EditRefusedError(Exception):
    """The edit is not made. The message is for the person."""


class TrialCopy:
    """A copy of the document that is one step ahead of it: edits are tried here first."""

    def __init__(self, fields: Mapping[str, SharedField], whole: bytes) -> None:
        self._fields = fields
        self._written: list[Written] = []
        self._document: Doc[Any] = Doc()
        self._document.apply_update(whole)
        self._watched: list[object] = []
        for name in fields:
            field = self._document.get(name, type=Map)
            self._watched += [field, field.observe_deep(self._noting(name, field))]

    def brings(self, update: bytes) -> frozenset[int]:
        """The windows of which an edit brings what is not there yet. Raises BrokenUpdateError for other bytes."""
        return leaning_of(update).new_to(state_vector(self._document.get_state()))

    def tries(self, update: bytes, person: str, roles: frozenset[str], of_others: Collection[int] = ()) -> None:
        """Take an edit in, if the person may make it; `of_others` are windows in whose name they may not.

        What is seen of it decides, and that it is there at all: an edit need not change anything to be counted, and
        the next that its window makes would then be taken for known.

        Raises EditRefusedError when they may not, and BrokenUpdateError for bytes that are no edit, or for one that
        builds on what is not there; the copy is not to be used any more then.
        """
        self._written.clear()
        leaning, there = leaning_of(update), state_vector(self._document.get_state())
        if not leaning.stands_on(there):
            raise BrokenUpdateError("it builds on edits that are not there")
        new = leaning.new_to(there)
        if not new.isdisjoint(of_others):
            raise EditRefusedError("it is made in the name of another person's window")
        try:
            self._document.apply_update(update)
        except ValueError as error:
            raise BrokenUpdateError("the edit cannot be read") from error
        unknown = set(self._document.keys()) - self._fields.keys()
        self._written += [Written(name, "", None) for name in sorted(unknown)]
        why = refusal(self._written, self._fields, person, roles)
        if why is None and new and not writes_something(self._fields, roles):
            why = "your roles write nothing here"
        if why is not None:
            raise EditRefusedError(why)

    def takes(self, update: bytes) -> None:
        """Take in an edit that was made."""
        self._document.apply_update(update)

    def _noting(self, name: str, field: Map[Any]) -> Any:
        def note(events: list[Any]) -> None:
            for event in events:
                path = list(event.path)
                keys = [str(path[0])] if path else [str(key) for key in event.keys]
                for key in keys:
                    value = field.get(key) if key in field else None
                    self._written.append(Written(name, key, _plain(value)))

        return note


def _plain(value: Any) -> Any:
    return value.to_py() if isinstance(value, Map | Array | Text) else value
