"""Cells of a CSV file that a spreadsheet will open: none of them is ever run as a formula."""

from __future__ import annotations

import re
import unicodedata

_FORMULA_STARTS = frozenset("=+-@\t\r\n＝＋－＠﹢﹣﹦﹫−")
"""What makes a spreadsheet take a cell for a formula: OWASP's list, with the full-width and small forms of its signs,
which some spreadsheets fold to the plain ones."""

_QUOTES = "'\"`´‘’‚‛“”„‟«»‹›＇＂"
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def spreadsheet_cell(text: str) -> str:
    """`text` as a cell that spreadsheets show and do not run: one that could be a formula gets a `'` in front.

    A formula may hide behind white space, invisible characters and quotes. A plain number such as `-1.5` stays as it
    is. What is already marked is not marked again.
    """
    if _NUMBER.fullmatch(text) or not _could_be_formula(text) or _is_marked(text):
        return text
    return f"'{text}"


def _could_be_formula(text: str) -> bool:
    for character in text:
        if character in _FORMULA_STARTS:
            return True
        if not (character.isspace() or character in _QUOTES or unicodedata.category(character)[0] in "CZ"):
            return False
    return False


def _is_marked(text: str) -> bool:
    """Whether the text is what this module made of another: a `'`, and a text that needs one."""
    return text[0] == "'" and not _NUMBER.fullmatch(text[1:]) and _could_be_formula(text[1:])
