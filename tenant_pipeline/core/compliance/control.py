"""Control evidence: what a machine has checked of the law's demands, what it found, and what it cannot know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from tenant_pipeline.core.digest import canonical_json, sha256_of_json
from tenant_pipeline.core.explanation import Explanation, ExplanationTable

NOTICE = (
    "This is control evidence: what a machine could check, when it looked. Whether the law is kept is for people to"
    " judge, with what no machine sees."
)


class Outcome(StrEnum):
    """How a control came out."""

    MET = "met"
    NOT_MET = "not met"
    NOT_CHECKABLE = "not checkable by a machine"


@dataclass(frozen=True)
class Control:
    """One demand with its section of the Act (PDPA B.E. 2562), what was checked, and the evidence: counts and dates."""

    id: str
    law: str
    demand: str
    checked: str
    outcome: Outcome
    evidence: Mapping[str, Any]
    remedy: str = ""

    def as_json(self) -> dict[str, Any]:
        """The control as the pack gives it."""
        return {
            "id": self.id,
            "law": self.law,
            "demand": self.demand,
            "checked": self.checked,
            "outcome": str(self.outcome),
            "evidence": dict(self.evidence),
            "remedy": self.remedy,
        }


@dataclass(frozen=True)
class EvidencePack:
    """All controls of one tenant at one time."""

    tenant: str
    at: datetime
    controls: tuple[Control, ...]

    def counts(self) -> dict[str, int]:
        """How many controls came out how."""
        counted = Counter(each.outcome for each in self.controls)
        return {str(outcome): counted[outcome] for outcome in Outcome}

    @property
    def met(self) -> bool:
        """Whether every control that a machine can check is met."""
        return not self._not_met()

    def summary(self) -> str:
        """The outcome in one line: how many are met of those that a machine can check, and which are not."""
        for_people = self.counts()[Outcome.NOT_CHECKABLE]
        checked = len(self.controls) - for_people
        aside = f"; {for_people} more are for people to judge." if for_people else "."
        if self.met:
            return f"Met: all {checked} controls that a machine can check{aside}"
        missed = self._not_met()
        named = ", ".join(missed)
        return f"Not met: {len(missed)} of the {checked} controls that a machine can check ({named}){aside}"

    def _not_met(self) -> list[str]:
        return [each.id for each in self.controls if each.outcome is Outcome.NOT_MET]

    def as_json(self) -> dict[str, Any]:
        """The pack with its digest over the controls, by which a copy is known again."""
        controls = [each.as_json() for each in self.controls]
        return {
            "kind": "control evidence",
            "notice": NOTICE,
            "tenant": self.tenant,
            "at": self.at.isoformat(),
            "outcomes": self.counts(),
            "met": self.met,
            "summary": self.summary(),
            "controls": controls,
            "digest": sha256_of_json(controls),
        }

    def as_html(self) -> str:
        """The pack as a page that needs nothing else; whatever people wrote in it is shown as text."""
        rows = tuple(
            (each.id, each.law, each.demand, each.checked, str(each.outcome), canonical_json(each.evidence).decode())
            for each in self.controls
        )
        sentences = (
            NOTICE,
            f"Taken at {self.at:%Y-%m-%d %H:%M} UTC.",
            self.summary(),
            f"Digest {self.as_json()['digest']}.",
        )
        return Explanation(
            f"Control evidence of {self.tenant}",
            "not-assessed" if self.met else "fail",
            sentences,
            (ExplanationTable("Controls", ("control", "law", "demand", "checked", "outcome", "evidence"), rows),),
            tuple(each.remedy for each in self.controls if each.outcome is not Outcome.MET and each.remedy),
        ).as_html()
