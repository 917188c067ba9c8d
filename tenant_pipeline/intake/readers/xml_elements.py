"""XML read element by element: entities and outside references off, what was read is let go of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from lxml import etree

from tenant_pipeline.intake.readers.item import UnreadableError

_BEFORE_THE_ROOT = {"<?": "?>", "<!--": "-->", "<!": ">"}
_ROOT = re.compile(r"<(?:[\w.-]{1,80}:)?([\w.-]{1,80})[\s/>]")


class BrokenXmlError(Exception):
    """The XML ends or breaks after some elements were read; `line` is where."""

    def __init__(self, line: int) -> None:
        super().__init__("The XML is not well formed.")
        self.line = line


def elements(stream: BinaryIO, names: Sequence[str]) -> Iterator[Any]:
    """Each element of these local names as it closes; it is emptied when the next one is asked for.

    Raises UnreadableError where the XML breaks before the first one, BrokenXmlError where it breaks after.
    """
    found = False
    walk = etree.iterparse(
        stream,
        events=("end",),
        tag=[f"{{*}}{name}" for name in names],
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    try:
        for _, element in walk:
            found = True
            yield element
            _let_go(element)
    except (etree.XMLSyntaxError, LookupError) as error:
        if not found:
            raise UnreadableError("broken-xml", "The XML is not well formed; export it again.") from None
        raise BrokenXmlError(getattr(error, "lineno", None) or 0) from None


def _let_go(element: Any) -> None:
    """Empty an element, and drop those of its name before it; siblings of other names may still be asked for."""
    element.clear()
    before = element.getprevious()
    while before is not None and before.tag == element.tag:
        element.getparent().remove(before)
        before = element.getprevious()


def root_name(text: str) -> str:
    """The local name of the element that the text begins with, after what may stand before a root; or nothing."""
    position = 0
    while True:
        position = len(text) - len(text[position:].lstrip("\ufeff \t\r\n"))
        begins = next((each for each in _BEFORE_THE_ROOT if text.startswith(each, position)), None)
        if begins is None:
            break
        end = text.find(_BEFORE_THE_ROOT[begins], position + len(begins))
        if end < 0:
            return ""
        position = end + len(_BEFORE_THE_ROOT[begins])
    found = _ROOT.match(text, position)
    return found[1] if found else ""


def local_name(element: Any) -> str:
    """An element's name without its namespace; nothing for a comment or an instruction."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def child(element: Any, *path: str) -> Any:
    """The first element at a path of local names below this one, or None."""
    for name in path:
        element = next((each for each in element if local_name(each) == name), None)
        if element is None:
            return None
    return element


def child_text(element: Any, *path: str) -> str | None:
    """The text at a path of local names, blanks made one, or None for nothing."""
    found = child(element, *path)
    return (re.sub(r"\s+", " ", "".join(found.itertext())).strip() or None) if found is not None else None
