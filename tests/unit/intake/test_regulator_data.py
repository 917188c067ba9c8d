"""What regulators publish, catalogues and data, is read as records without going to the network."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_pipeline.intake.readers.ckan_answer import looks_like_ckan, read_ckan
from tenant_pipeline.intake.readers.data_catalogue import looks_like_dcat, read_dcat
from tenant_pipeline.intake.readers.odata_answer import looks_like_odata, read_odata
from tenant_pipeline.intake.readers.socrata_rows import looks_like_socrata, read_socrata
from tests.unit.intake.reader_outcome import Reader, holds_its_promise, mutated, problems, records, refusal

TURTLE = """@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
<https://data.example/arrivals> a dcat:Dataset ;
  dct:title "ผู้มาเยือน"@th, "Arrivals"@en-GB ;
  dct:description "By month."@en, "รายเดือน"@th ;
  dct:publisher [ foaf:name "Statistics Office" ] ;
  dcat:keyword "tourism", "ท่องเที่ยว"@th ;
  dct:issued "2024-01-01"^^xsd:date ;
  dct:license <https://licence.example/by> ;
  dcat:distribution <https://data.example/arrivals.csv>, [ dcat:accessURL <https://data.example/api> ] .
<https://data.example/arrivals.csv> dct:title "CSV" ; dcat:downloadURL <https://data.example/arrivals.csv> ;
  dcat:mediaType "text/csv" .
