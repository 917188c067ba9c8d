"""YAML: records like JSON's, their values as they are written: `0812`, `12:30` and `NO` stay what they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import yaml

from tenant_pipeline.intake.readers.item import Item, Items, UnreadableError
from tenant_pipeline.intake.readers.json_records import flatten
from tenant_pipeline.intake.readers.parser_guard import refused_as, within_bounds
from tenant_pipeline.intake.readers.plain_values import plain
from tenant_pipeline.intake.readers.storable import storable
from tenant_pipeline.intake.text_encoding import text_of_bytes

DEEPEST = 100
_FREE_NODES = 100_000
_MOST_TIMES = 10
_NAMED_OTHERWISE = (".md", ".markdown", ".txt", ".csv", ".tsv", ".html", ".htm", ".eml")
_KEYED = re.compile(r"\s*(?:- )?[\w\"'][^:]*:(?:\s|$)")
_TOP = re.compile(
    r"(?m)^(?:- |-$|---\s*$|%YAML |[\w\u0e00-\u0e7f\u4e00-\u9fff][^\s:#{}\[\]|,;]*(?: [^\s:|,;]+){0,3}:(?:\s|$))"
)


class _TextLoader(yaml.CSafeLoader):
    """Scalars stay text, save for nothing and for merged mappings."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the resolver's own table, replaced for this class alone
        first: [(tag, pattern) for tag, pattern in resolvers if tag.endswith((":null", ":merge"))]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def looks_like_yaml(text: str, path: str) -> bool:
    """Whether the text's lines read as a mapping or a list: nearly all begin one, are indented, or are comments."""
    lines = [line for line in text.splitlines()[:200] if line.strip() and not line.lstrip().startswith("#")]
    named = path.lower().endswith((".yaml", ".yml"))
    if not lines or not _TOP.match(lines[0]):
        return False
    fitting = sum(bool(_TOP.match(line)) or line[:1] in " \t]}" for line in lines)
    if named:
        return fitting >= 0.6 * len(lines)
    keyed = sum(bool(_KEYED.match(line)) for line in lines)
    other = path.lower().endswith(_NAMED_OTHERWISE)
    return not other and fitting == len(lines) > 2 and 2 * keyed >= len(lines) and any(map(_is_inside, lines))


@within_bounds
def read_yaml(stream: BinaryIO, encoding: str) -> Items:
    """The records of each document. Raises UnreadableError for what is not YAML and for what aliases blow up."""
    documents = list(yaml_documents(text_of_bytes(stream.read(), encoding or "utf-8")))
    for number, document in enumerate(documents, 1):
        for table, pointer, values in loaded_records(document):
            yield Item(table, pointer if len(documents) == 1 else f"document={number}&pointer={pointer}", values)


def yaml_documents(text: str) -> Iterator[Any]:
    """The documents as mappings, lists and text.

    Raises UnreadableError `yaml-bomb` where aliases stand for far more than is written, `broken-yaml` otherwise.
    """
    with refused_as("broken-yaml", "The YAML is not well-formed, is too deeply nested, or has a program's own tags."):
        aliases = _has_aliases(text)
        loader = _TextLoader(text)
        try:
            while loader.check_node():
                node = loader.get_node()
                if aliases:
                    _refuse_bomb(node)
                document = loader.construct_document(node)
                if document is not None:
                    yield document
        finally:
            loader.dispose()


def loaded_records(value: Any) -> Iterator[tuple[str, str, dict[str, str | None]]]:
    """The records of a loaded document as table, pointer and fields.

    A list's mappings are records; so are those of a mapping's lists, each a table, and a mapping's mappings.
    """
    if isinstance(value, list):
        for position, each in enumerate(value):
            yield "", f"/{position}", _fields(each)
        return
    if not isinstance(value, dict):
        yield "", "/", _fields(value)
        return
    lists = {name: each for name, each in value.items() if isinstance(each, list) and _of_mappings(each)}
    for name, each in lists.items():
        for position, inner in enumerate(each):
            yield _name(name), f"/{_name(name)}/{position}", _fields(inner)
    rest = {name: each for name, each in value.items() if name not in lists}
    if not lists and rest and all(isinstance(each, dict) for each in rest.values()):
        for name, each in rest.items():
            yield "", f"/{_name(name)}", {"key": _name(name), **_fields(each)}
    elif rest:
        yield "", "/", _fields(rest)


def _of_mappings(values: list[Any]) -> bool:
    return any(isinstance(each, dict) for each in values)


def _name(key: Any) -> str:
    return storable(str(key))


def _fields(value: Any) -> dict[str, str | None]:
    fields = plain(value)
    return flatten(fields if isinstance(fields, dict) else {"value": fields})


def _is_inside(line: str) -> bool:
    return line.startswith(("  ", "- "))


def _has_aliases(text: str) -> bool:
    """Read the events alone, also for the depth: building nodes calls itself for each level, in C without a limit."""
    depth = aliases = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise UnreadableError("broken-yaml", "The YAML is too deeply nested.")
        aliases += isinstance(event, yaml.AliasEvent)
    return aliases > 0


def _refuse_bomb(root: Any) -> None:
    """Count the nodes as if every alias were written out; a node inside itself would be written for ever."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()
    pending: list[tuple[Any, bool]] = [(root, False)]
    while pending:
        node, done = pending.pop()
        children = _children(node)
        if done:
            open_nodes.discard(id(node))
            sizes[id(node)] = 1 + sum(sizes[id(child)] for child in children)
        elif id(node) in open_nodes:
            raise UnreadableError("yaml-bomb", "A part of the YAML contains itself.")
        elif id(node) not in sizes:
            open_nodes.add(id(node))
            pending.append((node, True))
            pending += [(child, False) for child in children]
    if sizes[id(root)] > _FREE_NODES + _MOST_TIMES * len(sizes):
        raise UnreadableError("yaml-bomb", "The YAML's aliases stand for far more than is written.")


def _children(node: Any) -> list[Any]:
    if isinstance(node, yaml.MappingNode):
        return [each for pair in node.value for each in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []
