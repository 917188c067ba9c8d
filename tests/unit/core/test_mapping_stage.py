"""Records become statements by declared mappings; what no mapping knows is reported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pyarrow as pa

from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.mapping.choose import choose
from tenant_pipeline.core.mapping.stage import map_records
from tenant_pipeline.core.stage import Disposition, StageCount
from tenant_pipeline.core.statement import entity_id
from tenant_pipeline.core.tables import field_column
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tests.unit.pii.memory_stage import MemoryStage

CONTRACTS = load_contracts()
TENANT, SOURCE = TenantId("a-tenant"), SourceId("src-0123456789abcdef")


def _screened(**tables: tuple[list[str], list[list[str | None]]]) -> MemoryStage:
    stage = MemoryStage()
    for name, (fields, rows) in tables.items():
        columns: dict[str, Any] = {
            "record": pa.array(range(len(rows)), pa.int64()),
            "locator": pa.array([f"o00001#row={number}" for number in range(2, len(rows) + 2)], pa.string()),
        }
        for position in range(len(fields)):
            columns[field_column(position)] = pa.array([row[position] for row in rows], pa.string())
        with stage.table(name, "records", fields=fields, about={"shape": "records"}) as writer:
            writer.write(pa.table(columns).to_pandas(types_mapper=pd.ArrowDtype))
    return stage


def _mapped(screened: MemoryStage, origin: str = "partner-doc") -> tuple[MemoryStage, StageCount, pd.DataFrame]:
    out = MemoryStage()
    (count,) = map_records(
        screened,
        out,
        mappings=CONTRACTS.mappings,
        vocabulary=CONTRACTS.vocabulary,
        tenant=TENANT,
        source=SOURCE,
        origin=origin,
    )
    frames = [frame for table in out.tables("statements") for frame in table.batches()]
    return out, count.conserve("map"), pd.concat(frames) if frames else pd.DataFrame()


def test_a_spreadsheet_in_three_languages_is_known_by_synonyms() -> None:
    fields = ["ชื่อ", "name_en", "中文名", "ความจุ", "Colour"]
    out, count, said = _mapped(_screened(t00001=(fields, [["โถงหนึ่ง", "Hall One", "一号厅", "1,200", "red"]])))
    assert count.emitted == 4
    found = {(row.property, row.lang): row.value for row in said.itertuples()}
    assert found == {
        ("name", "th"): "โถงหนึ่ง",
        ("name", "en"): "Hall One",
        ("name", "zh"): "一号厅",
        ("maximumAttendeeCapacity", ""): "1,200",
    }
    assert set(said["type"]) == {"EventVenue"}
    (report,) = out.document("mapping")["tables"]
    assert report["unmapped"] == ["Colour"]
    assert report["fields"]["ชื่อ"] == ["name@th"]


def test_a_locator_leads_back_to_the_field() -> None:
    _, _, said = _mapped(_screened(t00001=(["name", "capacity"], [["Hall", "10"]])))
    assert set(said["locator"]) == {"o00001#row=2&field=name", "o00001#row=2&field=capacity"}


def test_official_codes_come_from_another_table_where_a_register_numbers_its_rows() -> None:
    provinces = (["id", "name_th", "name_en", "geography_id"], [["66", "ภูเก็ต", "Phuket", "6"]])
    districts = (["id", "name_th", "name_en", "province_id"], [["8301", "เมืองภูเก็ต", "Mueang Phuket", "66"]])
    _, _, said = _mapped(_screened(t00001=provinces, t00002=districts), "canonical")
    codes = set(said[said["property"] == "identifier"]["value"])
    assert codes == {"83", "8301"}
    assert set(said[said["property"] == "containedInPlace"]["value"]) == {"AdministrativeArea:identifier:83"}


def test_a_record_that_says_nothing_is_a_reject_with_its_place() -> None:
    out, count, _ = _mapped(_screened(t00001=(["name", "capacity"], [["Hall", "10"], [None, "-"], ["", "n/a"]])))
    assert (count.rows_in, count.rows_out, count.rejected) == (3, 1, 2)
    assert out.rejected(Disposition.REJECTED) == 2


def test_a_table_without_a_known_field_is_kept_as_text() -> None:
    _, count, said = _mapped(_screened(t00001=(["x", "y"], [["1", "2"], ["3", None]])))
    assert count.rejected == 0
    assert said["value"].tolist() == ["x: 1; y: 2", "x: 3"]
    assert set(said["property"]) == {"text"}


def test_rows_with_a_key_are_one_entity_wherever_they_stand() -> None:
    register = ["licence_no", "venue_name_en", "licensed_capacity"]
    _, _, first = _mapped(_screened(t00001=(register, [["A-1", "Hall", "10"]])), "regulator")
    _, _, later = _mapped(_screened(t00001=(register, [["A-0", "Other", "1"], ["A-1", "Hall", "10"]])), "regulator")
    assert set(first["entity_id"]) < set(later["entity_id"])


def test_rows_without_a_key_are_what_they_say_wherever_they_stand() -> None:
    fields = ["name", "capacity", "remark"]
    one, other, new = ["Hall", "10", "a"], ["Hall", "10", "b"], ["Pavilion", "5", None]
    _, _, first = _mapped(_screened(t00001=(fields, [one, other])))
    out, count, later = _mapped(_screened(t00001=(fields, [new, other, one, one])))
    assert count.emitted == 8
    assert first["entity_id"].nunique() == 2
    assert later["entity_id"].nunique() == 3
    assert set(first["entity_id"]) < set(later["entity_id"])
    (report,) = out.document("mapping")["tables"]
    assert (report["keyed"], report["records_without_key"]) == (False, 4)


def test_rows_of_a_register_that_lack_their_key_are_what_they_say() -> None:
    fields = ["licence_no", "venue_name_en", "licensed_capacity"]
    without = [None, "Hall", "10"]
    _, _, first = _mapped(_screened(t00001=(fields, [["A-1", "Hall", "10"], without])), "regulator")
    out, _, later = _mapped(_screened(t00001=(fields, [["A-0", "New", "1"], ["A-1", "X", "1"], without])), "regulator")
    assert set(first["entity_id"]) < set(later["entity_id"])
    (report,) = out.document("mapping")["tables"]
    assert (report["keyed"], report["records_without_key"]) == (True, 1)


def test_rows_whose_key_says_nothing_are_not_one_thing() -> None:
    fields = ["licence_no", "venue_name_en", "licensed_capacity"]
    keys = ["-", "n/a", " ", "ไม่มี"] * 2 + ["A-1"]
    rows: list[list[str | None]] = [[key, f"Hall {number}", "10"] for number, key in enumerate(keys)]
    out, _, said = _mapped(_screened(t00001=(fields, rows)), "regulator")
    assert said["entity_id"].nunique() == len(rows)
    (report,) = out.document("mapping")["tables"]
    assert (report["keyed"], report["records_without_key"]) == (True, len(rows) - 1)


def test_a_cell_that_says_nothing_says_nothing_in_a_template_a_beginning_or_a_pair_either() -> None:
    register = ["licence_no", "venue_name_en", "licensed_capacity", "tambon_code"]
    codes = ["-", " N/A", "ไม่มี", "830101"]
    rows: list[list[str | None]] = [[f"A-{number}", "Hall", "10", code] for number, code in enumerate(codes)]
    _, _, said = _mapped(_screened(t00001=(register, rows)), "regulator")
    within = said[said["property"] == "containedInPlace"]
    assert within["value"].tolist() == ["AdministrativeArea:identifier:830101"]
    districts = (["id", "name_th", "name_en", "province_id"], [["ไม่มี", "อำเภอหนึ่ง", "One", "66"]])
    fields = ["id", "name_th", "name_en", "district_id", "zip_code", "lat", "long"]
    places: list[list[str | None]] = [
        ["830101", "ตำบลหนึ่ง", "One", "--", "83000", "-", "-"],
        ["830102", "ตำบลสอง", "Two", "8301", "83000", "7.88", "n/a"],
        ["830103", "ตำบลสาม", "Three", "8301", "83000", "7.88", "98.39"],
    ]
    _, _, said = _mapped(_screened(t00001=districts, t00002=(fields, places)), "canonical")
    assert said[said["property"] == "containedInPlace"]["value"].tolist() == ["AdministrativeArea:identifier:8301"] * 2
    assert said[said["property"] == "geo"]["value"].tolist() == ["7.88,98.39"]


def test_a_property_that_the_type_does_not_have_is_unmapped_and_not_said() -> None:
    _, _, said = _mapped(_screened(t00001=(["event", "starts", "capacity"], [["Fair", "2026-01-01", "10"]])))
    allowed = CONTRACTS.vocabulary.type("Event").properties
    assert set(said["property"]) <= {*allowed, *CONTRACTS.vocabulary.type("Thing").properties}


def test_the_mapping_that_knows_most_fields_is_chosen_and_says_why() -> None:
    choice = choose(
        CONTRACTS.mappings,
        ["subdistrictCode", "subdistrictNameTh", "subdistrictNameEn", "districtCode"],
        "records",
        "canonical",
    )
    assert choice.mapping.id == "coded-subdistricts"
    assert "subdistrictCode" in choice.reason


def test_a_record_that_is_a_statement_is_taken_at_its_word() -> None:
    out, count, said = _mapped(_stated(["can-1", "Place", "name", "หาดป่าตอง", " หาดป่าตอง", "th", "x", "2020", None]))
    (row,) = said.to_dict("records")
    assert row == {
        "entity_id": entity_id(TENANT, SOURCE, "", "can-1"),
        "type": "Place",
        "property": "name",
        "value": "หาดป่าตอง",
        "raw_value": " หาดป่าตอง",
        "lang": "th",
        "datatype": "name",
        "locator": "o00001#row=2",
        "method": "map:as-stated@1.0.0",
        "valid_from": "2020",
        "valid_to": "",
    }
    assert count == StageCount("record", 1, 1, 0, 0, 1, "statement")
    assert out.documents["mapping"]["tables"][0]["mapping"] == "as-stated"


def test_statements_of_one_entity_stay_together_whatever_their_types() -> None:
    rows = [
        ["can-1", "Place", "name", "a"],
        ["can-1", "EventVenue", "name", "b"],
        ["can-2", "Place", "name", "c"],
    ]
    _, _, said = _mapped(_stated(*(row + [None] * 5 for row in rows)))
    first, second, other = said["entity_id"].tolist()
    assert first == second != other
    assert said["raw_value"].tolist() == ["a", "b", "c"]


def test_a_statement_that_the_contract_does_not_know_is_a_reject_with_its_reason() -> None:
    rows = [
        ["can-1", "Spaceship", "name", "a"],
        ["can-1", "Place", "warp", "a"],
        ["can-1", "Place", "name", None],
        [None, "Place", "name", "a"],
        ["can-1", "Place", "name", "a"],
    ]
    out, count, said = _mapped(_stated(*(row + [None] * 5 for row in rows)))
    assert [(reject["locator"], reject["code"]) for reject in out.rejects] == [
        ("o00001#row=2", "type-unknown"),
        ("o00001#row=3", "property-unknown"),
        ("o00001#row=4", "statement-incomplete"),
        ("o00001#row=5", "statement-incomplete"),
    ]
    assert out.rejected(Disposition.REJECTED) == 4
    assert said["locator"].tolist() == ["o00001#row=6"]
    assert count == StageCount("record", 5, 1, 4, 0, 1, "statement")


def _stated(*rows: list[str | None]) -> MemoryStage:
    fields = ["entity", "type", "property", "value", "raw_value", "lang", "datatype", "valid_from", "valid_to"]
    stage = _screened(t00001=(fields, list(rows)))
    table = stage.written["t00001"]
    table.descriptor = replace(table.descriptor, about={"shape": "statements"})
    return stage
