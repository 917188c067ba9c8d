"""JSON-LD in a page: schema.org's things as flat records, what it says of the page's article apart."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tenant_pipeline.intake.readers.item import Item, Problem, text_of
from tenant_pipeline.intake.readers.json_records import flatten
from tenant_pipeline.intake.readers.plain_values import plain
from tenant_pipeline.intake.readers.storable import storable

_DEEPEST_BLOCK = 50
_DEEPEST = 8
_ABOUT_THE_PAGE = {
    "WebSite", "WebPage", "CollectionPage", "ItemPage", "AboutPage", "ContactPage", "FAQPage", "ProfilePage",
    "SearchResultsPage", "BreadcrumbList", "ListItem", "ItemList", "ImageObject", "SearchAction",
    "SiteNavigationElement", "WPHeader", "WPFooter", "WPSideBar",
}  # fmt: skip
_LISTS = ("itemListElement", "mainEntity", "item", "@graph")
_FIELDS = {
    "startDate": "start date",
    "endDate": "end date",
    "maximumAttendeeCapacity": "capacity",
    "datePublished": "published",
    "sameAs": "same as",
    "alternateName": "alt",
}
_ADDRESS = ("streetAddress", "addressLocality", "addressRegion", "postalCode", "addressCountry")
_ADDRESS_FIELDS = {"addressLocality": "city", "postalCode": "postal code", "addressCountry": "country"}
_ONE_OF_ITS_NAMES = ("name", "url", "contentUrl", "@id")

_WRAPPING = re.compile(r"^(?://\s*)?(?:<!\[CDATA\[|<!--)|(?://\s*)?(?:\]\]>|-->)$")

Node = Mapping[str, Any]


@dataclass
class PageFacts:
    """What a page's JSON-LD holds: records and problems, and the article's headline, date, author and address."""

    found: list[Item | Problem] = field(default_factory=list)
    article: dict[str, str | None] = field(default_factory=dict)


def json_ld(page: Any) -> PageFacts:
    """Everything that the blocks of a page tell; a block that is no JSON is a problem."""
    facts = PageFacts()
    blocks: list[tuple[int, list[Node]]] = []
    scripts = (each for each in page.iter("script") if "ld+json" in (each.get("type") or "").casefold())
    for number, script in enumerate(scripts, 1):
        text = _WRAPPING.sub("", (script.text or "").strip())
        try:
            value = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            facts.found.append(Problem(f"json-ld={number}", "broken-json-ld", "The block is not JSON."))
            continue
        if _is_endless(value):
            facts.found.append(Problem(f"json-ld={number}", "nested-json-ld", "The block is nested beyond reason."))
            continue
        blocks.append((number, list(_things(plain(value), 0))))
    known = {
        str(node["@id"]): node for _, nodes in blocks for node in nodes if "@id" in node and len(node) > 1
    }  # references within the page lead to what it says of the same thing
    for number, nodes in blocks:
        for position, node in enumerate(nodes, 1):
            locator = f"json-ld={number}" if len(nodes) == 1 else f"json-ld={number}&item={position}"
            _tell(node, locator, known, facts)
    return facts


def _tell(node: Node, locator: str, known: Mapping[str, Node], facts: PageFacts) -> None:
    kind = _kind(node)
    if kind.endswith("Article") or kind in ("BlogPosting", "Report"):
        facts.article = facts.article or _article(node, known)
    elif kind not in _ABOUT_THE_PAGE and not _is_reference(node):
        facts.found.append(Item(f"JSON-LD {kind}", locator, _flat(node, known)))


def _is_endless(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST_BLOCK):
        inner = [
            list(each.values()) if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)
        ]
        level = [each for values in inner for each in values]
        if not level:
            return False
    return True


def _things(value: Any, depth: int) -> Iterator[Node]:
    """The things a block is about: those in lists, graphs and lists of items each for itself."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for each in value:
            yield from _things(each, depth + 1)
    elif isinstance(value, dict):
        if "@type" in value or not any(name in value for name in _LISTS):
            yield value
        if "@type" not in value or _kind(value) in _ABOUT_THE_PAGE:
            for name in _LISTS:
                yield from _things(value.get(name), depth + 1)


def _kind(node: Node) -> str:
    kinds = node.get("@type")
    first = next((each for each in kinds if isinstance(each, str)), "") if isinstance(kinds, list) else kinds
    return storable(re.split(r"[/#:]", first)[-1]) if isinstance(first, str) and first else "Thing"


