"""An evaluation drawn: each data set's scores as points on a line with their intervals, ours and the peers'."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from tenant_pipeline.core.page import page
from tenant_pipeline.evaluation.counts import Counts, Interval, wilson
from tenant_pipeline.evaluation.report import Evaluation, Measured

_STYLE = """
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
svg{width:100%;height:auto}.scores td:first-child{width:40%}
"""
_MEASURES = ("precision", "recall", "f1")
_LEFT, _WIDTH, _ROW = 300, 600, 24
MOST_ERRORS = 50


def drawn(evaluations: Iterable[Evaluation]) -> str:
    """A page of HTML that needs nothing else: no script, no font, no picture from outside."""
    body = "".join(_evaluation(each) for each in evaluations)
    return page(
        "Evaluation",
        "<h1>How right the judgements are</h1>"
        f"<p>Points are measured, lines are 95 % intervals; ours in green, peers in orange.</p>{body}",
        style=_STYLE,
    )


def _evaluation(evaluation: Evaluation) -> str:
    skipped = "".join(f"<li>Not there: {escape(each)}</li>" for each in evaluation.skipped)
    return f"<h2>{escape(evaluation.subject)}</h2><ul>{skipped}</ul>" + "".join(map(_measured, evaluation.measured))


def _measured(measured: Measured) -> str:
    rows = [("ours", measured.ours, "ours"), *((name, counts, "peer") for name, counts in measured.peers.items())]
    parts = [f"<h3>{escape(measured.dataset)}</h3>"]
    if any(counts.found or counts.there for _, counts, _ in rows):
        parts.append(_forest(measured.dataset, rows))
    if measured.figures:
        cells = "".join(
            f'<tr><td>{escape(name)}</td><td class="n">{escape(_number(value))}</td></tr>'
            for name, value in measured.figures.items()
        )
        parts.append(f"<table>{cells}</table>")
    for by, groups in measured.groups.items():
        parts.append(_table(by, groups))
    parts += [f"<p>{escape(note)}</p>" for note in measured.notes]
    if measured.errors:
        parts.append(_errors(measured))
    return "".join(parts)


def _forest(dataset: str, rows: Sequence[tuple[str, Counts, str]]) -> str:
    height = _ROW * len(rows) * len(_MEASURES) + 40
    lines = []
    for tick in range(0, 11, 2):
        x = _LEFT + _WIDTH * tick / 10
        lines.append(
            f'<line x1="{x}" x2="{x}" y1="10" y2="{height - 24}" stroke="var(--line)"/>'
            f'<text x="{x}" y="{height - 8}" text-anchor="middle" font-size="12" fill="var(--soft)">{tick / 10}</text>'
        )
    y = 24
    for measure in _MEASURES:
        for name, counts, colour in rows:
            value, interval = _value(counts, measure)
            label = f"{measure}, {name}"
            lines.append(
                f'<text x="{_LEFT - 10}" y="{y + 4}" text-anchor="end" font-size="12" fill="var(--ink)">'
                f"{escape(label)}</text>"
            )
            if value is not None and interval is not None:
                low, high = (_LEFT + _WIDTH * bound for bound in (interval.low, interval.high))
                lines.append(
                    f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="var(--{colour})" '
                    f'stroke-width="3"/><circle cx="{_LEFT + _WIDTH * value:.1f}" cy="{y}" r="5" '
                    f'fill="var(--{colour})"/><text x="{_LEFT + _WIDTH + 14}" y="{y + 4}" font-size="12" '
                    f'fill="var(--ink)">{value:.3f}</text>'
                )
            y += _ROW
    summary = escape(f"Precision, recall and F1 of {dataset}")
    return (
        f'<svg viewBox="0 0 {_LEFT + _WIDTH + 70} {height}" role="img" aria-label="{summary}">{"".join(lines)}</svg>'
        + _table("who", {name: counts for name, counts, _ in rows})
    )


def _value(counts: Counts, measure: str) -> tuple[float | None, Interval | None]:
    if measure == "precision":
        return counts.precision, wilson(counts.true_positives, counts.found)
    if measure == "recall":
        return counts.recall, wilson(counts.true_positives, counts.there)
    return counts.f(), counts.f1_interval()


def _table(by: str, groups: Mapping[str, Counts]) -> str:
    head = f'<tr><th>{escape(by)}</th><th class="n">precision</th><th class="n">recall</th><th class="n">F1</th>'
    head += '<th class="n">right</th><th class="n">made up</th><th class="n">missed</th></tr>'
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="n">{_number(counts.precision)}</td>'
        f'<td class="n">{_number(counts.recall)}</td><td class="n">{_number(counts.f())}</td>'
        f'<td class="n">{counts.true_positives}</td><td class="n">{counts.false_positives}</td>'
        f'<td class="n">{counts.false_negatives}</td></tr>'
        for name, counts in groups.items()
    )
    return f'<table class="scores">{head}{rows}</table>'


def _errors(measured: Measured) -> str:
    worst = sorted(measured.errors, key=lambda error: -error.weight)[:MOST_ERRORS]
    rows = "".join(
        f"<tr><td>{escape(each.place)}</td><td>{escape(each.expected)}</td><td>{escape(each.found)}</td>"
        f"<td>{escape(each.why)}</td></tr>"
        for each in worst
    )
    return (
        f"<details><summary>The {len(worst)} worst of {len(measured.errors)} errors</summary><table>"
        f"<tr><th>where</th><th>expected</th><th>found</th><th>why</th></tr>{rows}</table></details>"
    )


def _number(value: float | int | str | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
