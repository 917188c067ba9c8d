"""A template: the types it asks for, and what an entity of each must and may say. Its version is semantic (2.0.0)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from semver import Version

from tenant_pipeline.core.digest import Sha256, sha256_of_json
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.vocabulary import Vocabulary


@dataclass(frozen=True)
class TypeRules:
    """What entities of a type must say, and what else they may be expected to."""

    required: frozenset[str]
    optional: frozenset[str]


@dataclass(frozen=True)
class Template:
    """One version of the template."""

    version: Version
    types: Mapping[str, TypeRules]

    def digest(self) -> Sha256:
        """Of what it says, without its version."""
        return sha256_of_json(self.as_json()["types"])

    def as_json(self) -> dict[str, Any]:
        """The template as it is published and shown."""
        return {
            "version": str(self.version),
            "types": {
                name: {"required": sorted(rules.required), "optional": sorted(rules.optional)}
                for name, rules in sorted(self.types.items())
            },
        }

    def missing_in(self, document: Mapping[str, Any]) -> list[str]:
        """The properties that the template requires of this entity and that it does not have."""
        rules = self.types.get(document["type"])
        if rules is None or not rules.required:
            return []
        return sorted(rules.required - {value["property"] for value in document["values"]})


def parsed_version(text: str) -> Version:
    """A semantic version without pre-release or build. Raises InputError."""
    try:
        version = Version.parse(text)
    except (ValueError, TypeError):
        version = None
    if version is None or version.prerelease or version.build:
        raise InputError("That is no version of a template", where="version", remedy="Three numbers, such as 1.2.0.")
    return version


def template_of(published: Mapping[str, Any]) -> Template:
    """A template from its JSON as it was published, whatever the vocabulary is by now."""
    types = {
        name: TypeRules(frozenset(rules["required"]), frozenset(rules["optional"]))
        for name, rules in published["types"].items()
    }
    return Template(parsed_version(published["version"]), types)


def template_from(given: object, vocabulary: Vocabulary, where: str) -> Template:
    """A template from its JSON. Raises InputError naming the place that is wrong."""
    if not isinstance(given, dict) or set(given) != {"version", "types"} or not isinstance(given["types"], dict):
        raise InputError("A template has a version and types, and nothing else", where=where)
    types = {}
    for name, rules in given["types"].items():
        place = f"{where}#/types/{name}"
        if name not in vocabulary.types:
            raise InputError("The vocabulary has no such type", where=place)
        if not isinstance(rules, dict) or set(rules) - {"required", "optional"}:
            raise InputError("A type has required and optional properties", where=place)
        required, optional = (
            _properties(rules.get(kind, []), vocabulary, f"{place}/{kind}") for kind in ("required", "optional")
        )
        if required & optional:
            raise InputError("A property is either required or optional", where=place)
        types[name] = TypeRules(required, optional)
    if not types:
        raise InputError("A template asks for at least one type", where=where)
    return Template(parsed_version(str(given["version"])), types)


def _properties(given: object, vocabulary: Vocabulary, where: str) -> frozenset[str]:
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise InputError("Properties are a list of names", where=where)
    unknown = [each for each in given if each not in vocabulary.properties]
    if unknown:
        raise InputError(f"The vocabulary has no property {unknown[0]}", where=where)
    return frozenset(given)
