"""What a part is, and what it gives back: figures, the targets that they are held to, and curves to draw.

`measure` of a part's module takes sizes as keyword arguments and returns a dictionary that JSON can hold. Its figures
may have any names but these three: `targets` is a list made with `at_most` and `at_least`, `curves` one made with
`curve`, and `notes` a list of sentences for whoever reads the page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenant_pipeline.core.digest import canonical_json, sha256_of_bytes


@dataclass(frozen=True)
class Part:
    """One thing to measure: the module that does it, what it is called with its size filled in, and how large."""

    module: str
    title: str
    size: Mapping[str, int]

    @property
    def heading(self) -> str:
        """The title with this size."""
        return self.title.format(**self.size)

    @property
    def name(self) -> str:
        """The part and its size, as it is printed and asked for: `one_large_source rows=1000000`."""
        return " ".join([self.module, *(f"{key}={value}" for key, value in self.size.items())])

    def key(self, code: str) -> str:
        """Under which name its result is kept: another size or other code is another result."""
        return f"{self.module}-{sha256_of_bytes(canonical_json([dict(self.size), code]))[:16]}"

    def size_as_json(self) -> str:
        """The size as the part's process takes it."""
        return json.dumps(dict(self.size))


def at_most(what: str, value: float, most: float, unit: str = "×") -> dict[str, Any]:
    """A target that is met by a value that is not above `most`."""
    return {"what": what, "value": round(value, 4), "target": most, "is": "at most", "unit": unit, "met": value <= most}


def at_least(what: str, value: float, least: float, unit: str = "×") -> dict[str, Any]:
    """A target that is met by a value that is not below `least`."""
    met = value >= least
    return {"what": what, "value": round(value, 4), "target": least, "is": "at least", "unit": unit, "met": met}


def curve(
    title: str, x: str, y: str, series: Mapping[str, Sequence[tuple[float | str, float]]], *, kind: str = "line"
) -> dict[str, Any]:
    """Something to draw: points by series; `kind` is `line`, or `bar` where x is a name. Units go into `x` and `y`."""
    return {
        "title": title,
        "x": x,
        "y": y,
        "kind": kind,
        "series": {name: list(map(list, s)) for name, s in series.items()},
    }
