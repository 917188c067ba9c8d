"""JSON as records: an object's arrays of objects are a table each, and nothing that it holds beside them is lost."""

from __future__ import annotations

import json

import pytest

from tenant_pipeline.intake.readers import json_records
from tenant_pipeline.intake.readers.item import MOST_FIELDS
from tests.unit.intake.reader_outcome import problems, records, refusal


def test_each_array_of_an_object_is_a_table_up_to_as_many_as_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_records, "MOST_TABLES", 3)
    halls = {f"halls{number}": [{"name": "Hall"}] for number in range(4)}
    last = halls.popitem()
    found = records(json_records.read_json, json.dumps(halls))
    assert found == [(name, f"/{name}/0", {"name": "Hall"}) for name in halls]
    assert refusal(json_records.read_json, json.dumps(dict([*halls.items(), last]))) == "too-many-tables"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '{"hotel":"Andaman","phone":"076","rooms":[{"type":"Deluxe"}],"at":{"city":"Phuket"}}',
            [
                ("rooms", "/rooms/0", {"type": "Deluxe"}),
                ("", "/", {"hotel": "Andaman", "phone": "076", "at.city": "Phuket"}),
            ],
        ),
        (
            '{"order":{"id":5,"name":"H","item":{"sku":1}}}',
            [("", "/order", {"key": "order", "id": "5", "name": "H", "item.sku": "1"})],
        ),
        (
            '{"a.b":[{"x":1},2],"a":{"b":[{"x":3}]},"c":[{"y":4}],"c.item":5}',
            [
                ("a.b", "/a.b/0", {"x": "1"}),
                ("a.b", "/a.b/1", {"value": "2"}),
                ("c", "/c/0", {"y": "4"}),
                ("", "/", {"a.b": '[{"x": 3}]', "c.item": "5"}),
            ],
        ),
        ('{"tags":["x","y"],"rooms":[],"open":true}', [("", "/", {"tags": "x; y", "open": "true"})]),
        ('{"halls":[{"name":"Hall"}],"next":null}', [("halls", "/halls/0", {"name": "Hall"})]),
        ('{"a":[{"x":1}],"a":[{"x":2}]}', [("a", "/a/0", {"x": "1"}), ("a", "/a/1", {"x": "2"})]),
        ("[]", []),
        ("12", [("", "/", {"value": "12"})]),
    ],
)
def test_what_stands_beside_an_objects_arrays_is_a_record(
    text: str, expected: list[tuple[str, str, dict[str, str]]]
) -> None:
    assert records(json_records.read_json, text) == expected


def test_what_is_too_much_to_stand_beside_arrays_is_told_and_costs_no_table() -> None:
    wide = {"rooms": [{"type": "Deluxe"}], "labels": {f"label{number}": "x" for number in range(MOST_FIELDS + 1)}}
    assert problems(json_records.read_json, json.dumps(wide)) == [("/", "too-many-fields")]
    assert records(json_records.read_json, json.dumps(wide)) == [("rooms", "/rooms/0", {"type": "Deluxe"})]


def test_a_byte_order_mark_is_not_in_the_way_of_any_json() -> None:
    for text in ('{"hotels":[{"a":1}]}', '{"a":1}', '[{"a":1}]', '{"x":{"a":1}}'):
        with_mark = b"\xef\xbb\xbf" + text.encode()
        assert records(json_records.read_json, with_mark, "utf-8-sig") == records(json_records.read_json, text)


def test_numbers_of_any_size_are_read_and_written_as_before() -> None:
    text = '[{"id":123456789012345678901234567890,"a":1.0,"b":1.50,"c":1e2,"d":[0.5,{"e":2.0}],"f":1e400,"g":-7}]'
    assert records(json_records.read_json, text) == [
        (
            "",
            "/0",
            {
                "id": "123456789012345678901234567890",
                "a": "1",
                "b": "1.5",
                "c": "100",
                "d": '[0.5, {"e": 2.0}]',
                "f": "1E+400",
                "g": "-7",
            },
        )
    ]


@pytest.mark.parametrize("value", [{"\ud83d": {"a": 1}, "b\0": {"c": 2}}, {"\ud83d": [{"a\0": 1}], "b\0": [{"c": 2}]}])
def test_names_and_places_can_be_stored_whatever_the_keys_are(value: dict[str, object]) -> None:
    found = records(json_records.read_json, json.dumps(value))
    assert len(found) == 2
    for table, locator, values in found:
        text = f"{table}{locator}{values}"
        assert text.encode()
        assert "\0" not in text
