"""Descriptions of systems, and records in plain text formats, are read and refused by name."""

from __future__ import annotations

import io
import json
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_pipeline.intake.readers.markdown_page import looks_like_markdown, read_markdown
from tenant_pipeline.intake.readers.openapi_description import looks_like_openapi, read_openapi
from tenant_pipeline.intake.readers.parquet_table import looks_like_parquet, read_parquet
from tenant_pipeline.intake.readers.sql_definitions import looks_like_sql, read_sql
from tenant_pipeline.intake.readers.yaml_records import looks_like_yaml, read_yaml
from tests.unit.intake.reader_outcome import Reader, holds_its_promise, mutated, problems, records, refusal

OPENAPI = """openapi: 3.0.3
info: {title: Hall booking, version: 1.10, description: Books halls.}
paths:
  /halls/{id}:
    parameters: []
    get: {operationId: getHall, summary: One hall, tags: [halls, public]}
    delete: {description: Gives it up}
components:
  schemas:
    Hall:
      required: [name]
      properties:
        name: {type: string, description: ชื่อ}
        opened: {type: string, format: date}
        rooms: {type: array, items: {$ref: '#/components/schemas/Room'}}
    Room:
      allOf:
        - $ref: '#/components/schemas/Hall'
        - properties: {floor: {type: integer}}
    Colour: {type: string, description: One of three}
"""

POSTGRES = """-- a dump; of halls
SET client_encoding = 'UTF8';
CREATE TABLE public.halls (
    id serial PRIMARY KEY, -- the key
    name varchar(80) NOT NULL DEFAULT 'a;b',
    place_id int
);
CREATE FUNCTION f() RETURNS int AS $$ BEGIN; RETURN 1; END $$ LANGUAGE plpgsql;
COPY public.halls (id, name) FROM stdin;
1\tit's; here
\\.
CREATE TABLE public.places (id int, kind text, note text, PRIMARY KEY (id, kind));
COMMENT ON TABLE public.halls IS 'Halls to rent';
COMMENT ON COLUMN public.halls.name IS 'ชื่อ';
ALTER TABLE ONLY public.halls ADD CONSTRAINT p FOREIGN KEY (place_id) REFERENCES public.places(id);
CREATE TABLE broken (id int,;
INSERT INTO public.halls VALUES (1, 'x');
gibberish here;
"""

MYSQL = """CREATE TABLE `events` (
  `id` int unsigned NOT NULL AUTO_INCREMENT COMMENT 'it\\'s the key; really',
  `hall` int DEFAULT NULL REFERENCES `halls` (`id`),
  PRIMARY KEY (`id`)
) ENGINE=InnoDB COMMENT='Events';
"""

TSQL = """CREATE TABLE [dbo].[venue] ([id] [int] IDENTITY(1,1) NOT NULL,
 [name] [nvarchar](max) NULL CONSTRAINT [d] DEFAULT (getdate())) ON [PRIMARY]
GO
CREATE TABLE [dbo].[room] ([id] [int])
GO
"""

YAML = """# halls
halls:
  - name: ศูนย์ประชุม
    postcode: 083000
    opens: 9:30
    country: NO
    closed: ~
    rooms: [A, B]
  - {name: Annex, place: {lat: 7.88}}
region: Phuket
"""


MARKDOWN = """---
title: Vision
date: 2026-01-01
tags: [mice, ภูเก็ต]
---

Why we do it.

# Halls
| name | seats |
|---|---|
| Bay | 10 |

## Small ones
Few.

```
# not a heading
```

# Events
None yet.
"""

PAGES = (
    "# Halls\n\nHow they are kept; see the annex.\n\n```sql\nCREATE TABLE halls (id int);\n```\n",
    "With this note comes what is kept.\n\n    CREATE TABLE halls (id int);\n",
    "Create a table of halls (see annex)\nand show it.\n",
    "# Halls\n\nAs follows:\n\n```yaml\nopenapi: 3.0.0\npaths: {}\n```\n",
    "<html><p>So:</p><pre>\n  openapi: 3.0.0\n  paths: {}\n</pre></html>",
    '{\n  "of": {\n    "openapi": "3.0.0"\n  },\n  "paths": []\n}',
)
"""Pages and data that show a description, and are none."""


