"""The sixth stage: statements with their values written in one canonical way, the raw value kept beside."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from tenant_pipeline.core.batch_map import BatchMap
from tenant_pipeline.core.pseudonym import is_token
from tenant_pipeline.core.stage import Disposition, StageCount
from tenant_pipeline.core.standardise.addresses import standardise_address
from tenant_pipeline.core.standardise.administrative_codes import standardise_administrative_code
from tenant_pipeline.core.standardise.areas import standardise_area
from tenant_pipeline.core.standardise.booleans import standardise_boolean
from tenant_pipeline.core.standardise.coordinates import standardise_coordinates
from tenant_pipeline.core.standardise.dates import standardise_date
from tenant_pipeline.core.standardise.emails import standardise_email
from tenant_pipeline.core.standardise.identifiers import standardise_identifier
from tenant_pipeline.core.standardise.language import language_by_script
from tenant_pipeline.core.standardise.names import standardise_name
from tenant_pipeline.core.standardise.numbers import standardise_number
from tenant_pipeline.core.standardise.postal_codes import standardise_postal_code
from tenant_pipeline.core.standardise.reading import Context, Standardised, Standardiser, Unreadable
from tenant_pipeline.core.standardise.references import standardise_reference
from tenant_pipeline.core.standardise.telephones import standardise_telephone
from tenant_pipeline.core.standardise.text import standardise_category, standardise_text
from tenant_pipeline.core.standardise.urls import standardise_url
from tenant_pipeline.core.statement import STATEMENT_COLUMNS, Datatype
from tenant_pipeline.core.tables import StageReader, StageWriter
from tenant_pipeline.core.vocabulary import Vocabulary

STANDARDISERS: Mapping[Datatype, Standardiser] = {
    Datatype.NAME: standardise_name,
    Datatype.TEXT: standardise_text,
    Datatype.IDENTIFIER: standardise_identifier,
    Datatype.ADMINISTRATIVE_CODE: standardise_administrative_code,
    Datatype.POSTAL_CODE: standardise_postal_code,
    Datatype.ADDRESS: standardise_address,
    Datatype.TELEPHONE: standardise_telephone,
    Datatype.EMAIL: standardise_email,
    Datatype.URL: standardise_url,
    Datatype.GEO: standardise_coordinates,
    Datatype.DATE: standardise_date,
    Datatype.NUMBER: standardise_number,
    Datatype.AREA: standardise_area,
    Datatype.BOOLEAN: standardise_boolean,
    Datatype.CATEGORY: standardise_category,
    Datatype.REFERENCE: standardise_reference,
}
"""Every datatype and what standardises it."""

WRITTEN_IN_A_LANGUAGE = frozenset({Datatype.NAME, Datatype.TEXT, Datatype.ADDRESS})
"""Datatypes whose values are in some language: told by the script when nobody stated it."""

PSEUDONYM_RULE = "pseudonym"
UNBOUNDED = frozenset({Datatype.TEXT, Datatype.GEO})
LONGEST_VALUE, LONGEST_CODED_VALUE = 1_000_000, 4_000
"""Characters that running text (and a GeoJSON geometry) may have, and those of any other value: a longer one is a
file in a cell, and no pattern is to be tried on it."""

_DATATYPES = {str(datatype): datatype for datatype in Datatype}

_KEY = ("datatype", "property", "lang", "value", "valid_from", "valid_to")
_TEXT = pd.ArrowDtype(pa.string())


class _Outcome(NamedTuple):
    """What became of one distinct key: the canonical texts and how they were read, or why there are none."""

    values: tuple[str, ...] = ()
    lang: str = ""
    valid_from: str = ""
    valid_to: str = ""
    method: str = ""
    code: str = ""
    reason: str = ""


def standardise(
    mapped: StageReader, out: StageWriter, *, vocabulary: Vocabulary, batch_map: BatchMap = map
) -> tuple[StageCount, ...]:
    """Write every statement of `mapped` with its canonical value; reject those whose value cannot be read.

    A pseudonym passes unchanged whatever its datatype. `method` grows by `;standardise:<rule>`; a language told by
    the script is filled in, one of a property that has none is dropped (two values of it would pass for answers to two
    questions), and validity dates become ISO 8601. A statement whose value names several things (three telephone
    numbers) becomes several, so that more may be emitted than passed. `batch_map` says where the batches
    are worked on.
    """
    rows_in = rejected = emitted = 0
    for table in mapped.tables("statements"):
        descriptor = table.descriptor
        with out.table(descriptor.name, "statements", fields=descriptor.fields, about=descriptor.about) as writer:
            standardised = partial(standardise_batch, vocabulary=vocabulary)
            for passed, rejects in batch_map(standardised, table.batches(STATEMENT_COLUMNS)):
                writer.write(passed)
                if len(rejects):
                    out.reject_many(rejects)
                rejected += len(rejects)
                emitted += len(passed)
        rows_in += table.rows
    return (StageCount("statement", rows_in, rows_in - rejected, rejected, 0, emitted, "statement"),)


def standardise_batch(batch: pd.DataFrame, vocabulary: Vocabulary) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The standardised statements of a batch and its rejects (columns locator, code, reason, disposition).

    Each distinct key of the batch is read once, and the outcomes are handed out to the rows again.
    """
    key_of_row, first_rows = _distinct(batch)
    keys = zip(*(pa.array(batch[column].iloc[first_rows]).to_pylist() for column in _KEY), strict=True)
    contexts = _Contexts(vocabulary)
    outcomes = [_outcome(contexts, *key) for key in keys]
    sizes = np.array([len(outcome.values) for outcome in outcomes], dtype=np.int64)

    refused = sizes[key_of_row] == 0
    rejects = pd.DataFrame({"locator": batch["locator"][refused].reset_index(drop=True)})
    rejects["code"] = _handed_out([outcome.code for outcome in outcomes], key_of_row[refused])
    rejects["reason"] = _handed_out([outcome.reason for outcome in outcomes], key_of_row[refused])
    rejects["disposition"] = _handed_out([str(Disposition.REJECTED)], np.zeros(len(rejects), dtype=np.int64))

    row_sizes = sizes[key_of_row]
    passed = batch.iloc[np.repeat(np.arange(len(batch)), row_sizes)].reset_index(drop=True)
    key_of_passed = np.repeat(key_of_row, row_sizes)
    nth_value = np.arange(len(passed)) - np.repeat(np.cumsum(row_sizes) - row_sizes, row_sizes)
    first_value = np.cumsum(sizes) - sizes
    values = [value for outcome in outcomes for value in outcome.values]
    passed["value"] = _handed_out(values, first_value[key_of_passed] + nth_value)
    for column in ("lang", "valid_from", "valid_to"):
        passed[column] = _handed_out([getattr(outcome, column) for outcome in outcomes], key_of_passed)
    passed["method"] = passed["method"] + _handed_out([outcome.method for outcome in outcomes], key_of_passed)
    return passed[list(STATEMENT_COLUMNS)], rejects


