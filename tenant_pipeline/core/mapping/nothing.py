"""Cells that say nothing: empty ones, and the words that people write for it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

NULL_WORDS = ("", "-", "--", "n/a", "na", "null", "none", "ไม่มี", "无")


def says_something(value: str) -> bool:
    """Whether a cell has a value. The same rule as `saying`, for one."""
    return value.strip().lower() not in NULL_WORDS


def saying(values: pa.Array) -> pa.Array:
    """For each cell whether it has a value: true or false, never null."""
    folded = pc.utf8_lower(pc.utf8_trim_whitespace(values))
    said = pc.and_(pc.is_valid(values), pc.invert(pc.is_in(folded, pa.array(NULL_WORDS))))
    return pc.fill_null(said, False)
