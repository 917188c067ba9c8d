"""The names of Thailand's 77 provinces, from PyThaiNLP's package (CC0)."""

from __future__ import annotations

from functools import cache

from pythainlp.corpus import provinces


@cache
def thai_provinces() -> frozenset[str]:
    """The provinces in Thai, and the short names of the capital."""
    return frozenset(str(name) for name in provinces()) | {"กรุงเทพ", "กทม"}