def _parquet() -> bytes:
    place = pa.struct([("lat", pa.float64()), ("lon", pa.float64())])
    table = pa.table({
        "name": pa.array(["โถง", None, "Annex"]),
        "place": pa.array([{"lat": 7.88, "lon": 98.39}, None, {"lat": 8.0, "lon": None}], place),
        "opened": pa.array([date(2026, 1, 1), None, None]),
        "rooms": pa.array([["A", "B"], [], None]),
        "halls": pa.array([[{"no": 1, "since": date(2020, 1, 1)}], None, None]),
        "names": pa.array([[("en", "Hall")], None, None], pa.map_(pa.string(), pa.string())),
        "price": pa.array([Decimal("10.50"), None, None]),
        "mark": pa.array([b"\xff\x00", b"abc", None]),
    })  # fmt: skip
    written = io.BytesIO()
    pq.write_table(table, written, row_group_size=2)
    return written.getvalue()


def test_parquet_rows_are_records_with_nested_columns_flattened() -> None:
    assert records(read_parquet, _parquet()) == [
        ("", "row=1", {"name": "โถง", "place.lat": "7.88", "place.lon": "98.39", "opened": "2026-01-01",
                       "rooms": "A; B", "halls": '[{"no": 1, "since": "2020-01-01"}]', "names.en": "Hall",
                       "price": "10.50", "mark": "ff00"}),
        ("", "row=2", {"mark": "abc"}),
        ("", "row=3", {"name": "Annex", "place.lat": "8"}),
    ]  # fmt: skip


def test_front_matter_is_a_record_and_each_section_a_segment_with_its_line() -> None:
    assert records(read_markdown, MARKDOWN) == [
        ("front matter", "line=1", {"headline": "Vision", "published": "2026-01-01", "tags": "mice; ภูเก็ต"}),
        ("text", "line=7", {"title": "Vision", "text": "Why we do it."}),
        (
            "text",
            "line=9",
            {"title": "Vision", "section": "Halls", "text": "\n".join(MARKDOWN.split("\n")[8:19]).strip()},
        ),
        ("text", "line=21", {"title": "Vision", "section": "Events", "text": "# Events\nNone yet."}),
        ("table 1", "table=1&line=12", {"name": "Bay", "seats": "10"}),
    ]


def test_a_page_without_front_matter_has_its_first_heading_for_its_title() -> None:
    assert records(read_markdown, "# Halls\r\n\r\ntext\r\n## More\r\n") == [
        ("text", "line=1", {"title": "Halls", "section": "Halls", "text": "# Halls\n\ntext\n## More"})
    ]


def test_front_matter_that_cannot_be_read_costs_only_itself() -> None:
    page = "---\na: [\n---\nText.\n"
    assert problems(read_markdown, page) == [("line=1", "broken-yaml")]
    assert records(read_markdown, page) == [("text", "line=4", {"text": "Text."})]


def test_an_openapi_description_is_a_segment_its_endpoints_and_its_schemas_fields() -> None:
    place = "/components/schemas"
    assert records(read_openapi, OPENAPI) == [
        ("info", "/info", {"title": "Hall booking", "text": "Books halls.", "version": "1.10"}),
        ("endpoints", "/paths/~1halls~1{id}/get", {
            "path": "/halls/{id}", "method": "get", "name": "getHall", "description": "One hall",
            "tags": "halls; public"}),
        ("endpoints", "/paths/~1halls~1{id}/delete", {
            "path": "/halls/{id}", "method": "delete", "description": "Gives it up"}),
        ("schemas", f"{place}/Hall/properties/name", {
            "schema": "Hall", "name": "name", "type": "string", "description": "ชื่อ", "required": "true"}),
        ("schemas", f"{place}/Hall/properties/opened", {
            "schema": "Hall", "name": "opened", "type": "string (date)", "required": "false"}),
        ("schemas", f"{place}/Hall/properties/rooms", {
            "schema": "Hall", "name": "rooms", "type": "array of Room", "required": "false"}),
        ("schemas", f"{place}/Room/allOf/1/properties/floor", {
            "schema": "Room", "name": "floor", "type": "integer", "required": "false"}),
        ("schemas", f"{place}/Colour", {"schema": "Colour", "type": "string", "description": "One of three"}),
    ]  # fmt: skip


