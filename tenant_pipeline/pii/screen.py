"""Stage 4, `screen`: no raw personal data passes this line, in values, field names, table names, paths or locators."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from tenant_pipeline.core.contract_terms import PiiPolicy
from tenant_pipeline.core.gate import GateVerdict
from tenant_pipeline.core.keys import DigestKey
from tenant_pipeline.core.pseudonym import REPLACEMENT
from tenant_pipeline.core.stage import Disposition, StageCount
from tenant_pipeline.core.tables import StageReader, StageWriter, TableReader, TableWriter, field_column
from tenant_pipeline.pii.analyzer import PiiAnalyzer, folded_values
from tenant_pipeline.pii.column_evidence import column_evidence, number_evidence, person_evidence
from tenant_pipeline.pii.declarations import Declaration, FieldMeanings
from tenant_pipeline.pii.findings import Place
from tenant_pipeline.pii.folding import fold
from tenant_pipeline.pii.locators import LocatorScreen
from tenant_pipeline.pii.nearby_words import field_words
from tenant_pipeline.pii.paths import names_in_paths, screened_path
from tenant_pipeline.pii.readings import seen, seen_values
from tenant_pipeline.pii.replacement import FieldScreen, Replacer
from tenant_pipeline.pii.table_policy import TableFieldPolicies
from tenant_pipeline.pii.verdict import pii_verdict
from tenant_pipeline.pii.withheld import PARENT_CODE, PARENT_REASON, WithheldRecords, parents_first

_OWN_WORDS = ("object", "reader", "shape", "media_type", "encoding", "language")
"""Entries of `about` that the runtime itself wrote."""

_STATEMENTS = "statements"
"""The shape of tables whose values a runtime's screen has seen before: their tokens and masks pass as they are, so
that a value keeps the one pseudonym that it has. Anything else in them is screened like any other text."""

_ENTITY_FIELD, _RUNTIME_ID = "entity", re.compile(r"\A(?:can|ent)-[0-9a-f]{24}\Z")
"""In such tables, the field of the runtime's own ids. They are digests, and digits among them are nobody's number."""


@dataclass
class _Totals:
    records: int = 0
    quarantined: int = 0
    residual: int = 0


def screen(
    extracted: StageReader,
    out: StageWriter,
    *,
    policy: PiiPolicy,
    key: DigestKey,
    analyzer: PiiAnalyzer,
    agreement_in_place: bool,
    declarations: Sequence[Declaration] = (),
    meanings: FieldMeanings = lambda descriptor: {},
) -> tuple[tuple[StageCount, ...], GateVerdict]:
    """Pseudonymise every `records` table of `extracted` and judge the source.

    Writes the same tables without personal data, a `findings` table, and a reject for each record that policy
    withholds. `declarations` are those in force for this source. Returns the count of records and the PII gate's
    verdict. Raises ContractError for an unknown action.
    """
    replacer = Replacer(analyzer, policy, key)
    totals = _Totals()
    tables = extracted.tables("records")
    persons = named_after_persons(tables)
    in_paths = names_in_paths(table.descriptor.about.get("path", "") for table in tables)
    for reader, withheld in parents_first(tables):
        fields = TableFieldPolicies(reader.descriptor, policy, analyzer, declarations, meanings(reader.descriptor))
        about = reader.descriptor.about
        _screen_table(reader, out, replacer, totals, fields, withheld, persons[about.get("object", "")], in_paths)
    with out.table("findings", "findings") as writer:
        writer.write(replacer.findings.frame())
    passed = totals.records - totals.quarantined
    count = StageCount("record", totals.records, passed, 0, totals.quarantined, passed, "record")
    verdict = pii_verdict(
        replacer.findings,
        policy=policy,
        agreement_in_place=agreement_in_place,
        records=totals.records,
        quarantined=totals.quarantined,
        residual=totals.residual,
    )
    return (count,), verdict


def named_after_persons(tables: Sequence[TableReader]) -> dict[str, tuple[str, ...]]:
    """By object: whether its tables, a workbook's sheets for one, are called after persons."""
    names = defaultdict[str, dict[str, None]](dict)
    for about in (table.descriptor.about for table in tables):
        names[about.get("object", "")][_called(fold(seen(about.get("name", ""))))] = None
    return {each: person_evidence(pa.array(list(named), type=pa.string())) for each, named in names.items()}


def _called(name: str) -> str:
    """A sheet's own name: that of a table of it, or what its notes have for a title, without what readers add."""
    return _ADDED.sub("", name)


