"""A page that needs nothing else: no script, no font, no picture from outside; light and dark."""

from __future__ import annotations

from html import escape

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5d6b7c;--line:#d5dbe3;--page:#fff;--track:#edf0f4;--pass:#0b6e4f;
--warn:#8a5a00;--fail:#a3231f;--not-assessed:#5d6b7c;--ours:#0b6e4f;--peer:#b3541e}
@media (prefers-color-scheme:dark){:root{--ink:#e8edf3;--soft:#9fb0c3;--line:#3a4656;--page:#141a21;--track:#232c37;
--pass:#4fc79a;--warn:#f0b95a;--fail:#f2827d;--not-assessed:#9fb0c3;--ours:#4fc79a;--peer:#f0a06a}}
body{font:15px/1.5 "Noto Sans","Noto Sans Thai","Noto Sans CJK SC",system-ui,sans-serif;color:var(--ink);
background:var(--page);margin:2rem auto;max-width:66rem;padding:0 1rem}
h1{font-size:1.55rem;margin:0 0 .2rem}h2{font-size:1.12rem;margin:2rem 0 .4rem}h3{font-size:1rem;margin:1rem 0 .2rem}
p{color:var(--soft)}table{border-collapse:collapse;width:100%;margin:.5rem 0}td{overflow-wrap:anywhere}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}code{font-size:.9em}
"""


def page(title: str, body: str, *, style: str = "", language: str = "en") -> str:
    """The page of a body of HTML, in which whatever sources say is escaped already; `title` is escaped here."""
    return (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width"><meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"style-src 'unsafe-inline'\"><title>{escape(title)}</title><style>{_STYLE}{style}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )
