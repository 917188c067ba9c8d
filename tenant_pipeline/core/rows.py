"""A row of the database, as it is given out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def row_as_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its times as ISO 8601 text."""
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}
