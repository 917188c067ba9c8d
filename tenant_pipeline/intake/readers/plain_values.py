"""Values of libraries' own types as those that JSON knows."""

from __future__ import annotations

import math
from datetime import date, datetime, time
from typing import Any

from tenant_pipeline.intake.readers.storable import storable


def plain(value: Any) -> Any:
    """Mappings with text for keys, lists, text, numbers and nothing: times in ISO 8601, bytes as text or in hex."""
    if isinstance(value, dict):
        return {storable(str(key)): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(each) for each in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.hex()
    return str(value)
