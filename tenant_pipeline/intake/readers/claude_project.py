"""The projects of a Claude export: what each is for, its instructions and its documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenant_pipeline.intake.readers.chat_json import as_list, as_map, as_text
from tenant_pipeline.intake.readers.chat_message import table_items
from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items, Problem

PROJECTS = "projects"


def is_project(entry: Mapping[str, Any]) -> bool:
    """Whether an element of an export is a project."""
    return "prompt_template" in entry or "docs" in entry


def project_items(project: Mapping[str, Any], number: int) -> Items:
    """A segment for the description, the instructions and each document, and the tables in them.

    A document without text is a problem.
    """
    name = as_text(project.get("name"))
    for section in ("description", "prompt_template"):
        text = as_text(project.get(section))
        if text:
            yield from _segment(f"/{number}/{section}", name, name, section, text, project.get("created_at"))
    for position, each in enumerate(as_list(project.get("docs"))):
        document = as_map(each)
        place, text = f"/{number}/docs/{position}", as_text(document.get("content"))
        if text is None:
            yield Problem(place, "document-without-text", "The project's document holds no text.")
            continue
        yield from _segment(place, as_text(document.get("filename")), name, "docs", text, document.get("created_at"))


def _segment(place: str, title: str | None, project: str | None, section: str, text: str, created: Any) -> Items:
    values = {"title": title, "text": text, "project": project, "section": section, "created": as_text(created)}
    yield Item(PROJECTS, place, values, SEGMENTS)
    yield from table_items(place, text)
