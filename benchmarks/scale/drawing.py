"""The results as a page: what was aimed at, what was found, and the curves as drawings inside the page."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from html import escape
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from tenant_pipeline.core.page import page

_STYLE = """
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}.met{color:var(--pass)}
.missed{color:var(--fail)}svg{max-width:100%;height:auto}figure{margin:1rem 0}figcaption{color:var(--soft)}
"""
_OWN_KEYS = {"part", "title", "size", "targets", "curves", "notes"}
_INK, _SERIES = "#010101", ("#010201", "#010301", "#010401", "#010501")
_COLOURS = {
    _INK: "var(--ink)", _SERIES[0]: "var(--ours)", _SERIES[1]: "var(--peer)", _SERIES[2]: "var(--warn)",
    _SERIES[3]: "var(--soft)",
}  # fmt: skip
"""Colours that stand in the drawing for those of the page, so that it is legible in light and in dark."""


def drawn(answer: Mapping[str, Any]) -> str:
    """A page of HTML that needs nothing else."""
    body = "".join(map(_part, answer["parts"]))
    told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in answer["machine"].items())
    head = f"<h1>How it behaves as it grows</h1><p>{escape(told)}; code {escape(answer['code'])}.</p>"
    return page("Scale", head + _all_targets(answer) + body, style=_STYLE)


def _all_targets(answer: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{escape(part['title'])}</td><td>{escape(target['what'])}</td>"
        f'<td class="n">{_number(target["value"])} {escape(target["unit"])}</td>'
        f'<td class="n">{target["is"]} {_number(target["target"])}</td>'
        f'<td class="{"met" if target["met"] else "missed"}">{"met" if target["met"] else "missed"}</td></tr>'
        for part in answer["parts"]
        for target in part.get("targets", ())
    )
    head = '<tr><th>part</th><th>what</th><th class="n">found</th><th class="n">target</th><th></th></tr>'
    return f"<h2>Targets</h2><table>{head}{rows}</table>"


def _part(part: Mapping[str, Any]) -> str:
    title = f"<h2>{escape(part['title'])}</h2><p><code>{escape(part['part'])}</code></p>"
    if "failed" in part:
        return f'{title}<p class="missed">{escape(part["failed"])}</p>'
    notes = "".join(f"<p>{escape(note)}</p>" for note in part.get("notes", ()))
    return title + notes + "".join(map(_figure, part.get("curves", ()))) + _figures(part)


def _figures(part: Mapping[str, Any]) -> str:
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="n">{escape(_number(value))}</td></tr>'
        for name, value in _flat({key: value for key, value in part.items() if key not in _OWN_KEYS})
    )
    return f"<details><summary>All figures</summary><table>{rows}</table></details>"


def _flat(value: Any, name: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [
            found
            for key, each in value.items()
            for found in _flat(each, f"{name}, {key}" if name else str(key).replace("_", " "))
        ]
    return [(name, value)]


def _figure(curve: Mapping[str, Any]) -> str:
    """One curve as inline SVG; its numbers are among the part's figures for who cannot see it."""
    with matplotlib.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": curve["title"], "font.family": "sans-serif", "text.color": _INK,
         "axes.edgecolor": _INK, "axes.labelcolor": _INK, "xtick.color": _INK, "ytick.color": _INK}
    ):  # fmt: skip
        figure = Figure(figsize=(8, 3.2), layout="constrained")
        axes = figure.subplots()
        bars = curve["kind"] == "bar"
        for number, (name, points) in enumerate(curve["series"].items()):
            colour = _SERIES[number % len(_SERIES)]
            xs, ys = [point[0] for point in points], [point[1] for point in points]
            if bars:
                width = 0.8 / len(curve["series"])
                axes.bar([place + number * width for place in range(len(xs))], ys, width, color=colour, label=name)
                axes.set_xticks([place + 0.4 - width / 2 for place in range(len(xs))], [str(x) for x in xs])
            else:
                axes.plot(xs, ys, color=colour, label=name, marker="o", markersize=3)
        axes.set_xlabel(curve["x"])
        axes.set_ylabel(curve["y"])
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
        if len(curve["series"]) > 1:
            axes.legend(frameon=False)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    for stands, colour in _COLOURS.items():
        svg = svg.replace(stands, colour)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{escape(curve["title"])}"', 1)
    return f"<figure>{svg}<figcaption>{escape(curve['title'])}</figcaption></figure>"


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.3g}" if isinstance(value, float) and abs(value) < 100 else f"{value:,.0f}"
