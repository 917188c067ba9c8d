"""A person's word that something refused is let in."""

from __future__ import annotations

from typing import NamedTuple


class OverruledRefusal(NamedTuple):
    """A refusal that a person has overruled: of the content with that digest, for the reason `code`.

    Without a digest (releases did not always note one) it is of what lies at `locator`.
    """

    locator: str
    code: str
    digest: str

    def covers(self, locator: str, code: str, digest: str) -> bool:
        """Whether it is the release of that refusal."""
        return self.code == code and (self.digest == digest if self.digest else self.locator == locator)
