"""A mapping as JSON, in the form in which the contract declares one, and what identifies it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tenant_pipeline.core.digest import Sha256, sha256_of_json
from tenant_pipeline.core.mapping.mapping import Mapping, Rule, field_key

FIRST_VERSION = "1.0.0"
_DIGITS_OF_AN_ID = 12


def definition_of(mapping: Mapping) -> dict[str, Any]:
    """The mapping as `mapping_of` reads it. Labels are the id's, in all three languages, until a person names it."""
    return {
        "id": mapping.id,
        "version": mapping.version,
        "label": dict.fromkeys(("th", "en", "zh"), mapping.id),
        "origins": list(mapping.origins),
        "shape": mapping.shape,
        "match": {"all_of": list(mapping.all_of), "any_of": list(mapping.any_of)},
        "type": mapping.type,
        "key": list(mapping.key),
        "rules": [_rule(rule) for rule in mapping.rules],
        "constants": dict(mapping.constants),
    }


def definition_digest(mapping: Mapping) -> Sha256:
    """The digest of what a mapping does: two of the same digest map every table alike, whatever their version."""
    return sha256_of_json({**definition_of(replace(mapping, version="")), "label": None})


def fields_digest(fields: Iterable[str], shape: str) -> Sha256:
    """What kind of table it is: the digest of its fields' names as they are compared, in whatever order."""
    return sha256_of_json([shape, sorted({field_key(name) for name in fields})])


def mapping_id_for(fields: Iterable[str], shape: str) -> str:
    """The id of a tenant's mapping for tables with these fields."""
    return f"fields-{fields_digest(fields, shape)[:_DIGITS_OF_AN_ID]}"


def next_version(version: str) -> str:
    """The version one minor up."""
    major, minor, _ = version.split(".")
    return f"{major}.{int(minor) + 1}.0"


def _rule(rule: Rule) -> dict[str, Any]:
    declared: dict[str, Any] = {"property": rule.property}
    if rule.fields:
        declared["from"] = list(rule.fields)
    if rule.lang:
        declared["lang"] = rule.lang
    if rule.first:
        declared["first"] = rule.first
    if rule.template != "{value}":
        declared["template"] = rule.template
    if rule.latitude:
        declared |= {"latitude": list(rule.latitude), "longitude": list(rule.longitude)}
    if rule.lookup is not None:
        lookup = rule.lookup
        declared["lookup"] = {
            "fields": list(lookup.fields),
            "match": lookup.match,
            "take": lookup.take,
            "first": lookup.first,
        }
    return declared
