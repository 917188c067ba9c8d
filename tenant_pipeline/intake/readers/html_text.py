"""The text of a page as a reader sees it: scripts and hidden parts left out, blocks on lines of their own."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from lxml import etree

_NOT_TEXT = {"script", "style", "noscript", "template", "head", "title", "svg", "math", "object", "iframe", "textarea"}
_BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "br", "caption", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li",
    "main", "nav", "ol", "option", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead",
    "tr", "ul",
}  # fmt: skip
_HIDING = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)


def visible_text(element: Any, leave_out: Collection[Any] = ()) -> str:
    """An element's text on lines as it is laid out, blanks made one, without the parts to leave out."""
    parts: list[str] = []
    walk = etree.iterwalk(element, events=("start", "end", "comment", "pi"))
    for event, each in walk:
        if event == "start":
            if each is not element and (is_hidden(each) or _name(each) in _NOT_TEXT or each in leave_out):
                walk.skip_subtree()
                each_text = None
            else:
                each_text = each.text
            parts.append(("\n" if _name(each) in _BLOCKS else "") + (_blank(each_text) if each_text else ""))
        else:
            if event == "end" and _name(each) in _BLOCKS:
                parts.append("\n")
            if each is not element and each.tail:
                parts.append(_blank(each.tail))
    lines = (re.sub(r"[ \xa0]+", " ", line).strip() for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line)


def one_line(element: Any) -> str:
    """An element's visible text on one line; nothing for no element."""
    return visible_text(element).replace("\n", " ") if element is not None else ""


def is_hidden(element: Any) -> bool:
    """Whether the page itself hides the element from its readers."""
    if element.get("hidden") is not None or element.get("type") == "hidden":
        return True
    return _HIDING.search(element.get("style") or "") is not None


def _name(element: Any) -> str:
    return element.tag.rpartition("}")[2].casefold() if isinstance(element.tag, str) else ""


def _blank(text: str) -> str:
    return re.sub(r"\s+", " ", text)
