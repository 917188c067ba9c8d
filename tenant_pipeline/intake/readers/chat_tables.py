"""The tables that are drawn in chats: an assistant heads each as it likes, and an object holds so many kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from tenant_pipeline.intake.readers.item import Item, Items, Problem

MOST_HEADERS = 200
DRAWN = "tables: "
"""What such a table's name begins with, before its header."""
_PLACE_IN_TABLE = "&line="


def with_few_headers(read: Callable[[BinaryIO, str], Items]) -> Callable[[BinaryIO, str], Items]:
    """A reader of chats that keeps the first MOST_HEADERS headers of an object apart, each as a table.

    A drawn table with a further one is one problem. What it says stays in the text that it is drawn in.
    """

    def bounded(stream: BinaryIO, encoding: str) -> Items:
        known: set[str] = set()
        last = ""
        for item in read(stream, encoding):
            if not isinstance(item, Item) or not item.table.startswith(DRAWN):
                yield item
            elif item.table in known or len(known) < MOST_HEADERS:
                known.add(item.table)
                yield item
            elif (place := item.locator.rpartition(_PLACE_IN_TABLE)[0]) != last:
                last = place
                yield Problem(
                    place, "too-many-tables", "There are more kinds of tables than are kept apart; its text is kept."
                )

    return bounded