def standardise_value(datatype: Datatype, value: str, context: Context) -> Standardised:
    """The canonical form of one value. Raises Unreadable."""
    if is_token(value):
        return Standardised(value, PSEUDONYM_RULE)
    longest = LONGEST_VALUE if datatype in UNBOUNDED else LONGEST_CODED_VALUE
    found = STANDARDISERS[datatype](value, context) if len(value) <= longest else None
    if found is None or len(found.value) > longest or any(len(other) > longest for other in found.others):
        raise Unreadable("value-too-long", f"A value of this kind has at most {longest} characters.")
    return found


class _Contexts(dict[tuple[str, str], Context]):
    """What each property in each language is read with, made when it is first met."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__()
        self._properties = vocabulary.properties

    def __missing__(self, key: tuple[str, str]) -> Context:
        property_, lang = key
        made = self[key] = Context(lang, self._properties.get(property_), self._properties)
        return made


def _outcome(
    contexts: _Contexts, datatype: str, property_: str, lang: str, value: str, valid_from: str, valid_to: str
) -> _Outcome:
    context = contexts[property_, lang]
    try:
        if datatype not in _DATATYPES:
            raise Unreadable("datatype-unknown", "The mapping gave the statement a datatype that does not exist.")
        found = standardise_value(_DATATYPES[datatype], value, context)
        since, until = _validity(valid_from, context), _validity(valid_to, context)
    except Unreadable as unreadable:
        return _Outcome(code=unreadable.code, reason=unreadable.reason)
    rule = found.rule
    if context.definition is not None and not context.definition.per_language:
        lang = ""
    elif not lang and datatype in WRITTEN_IN_A_LANGUAGE and rule != PSEUDONYM_RULE:
        lang = language_by_script(found.value)
        rule += ",language-by-script"
    return _Outcome((found.value, *found.others), lang, since, until, f";standardise:{rule}")


def _validity(date: str, context: Context) -> str:
    """A statement's own validity date in ISO 8601; "" for an absent one."""
    if not date:
        return date
    try:
        return standardise_value(Datatype.DATE, date, context).value
    except Unreadable as unreadable:
        raise Unreadable("validity-unreadable", "The date from or until which the value holds cannot be read.") from (
            unreadable
        )


def _distinct(batch: pd.DataFrame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For each row the number of its distinct key, and for each number the first row that has it.

    Columns are numbered on their own and the numbers combined two at a time, renumbered each time: with at most
    BATCH_ROWS rows no product of two numbers leaves 64 bits.
    """
    key_of_row = np.zeros(len(batch), dtype=np.int64)
    first_rows = np.zeros(min(len(batch), 1), dtype=np.int64)
    for column in _KEY:
        codes, uniques = pd.factorize(batch[column], use_na_sentinel=False)
        combined = key_of_row * (len(uniques) + 1) + codes
        _, first_rows, key_of_row = np.unique(combined, return_index=True, return_inverse=True)
    return key_of_row, first_rows


def _handed_out(per_key: list[str], key_of_row: npt.NDArray[np.int64]) -> pd.Series[str]:
    """A text column that takes for each row the text of its key."""
    return pd.Series(pd.array(pa.array(per_key, pa.string()).take(pa.array(key_of_row)), dtype=_TEXT))
