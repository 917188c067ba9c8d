"""What is checked of a statement: each check a name, a sentence, and a test over a frame of statements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tenant_pipeline.core.pseudonym import TOKEN_PATTERN
from tenant_pipeline.core.standardise.administrative_codes import PROVINCE_CODES
from tenant_pipeline.core.statement import Datatype
from tenant_pipeline.core.validate.value_forms import PATTERNS, PREDICATES, is_date, is_in_order
from tenant_pipeline.core.vocabulary import Vocabulary

Test = Callable[[pd.DataFrame], "pd.Series[bool]"]
"""For each row of a frame with STATEMENT_COLUMNS, whether it passes."""

REQUIRED = ("entity_id", "type", "property", "value", "raw_value", "datatype", "locator", "method")
"""Columns that no statement may leave empty."""

_ENTITY_ID = r"ent-[0-9a-f]{24}"
_LANGUAGE_TAG = r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*"
_THAI_CODES = (Datatype.ADMINISTRATIVE_CODE, Datatype.POSTAL_CODE)


@dataclass(frozen=True)
class StatementCheck:
    """A check: `name` is the code of the rejects it makes, `reason` their sentence."""

    name: str
    reason: str
    test: Test


def statement_checks(vocabulary: Vocabulary) -> tuple[StatementCheck, ...]:
    """Every check of a statement under this vocabulary; a row that fails several is rejected for the first."""
    datatypes = {name: str(definition.datatype) for name, definition in vocabulary.properties.items()}
    per_language = frozenset(name for name, definition in vocabulary.properties.items() if definition.per_language)
    return (
        *(
            StatementCheck(
                f"{column.replace('_', '-')}-present",
                f"The statement has no {column.replace('_', ' ')}.",
                partial(_present, column),
            )
            for column in REQUIRED
        ),
        StatementCheck("entity-id-form", "The entity id has another form than the runtime's.", _entity_id_form),
        StatementCheck(
            "type-known", "The contract has no such type.", partial(_is_in, "type", frozenset(vocabulary.types))
        ),
        StatementCheck(
            "property-known",
            "The contract has no such property.",
            partial(_is_in, "property", frozenset(vocabulary.properties)),
        ),
        StatementCheck(
            "property-allowed-for-type",
            "The contract gives the property to neither the type nor an ancestor of it.",
            partial(_allowed, allowed_pairs(vocabulary)),
        ),
        StatementCheck(
            "datatype-agrees",
            "The statement's datatype is not the one that the contract gives its property.",
            partial(_datatype_agrees, datatypes),
        ),
        StatementCheck(
            "language-present",
            "The property has a value for each language, but the statement names no language.",
            partial(_language_present, per_language),
        ),
        StatementCheck("language-tag", "The language is not a BCP 47 tag.", _language_tag),
        *(
            StatementCheck(
                f"{datatype}-form", f"The value has not the form of a canonical {datatype}.", partial(_form, datatype)
            )
            for datatype in PATTERNS
        ),
        *(
            StatementCheck(
                f"{datatype}-range", f"The value is no {datatype} that can exist.", partial(_range, datatype, predicate)
            )
            for datatype, predicate in PREDICATES.items()
        ),
        *(
            StatementCheck(
                f"{datatype}-province",
                f"The {datatype} begins with the number of no Thai province.",
                partial(_range, datatype, _names_a_province),
            )
            for datatype in _THAI_CODES
        ),
        StatementCheck("validity-dates", "The dates between which the value holds are no dates.", _validity_dates),
        StatementCheck("validity-order", "The value ends to hold before it begins to.", _validity_order),
    )


def allowed_pairs(vocabulary: Vocabulary) -> frozenset[tuple[str, str]]:
    """Every (type, property) that the contract allows: a type has its ancestors' properties too."""
    pairs: set[tuple[str, str]] = set()
    for name in vocabulary.types:
        ancestor: str | None = name
        visited: set[str] = set()
        while ancestor is not None and ancestor not in visited:
            visited.add(ancestor)
            definition = vocabulary.type(ancestor)
            pairs.update((name, property_) for property_ in definition.properties)
            ancestor = definition.parent
    return frozenset(pairs)


def _present(column: str, frame: pd.DataFrame) -> pd.Series[bool]:
    present = pc.not_equal(pa.chunked_array(pa.array(frame[column], pa.string())), "")
    return pd.Series(present.to_numpy(), index=frame.index, dtype=bool)


