"""Small charts as inline SVG: bars, stacked bars, lines and a time line. Pure: figures in, markup out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

LABEL, WIDTH, ROW, VALUE = 230, 560, 26, 70

Stack = Sequence[tuple[str, float]]
"""The parts of a bar: the colour of each (a name of the page's palette) and its length."""


def bars(title: str, rows: Sequence[tuple[str, Stack, str]]) -> str:
    """Horizontal bars of stacked parts, each with its label and what is written behind it."""
    longest = max((sum(length for _, length in stack) for _, stack, _ in rows), default=0) or 1
    parts = []
    for index, (label, stack, behind) in enumerate(rows):
        y, x = index * ROW, float(LABEL)
        parts.append(_text(LABEL - 10, y + 17, label, anchor="end"))
        for colour, length in stack:
            width = WIDTH * length / longest
            if width > 0:
                parts.append(
                    f'<rect x="{x:.1f}" y="{y + 5}" width="{max(width, 1):.1f}" height="{ROW - 9}" '
                    f'fill="var(--{colour})"/>'
                )
            x += width
        parts.append(_text(x + 8, y + 17, behind, colour="soft"))
    return _svg(title, "".join(parts), LABEL + WIDTH + VALUE, ROW * len(rows) + 4)


def columns(title: str, heights: Sequence[tuple[str, float]], *, height: int = 90) -> str:
    """Columns side by side, the first and the last of them with their labels."""
    if not heights:
        return ""
    highest, width = max(value for _, value in heights) or 1, (LABEL + WIDTH) / len(heights)
    parts = []
    for index, (label, value) in enumerate(heights):
        tall = height * value / highest
        parts.append(
            f'<rect x="{index * width + 1:.1f}" y="{height - tall:.1f}" width="{max(min(width - 2, 28), 1):.1f}" '
            f'height="{tall:.1f}" fill="var(--ours)"><title>{escape(label)}: {value:,.0f}</title></rect>'
        )
    parts.append(_text(0, height + 16, heights[0][0], colour="soft"))
    if len(heights) > 1:
        parts.append(_text(LABEL + WIDTH, height + 16, heights[-1][0], anchor="end", colour="soft"))
    return _svg(title, "".join(parts), LABEL + WIDTH + VALUE, height + 22)


def line(title: str, points: Sequence[float], *, width: int = 150, height: int = 26) -> str:
    """A small line of shares from 0 to 1, with a dot at its end."""
    if not points:
        return ""
    step = (width - 10) / max(len(points) - 1, 1)
    places = [(4 + index * step, height - 4 - (height - 8) * value) for index, value in enumerate(points)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    x, y = places[-1]
    drawn = (
        f'<polyline points="{path}" fill="none" stroke="var(--ours)" stroke-width="2"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="var(--ours)"/>'
    )
    return _svg(title, drawn, width, height, small=True)


def time_line(title: str, rows: Mapping[str, Sequence[tuple[datetime, str, bool]]]) -> str:
    """A row a name, with a mark and a word for each moment; the mark is hollow where the third of the three is true."""
    moments = [at for marks in rows.values() for at, _, _ in marks]
    if not moments:
        return ""
    first, last = min(moments), max(moments)
    span = (last - first).total_seconds() or 1
    parts = []
    for index, (name, marks) in enumerate(rows.items()):
        y = index * ROW + 16
        parts.append(_text(LABEL - 10, y + 4, name, anchor="end"))
        parts.append(f'<line x1="{LABEL}" x2="{LABEL + WIDTH}" y1="{y}" y2="{y}" stroke="var(--line)"/>')
        for at, called, hollow in marks:
            x = LABEL + (WIDTH - 40) * ((at - first).total_seconds() / span)
            fill = "var(--page)" if hollow else "var(--ours)"
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y}" r="5" fill="{fill}" stroke="var(--ours)" stroke-width="2">'
                f"<title>{escape(called)}, {at:%Y-%m-%d %H:%M} UTC</title></circle>"
            )
        parts.append(_text(LABEL + WIDTH + 8, y + 4, marks[-1][1], colour="soft"))
    bottom = len(rows) * ROW + 20
    parts.append(_text(LABEL, bottom, f"{first:%Y-%m-%d}", colour="soft"))
    parts.append(_text(LABEL + WIDTH, bottom, f"{last:%Y-%m-%d}", anchor="end", colour="soft"))
    return _svg(title, "".join(parts), LABEL + WIDTH + VALUE, bottom + 6)


def _text(x: float, y: float, text: str, *, anchor: str = "start", colour: str = "ink") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="13" fill="var(--{colour})">'
        f"{escape(text)}</text>"
    )


def _svg(title: str, body: str, width: int, height: int, *, small: bool = False) -> str:
    kind = ' class="small"' if small else ""
    return f'<svg{kind} viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">{body}</svg>'
