"""Why a verdict is what it is: one structure for the terminal, the Dagster UI and a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5d6b7c;--line:#d5dbe3;--page:#fff;--pass:#0b6e4f;--warn:#8a5a00;
--fail:#a3231f;--not-assessed:#5d6b7c}
@media (prefers-color-scheme:dark){:root{--ink:#e8edf3;--soft:#9fb0c3;--line:#3a4656;--page:#141a21;--pass:#4fc79a;
--warn:#f0b95a;--fail:#f2827d;--not-assessed:#9fb0c3}}
body{font:15px/1.55 "Noto Sans","Noto Sans Thai","Noto Sans CJK SC",system-ui,sans-serif;color:var(--ink);
background:var(--page);margin:2rem auto;max-width:64rem;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:1.8rem 0 .3rem}
.verdict{font-weight:700;text-transform:uppercase;letter-spacing:.04em}
table{border-collapse:collapse;width:100%}td{overflow-wrap:anywhere}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
code{font-size:.9em}
"""


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

    def as_markdown(self) -> str:
        """The explanation in Markdown, as Dagster's UI shows it."""
        parts = [f"### {_marked(self.title)}: {self.verdict}", *(f"- {_marked(each)}" for each in self.sentences)]
        for table in self.tables:
            if table.rows:
                parts += ["", f"**{_marked(table.heading)}**", "", *_markdown_rows(table)]
        if self.remedies:
            parts += ["", "**What can be done**", *(f"- {each}" for each in self.remedies)]
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
            body.append(f"<h2>What can be done</h2><ul>{items}</ul>")
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
            'content="width=device-width"><meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
            f"style-src 'unsafe-inline'\"><title>{escape(self.title)}</title><style>{_STYLE}</style></head>"
            f"<body>{''.join(body)}</body></html>\n"
        )


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