def _is_in(column: str, known: frozenset[str], frame: pd.DataFrame) -> pd.Series[bool]:
    return _of_distinct(frame[column], lambda text: text in known)


def _entity_id_form(frame: pd.DataFrame) -> pd.Series[bool]:
    return _matches(frame["entity_id"], _ENTITY_ID)


def _allowed(pairs: frozenset[tuple[str, str]], frame: pd.DataFrame) -> pd.Series[bool]:
    return _of_distinct_pairs(frame["type"], frame["property"], lambda type_, property_: (type_, property_) in pairs)


def _datatype_agrees(datatypes: dict[str, str], frame: pd.DataFrame) -> pd.Series[bool]:
    return _of_distinct_pairs(
        frame["property"], frame["datatype"], lambda property_, datatype: datatypes.get(property_) == datatype
    )


def _language_present(per_language: frozenset[str], frame: pd.DataFrame) -> pd.Series[bool]:
    return _of_distinct_pairs(
        frame["property"], frame["lang"], lambda property_, lang: lang != "" or property_ not in per_language
    ) | _matches(frame["value"], TOKEN_PATTERN)


def _language_tag(frame: pd.DataFrame) -> pd.Series[bool]:
    return _matches(frame["lang"], f"(?:{_LANGUAGE_TAG})?")


def _form(datatype: Datatype, frame: pd.DataFrame) -> pd.Series[bool]:
    return _among(datatype, frame, lambda values: _matches(values, f"(?s:{PATTERNS[datatype]})|{TOKEN_PATTERN}"))


def _range(datatype: Datatype, predicate: Callable[[str], bool], frame: pd.DataFrame) -> pd.Series[bool]:
    return _among(datatype, frame, lambda values: _of_distinct(values, predicate) | _matches(values, TOKEN_PATTERN))


def _names_a_province(code: str) -> bool:
    return code[:2] in PROVINCE_CODES


def _validity_dates(frame: pd.DataFrame) -> pd.Series[bool]:
    def absent_or_date(text: str) -> bool:
        return not text or is_date(text)

    return _of_distinct(frame["valid_from"], absent_or_date) & _of_distinct(frame["valid_to"], absent_or_date)


def _validity_order(frame: pd.DataFrame) -> pd.Series[bool]:
    return _of_distinct_pairs(frame["valid_from"], frame["valid_to"], is_in_order)


def _among(
    datatype: Datatype, frame: pd.DataFrame, test: Callable[[pd.Series[str]], pd.Series[bool]]
) -> pd.Series[bool]:
    """`test` on the values of one datatype; every other row passes."""
    passed = pd.Series(True, index=frame.index)
    values = frame["value"][(frame["datatype"] == str(datatype)).astype(bool)]
    if len(values):
        passed.loc[values.index] = test(values)
    return passed


def _matches(texts: pd.Series[str], pattern: str) -> pd.Series[bool]:
    """Whether each text as a whole matches the pattern, in RE2: linear in the text's length."""
    column = pa.chunked_array(pa.array(texts, pa.string()))
    found = pc.match_substring_regex(column, rf"\A(?:{pattern})\z")
    return pd.Series(found.to_numpy(), index=texts.index, dtype=bool)


def _of_distinct(texts: pd.Series[str], test: Callable[[str], bool]) -> pd.Series[bool]:
    """`test` of each text, called once for each distinct one."""
    codes, uniques = pd.factorize(texts)
    passed = pd.Series([test(text) for text in pa.array(uniques).to_pylist()], dtype=bool).to_numpy()
    return pd.Series(passed[codes], index=texts.index, dtype=bool)


def _of_distinct_pairs(
    first: pd.Series[str], second: pd.Series[str], test: Callable[[str, str], bool]
) -> pd.Series[bool]:
    """`test` of each pair of texts, called once for each distinct one."""
    first_codes, firsts = pd.factorize(first)
    second_codes, seconds = pd.factorize(second)
    codes, pairs = pd.factorize(first_codes * (len(seconds) + 1) + second_codes)
    verdicts = [
        test(firsts[int(pair) // (len(seconds) + 1)], seconds[int(pair) % (len(seconds) + 1)]) for pair in pairs
    ]
    return pd.Series(pd.Series(verdicts, dtype=bool).to_numpy()[codes], index=first.index, dtype=bool)
