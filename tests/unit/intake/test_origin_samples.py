"""The samples of each origin are told for what they are and read in full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from importlib.resources import files

import pytest

from tenant_pipeline.intake.readers.calendar_events import looks_like_icalendar, read_icalendar
from tenant_pipeline.intake.readers.ckan_answer import looks_like_ckan, read_ckan
from tenant_pipeline.intake.readers.contact_cards import looks_like_vcard, read_vcard
from tenant_pipeline.intake.readers.data_catalogue import looks_like_dcat, read_dcat
from tenant_pipeline.intake.readers.geojson import looks_like_geojson, read_geojson
from tenant_pipeline.intake.readers.kml_places import looks_like_kml, read_kml
from tenant_pipeline.intake.readers.markdown_page import looks_like_markdown, read_markdown
from tenant_pipeline.intake.readers.odata_answer import looks_like_odata, read_odata
from tenant_pipeline.intake.readers.openapi_description import looks_like_openapi, read_openapi
from tenant_pipeline.intake.readers.sql_definitions import looks_like_sql, read_sql
from tenant_pipeline.intake.readers.yaml_records import looks_like_yaml, read_yaml
from tests.unit.intake.reader_outcome import Reader, problems, records

SAMPLES = files("tenant_pipeline.samples") / "origins"

EXPECTED: dict[str, tuple[Callable[[str, str], bool], Reader, dict[str, int]]] = {
    "regulator/ckan.json": (looks_like_ckan, read_ckan, {"fields": 7, "records": 3}),
    "regulator/dcat.ttl": (looks_like_dcat, read_dcat, {"datasets": 2, "distributions": 2}),
    "regulator/odata.json": (looks_like_odata, read_odata, {"Events": 3}),
    "system/openapi.yaml": (looks_like_openapi, read_openapi, {"info": 1, "endpoints": 3, "schemas": 9}),
    "system/schema.sql": (looks_like_sql, read_sql, {"tables": 3, "columns": 13}),
    "partner-doc/places.geojson": (looks_like_geojson, read_geojson, {"": 3}),
    "partner-doc/places.kml": (looks_like_kml, read_kml, {"placemarks": 2}),
    "partner-doc/events.ics": (looks_like_icalendar, read_icalendar, {"events": 2}),
    "partner-doc/organisations.vcf": (looks_like_vcard, read_vcard, {"contacts": 3}),
    "founder/vision.md": (looks_like_markdown, read_markdown, {"front matter": 1, "text": 3, "table 1": 2}),
    "concept/concept.md": (looks_like_markdown, read_markdown, {"text": 1, "table 1": 3}),
    "canonical/records.yaml": (looks_like_yaml, read_yaml, {"venues": 2, "events": 2}),
}


@pytest.mark.parametrize("path", EXPECTED)
def test_a_sample_is_told_for_what_it_is_and_read_in_full(path: str) -> None:
    looks_like, reader, tables = EXPECTED[path]
    content = SAMPLES.joinpath(*path.split("/")).read_bytes()
    assert looks_like(content.decode(), path)
    assert Counter(table for table, _, _ in records(reader, content)) == tables
    assert problems(reader, content) == []


@pytest.mark.parametrize("path", EXPECTED)
def test_a_sample_is_told_apart_from_every_other_kind(path: str) -> None:
    text = SAMPLES.joinpath(*path.split("/")).read_text(encoding="utf-8")
    told = {looks_like for looks_like, _, _ in EXPECTED.values() if looks_like(text, path)}
    ambiguous = {
        "system/openapi.yaml": {looks_like_openapi, looks_like_yaml},
        "canonical/records.yaml": {looks_like_yaml, looks_like_markdown},
    }
    assert told == ambiguous.get(path, {EXPECTED[path][0]})