def _is_reference(node: Node) -> bool:
    return set(node) <= {"@id", "@type", "@context"}


def _article(node: Node, known: Mapping[str, Node]) -> dict[str, str | None]:
    flat = _flat(node, known)
    return {
        "title": flat.get("headline") or flat.get("name"),
        "published": flat.get("published"),
        "author": flat.get("author"),
        "url": flat.get("url"),
        "keywords": flat.get("keywords"),
    }


def _flat(node: Node, known: Mapping[str, Node]) -> dict[str, str | None]:
    values: dict[str, str | None] = {"type": _kind(node)}
    nested: dict[str, str | None] = {}
    for name, value in node.items():
        if name.startswith("@"):
            continue
        for lang, said in _by_language(value):
            thing = _resolved(said, known)
            if name == "address" and isinstance(thing, Mapping):
                nested.update(_address(thing))
            elif name == "geo" and isinstance(thing, Mapping):
                nested.update({each: text_of(thing.get(each)) for each in ("latitude", "longitude")})
            elif name in ("location", "contactPoint") and isinstance(thing, Mapping):
                for inner, told in _of_a_part(name, thing, known).items():
                    nested.setdefault(inner, told)
            else:
                values.update(_said(f"{_FIELDS.get(name, name)}{f'_{lang}' if lang else ''}", said, known))
    for name, told in nested.items():
        if values.get(name) is None:
            values[name] = told
    return values


def _by_language(value: Any) -> Iterator[tuple[str, Any]]:
    """A value, or its translations each with its language; the first of several places or addresses."""
    if isinstance(value, list) and value and all(isinstance(each, dict) and "@value" in each for each in value):
        for each in value:
            yield from _by_language(each)
    elif isinstance(value, dict) and "@value" in value:
        lang = value.get("@language")
        yield (lang.partition("-")[0].casefold() if isinstance(lang, str) else ""), value["@value"]
    else:
        yield "", value


def _resolved(value: Any, known: Mapping[str, Node]) -> Any:
    if isinstance(value, list):
        value = next((each for each in value if isinstance(each, dict)), value)
    if isinstance(value, dict) and _is_reference(value):
        return known.get(str(value.get("@id")), value)
    return value


def _address(address: Node) -> dict[str, str | None]:
    parts = {name: _name_of(address.get(name)) for name in _ADDRESS}
    values: dict[str, str | None] = {"address": ", ".join(filter(None, dict.fromkeys(parts.values()))) or None}
    values.update({field: parts[name] for name, field in _ADDRESS_FIELDS.items() if parts[name]})
    return values


def _of_a_part(name: str, thing: Node, known: Mapping[str, Node]) -> dict[str, str | None]:
    """What a place says of the event in it, or a contact point of what it leads to."""
    if name == "contactPoint":
        return {each: _name_of(thing.get(each)) for each in ("telephone", "email") if thing.get(each)}
    values: dict[str, str | None] = {"location": _name_of(thing)}
    address, geo = _resolved(thing.get("address"), known), _resolved(thing.get("geo"), known)
    if isinstance(address, Mapping):
        values.update(_address(address))
    elif address:
        values["address"] = _name_of(address)
    if isinstance(geo, Mapping):
        values.update({each: text_of(geo.get(each)) for each in ("latitude", "longitude")})
    return values


def _said(name: str, value: Any, known: Mapping[str, Node]) -> dict[str, str | None]:
    if isinstance(value, list):
        texts = [_name_of(_resolved(each, known)) for each in value]
        return {name: "; ".join(text for text in texts if text) or None}
    thing = _resolved(value, known)
    if isinstance(thing, dict) and _name_of(thing) is None:
        return {inner: told for inner, told in flatten({name: thing}).items() if "@" not in inner}
    return {name: _name_of(thing)}


def _name_of(value: Any) -> str | None:
    """A scalar as text; a thing by its name or its address; of several the first."""
    if isinstance(value, list):
        return next(filter(None, map(_name_of, value)), None) if len(value) < 100 else None
    if isinstance(value, Mapping):
        if "@value" in value:
            return text_of(value["@value"]) if not isinstance(value["@value"], dict | list) else None
        return next(filter(None, (_name_of(value.get(name)) for name in _ONE_OF_ITS_NAMES)), None)
    return text_of(value)
