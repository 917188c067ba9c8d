"""Wikitext as plain text: what a reader of the page sees, without templates, files, tables and notes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mwparserfromhell.nodes import ExternalLink, HTMLEntity, Node, Tag, Template, Text, Wikilink
from mwparserfromhell.wikicode import Wikicode

_NOT_SHOWN = {"ref", "references", "gallery", "math", "score", "style", "script", "timeline", "templatestyles"}
_LINES = {"br", "p", "div", "li", "dt", "dd", "hr", "tr", "td", "th", "blockquote"}
_NOT_AN_ARTICLE = re.compile(
    r"\s*(?:file|image|media|category|ไฟล์|ภาพ|สื่อ|หมวดหมู่|文件|档案|檔案|图像|圖像|分类|分類)\s*:", re.IGNORECASE
)
_SHOWS_ITS_LAST = re.compile(r"(?:lang(?:-\w+)?|nowrap|phone|small|big|nobold|transl(?:iteration)?)", re.IGNORECASE)


def plain(code: Wikicode | None) -> str:
    """The text of a piece of wikitext: blanks made one, lines kept, empty bullets left out."""
    if code is None:
        return ""
    shown = re.sub("'{2,5}", "", _shown(code.nodes))
    lines = (re.sub(r"[^\S\n]+", " ", line).strip() for line in shown.split("\n"))
    text = "\n".join(line for line in lines if line.strip("*#:;|-{}, ") or not line)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def nodes_plain(nodes: Iterable[Node]) -> str:
    """The text of some nodes of a page."""
    return plain(Wikicode(list(nodes)))


def template_name(template: Template) -> str:
    """A template's name as it is looked up: without comments, underscores and a leading namespace."""
    name = re.sub(r"\s+", " ", plain(template.name).replace("_", " "))
    return re.sub(r"^(?:template|แม่แบบ|模板)\s*:\s*", "", name, flags=re.IGNORECASE)


def is_layout(table: Tag) -> bool:
    """Whether a table has a single row at most: columns of text rather than records."""
    tags = [node for node in (table.contents.nodes if table.contents is not None else ()) if isinstance(node, Tag)]
    cells = [tag for tag in tags if str(tag.tag) in ("td", "th") and not str(tag.contents).startswith("+")]
    rows = [tag for tag in tags if str(tag.tag) in ("tr", "thead", "tbody", "tfoot") and tag.contents]
    return bool(cells) + len(rows) <= 1 and not any(str(tag.tag) != "tr" for tag in rows)


def _shown(nodes: Iterable[Node]) -> str:
    return "".join(map(_node, nodes))


def _node(node: Node) -> str:
    if isinstance(node, Text):
        return str(node.value)
    if isinstance(node, HTMLEntity):
        return str(node.normalize() or "").replace("\xa0", " ")
    if isinstance(node, Wikilink):
        if _NOT_AN_ARTICLE.match(str(node.title)):
            return ""
        return _shown((node.text if node.text is not None else node.title).nodes)
    if isinstance(node, ExternalLink):
        if node.title is not None:
            return _shown(node.title.nodes)
        return "" if node.brackets else str(node.url)
    if isinstance(node, Tag):
        return _tag(node)
    if isinstance(node, Template):
        places = [parameter for parameter in node.params if not parameter.showkey]
        if places and _SHOWS_ITS_LAST.fullmatch(str(node.name).strip()):
            return _shown(places[-1].value.nodes)
    return ""


def _tag(node: Tag) -> str:
    name = str(node.tag).strip().casefold()
    if name in _NOT_SHOWN or (name == "table" and not is_layout(node)):
        return ""
    if node.wiki_markup and name in ("li", "dd", "dt"):
        return " "
    if node.has("style") and "display:none" in str(node.get("style").value).replace(" ", "").casefold():
        return ""
    inner = _shown(node.contents.nodes) if node.contents is not None else ""
    return f"\n{inner}\n" if name in _LINES and inner else "\n" if name in _LINES else inner
