"""DCAT in RDF/XML, Turtle and JSON-LD: datasets and their distributions as records."""

from __future__ import annotations

import json
import logging
import re
from typing import Any, BinaryIO

from lxml import etree
from rdflib import BNode, Graph, Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF, RDFS, SKOS
from rdflib.term import Node

from tenant_pipeline.intake.readers.item import Item, Items, UnreadableError
from tenant_pipeline.intake.readers.parser_guard import refused_as
from tenant_pipeline.intake.readers.storable import storable
from tenant_pipeline.intake.text_encoding import text_of_bytes

_NAMESPACE = "http://www.w3.org/ns/dcat#"
_LANGUAGES = ("th", "en", "zh")
_LABELS = (RDFS.label, SKOS.prefLabel)

logging.getLogger("rdflib").setLevel(logging.CRITICAL)


def looks_like_dcat(text: str, path: str) -> bool:
    """Whether RDF in one of the three forms names DCAT's vocabulary."""
    start = text.lstrip("\ufeff \t\r\n")
    if _NAMESPACE not in start:
        return False
    prefixed = re.search(r"(?im)^\s*@?prefix\s", start) is not None or re.match(r"<[^>\s]+>\s", start) is not None
    return "<rdf:RDF" in start or prefixed or (start[:1] in ("{", "[") and "@" in start)


def read_dcat(stream: BinaryIO, encoding: str) -> Items:
    """Datasets, then distributions. Nothing outside the file is loaded.

    Raises UnreadableError for what cannot be parsed, for entities in its XML, for a context that lies elsewhere
    (`remote-context`), and where no dataset is described.
    """
    content = stream.read()
    start = text_of_bytes(content, encoding or "utf-8").lstrip("\ufeff \t\r\n")
    graph = Graph()
    if start[:1] in ("{", "["):
        _parse(graph, _local_json(start), "json-ld")
    elif re.match(r"<(\?xml|!DOCTYPE|!--|\w+:RDF|RDF)", start):
        _parse(graph, _plain_xml(content), "xml")
    else:
        _parse(graph, start, "turtle")
    datasets = list(dict.fromkeys(graph.subjects(RDF.type, DCAT.Dataset)))
    if not datasets:
        raise UnreadableError("no-dataset", "The catalogue describes no dataset.")
    for number, dataset in enumerate(datasets, 1):
        yield Item("datasets", f"dataset={number}", _dataset(graph, dataset))
    number = 0
    for dataset in datasets:
        for distribution in dict.fromkeys(graph.objects(dataset, DCAT.distribution)):
            number += 1
            values = _distribution(graph, distribution)
            yield Item("distributions", f"distribution={number}", {"dataset": _identifier(graph, dataset), **values})


def _parse(graph: Graph, content: str | bytes, form: str) -> None:
    with refused_as("broken-rdf", "The catalogue is not well-formed RDF."):
        graph.parse(data=content, format=form, publicID="urn:catalogue:")


def _plain_xml(content: bytes) -> bytes:
    """The XML without a document type, so that nothing is left to expand or to load."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    with refused_as("broken-xml", "The XML is not well-formed or too deeply nested."):
        root = etree.fromstring(content, parser)
        if next(root.iter(etree.Entity), None) is not None:
            raise UnreadableError("entities-in-xml", "The XML has entities of its own; save it without them.")
        plain: bytes = etree.tostring(root, encoding="utf-8")
    return plain


def _local_json(text: str) -> str:
    """The JSON-LD, once it is certain that its contexts lie in it."""
    with refused_as("broken-json", "The JSON is not well-formed or too deeply nested."):
        pending = [json.loads(text)]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            contexts = value.get("@context")
            named = contexts if isinstance(contexts, list) else [contexts]
            if "@import" in value or any(isinstance(each, str) for each in named):
                raise UnreadableError(
                    "remote-context", "Its context lies elsewhere; hand it in with the context in it."
                )
            pending += value.values()
        elif isinstance(value, list):
            pending += value
    return text


def _dataset(graph: Graph, dataset: Node) -> dict[str, str | None]:
    return {
        "identifier": _identifier(graph, dataset),
        **_named(graph, dataset),
        "description": _said(graph, dataset, DCTERMS.description, between="\n"),
        "publisher": _agents(graph, dataset),
        "keywords": _said(graph, dataset, DCAT.keyword),
        "issued": _said(graph, dataset, DCTERMS.issued),
        "modified": _said(graph, dataset, DCTERMS.modified),
        "licence": _said(graph, dataset, DCTERMS.license),
        "url": _said(graph, dataset, DCAT.landingPage),
    }


def _distribution(graph: Graph, distribution: Node) -> dict[str, str | None]:
    return {
        **_named(graph, distribution),
        "url": _said(graph, distribution, DCAT.downloadURL) or _said(graph, distribution, DCAT.accessURL),
        "media type": _said(graph, distribution, DCAT.mediaType) or _said(graph, distribution, DCTERMS.format),
        "licence": _said(graph, distribution, DCTERMS.license),
    }


def _named(graph: Graph, node: Node) -> dict[str, str | None]:
    """The title in each language, and the one without a language."""
    names: dict[str, str | None] = {"name": None}
    for title in graph.objects(node, DCTERMS.title):
        if isinstance(title, Literal):
            language = (title.language or "").partition("-")[0].lower()
            field = f"name_{language}" if language in _LANGUAGES else "name"
            names[field] = names.get(field) or storable(str(title)).strip() or None
    return names


def _identifier(graph: Graph, node: Node) -> str | None:
    """What a dataset is called by: its identifier, its address, or its title."""
    said = _said(graph, node, DCTERMS.identifier) or _word(graph, node)
    return said or next(filter(None, _named(graph, node).values()), None)


def _agents(graph: Graph, dataset: Node) -> str | None:
    agents = graph.objects(dataset, DCTERMS.publisher)
    return "; ".join(filter(None, (_said(graph, each, FOAF.name) or _word(graph, each) for each in agents))) or None


def _said(graph: Graph, node: Node, what: URIRef, between: str = "; ") -> str | None:
    words = (_word(graph, value) for value in graph.objects(node, what))
    return between.join(dict.fromkeys(filter(None, words))) or None


def _word(graph: Graph, value: Any) -> str | None:
    """A literal's text, a node's address, or the label of a node without one."""
    if not isinstance(value, BNode):
        return storable(str(value)).strip() or None
    labels = (said for kind in _LABELS for said in graph.objects(value, kind) if isinstance(said, Literal))
    return next((storable(str(said)).strip() or None for said in labels), None)