@dataclass
class _TableScreen:
    """What stays the same from batch to batch of one table."""

    reader: TableReader
    replacer: Replacer
    fields: tuple[str, ...]
    locators: LocatorScreen
    policies: TableFieldPolicies
    withheld: WithheldRecords
    persons: tuple[str, ...]
    contexts: dict[int, tuple[str, ...]] = field(default_factory=dict)

    @property
    def table(self) -> str:
        return self.reader.descriptor.name

    def field_screen(self, position: int, values: pa.Array) -> FieldScreen:
        """How a field is looked at; it stands under its screened name."""
        place = Place(self.table, position, self.fields[position] or field_column(position))
        return FieldScreen(
            place, self._context(position, values), self.policies.found[position], self._passing(position)
        )

    def _passing(self, position: int) -> re.Pattern[str] | None:
        """What of a field's texts passes as it is."""
        if self.reader.descriptor.about.get("shape") != _STATEMENTS:
            return None
        return _RUNTIME_ID if self.reader.descriptor.fields[position] == _ENTITY_FIELD else REPLACEMENT

    def _context(self, position: int, values: pa.Array) -> tuple[str, ...]:
        """A field's own name, and what its batches have shown so far; the first that tells of a kind decides on it."""
        distinct = seen_values(values.unique())
        known = self.contexts.get(position)
        if known is None:
            words = field_words(self.reader.descriptor.fields[position])
            titled = bool(self.persons) and self._is_the_tables_name(folded_values(distinct))
            known = (*((words,) if words else ()), *(self.persons if titled else ()))
        self.contexts[position] = (*known, *column_evidence(distinct, settled=known))
        return self.contexts[position]

    def _is_the_tables_name(self, distinct: pa.Array) -> bool:
        """Whether a column says nothing but what its table is called, as the titles of a sheet's notes do."""
        name, said = _called(fold(seen(self.reader.descriptor.about.get("name", "")))), distinct.drop_null()
        return len(said) > 0 and all(_called(value.as_py()) == name for value in said)


def _screen_table(
    reader: TableReader,
    out: StageWriter,
    replacer: Replacer,
    totals: _Totals,
    policies: TableFieldPolicies,
    withheld: WithheldRecords,
    persons: tuple[str, ...],
    in_paths: tuple[str, ...],
) -> None:
    descriptor = reader.descriptor
    names = Place(descriptor.name, -1, "(field name)")
    described = Place(descriptor.name, -1, "(description)")
    fields = field_names(descriptor.fields, replacer, names)
    about = {
        name: value if name in _OWN_WORDS else replacer.json(value, described)
        for name, value in descriptor.about.items()
        if name != "path"
    }
    if "path" in descriptor.about:
        about["path"] = screened_path(descriptor.about["path"], replacer, described, in_paths)
    if persons:
        about["name"] = replacer.each(about["name"], _BEHIND_A_NAME, described, persons)
    locators = LocatorScreen(replacer, Place(descriptor.name, -1, "(locator)"), persons)
    table = _TableScreen(reader, replacer, fields, locators, policies, withheld, persons)
    with out.table(descriptor.name, descriptor.role, fields=fields, about=about) as writer:
        written = False
        for frame in reader.batches():
            written = _screen_batch(table, frame, writer, out, totals) or written
        if not written:
            columns = ["record", "locator", *descriptor.field_columns]
            writer.write(_empty(columns))


_APART = re.compile(rf"({REPLACEMENT.pattern}|[./](?=\S))")
"""Between the names that a field's is made of, where nested objects were flattened."""

_ADDED = re.compile(r"(?: \(hidden\)| notes| table [0-9]+| by year)+\Z")
"""What readers add to the name of a sheet or a page, for each of its tables."""

_BEHIND_A_NAME = re.compile(rf"({REPLACEMENT.pattern}|[./](?=\S)|{_ADDED.pattern})")


def field_names(fields: Sequence[str], replacer: Replacer, place: Place) -> tuple[str, ...]:
    """The names of a table's fields, screened as a column would be: they may be numbers, or names, of persons."""
    folded = list(dict.fromkeys(fold(seen(name)) for name in fields))
    evidence = number_evidence(pa.array(folded, type=pa.string()))
    screened = tuple(replacer.text(name, place, evidence) for name in fields)
    distinct = list(dict.fromkeys(piece for name in folded for piece in _APART.split(name)[::2]))
    persons = person_evidence(pa.array(distinct, type=pa.string())) or person_evidence(
        pa.array(_without_shared_words(distinct), type=pa.string())
    )
    return tuple(replacer.each(name, _APART, place, persons) for name in screened) if persons else screened


