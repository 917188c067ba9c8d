"""A control: what the law asks, what was looked at, what was found. Evidence for people, not a verdict on the law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from typing import Any

from tenant_pipeline.core.page import page


class Standing(StrEnum):
    """How a control stands, as far as a machine can see."""

    MET = "met"
    NOT_MET = "not met"
    FOR_PEOPLE = "for people to judge"


@dataclass(frozen=True)
class Control:
    """One control with its evidence: counts, dates, digests, ids. Never a value of a person's."""

    id: str
    law: str
    asks: str
    standing: Standing
    evidence: Mapping[str, Any]
    remedy: str = ""

    def as_json(self) -> dict[str, Any]:
        """The control as the evidence pack gives it."""
        return {
            "control": self.id,
            "law": self.law,
            "asks": self.asks,
            "standing": str(self.standing),
            "evidence": dict(self.evidence),
            "remedy": self.remedy if self.standing is Standing.NOT_MET else "",
        }


_STYLE = ".met{color:var(--pass)}.not-met{color:var(--fail);font-weight:700}.for-people-to-judge{color:var(--warn)}"
_NOTE = (
    "This is evidence on controls that a machine can look at, at the time given. It is no statement that the law is"
    " complied with: that is for people to judge."
)


def drawn(tenant: str, at: str, controls: Sequence[Control]) -> str:
    """The evidence pack as one page that needs nothing else."""
    body = f"<h1>Control evidence: {escape(tenant)}</h1><p>{escape(at)}. {_NOTE}</p>"
    for control in controls:
        found = "".join(
            f"<tr><th>{escape(name.replace('_', ' '))}<td>{escape(_shown(value))}</tr>"
            for name, value in control.evidence.items()
        )
        remedy = f"<p>{escape(control.remedy)}</p>" if control.standing is Standing.NOT_MET and control.remedy else ""
        mark = str(control.standing).replace(" ", "-")
        body += (
            f"<h2>{escape(control.id)} <span class={mark}>{control.standing}</span></h2>"
            f"<p>{escape(control.law)}: {escape(control.asks)}</p><table>{found}</table>{remedy}"
        )
    return page(f"Control evidence of {tenant}", body, style=_STYLE)


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)
