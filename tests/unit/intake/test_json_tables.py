"""A JSON object of arrays is a table each, and may not hold so many that reading each by itself never ends."""

from __future__ import annotations

import json

import pytest

from tenant_pipeline.intake.readers import json_records
from tests.unit.intake.reader_outcome import records, refusal


def test_each_array_of_an_object_is_a_table_up_to_as_many_as_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_records, "MOST_TABLES", 3)
    halls = {f"halls{number}": [{"name": "Hall"}] for number in range(4)}
    last = halls.popitem()
    found = records(json_records.read_json, json.dumps(halls))
    assert found == [(name, f"/{name}/0", {"name": "Hall"}) for name in halls]
    assert refusal(json_records.read_json, json.dumps(dict([*halls.items(), last]))) == "too-many-tables"
