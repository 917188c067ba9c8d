"""Screen locators. Positions in them are numbers of ours; sheet names, JSON keys and message ids are the source's.

Nearly every row has a locator of its own, so the positions are taken out first: what is left is the same for
thousands of rows and is looked at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from tenant_pipeline.pii.findings import Place
from tenant_pipeline.pii.replacement import Replacer

_POSITIONS = r"((?:^o|row=|page=|line=|item=|table=)[0-9]{1,9}|/[0-9]{1,8}(?:$|/))"
_SPLIT = "\x00"


@dataclass
class LocatorScreen:
    """Replaces personal data in the locators of one table."""

    replacer: Replacer
    place: Place
    _known: dict[str, str] = field(default_factory=dict)

    def screen(self, locators: pa.Array) -> pa.Array:
        """The locators, with the source's own words in them screened."""
        shapes = pc.replace_substring_regex(locators, _POSITIONS, _SPLIT)
        if not self.replacer.analyzer.find_all(shapes.unique()):
            return locators
        return pa.array([self._one(locator) for locator in locators.to_pylist()], type=locators.type)

    def _one(self, locator: str | None) -> str | None:
        if locator is None:
            return None
        head, separator, tail = locator.partition("#")
        return head + separator + _AND.join(self._part(part) for part in tail.split(_AND))

    def _part(self, part: str) -> str:
        if part not in self._known:
            if len(self._known) > 100_000:
                self._known.clear()
            self._known[part] = self.replacer.text(part, self.place)
        return self._known[part]


_AND = "&"