def _without_shared_words(names: Sequence[str]) -> list[str]:
    """The names without the words at their beginning that they share with one beside them: a header spanned both."""
    words = [name.split(" ") for name in names]
    shared = [_in_common(left, right) for left, right in pairwise(words)]
    own = [
        " ".join(each[min(filter(None, beside), default=0) :])
        for each, *beside in zip(words, [0, *shared], [*shared, 0], strict=False)
    ]
    return list(dict.fromkeys(filter(None, own)))


def _in_common(left: Sequence[str], right: Sequence[str]) -> int:
    """How many words both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))


def _screen_batch(
    table: _TableScreen, frame: pd.DataFrame, writer: TableWriter, out: StageWriter, totals: _Totals
) -> bool:
    """Screen one batch; returns whether any of its rows went on."""
    codes = np.full(len(frame), "", dtype=object)
    reasons = np.full(len(frame), "", dtype=object)
    locators = _array(frame["locator"])
    values = [_array(frame[column]) for column in table.reader.descriptor.field_columns]
    if not table.policies.found:
        table.policies.settle(values)
    columns: dict[str, pa.Array] = {"record": _array(frame["record"]), "locator": table.locators.screen(locators)}
    for position, column in enumerate(values):
        screened = table.replacer.column(column, table.field_screen(position, column))
        columns[field_column(position)] = screened.values
        _withhold(codes, reasons, screened.withheld, "pii-", _policy_reason(position, table.table))
        totals.residual += _withhold(
            codes, reasons, screened.residual, "pii-residual-", _residual_reason(position, table.table)
        )
    withheld = _with_children(table.withheld, locators, codes, reasons)
    totals.records += len(frame)
    totals.quarantined += int(withheld.sum())
    result = pa.table(columns)
    if withheld.any():
        out.reject_many(_rejects(columns["locator"], withheld, codes, reasons))
        result = result.filter(pa.array(~withheld))
    if result.num_rows:
        writer.write(_frame(result))
    return bool(result.num_rows)


def _with_children(
    known: WithheldRecords,
    locators: pa.Array,
    codes: npt.NDArray[np.object_],
    reasons: npt.NDArray[np.object_],
) -> npt.NDArray[np.bool_]:
    """The rows withheld: those with a code, and those that lie under a withheld record of this batch or before."""
    withheld = np.asarray(codes != "", dtype=bool)
    if withheld.any():
        known.add(locators.filter(pa.array(withheld)))
    below = known.below(locators)
    if below is None:
        return withheld
    children = below & ~withheld
    codes[children], reasons[children] = PARENT_CODE, PARENT_REASON
    return withheld | below


def _withhold(
    codes: npt.NDArray[np.object_],
    reasons: npt.NDArray[np.object_],
    found: npt.NDArray[np.object_] | None,
    prefix: str,
    reason: str,
) -> int:
    """Note the rows to withhold that are not withheld yet; returns how many are new."""
    if found is None:
        return 0
    new = np.asarray((found != "") & (codes == ""), dtype=bool)
    for entity_type in sorted(set(found[new])):
        rows = new & np.asarray(found == entity_type, dtype=bool)
        codes[rows] = prefix + entity_type.lower().replace("_", "-")
        reasons[rows] = reason.format(entity_type=entity_type)
    return int(new.sum())


def _policy_reason(position: int, table: str) -> str:
    return f"{{entity_type}} in field {position + 1} of table {table}; the policy withholds such records."


def _residual_reason(position: int, table: str) -> str:
    return f"{{entity_type}} was still found in field {position + 1} of table {table} after replacement."


def _rejects(
    locators: pa.Array,
    withheld: npt.NDArray[np.bool_],
    codes: npt.NDArray[np.object_],
    reasons: npt.NDArray[np.object_],
) -> pd.DataFrame:
    count = int(withheld.sum())
    table = pa.table(
        {
            "locator": locators.filter(pa.array(withheld)),
            "code": pa.array(codes[withheld], type=pa.string()),
            "reason": pa.array(reasons[withheld], type=pa.string()),
            "disposition": pa.array([str(Disposition.QUARANTINED)] * count, type=pa.string()),
        }
    )
    return _frame(table)


def _array(series: pd.Series) -> pa.Array:
    values = pa.array(series)
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _empty(columns: Sequence[str]) -> pd.DataFrame:
    schema = pa.schema([(name, pa.int64() if name == "record" else pa.string()) for name in columns])
    return _frame(schema.empty_table())


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return frame
