"""The flags that there are: their types, their defaults, and who may override them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import inf
from typing import Any

from tenant_pipeline.core.errors import InputError

FlagValue = bool | float | str


@dataclass(frozen=True)
class Flag:
    """A flag: `type` is boolean, number or string; `owners` are the roles that may override it."""

    name: str
    type: str
    default: FlagValue
    owners: tuple[str, ...]
    description: str
    minimum: float | None = None
    maximum: float | None = None

    def checked(self, value: Any) -> FlagValue:
        """The value, as one of the flag's type; a zero has no sign. Raises InputError."""
        fits = {
            "boolean": isinstance(value, bool),
            "number": isinstance(value, int | float) and not isinstance(value, bool) and -inf < value < inf,
            "string": isinstance(value, str) and len(value) <= 1000,
        }[self.type]
        if not fits:
            raise InputError(f"The flag {self.name} is a {self.type}", where="--value", remedy=self.description)
        if self.type == "number" and not (
            (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)
        ):
            raise InputError(f"The flag {self.name} lies between {self.minimum} and {self.maximum}", where="--value")
        checked: FlagValue = value + 0 if self.type == "number" else value
        return checked


@cache
def flags() -> Mapping[str, Flag]:
    """Every flag by its name."""
    entries = json.loads(files("tenant_pipeline.services.feature_flags").joinpath("registry.json").read_bytes())
    return {name: Flag(name, **{**entry, "owners": tuple(entry["owners"])}) for name, entry in entries.items()}


def flag_named(name: str) -> Flag:
    """The flag of that name. Raises InputError for none."""
    try:
        return flags()[name]
    except KeyError:
        raise InputError("There is no such flag", where="flag", remedy=f"One of {', '.join(flags())}.") from None
