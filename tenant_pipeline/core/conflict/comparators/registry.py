"""Which rules a datatype has, in their order: the one visible list. The first that says something decides."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from tenant_pipeline.core.conflict.comparators import addresses, categories, codes, dates, measures, names, pseudonyms
from tenant_pipeline.core.conflict.comparators.pair import Pair, Rule
from tenant_pipeline.core.conflict.comparison import Compared, Verdict
from tenant_pipeline.core.conflict.validity import VALID_AT_DIFFERENT_TIMES
from tenant_pipeline.core.statement import Datatype
from tenant_pipeline.core.vocabulary import PropertyDefinition

_NAME: tuple[Rule, ...] = (
    names.names_equal_ignoring_case_spacing_and_punctuation,
    names.names_equal_ignoring_accents,
    names.names_equal_ignoring_generic_words,
    names.names_in_different_scripts,
    names.names_differ,
)
_TEXT: tuple[Rule, ...] = (names.texts_equal_ignoring_case_spacing_and_punctuation, names.texts_differ)
_ADDRESS: tuple[Rule, ...] = (
    names.texts_equal_ignoring_case_spacing_and_punctuation,
    addresses.address_parts_equal,
    addresses.address_parts_differ,
    addresses.address_gives_more_parts,
    addresses.addresses_without_a_part_in_common,
    names.texts_differ,
)
_NUMBER: tuple[Rule, ...] = (
    measures.numbers_of_unknown_form,
    measures.numbers_equal,
    measures.numbers_within_tolerance,
    measures.number_is_the_other_rounded,
    measures.numbers_differ,
)
_CODE: tuple[Rule, ...] = (codes.codes_differ,)

RULES: Mapping[Datatype, tuple[Rule, ...]] = {
    Datatype.NAME: _NAME,
    Datatype.TEXT: _TEXT,
    Datatype.CATEGORY: (
        names.texts_equal_ignoring_case_spacing_and_punctuation,
        categories.category_is_a_narrower_one,
        names.texts_differ,
    ),
    Datatype.ADDRESS: _ADDRESS,
    Datatype.ADMINISTRATIVE_CODE: (codes.administrative_code_is_narrower, codes.codes_differ),
    Datatype.IDENTIFIER: _CODE,
    Datatype.POSTAL_CODE: _CODE,
    Datatype.TELEPHONE: _CODE,
    Datatype.EMAIL: _CODE,
    Datatype.BOOLEAN: _CODE,
    Datatype.REFERENCE: _CODE,
    Datatype.URL: (codes.urls_equal_ignoring_scheme_and_www, codes.url_is_a_page_of_the_other, codes.urls_differ),
    Datatype.DATE: (
        dates.dates_of_unknown_form,
        dates.dates_equal,
        dates.dates_one_within_the_other,
        dates.dates_within_tolerance,
        dates.dates_differ,
    ),
    Datatype.GEO: (
        measures.places_of_unknown_form,
        measures.places_within_tolerance,
        measures.places_too_far_apart,
    ),
    Datatype.NUMBER: _NUMBER,
    Datatype.AREA: _NUMBER,
}

BEFORE_ALL: tuple[Rule, ...] = (
    pseudonyms.pseudonyms_under_different_keys,
    pseudonyms.pseudonyms_differ,
    pseudonyms.pseudonym_beside_a_plain_value,
)
"""Rules that come before those of any datatype."""

EQUAL_AFTER_STANDARDISATION = "equal_after_standardisation"

SENTENCES: Mapping[str, str] = {
    EQUAL_AFTER_STANDARDISATION: "The values are the same once they are written in one canonical way.",
    VALID_AT_DIFFERENT_TIMES: "The values differ, and are said to have held one after the other.",
    **{
        rule.__name__: (inspect.getdoc(rule) or "").partition("\n")[0]
        for rule in (*BEFORE_ALL, *(rule for rules in RULES.values() for rule in rules))
    },
}
"""For each rule's name the sentence that a person reads."""


def compare(left: str, right: str, lang: str, definition: PropertyDefinition) -> Compared:
    """Compare two canonical values of one property. It does not matter which is left."""
    if left == right:
        return Compared(Verdict.SAME, EQUAL_AFTER_STANDARDISATION)
    pair = Pair(left, right, lang, definition)
    for rule in (*BEFORE_ALL, *RULES[definition.datatype]):
        verdict = rule(pair)
        if verdict is not None:
            return Compared(verdict, rule.__name__)
    raise AssertionError(f"The rules of {definition.datatype} leave a pair undecided")
