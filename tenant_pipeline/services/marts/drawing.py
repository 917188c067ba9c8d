"""The governance report: one HTML page over the marts that needs nothing else, drawn for platform governance."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any

from tenant_pipeline.core.business_calendar import BANGKOK
from tenant_pipeline.core.page import page
from tenant_pipeline.services.marts.charts import bars, columns, line, time_line
from tenant_pipeline.services.marts.reading import Rows, read_marts
from tenant_pipeline.services.runtime import Runtime

MOST_TENANTS = 60
"""Tenants that a section draws; those that need looking at come first, and the page says how many are left out."""

DAYS_DRAWN = 60
AGES = ("under 1 day", "1 to 7 days", "7 to 30 days", "30 to 90 days", "over 90 days")
_STYLE = """
body{max-width:84rem}.wide td:not(.n),.wide th{overflow-wrap:normal}.wide td:not(.n){white-space:nowrap}
svg{width:100%;height:auto;display:block;margin:.4rem 0}svg.small{width:9.5rem;margin:0}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}.wide{overflow-x:auto}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.6rem;margin:1rem 0}
.tiles div{border:1px solid var(--line);border-radius:.4rem;padding:.5rem .8rem}.tiles b{display:block;font-size:1.5rem}
.tiles span{color:var(--soft)}.tiles .bad b{color:var(--fail)}
td.pass,td.warn,td.fail,td.not-assessed{text-align:center;white-space:nowrap;border-bottom:3px solid}
td.pass{border-bottom-color:var(--pass)}td.warn{border-bottom-color:var(--warn)}td.fail{border-bottom-color:var(--fail)}
td.not-assessed{border-bottom-color:var(--line);color:var(--soft)}.key i{display:inline-block;width:.8rem;height:.8rem;
margin:0 .3rem 0 .9rem;vertical-align:-.1rem}th{font-weight:600}.sub{color:var(--soft)}
"""

Marts = Mapping[str, Rows]


def draw_report(runtime: Runtime, *, person: str, reason: str) -> str:
    """The page over the marts of the tenants that the person governs; that they read it is noted with each tenant.

    Raises as reading the marts does.
    """
    return drawn(read_marts(runtime, person=person, reason=reason))


def drawn(marts: Marts) -> str:
    """The page of the marts' rows. Pure; whatever stands in the rows is escaped."""
    built = max((row["built_at"] for row in marts["last_build"]), default=None)
    when = f"{built.astimezone(BANGKOK):%Y-%m-%d %H:%M} in Bangkok" if built else "never"
    sections = "".join(f"<h2>{escape(title)}</h2><p>{escape(says)}</p>{draw(marts)}" for title, says, draw in _SECTIONS)
    body = (
        f"<h1>Governance report</h1><p>{len(marts['tenants'])} tenants; marts built {escape(when)}. "
        f"Counts only: nothing on this page is what a source says.</p>{_tiles(marts)}{sections}"
    )
    return page("Governance report", body, style=_STYLE)


def _tiles(marts: Marts) -> str:
    open_items = sum(row["items"] for row in marts["conflicts"] if row["resolution"] == "open")
    feeds = sum(row["feeds_dead"] + row["feeds_stale"] + row["feeds_held"] for row in marts["source_freshness"])
    blocked = {
        row["tenant_id"]
        for row in marts["coverage"]
        if row["is_latest"] and row["blocking"] and row["counts_as"] != "pass"
    }
    tiles = (
        ("live tenants", sum(row["status"] == "live" for row in marts["tenants"]), False),
        ("sources in knowledge bases", sum(row["sources_assembled"] for row in marts["tenants"]), False),
        ("sources stopped", sum(row["sources_stopped"] for row in marts["tenants"]), True),
        ("tenants held up by coverage", len(blocked), True),
        ("open conflicts", open_items, True),
        ("requests waiting too long", sum(row["waiting_too_long"] for row in marts["review_sla"]), True),
        ("overrides of gates in force", sum(row["overrides_in_force"] for row in marts["gate_verdicts"]), True),
        ("feeds dead, stale or held", feeds, True),
    )
    return "".join(
        [
            '<div class="tiles">',
            *(
                f"<div{' class=bad' if bad and count else ''}><b>{count:,}</b><span>{escape(label)}</span></div>"
                for label, count, bad in tiles
            ),
            "</div>",
        ]
    )


