"""CKAN's answers: datasets with their resources, or the rows of a resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

from tenant_pipeline.intake.readers.item import Item, Items, Problem, UnreadableError
from tenant_pipeline.intake.readers.json_records import flatten, json_items
from tenant_pipeline.intake.readers.parser_guard import within_bounds
from tenant_pipeline.intake.readers.tables_in_grid import unique_names

_OWN_COLUMNS = ("_id", "_full_text", "rank")
_DATASET = {
    "identifier": "name",
    "description": "notes",
    "url": "url",
    "licence": "license_title",
    "issued": "metadata_created",
    "modified": "metadata_modified",
}
_RESOURCE = {
    "name": "name",
    "description": "description",
    "url": "url",
    "modified": "last_modified",
}


def looks_like_ckan(text: str, path: str) -> bool:
    """Whether the text begins as an answer that holds rows or datasets."""
    start = text.lstrip("\ufeff \t\r\n")
    held = any(f'"{name}"' in start for name in ("records", "resources", "results"))
    return start.startswith("{") and '"success"' in start and '"result"' in start and held


@within_bounds
def read_ckan(stream: BinaryIO, encoding: str) -> Items:
    """A resource's rows and what its columns are; or datasets and resources, each a record.

    Raises UnreadableError for an answer that says it failed, or that is none of these.
    """
    if False in json_items(stream, "success"):
        raise UnreadableError("failed-answer", "The answer says that its request failed; ask again.")
    found = 0
    columns = [flatten(each) for each in json_items(stream, "result.fields.item") if isinstance(each, dict)]
    for position, column in enumerate(columns):
        if column.get("id") not in _OWN_COLUMNS:
            found += 1
            values = {"name": column.get("id"), "type": column.get("type"), "label": column.get("info.label")}
            yield Item("fields", f"/result/fields/{position}", values)
    names = unique_names([column.get("id") or "" for column in columns])
    for position, row in enumerate(json_items(stream, "result.records.item")):
        found += 1
        yield _row(row, names, f"/result/records/{position}")
    for position, package in enumerate(json_items(stream, "result.results.item")):
        found += 1
        yield from _package(package, f"/result/results/{position}")
    if not found:
        for package in json_items(stream, "result"):
            if not isinstance(package, dict) or "resources" not in package:
                raise UnreadableError("not-ckan", "The answer holds neither rows nor datasets.")
            found += 1
            yield from _package(package, "/result")
    if not found:
        raise UnreadableError("not-ckan", "The answer holds neither rows nor datasets.")


def _row(row: Any, names: list[str], place: str) -> Item | Problem:
    if isinstance(row, list) and len(row) == len(names):
        row = dict(zip(names, row, strict=True))
    if not isinstance(row, dict):
        return Problem(place, "ragged-row", "The row does not fit the answer's fields.")
    return Item("records", place, flatten({name: row[name] for name in row if name not in _OWN_COLUMNS}))


def _package(package: Any, place: str) -> Items:
    if not isinstance(package, dict):
        yield Problem(place, "broken-dataset", "The dataset is not described as an object.")
        return
    flat = flatten(package)
    values = {
        "name": flat.get("title") or flat.get("name"),
        "name_th": flat.get("title_translated.th"),
        "name_en": flat.get("title_translated.en"),
        **{name: flat.get(field) for name, field in _DATASET.items()},
        "publisher": flat.get("organization.title") or flat.get("organization.name"),
        "keywords": _joined(package.get("tags"), "display_name", "name"),
    }
    for extra in _objects(package.get("extras")):
        values.update(flatten({str(extra.get("key") or "extra"): extra.get("value")}))
    yield Item("datasets", place, values)
    for position, resource in enumerate(_objects(package.get("resources"))):
        about = flatten(resource)
        described = {
            "dataset": flat.get("name") or flat.get("id"),
            **{name: about.get(field) for name, field in _RESOURCE.items()},
            "media type": about.get("mimetype") or about.get("format"),
        }
        yield Item("resources", f"{place}/resources/{position}", described)


def _objects(values: Any) -> list[Mapping[str, Any]]:
    return [each for each in values if isinstance(each, dict)] if isinstance(values, list) else []


def _joined(values: Any, *fields: str) -> str | None:
    flat = map(flatten, _objects(values))
    said = [next((each[field] for field in fields if each.get(field)), None) for each in flat]
    return "; ".join(filter(None, said)) or None
