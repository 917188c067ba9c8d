"""A mapping definition that a person hands in, checked before anything rests on it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping as MappingOf
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tenant_pipeline.contracts.contracts import Contracts
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.mapping.choose import SYNONYMS_MAPPING, TEXT_MAPPING
from tenant_pipeline.core.mapping.definition import FIRST_VERSION
from tenant_pipeline.core.mapping.mapping import field_key

LARGEST_FILE = 1_000_000
_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")
_SHAPES = ("records", "segments")


def read_definition(path: Path) -> Any:
    """The JSON in a file: a definition, or a proposal that holds one. Raises InputError when it is none."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InputError(
                f"The definition has more than {LARGEST_FILE} bytes", where=str(path), remedy="Hand in one mapping."
            )
        given = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise InputError("The definition cannot be read", where=str(path), remedy="Name a file that exists.") from None
    except (ValueError, RecursionError):
        raise InputError(
            "The definition is not JSON in UTF-8", where=str(path), remedy="Start from `mapping propose --json`."
        ) from None
    return given["definition"] if isinstance(given, dict) and "definition" in given else given


def checked_definition(given: Any, contracts: Contracts) -> dict[str, Any]:
    """The definition, when it is one that can be accepted; its version is given at acceptance.

    Raises InputError naming the place in it and what to do.
    """
    for problem in _VALIDATOR.iter_errors(given):
        place = "/".join(str(part) for part in problem.absolute_path)
        raise _refused(f"it breaks the contract's schema ({problem.validator})", place)
    _check_names(given, contracts)
    _check_rules(given, contracts)
    return {**given, "version": FIRST_VERSION}


def _check_names(given: MappingOf[str, Any], contracts: Contracts) -> None:
    taken = {mapping.id for mapping in contracts.mappings.mappings} | {SYNONYMS_MAPPING, TEXT_MAPPING}
    if not _ID.fullmatch(given["id"]) or given["id"] in taken:
        raise _refused("the id is taken by the contract, or no slug of 2 to 63 characters of a-z, 0-9 and -", "id")
    if given["shape"] not in _SHAPES:
        raise _refused(f"the shape is none of {', '.join(_SHAPES)}", "shape")
    if given["type"] not in contracts.vocabulary.types:
        raise _refused("the vocabulary has no such type", "type")
    if not given["match"]["all_of"] or not all(map(field_key, given["match"]["all_of"])):
        raise _refused("it must name the fields that a table has to have", "match/all_of")
    if not given["rules"]:
        raise _refused("it has no rule, so it would say nothing", "rules")


def _check_rules(given: MappingOf[str, Any], contracts: Contracts) -> None:
    allowed = contracts.vocabulary.properties_of(given["type"])
    for number, rule in enumerate(given["rules"]):
        place = f"rules/{number}"
        if rule["property"] not in allowed:
            raise _refused(f"the type {given['type']} has no such property", f"{place}/property")
        if not rule.get("from") and not (rule.get("latitude") and rule.get("longitude")):
            raise _refused("the rule names neither a field nor a latitude and a longitude", place)
        if rule.get("template", "{value}").count("{value}") != 1:
            raise _refused("the template must have {value} once", f"{place}/template")
        if rule.get("first", 0) < 0:
            raise _refused("it cannot keep fewer than no characters", f"{place}/first")
        if "lookup" in rule:
            _check_lookup(rule["lookup"], f"{place}/lookup")
    for property_, value in given["constants"].items():
        if property_ not in allowed or not isinstance(value, str):
            raise _refused("a constant is a text for a property of the type", "constants")


def _check_lookup(lookup: MappingOf[str, Any], place: str) -> None:
    fields = {field_key(name) for name in lookup["fields"]}
    for end in ("match", "take"):
        if field_key(lookup[end]) not in fields:
            raise _refused("it is none of the fields of the table to look up in", f"{place}/{end}")
    if lookup["first"] < 0:
        raise _refused("it cannot keep fewer than no characters", f"{place}/first")


def _schema() -> dict[str, Any]:
    text = (
        files("tenant_pipeline.contracts").joinpath("schemas", "source_mapping_engine.schema.json").read_text("utf-8")
    )
    schema = json.loads(text)
    return {"$defs": schema["$defs"], **schema["properties"]["mappings"]["items"]}


_VALIDATOR = Draft202012Validator(_schema())


def _refused(what: str, place: str) -> InputError:
    return InputError(
        f"The mapping cannot be accepted: {what}",
        where=f"definition#/{place}",
        remedy="Mend it there; `mapping propose --json` shows the form, docs/operate/mappings.md tells the rules.",
    )
