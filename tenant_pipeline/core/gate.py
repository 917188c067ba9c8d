"""Gates inside the pipeline: a verdict on one output of one source, and whether the source may go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Band(StrEnum):
    """How good something is, in the brief's three colours; `not_assessed` where nothing was there to judge."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    NOT_ASSESSED = "not-assessed"


class Gate(StrEnum):
    """The two gates that a source meets on its way; the five approval gates are the contract's."""

    PII = "pii"
    QUALITY = "quality"


@dataclass(frozen=True)
class GateVerdict:
    """What a gate found. The gate is open unless the band is `fail`.

    `reasons` are sentences for governance; `findings` the numbers under them (never a value from the source).
    """

    gate: Gate
    band: Band
    reasons: tuple[str, ...] = ()
    findings: tuple[Mapping[str, Any], ...] = ()

    @property
    def open(self) -> bool:
        """Whether the source may go on without an override."""
        return self.band is not Band.FAIL
