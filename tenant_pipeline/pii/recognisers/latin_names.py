"""Given and family names in Latin letters, from Faker's lists (MIT): sixty countries, packaged with it."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

from faker.providers import person

_LATIN = re.compile(r"[A-ZÀ-ÖØ-Þ][A-Za-zÀ-ÖØ-öø-ɏ'’-]+")


@cache
def given_names() -> frozenset[str]:
    """About 20,000 given names."""
    return frozenset(_names("first_name"))


@cache
def family_names() -> frozenset[str]:
    """About 17,000 family names."""
    return frozenset(_names("last_name"))


def _names(kind: str) -> Iterator[str]:
    for module in pkgutil.iter_modules(person.__path__):
        provider = import_module(f"{person.__name__}.{module.name}").Provider
        for attribute in dir(provider):
            if attribute.startswith(kind):
                yield from _listed(getattr(provider, attribute))


def _listed(value: Any) -> Iterator[str]:
    if isinstance(value, (tuple, list, dict)):
        yield from (name for name in value if isinstance(name, str) and _LATIN.fullmatch(name))