"""

RDF_XML = """<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:dcat="http://www.w3.org/ns/dcat#" xmlns:dct="http://purl.org/dc/terms/">
<dcat:Dataset rdf:about="https://data.example/halls"><dct:title>Halls</dct:title></dcat:Dataset></rdf:RDF>"""

JSON_LD = json.dumps({
    "@context": {"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/"},
    "@id": "https://data.example/halls", "@type": "dcat:Dataset",
    "dct:title": [{"@value": "Halls", "@language": "en"}],
})  # fmt: skip

CKAN_ROWS = json.dumps({"success": True, "result": {
    "fields": [{"id": "_id", "type": "int"}, {"id": "จังหวัด", "type": "text", "info": {"label": "Province"}},
               {"id": "2567", "type": "numeric"}],
    "records": [{"_id": 1, "จังหวัด": "ภูเก็ต", "2567": 1200}, [2, "กระบี่", 800], [3]]}})  # fmt: skip

CKAN_PACKAGE = {
    "id": "9", "name": "halls", "title": "Halls", "title_translated": {"th": "โถง", "en": "Halls"},
    "notes": "All halls",
    "organization": {"title": "Registry"}, "license_title": "Open", "metadata_created": "2024-01-01",
    "author": "Invented Person", "tags": [{"display_name": "mice"}, {"name": "venue"}],
    "extras": [{"key": "area", "value": "Phuket"}],
    "resources": [{"name": "List", "url": "https://data.example/halls.csv", "format": "CSV"}],
}  # fmt: skip

SOCRATA = json.dumps({
    "meta": {"view": {"name": "Halls", "columns": [
        {"name": "sid", "dataTypeName": "meta_data", "flags": ["hidden"]}, {"name": "Name", "dataTypeName": "text"},
        {"name": "Secret", "dataTypeName": "text", "flags": ["hidden"]},
        {"name": "Site", "dataTypeName": "url"}, {"name": "Place", "dataTypeName": "location"}]}},
    "data": [["r1", "Bay Hall", "x", ["https://bay.example", "site"],
              ['{"address": "1 Harbour Road", "city": "Phuket"}', "7.88", "98.39", None, False]], ["r2"]],
})  # fmt: skip

ODATA = json.dumps({"@odata.context": "https://api.example/$metadata#Venues", "@odata.count": 2, "value": [
    {"@odata.id": "Venues(1)", "Name": "Hall", "Opened@odata.type": "#Date",
     "Place": {"@odata.type": "x", "City": "A"}},
    {"Name": "Annex", "Rooms": [{"No": 1, "@odata.id": "r"}]}]})  # fmt: skip

ODATA_2 = json.dumps(
    {
        "d": {
            "results": [
                {
                    "__metadata": {"uri": "x"},
                    "Name": "Hall",
                    "Opened": "/Date(1577836800000)/",
                    "Rooms": {"__deferred": {}},
                }
            ]
        }
    }
)


@pytest.mark.parametrize("form", ["turtle", "xml", "json-ld"])
def test_datasets_and_distributions_of_a_catalogue_are_records(form: str) -> None:
    content = {"turtle": TURTLE, "xml": RDF_XML, "json-ld": JSON_LD}[form]
    found = records(read_dcat, content)
    if form != "turtle":
        name = "name" if form == "xml" else "name_en"
        assert found == [("datasets", "dataset=1", {"identifier": "https://data.example/halls", name: "Halls"})]
        return
    assert found == [
        ("datasets", "dataset=1", {
            "identifier": "https://data.example/arrivals", "name_th": "ผู้มาเยือน", "name_en": "Arrivals",
            "description": "By month.\nรายเดือน", "publisher": "Statistics Office", "keywords": "tourism; ท่องเที่ยว",
            "issued": "2024-01-01", "licence": "https://licence.example/by"}),
        ("distributions", "distribution=1", {
            "dataset": "https://data.example/arrivals", "name": "CSV", "url": "https://data.example/arrivals.csv",
            "media type": "text/csv"}),
        ("distributions", "distribution=2", {
            "dataset": "https://data.example/arrivals", "url": "https://data.example/api"}),
    ]  # fmt: skip


def _no_connection(*_: object) -> None:
    raise AssertionError("the reader went to the network")


@pytest.mark.parametrize("context", [
    "http://127.0.0.1:9/context.jsonld", "context.jsonld", [{"a": "http://a.example/"}, "http://127.0.0.1:9/"],
    {"a": {"@id": "http://a.example/", "@context": "http://127.0.0.1:9/"}}, {"@import": "http://127.0.0.1:9/"},
])  # fmt: skip
def test_a_context_that_lies_elsewhere_is_refused_and_not_fetched(
    context: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket.socket, "connect", _no_connection)
    content = json.dumps([{"deep": {**json.loads(JSON_LD), "@context": context}}])
    assert refusal(read_dcat, content) == "remote-context"


def test_entities_in_a_catalogue_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the secret")
    for entity in ('"expanded"', f'SYSTEM "{tmp_path / "secret"}"'):
        content = RDF_XML.replace("<rdf:RDF", f"<!DOCTYPE r [<!ENTITY e {entity}>]><rdf:RDF").replace(
            ">Halls<", ">&e;<"
        )
        assert refusal(read_dcat, content) == "entities-in-xml"


def test_ckan_rows_are_records_without_ckans_own_columns() -> None:
    assert records(read_ckan, CKAN_ROWS) == [
        ("fields", "/result/fields/1", {"name": "จังหวัด", "type": "text", "label": "Province"}),
        ("fields", "/result/fields/2", {"name": "2567", "type": "numeric"}),
        ("records", "/result/records/0", {"จังหวัด": "ภูเก็ต", "2567": "1200"}),
        ("records", "/result/records/1", {"จังหวัด": "กระบี่", "2567": "800"}),
    ]
    assert problems(read_ckan, CKAN_ROWS) == [("/result/records/2", "ragged-row")]


def test_ckan_packages_are_datasets_and_resources_and_people_are_left_out() -> None:
    dataset = {"name": "Halls", "name_th": "โถง", "name_en": "Halls", "identifier": "halls", "description": "All halls",
               "licence": "Open", "issued": "2024-01-01", "publisher": "Registry", "keywords": "mice; venue",
               "area": "Phuket"}  # fmt: skip
    resource = {"dataset": "halls", "name": "List", "url": "https://data.example/halls.csv", "media type": "CSV"}
    shown = json.dumps({"success": True, "result": CKAN_PACKAGE})
    assert records(read_ckan, shown) == [
        ("datasets", "/result", dataset),
        ("resources", "/result/resources/0", resource),
    ]
    searched = json.dumps({"success": True, "result": {"count": 1, "results": [CKAN_PACKAGE, 5]}})
    assert records(read_ckan, searched)[1] == ("resources", "/result/results/0/resources/0", resource)
    assert problems(read_ckan, searched) == [("/result/results/1", "broken-dataset")]


def test_socrata_rows_have_their_columns_names_and_hidden_columns_are_left_out() -> None:
    assert records(read_socrata, SOCRATA) == [
        ("data", "/data/0", {"Name": "Bay Hall", "Site": "https://bay.example",
                             "Place.address": "1 Harbour Road, Phuket", "Place.latitude": "7.88",
                             "Place.longitude": "98.39"}),
    ]  # fmt: skip
    assert problems(read_socrata, SOCRATA) == [("/data/1", "ragged-row")]


def test_odata_entities_are_records_without_control_information() -> None:
    assert records(read_odata, ODATA) == [
        ("Venues", "/value/0", {"Name": "Hall", "Place.City": "A"}),
        ("Venues", "/value/1", {"Name": "Annex", "Rooms": '[{"No": 1}]'}),
    ]
    assert records(read_odata, ODATA_2) == [
        ("entities", "/d/results/0", {"Name": "Hall", "Opened": "2020-01-01T00:00:00+00:00"})
    ]
    one = json.dumps({"@odata.context": "https://api.example/$metadata#Venues/$entity", "Name": "Hall"})
    assert records(read_odata, one) == [("Venues", "/", {"Name": "Hall"})]


@pytest.mark.parametrize(
    ("reader", "content", "code"),
    [
        (read_dcat, "@prefix", "broken-rdf"),
        (read_dcat, "<?xml version='1.0'?><a>", "broken-xml"),
        (read_dcat, "{", "broken-json"),
        (read_dcat, "<a:b> <a:c> <a:d> .", "no-dataset"),
        (read_ckan, '{"success": false, "error": {}}', "failed-answer"),
        (read_ckan, '{"success": true, "result": [1]}', "not-ckan"),
        (read_ckan, '{"success": tr', "broken-json"),
        (read_socrata, '{"meta": {}, "data": []}', "not-socrata"),
        (read_odata, '{"@odata.context": "x"}', "not-odata"),
        (read_odata, '{"value": [' + '{"a": ' * 9000 + "1" + "}" * 9000 + "]}", "too-deep"),
    ],
)
def test_what_is_broken_or_of_another_kind_is_refused_by_name(reader: Reader, content: str, code: str) -> None:
    assert refusal(reader, content) == code


def test_each_kind_of_answer_is_told_by_its_content() -> None:
    answers = [TURTLE, RDF_XML, JSON_LD, CKAN_ROWS, json.dumps({"success": True, "result": CKAN_PACKAGE}), SOCRATA,
               ODATA, ODATA_2, '{"value": 1}', "@prefix a: <b> ."]  # fmt: skip
    assert [looks_like_dcat(each, "a") for each in answers] == [True] * 3 + [False] * 7
    assert [looks_like_ckan(each, "a") for each in answers] == [False] * 3 + [True] * 2 + [False] * 5
    assert [looks_like_socrata(each, "a") for each in answers] == [False] * 5 + [True] + [False] * 4
    assert [looks_like_odata(each, "a") for each in answers] == [False] * 6 + [True] * 2 + [False] * 2


@pytest.mark.parametrize(
    ("reader", "sample"),
    [
        (read_dcat, TURTLE),
        (read_dcat, RDF_XML),
        (read_dcat, JSON_LD),
        (read_ckan, CKAN_ROWS),
        (read_ckan, json.dumps({"result": CKAN_PACKAGE})),
        (read_socrata, SOCRATA),
        (read_odata, ODATA),
    ],
)
def test_no_catalogue_or_answer_breaks_its_reader(reader: Reader, sample: str) -> None:
    @settings(max_examples=60, deadline=None)
    @given(content=st.one_of(st.binary(max_size=100), st.text(max_size=60).map(str.encode), mutated(sample.encode())))
    def holds(content: bytes) -> None:
        holds_its_promise(reader, content)

    holds()