def _coverage(marts: Marts) -> str:
    latest: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    days: dict[str, dict[Any, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for row in marts["coverage"]:
        if row["is_latest"]:
            latest[row["tenant_id"]][row["dimension"]] = row
        days[row["tenant_id"]][row["day"]].append(row["counts_as"] == "pass")
    dimensions = list(dict.fromkeys(dimension for found in latest.values() for dimension in found))

    def lacking(tenant: str) -> int:
        return sum(row["counts_as"] == "fail" for row in latest[tenant].values())

    names, more = _first(sorted(latest, key=lambda tenant: (-lacking(tenant), tenant)))
    head = "".join(f"<th>{escape(each.replace('_', ' '))}</th>" for each in dimensions)
    rows = []
    for tenant in names:
        history = [sum(passed) / len(passed) for _, passed in sorted(days[tenant].items())][-DAYS_DRAWN:]
        cells = "".join(_band(latest[tenant].get(each)) for each in dimensions)
        trend = line(f"Share of dimensions that pass in {tenant}, by day", history)
        rows.append(f"<tr><td>{escape(tenant)}</td><td>{trend}</td>{cells}</tr>")
    return (
        f'<div class="wide"><table><tr><th>tenant</th><th>passing, by day</th>{head}</tr>{"".join(rows)}</table></div>'
        + more
    )


def _band(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return '<td class="not-assessed">–</td>'
    score = "–" if row["score"] is None else f"{row['score']:.0%}"
    lifted = "" if row["band"] == row["counts_as"] else " *"
    says = f"{row['counts_as']}{' by override' if lifted else ''}: {row['numerator']} of {row['denominator']}"
    return f'<td class="{row["counts_as"]}" title="{escape(says)}">{score}{lifted}</td>'


def _conflicts(marts: Marts) -> str:
    still = [row for row in marts["conflicts"] if row["resolution"] == "open"]
    tiers = sorted({row["tier"] for row in still})
    by_age: Counter[tuple[str, int]] = Counter()
    for row in still:
        by_age[row["age"], row["tier"]] += row["items"]
    colours = dict(zip(tiers, ("fail", "peer", "warn", "ours", "not-assessed", "line"), strict=False))
    chart = bars(
        "Open conflicts by age",
        [
            (
                age,
                [(colours[tier], by_age[age, tier]) for tier in tiers],
                f"{sum(by_age[age, tier] for tier in tiers):,}",
            )
            for age in AGES
        ],
    )
    key = "".join(
        f'<i style="background:var(--{colours[tier]})"></i>tier {tier}' if tier else
        f'<i style="background:var(--{colours[tier]})"></i>no source any more' for tier in tiers
    )  # fmt: skip
    resolved: Counter[tuple[str, str]] = Counter()
    for row in marts["conflicts"]:
        resolved[row["tenant_id"], row["resolution"]] += row["items"]
    resolutions = sorted({resolution for _, resolution in resolved})
    tenants = sorted({tenant for tenant, _ in resolved}, key=lambda each: (-resolved[each, "open"], each))
    table = _table(
        ("tenant", *resolutions),
        [(tenant, *(resolved[tenant, each] for each in resolutions)) for tenant in tenants],
    )
    return f'{chart}<p class="key">{key}</p>{table}'


def _reviews(marts: Marts) -> str:
    gates: dict[str, Counter[str]] = defaultdict(Counter)
    for row in marts["review_sla"]:
        for name in ("answered_in_time", "answered_late", "waiting", "waiting_too_long", "requests"):
            gates[row["gate"]][name] += row[name]
    chart = bars(
        "Requests by gate",
        [
            (
                gate,
                [
                    ("pass", counted["answered_in_time"]),
                    ("warn", counted["answered_late"]),
                    ("track", counted["waiting"] - counted["waiting_too_long"]),
                    ("fail", counted["waiting_too_long"]),
                ],
                f"{counted['requests']:,}",
            )
            for gate, counted in sorted(gates.items())
        ],
    )
    key = "".join(
        f'<i style="background:var(--{colour})"></i>{label}'
        for colour, label in (
            ("pass", "answered in time"), ("warn", "late"), ("track", "waiting"), ("fail", "waiting too long"),
        )
    )  # fmt: skip
    wanted = ("requests", "waiting", "waiting_too_long", "answered_late", "escalated", "median_hours", "most_hours")
    late = sorted(marts["review_sla"], key=lambda row: (-row["waiting_too_long"], -row["answered_late"]))
    return f'{chart}<p class="key">{key}</p>' + _table(("tenant_id", "gate", *wanted), _picked(late, wanted, "gate"))


def _privacy(marts: Marts) -> str:
    kinds: Counter[str] = Counter()
    for row in marts["pii_findings"]:
        kinds[row["entity_type"]] += row["findings"]
    chart = bars(
        "Personal data found, by kind",
        [(kind, [("peer", count)], f"{count:,}") for kind, count in kinds.most_common(15)],
    )
    wanted = ("sources_judged", "passed", "warned", "failed", "overrides_given", "overrides_in_force")
    verdicts = sorted(marts["gate_verdicts"], key=lambda row: (-row["overrides_in_force"], -row["failed"]))
    return chart + _table(("tenant_id", "gate", *wanted), _picked(verdicts, wanted, "gate"))


def _freshness(marts: Marts) -> str:
    wanted = (
        "sources", "sources_in_work", "sources_stopped", "sources_withdrawn", "days_since_last_received", "feeds",
        "feeds_failing", "feeds_dead", "feeds_stale", "feeds_held",
    )  # fmt: skip
    ill = sorted(
        marts["source_freshness"],
        key=lambda row: (-row["feeds_dead"] - row["feeds_stale"] - row["feeds_held"], -row["sources_stopped"]),
    )
    return _table(("tenant_id", "origin", *wanted), _picked(ill, wanted, "origin"))


def _releases(marts: Marts) -> str:
    rows: dict[str, list[Any]] = defaultdict(list)
    for row in marts["release_history"]:
        rows[row["tenant_id"]].append((row["published_at"], row["version"], row["is_rollback"]))
    names, more = _first(sorted(rows, key=lambda tenant: rows[tenant][-1][0], reverse=True))
    return time_line("Publications by tenant", {name: rows[name] for name in names}) + more


def _cost(marts: Marts) -> str:
    month = max((row["month"] for row in marts["cost"]), default=None)
    tenants: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    currencies = set()
    for row in marts["cost"]:
        if row["month"] == month:
            tenants[row["tenant_id"]][row["item"]] += float(row["amount"])
            currencies.add(row["currency"])
    items = (("runs", "ours"), ("rows", "warn"), ("storage", "peer"), ("instance", "not-assessed"))
    names, more = _first(sorted(tenants, key=lambda tenant: -sum(tenants[tenant].values())))
    chart = bars(
        "Cost of the month by tenant",
        [
            (name, [(colour, tenants[name][item]) for item, colour in items], f"{sum(tenants[name].values()):,.2f}")
            for name in names
        ],
    )
    key = "".join(f'<i style="background:var(--{colour})"></i>{item}' for item, colour in items)
    told = f"{month:%Y-%m}, in {', '.join(sorted(currencies))}" if month else "nothing was measured"
    return f'<p class="key">{escape(told)}{key}</p>{chart}{more}'


def _audit(marts: Marts) -> str:
    days: Counter[Any] = Counter()
    actions: Counter[str] = Counter()
    for row in marts["audit_counts"]:
        days[row["day"]] += row["entries"]
        actions[row["action"]] += row["entries"]
    chart = columns("Audit entries by day", [(f"{day}", days[day]) for day in sorted(days)[-DAYS_DRAWN:]])
    return chart + _table(("action", "entries"), actions.most_common(20))


_SECTIONS: Sequence[tuple[str, str, Callable[[Marts], str]]] = (
    ("Coverage", "What each dimension counts as, with its score; * is lifted by an override.", _coverage),
    ("Conflicts", "Items that are open, by age and by the best authority tier that takes part; then by resolution.",
     _conflicts),
    ("Reviews", "Requests against the time that the contract gives for an answer.", _reviews),
    ("Personal data and gates", "How often which kind was found in the last screening of each source; verdicts and "
     "what somebody answers for.", _privacy),
    ("Freshness", "Sources and feeds by origin; those that need looking at come first.", _freshness),
    ("Releases", "What went out, when; hollow marks go back to an earlier release.", _releases),
    ("Cost", "What was used in the month, by the price table.", _cost),
    ("Audit log", "Entries by day, and the actions that were most often done.", _audit),
)  # fmt: skip


def _picked(rows: Iterable[Mapping[str, Any]], wanted: Sequence[str], second: str) -> list[tuple[Any, ...]]:
    return [(row["tenant_id"], row[second], *(row[name] for name in wanted)) for row in rows]


def _first(names: Sequence[str]) -> tuple[Sequence[str], str]:
    left = len(names) - MOST_TENANTS
    return names[:MOST_TENANTS], f"<p>{left:,} more are not drawn.</p>" if left > 0 else ""


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    if not rows:
        return "<p>None.</p>"
    labels = "".join(
        f"<th{_numeric(value)}>{escape(name.removesuffix('_id').replace('_', ' '))}</th>"
        for name, value in zip(head, rows[0], strict=True)
    )
    body = "".join(
        f"<tr>{''.join(f'<td{_numeric(value)}>{escape(_cell(value))}</td>' for value in row)}</tr>"
        for row in rows[:MOST_TENANTS]
    )
    left = len(rows) - MOST_TENANTS
    more = f"<p>{left:,} more rows are not drawn.</p>" if left > 0 else ""
    return f'<div class="wide"><table><tr>{labels}</tr>{body}</table></div>{more}'


def _numeric(value: object) -> str:
    return "" if isinstance(value, str) else ' class="n"'


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
