"""The nine stages, what each counts, and the law that no row is ever lost."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tenant_pipeline.core.errors import ConservationError


class Stage(StrEnum):
    """The nine stages in the order in which a source walks them."""

    RECEIVE = "receive"
    IDENTIFY = "identify"
    EXTRACT = "extract"
    SCREEN = "screen"
    MAP = "map"
    STANDARDISE = "standardise"
    VALIDATE = "validate"
    LINK = "link"
    ASSEMBLE = "assemble"

    @property
    def before(self) -> Stage | None:
        """The stage whose output this one reads, or None for the first."""
        position = STAGES.index(self)
        return STAGES[position - 1] if position else None


STAGES = tuple(Stage)


class Disposition(StrEnum):
    """What became of a row that did not pass."""

    REJECTED = "rejected"
    QUARANTINED = "quarantined"


@dataclass(frozen=True)
class Reject:
    """A row that did not pass a stage.

    `locator` leads back to it, `code` is the machine's name for the reason and `reason` the sentence for a person.
    Neither may quote the row: rejects are stored and shown outside the raw zone.
    """

    locator: str
    code: str
    reason: str
    disposition: Disposition = Disposition.REJECTED


@dataclass(frozen=True)
class StageCount:
    """What a stage counted, in its own unit (`file`, `object`, `row`, `record`, `statement`, `entity`).

    `rows_out` is how many of `rows_in` passed; `emitted` how many rows of `emitted_unit` they became (a record
    becomes many statements), which is what the next count must find as its `rows_in`.

    A stage returns a chain of them: `extract` counts objects that became rows, then rows that became records.
    """

    unit: str
    rows_in: int
    rows_out: int
    rejected: int
    quarantined: int
    emitted: int
    emitted_unit: str

    def conserve(self, where: str) -> StageCount:
        """Return self, or raise ConservationError when rows were lost or invented."""
        accounted = self.rows_out + self.rejected + self.quarantined
        if self.rows_in != accounted:
            raise ConservationError(
                f"{self.rows_in} {self.unit} rows came in but {accounted} are accounted for"
                f" ({self.rows_out} out, {self.rejected} rejected, {self.quarantined} quarantined)",
                where=where,
                remedy="This is a fault of the stage, not of the source: report it with the stage's record.",
            )
        return self

    def follows(self, upstream: StageCount, where: str) -> StageCount:
        """Return self, or raise ConservationError when what `upstream` emitted is not what came in here."""
        if (upstream.emitted, upstream.emitted_unit) != (self.rows_in, self.unit):
            raise ConservationError(
                f"upstream emitted {upstream.emitted} {upstream.emitted_unit} rows"
                f" but {self.rows_in} {self.unit} rows came in",
                where=where,
                remedy="This is a fault of the stage, not of the source: report it with both stages' records.",
            )
        return self


def conserve_chain(counts: tuple[StageCount, ...], upstream: StageCount | None, where: str) -> None:
    """Hold the law over a stage: each count conserves its rows, and each follows the one before it.

    `upstream` is the last count of the stage before, or None for `receive`. Raises ConservationError.
    """
    before = upstream
    for count in counts:
        count.conserve(where)
        if before is not None:
            count.follows(before, where)
        before = count