def test_an_openapi_2_description_in_json_is_read_too() -> None:
    swagger = {"swagger": "2.0", "paths": {"/a": {"post": {"operationId": "p"}}},
               "definitions": {"A": {"properties": {"x": {"type": "number"}}}}}  # fmt: skip
    assert [locator for _, locator, _ in records(read_openapi, json.dumps(swagger))] == [
        "/paths/~1a/post",
        "/definitions/A/properties/x",
    ]


def test_sql_definitions_are_tables_and_columns_with_what_is_said_of_them_later() -> None:
    found = records(read_sql, POSTGRES)
    assert found[:2] == [
        ("tables", "line=3", {"name": "public.halls", "comment": "Halls to rent"}),
        ("tables", "line=12", {"name": "public.places"}),
    ]
    assert found[2:6] == [
        ("columns", "line=4&column=1", {"table": "public.halls", "name": "id", "type": "SERIAL", "nullable": "false",
                                        "comment": "the key"}),
        ("columns", "line=5&column=2", {"table": "public.halls", "name": "name", "type": "VARCHAR(80)",
                                        "nullable": "false", "default": "'a;b'", "comment": "ชื่อ"}),
        ("columns", "line=6&column=3", {"table": "public.halls", "name": "place_id", "type": "INT",
                                        "nullable": "true", "references": "public.places.id"}),
        ("columns", "line=12&column=1", {"table": "public.places", "name": "id", "type": "INT", "nullable": "false"}),
    ]  # fmt: skip
    assert [values["nullable"] for _, _, values in found[5:]] == ["false", "false", "true"]


def test_sql_that_cannot_be_parsed_or_holds_rows_is_a_problem_with_its_line() -> None:
    assert problems(read_sql, POSTGRES) == [
        ("line=9", "rows-in-sql"),
        ("line=17", "rows-in-sql"),
        ("line=18", "broken-statement"),
        ("line=16", "broken-statement"),
    ]


def test_sql_of_other_dialects_is_read_by_trying_them() -> None:
    assert records(read_sql, MYSQL) == [
        ("tables", "line=1", {"name": "events", "comment": "Events"}),
        ("columns", "line=2&column=1", {"table": "events", "name": "id", "type": "INT UNSIGNED", "nullable": "false",
                                        "comment": "it's the key; really"}),
        ("columns", "line=3&column=2", {"table": "events", "name": "hall", "type": "INT", "nullable": "true",
                                        "default": "NULL", "references": "halls.id"}),
    ]  # fmt: skip
    assert [(locator, values["name"]) for table, locator, values in records(read_sql, TSQL) if table == "columns"] == [
        ("line=1&column=1", "id"),
        ("line=2&column=2", "name"),
        ("line=4&column=1", "id"),
    ]
    sqlite = "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, b);"
    assert [values["name"] for table, _, values in records(read_sql, sqlite) if table == "columns"] == ["id", "b"]


def test_yaml_records_keep_their_values_as_they_are_written() -> None:
    assert records(read_yaml, YAML) == [
        ("halls", "/halls/0", {"name": "ศูนย์ประชุม", "postcode": "083000", "opens": "9:30", "country": "NO",
                               "rooms": "A; B"}),
        ("halls", "/halls/1", {"name": "Annex", "place.lat": "7.88"}),
        ("", "/", {"region": "Phuket"}),
    ]  # fmt: skip


def test_yaml_documents_of_a_stream_are_told_apart() -> None:
    assert records(read_yaml, "---\nname: A\n---\n- name: B\n") == [
        ("", "document=1&pointer=/", {"name": "A"}),
        ("", "document=2&pointer=/0", {"name": "B"}),
    ]


def test_yaml_anchors_and_merges_are_followed() -> None:
    text = "a: &a {city: Phuket, seats: 1}\nb: {<<: *a, seats: 2}\n"
    assert records(read_yaml, text)[1] == ("", "/b", {"key": "b", "city": "Phuket", "seats": "2"})


