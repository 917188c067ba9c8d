"""Confinement takes nothing away from what is read: every format comes out of a parser as out of its reader."""

from __future__ import annotations

import io

import pytest

from tenant_pipeline.intake.formats import identify_format
from tenant_pipeline.intake.readers.item import Item, Problem, UnreadableError
from tenant_pipeline.intake.readers.registry import READERS
from tenant_pipeline.intake.sandbox.parsers import profile, records
from tests.hostile.documents import all_samples

SAMPLES = dict(all_samples())


@pytest.mark.parametrize("name", SAMPLES)
def test_a_confined_parser_reads_what_its_reader_reads(name: str) -> None:
    found = identify_format(io.BytesIO(SAMPLES[name]), name)
    items: list[Item | Problem] | str
    try:
        items = list(READERS[found.reader](io.BytesIO(SAMPLES[name]), found.encoding))
    except UnreadableError as refused:
        items = refused.code
    if isinstance(items, str):
        with pytest.raises(UnreadableError) as confined:
            profile(io.BytesIO(SAMPLES[name]), name)
        assert confined.value.code == items
        return
    about = profile(io.BytesIO(SAMPLES[name]), name)
    assert (about["reader"], about["encoding"]) == (found.reader, found.encoding)
    assert sum(table["rows"] for table in about["tables"]) == sum(isinstance(item, Item) for item in items)
    assert about["problems"] == sum(isinstance(item, Problem) for item in items)

    read: set[tuple[str, str]] = set()
    for each in records(
        io.BytesIO(SAMPLES[name]), reader=found.reader, encoding=found.encoding, tables=about["tables"]
    ):
        if not isinstance(each, Problem):
            table = about["tables"][each[0]]
            read |= {(table["name"], locator) for locator in each[1].column(0).to_pylist()}
    assert read == {(item.table, item.locator) for item in items if isinstance(item, Item)}
