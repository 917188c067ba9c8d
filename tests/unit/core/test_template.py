"""Templates: read strictly, compared, and numbered by what changed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semver import Version

from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.template.change import Weight, changes_between, least_version
from tenant_pipeline.core.template.template import Template, TypeRules, parsed_version, template_from, template_of

VOCABULARY = load_contracts().vocabulary
PROPERTIES = ("name", "postalCode", "telephone", "floorSize")

sides = st.frozensets(st.sampled_from(PROPERTIES))
rules = st.tuples(sides, sides).map(lambda both: TypeRules(both[0], both[1] - both[0]))
templates = st.dictionaries(st.sampled_from(("EventVenue", "Event", "Organization")), rules, min_size=1).map(
    lambda types: Template(Version(1, 4, 2), types)
)


def fits(template: Template, type_: str, properties: frozenset[str]) -> bool:
    document = {"type": type_, "values": [{"property": each} for each in properties]}
    return type_ in template.types and not template.missing_in(document)


@given(templates, templates, st.sampled_from(("EventVenue", "Event", "Organization")), sides)
def test_what_fitted_fits_unless_the_version_is_a_major_one(
    old: Template, new: Template, type_: str, properties: frozenset[str]
) -> None:
    if fits(old, type_, properties) and not fits(new, type_, properties):
        assert least_version(old, new) == Version(2, 0, 0)


@given(templates)
def test_the_same_content_asks_for_a_patch_at_most(template: Template) -> None:
    assert changes_between(template, template) == []
    assert least_version(template, template) == Version(1, 4, 3)


@given(templates)
def test_a_template_is_what_is_read_from_its_json(template: Template) -> None:
    assert template_from(template.as_json(), VOCABULARY, "t.json") == template
    assert template_of(template.as_json()) == template


def test_what_was_published_is_read_whatever_became_of_the_vocabulary() -> None:
    published = {"version": "1.0.0", "types": {"Castle": {"required": ["moat"], "optional": []}}}
    assert template_of(published).as_json() == published


def test_each_change_is_named_with_its_weight() -> None:
    old = Template(
        Version(1, 0, 0), {"EventVenue": TypeRules(frozenset({"name"}), frozenset({"postalCode", "telephone"}))}
    )
    new = Template(
        Version(1, 0, 1),
        {
            "EventVenue": TypeRules(frozenset({"postalCode"}), frozenset({"name", "floorSize"})),
            "Event": TypeRules(frozenset({"name"}), frozenset()),
        },
    )
    assert [(each.type, each.property, each.change, each.weight) for each in changes_between(old, new)] == [
        ("Event", "", "type added", Weight.MINOR),
        ("Event", "name", "required property added", Weight.MINOR),
        ("EventVenue", "floorSize", "optional property added", Weight.MINOR),
        ("EventVenue", "name", "property made optional", Weight.MINOR),
        ("EventVenue", "postalCode", "property made required", Weight.MAJOR),
        ("EventVenue", "telephone", "property removed", Weight.MAJOR),
    ]


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ([], "t.json"),
        ({"version": "1.0.0", "types": {}}, "t.json"),
        ({"version": "1.0", "types": {"Event": {}}}, "version"),
        ({"version": "1.0.0-beta", "types": {"Event": {}}}, "version"),
        ({"version": "1.0.0", "types": {"Castle": {}}}, "t.json#/types/Castle"),
        ({"version": "1.0.0", "types": {"Event": {"wanted": []}}}, "t.json#/types/Event"),
        ({"version": "1.0.0", "types": {"Event": {"required": ["colour"]}}}, "t.json#/types/Event/required"),
        ({"version": "1.0.0", "types": {"Event": {"required": ["name"], "optional": ["name"]}}}, "t.json#/types/Event"),
    ],
)
def test_a_template_that_is_none_is_refused_naming_the_place(given: Any, where: str) -> None:
    with pytest.raises(InputError) as refusal:
        template_from(given, VOCABULARY, "t.json")
    assert refusal.value.where == where


def test_a_version_has_three_numbers() -> None:
    assert str(parsed_version("10.2.3")) == "10.2.3"
    for text in ("", "1", "01.0.0", "1.0.0+build"):
        with pytest.raises(InputError):
            parsed_version(text)