@pytest.mark.parametrize(
    "merge", ["[{0},{0},{0},{0},{0},{0},{0},{0},{0}]", "{{<<: [{0},{0},{0},{0},{0},{0},{0},{0},{0}]}}"]
)
def test_yaml_whose_aliases_blow_up_is_refused_before_they_do(merge: str) -> None:
    lines = ["a0: &a0 {x: 1, y: 2}"]
    lines += [f"a{level}: &a{level} {merge.format(f'*a{level - 1}')}" for level in range(1, 10)]
    assert refusal(read_yaml, "\n".join(lines)) == "yaml-bomb"
    assert refusal(read_yaml, "a: &a [*a]") == "yaml-bomb"


@pytest.mark.parametrize(
    ("reader", "content", "code"),
    [
        (read_openapi, "{", "broken-json"),
        (read_openapi, "a: b: c", "broken-yaml"),
        (read_openapi, "name: x", "not-openapi"),
        (read_yaml, "a: [", "broken-yaml"),
        (read_yaml, "a: !!python/object/apply:os.system [x]", "broken-yaml"),
        (read_yaml, "[" * 500_000, "broken-yaml"),
        (read_parquet, "PAR1 nothing", "broken-parquet"),
        (read_parquet, "", "broken-parquet"),
        (read_sql, "SELECT 1;", "no-table-defined"),
        (read_sql, "CREATE TABLE x (" + "(" * 5000, "no-table-defined"),
    ],
)
def test_what_is_broken_or_of_another_kind_is_refused_by_name(reader: Reader, content: str, code: str) -> None:
    assert refusal(reader, content) == code


def test_each_description_is_told_by_its_content() -> None:
    samples = [OPENAPI, POSTGRES, YAML, "name,city\nA,B\n", "# Title\n\nText: yes\n", "A note.\nSecond line.\n"]
    assert [looks_like_openapi(each, "a") for each in samples] == [True, False, False, False, False, False]
    assert [looks_like_sql(each, "a") for each in samples] == [False, True, False, False, False, False]
    assert [looks_like_yaml(each, "a") for each in samples] == [True, False, True, False, False, False]
    assert all(looks_like_sql(each, "a") for each in (MYSQL, TSQL, "create table if not exists a.b (c int)"))
    assert looks_like_openapi('{"swagger": "2.0", "paths": {}}', "a.json")
    assert looks_like_openapi('{\n  "info": {},\n  "openapi": "3.1.0",\n  "paths": {}\n}', "a.json")
    assert looks_like_openapi("# Halls\n---\ninfo:\n  title: A\nopenapi: 3.1.0\npaths: {}\n", "a.yaml")
    assert [each for each in PAGES if looks_like_sql(each, "a") or looks_like_openapi(each, "a.md")] == []
    shown = "# Somchai's; halls\n\nCREATE TABLE halls (id int);\nCREATE TABLE ห้อง (id int);\n"
    assert looks_like_sql(shown, "a.sql")
    assert not looks_like_sql(shown, "a.md")
    assert looks_like_yaml("name: A\ncity: B\n", "a.yaml")
    assert [looks_like_markdown(each, "a") for each in [MARKDOWN, *samples[3:]]] == [True, False, True, False]
    assert looks_like_markdown("plain", "a.md")
    assert looks_like_parquet(_parquet()[:64].decode("latin-1"), "a")
    assert not looks_like_yaml(MARKDOWN, "a")
    assert not looks_like_yaml("- milk\n- eggs\n  and ham\n- tea: green\n", "list")
    assert not looks_like_yaml("From: a\nTo: b\nSubject: c\n", "letter.txt")


@pytest.mark.parametrize(
    ("reader", "sample"),
    [
        (read_openapi, OPENAPI),
        (read_sql, POSTGRES),
        (read_sql, MYSQL),
        (read_yaml, YAML),
        (read_markdown, MARKDOWN),
    ],
)
def test_no_description_breaks_its_reader(reader: Reader, sample: str) -> None:
    @settings(max_examples=60, deadline=None)
    @given(content=st.one_of(st.binary(max_size=100), st.text(max_size=60).map(str.encode), mutated(sample.encode())))
    def holds(content: bytes) -> None:
        holds_its_promise(reader, content)

    holds()


@settings(max_examples=60, deadline=None)
@given(content=st.one_of(st.binary(max_size=100), mutated(_parquet())))
def test_no_parquet_file_breaks_the_reader(content: bytes) -> None:
    holds_its_promise(read_parquet, content)
