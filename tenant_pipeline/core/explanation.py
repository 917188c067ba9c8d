"""Why a verdict is what it is: one structure for the terminal, the Dagster UI and a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tenant_pipeline.core.page import page
from tenant_pipeline.core.sentences.reading import Tell, in_english
from tenant_pipeline.core.sentences.saying import say

_REMEDIES = say("What can be done")
_VERDICT = ".verdict{font-weight:700;text-transform:uppercase;letter-spacing:.04em}"


@dataclass(frozen=True)
class ExplanationTable:
    """A table under a heading; cells are text."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Explanation:
    """A verdict (`pass`, `warn`, `fail`, `not-assessed`) with what led to it and what can be done.

    It holds nothing that the stages before the PII gate could have seen.
    """

    title: str
    verdict: str
    sentences: tuple[str, ...]
    tables: tuple[ExplanationTable, ...] = ()
    remedies: tuple[str, ...] = ()

    def as_markdown(self, tell: Tell = in_english) -> str:
        """The explanation in Markdown, as Dagster's UI shows it; `tell` says the verdict and the last heading."""
        parts = [f"### {_marked(self.title)}: {tell(self.verdict)}", *(f"- {_marked(each)}" for each in self.sentences)]
        for table in self.tables:
            if table.rows:
                parts += ["", f"**{_marked(table.heading)}**", "", *_markdown_rows(table)]
        if self.remedies:
            parts += ["", f"**{tell(_REMEDIES)}**", *(f"- {each}" for each in self.remedies)]
        return "\n".join(parts)

    def as_html(self) -> str:
        """The explanation as a page that needs nothing else; whatever sources say in it is shown as text."""
        body = [
            f"<h1>{escape(self.title)}</h1>",
            f'<p class="verdict" style="color:var(--{escape(self.verdict)})">{escape(self.verdict)}</p>',
            "<ul>" + "".join(f"<li>{escape(each)}</li>" for each in self.sentences) + "</ul>",
        ]
        for table in self.tables:
            if table.rows:
                head = "".join(f"<th scope=col>{escape(column)}</th>" for column in table.columns)
                rows = "".join(
                    "<tr>" + "".join(f"<td><bdi>{escape(cell)}</bdi></td>" for cell in row) + "</tr>"
                    for row in table.rows
                )
                body.append(f"<h2>{escape(table.heading)}</h2><table><tr>{head}</tr>{rows}</table>")
        if self.remedies:
            items = "".join(f"<li>{_code(each)}</li>" for each in self.remedies)
            body.append(f"<h2>{_REMEDIES}</h2><ul>{items}</ul>")
        return page(self.title, "".join(body), style=_VERDICT)


def _markdown_rows(table: ExplanationTable) -> Sequence[str]:
    return [
        "| " + " | ".join(table.columns) + " |",
        "|" + "---|" * len(table.columns),
        *("| " + " | ".join(_marked(cell) for cell in row) + " |" for row in table.rows),
    ]


def _marked(text: str) -> str:
    """Text that stays text in Markdown: a source's words make no link, no picture and no cell."""
    for character in "\\`*_[]<>|#!":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())


def _code(remedy: str) -> str:
    """A remedy with what stands in back quotes as code."""
    parts = escape(remedy).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
