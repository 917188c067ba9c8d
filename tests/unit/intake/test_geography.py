"""Maps, tracks, contacts and calendars are read as records with the fields that places and events have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_pipeline.intake.readers.calendar_events import looks_like_icalendar, read_icalendar
from tenant_pipeline.intake.readers.contact_cards import looks_like_vcard, read_vcard
from tenant_pipeline.intake.readers.geojson import looks_like_geojson, read_geojson
from tenant_pipeline.intake.readers.gpx_track import looks_like_gpx, read_gpx
from tenant_pipeline.intake.readers.kml_places import looks_like_kml, read_kml
from tests.unit.intake.reader_outcome import Reader, holds_its_promise, mutated, problems, records, refusal

SHARED_DATA = Path(__file__).resolve().parents[4] / "shared" / "data"

GEOJSON = json.dumps({"type": "FeatureCollection", "features": [
    {"type": "Feature", "id": 7, "properties": {"name": "ท่าเรือ", "seats": {"hall": 10}},
     "geometry": {"type": "Point", "coordinates": [98.39, 7.88]}},
    {"type": "Feature", "properties": None, "geometry": {"type": "LineString", "coordinates": [[98, 7], [99, 8]]}},
]})  # fmt: skip

KML = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:atom="http://www.w3.org/2005/Atom"><Document><name>Phuket</name>
<Folder><name>Venues</name><Placemark id="a"><name>ศูนย์ประชุม</name>
<description><![CDATA[<b>Large</b> hall<br>by the bay &amp; beach<script>alert(1)</script>]]></description>
<address>1 Harbour Road</address><phoneNumber>+66 76 000 000</phoneNumber><atom:link href="https://bay.example"/>
<TimeSpan><begin>2026-01-01</begin><end>2026-01-03</end></TimeSpan>
<ExtendedData><Data name="capacity"><displayName>Seats</displayName><value>300</value></Data>
<SchemaData schemaUrl="#s"><SimpleData name="name">Bay Centre</SimpleData></SchemaData></ExtendedData>
<Point><coordinates>98.39,7.88,0</coordinates></Point></Placemark></Folder>
<Placemark><name>Route</name><LineString><coordinates>98,7 99,8</coordinates></LineString></Placemark>
<Placemark><name>Nowhere</name><Point><coordinates>x,y</coordinates></Point></Placemark></Document></kml>"""

GPX = """<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">
<metadata><name>Trip</name></metadata>
<wpt lat="7.88" lon="98.39">
<ele>12.5</ele><time>2026-01-01T09:00:00Z</time><name>Pier</name><desc>the &lt;b&gt;old&lt;/b&gt; one</desc></wpt>
<rte><name>Walk</name><rtept lat="1" lon="2"/><rtept lat="1" lon="3"/></rte>
<trk><name>Ride</name><trkseg><trkpt lat="1" lon="2"/></trkseg><trkseg><trkpt lat="1" lon="2"/></trkseg></trk></gpx>"""

VCARD = """BEGIN:VCARD
VERSION:2.1
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E0=B8=A8=E0=B8=B9=E0=B8=99=
=E0=B8=A2=E0=B9=8C
ORG:Bay Centre;Events
TITLE:Booking desk
TEL;WORK;VOICE:+66 76 000 000
TEL;FAX:+66 76 000 001
EMAIL;INTERNET:info@bay.example
ADR;WORK:;;1 Harbour Road;Mueang;Phuket;83000;Thailand
URL:https://bay.example
GEO:7.88;98.39
END:VCARD
BEGIN:VCARD
VERSION:3.0
this line is none
END:VCARD
BEGIN:VCARD
VERSION:4.0
KIND:org
FN:Andaman
  Events\\, Ltd
TEL;VALUE=uri:tel:+66-76-111-111
GEO:geo:7.9,98.3
END:VCARD
"""

ICALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Asia/Bangkok
END:VTIMEZONE
BEGIN:VEVENT
UID:expo-2026@bay.example
DTSTART;TZID=Asia/Bangkok:20260101T090000
DURATION:PT90M
SUMMARY:Bay Expo\\, 2026
LOCATION:ศูนย์ประชุม
DESCRIPTION:First line
 \\nsecond
ORGANIZER;CN="Bay Centre":mailto:info@bay.example
GEO:7.88;98.39
URL:https://bay.example/expo
RRULE:FREQ=DAILY;COUNT=2
BEGIN:VALARM
TRIGGER:-PT15M
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:fair
SUMMARY:Fair
DTSTART;VALUE=DATE:20260105
DTEND;VALUE=DATE:20260108
END:VEVENT
BEGIN:VEVENT
UID:cut
"""


def test_geojson_features_keep_a_point_as_coordinates_and_another_shape_as_json() -> None:
    assert records(read_geojson, GEOJSON) == [
        ("", "/features/0", {"name": "ท่าเรือ", "seats.hall": "10", "id": "7", "geometry.type": "Point",
                             "longitude": "98.39", "latitude": "7.88"}),
        ("", "/features/1", {"geometry.type": "LineString",
                             "geometry": '{"type": "LineString", "coordinates": [[98, 7], [99, 8]]}'}),
    ]  # fmt: skip


def test_a_single_geojson_feature_is_one_record() -> None:
    one = json.dumps({"type": "Feature", "properties": {"name": "a"}, "geometry": None})
    assert records(read_geojson, "\ufeff" + one) == [("", "/", {"name": "a"})]


def test_geojson_text_that_is_no_character_can_still_be_stored() -> None:
    feature = '{"type": "Feature", "properties": {"name": "a\\ud800\\u0000"}, "geometry": null}'
    ((_, _, values),) = records(read_geojson, feature)
    assert values == {"name": "a\ufffd\ufffd"}


def test_kml_placemarks_are_records_with_their_folder_and_extended_data() -> None:
    assert records(read_kml, KML) == [
        ("placemarks", "placemark=1", {
            "name": "ศูนย์ประชุม", "description": "Large hall by the bay & beach", "address": "1 Harbour Road",
            "telephone": "+66 76 000 000", "url": "https://bay.example", "start date": "2026-01-01",
            "end date": "2026-01-03", "capacity": "300", "name (2)": "Bay Centre", "geometry.type": "Point",
            "longitude": "98.39", "latitude": "7.88", "folder": "Phuket/Venues"}),
        ("placemarks", "placemark=2", {
            "name": "Route", "geometry.type": "LineString", "folder": "Phuket",
            "geometry": '{"type": "LineString", "coordinates": [[98.0, 7.0], [99.0, 8.0]]}'}),
        ("placemarks", "placemark=3", {"name": "Nowhere", "folder": "Phuket"}),
    ]  # fmt: skip


def test_gpx_waypoints_are_places_and_tracks_know_the_number_of_their_points() -> None:
    assert records(read_gpx, GPX) == [
        ("waypoints", "waypoint=1", {"name": "Pier", "description": "the old one", "latitude": "7.88",
                                     "longitude": "98.39", "elevation": "12.5", "time": "2026-01-01T09:00:00Z"}),
        ("routes", "route=1", {"name": "Walk", "points": "2"}),
        ("tracks", "track=1", {"name": "Ride", "points": "2"}),
    ]  # fmt: skip


def test_vcards_of_all_versions_are_records_and_a_broken_one_is_a_problem() -> None:
    assert records(read_vcard, VCARD) == [
        ("contacts", "card=1", {
            "name": "ศูนย์", "organization": "Bay Centre, Events", "job title": "Booking desk",
            "telephone": "+66 76 000 000; +66 76 000 001", "email": "info@bay.example", "url": "https://bay.example",
            "address": "1 Harbour Road, Mueang, Phuket, 83000, Thailand", "city": "Mueang", "postal code": "83000",
            "country": "Thailand", "latitude": "7.88", "longitude": "98.39"}),
        ("contacts", "card=3", {"name": "Andaman Events, Ltd", "telephone": "+66-76-111-111", "latitude": "7.9",
                                "longitude": "98.3", "kind": "org"}),
    ]  # fmt: skip
    assert problems(read_vcard, VCARD) == [("card=2", "broken-card")]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("N:Jaidee;Somchai;;;\nFN:Somchai Jaidee\nORG:Bay Centre",
         {"name": "Bay Centre", "organization": "Bay Centre", "contact person": "Somchai Jaidee"}),
        ("N:ใจดี;สมชาย;;นาย;\nKIND:individual", {"contact person": "นาย สมชาย ใจดี", "kind": "individual"}),
        ("N:Bay Centre;;;;\nFN:Bay Centre\nORG:Bay Centre;Events",
         {"name": "Bay Centre", "organization": "Bay Centre, Events"}),
        ("N:;;;;\nFN:Bay Centre", {"name": "Bay Centre"}),
        ("N:Centre;Bay;;;\nFN:Bay Centre\nKIND:org", {"name": "Bay Centre", "kind": "org"}),
        ("N:Centre;Bay;;;\nFN:Bay Centre\nX-ABShowAs:COMPANY", {"name": "Bay Centre"}),
        ("FN:Somchai Jaidee\nKIND:Individual", {"contact person": "Somchai Jaidee", "kind": "Individual"}),
        ("FN:Somchai Jaidee", {"name": "Somchai Jaidee"}),
        ("N:;Somchai Jaidee;;;\nFN:Somchai Jaidee", {"contact person": "Somchai Jaidee"}),
        ("N:;Patong Beach Hotel;;;\nFN:Patong Beach Hotel", {"name": "Patong Beach Hotel"}),
        ("N:;โรงแรมป่าตอง;;;\nFN:โรงแรมป่าตอง", {"name": "โรงแรมป่าตอง"}),
        ("N:;สมชาย โรงแรมป่าตอง;;;\nFN:สมชาย โรงแรมป่าตอง", {"contact person": "สมชาย โรงแรมป่าตอง"}),
        ("N:;普吉海滩酒店;;;\nFN:普吉海滩酒店", {"name": "普吉海滩酒店"}),
    ],
)  # fmt: skip
def test_a_person_on_a_card_stands_in_a_field_of_persons(lines: str, expected: dict[str, str]) -> None:
    (found,) = records(read_vcard, f"BEGIN:VCARD\nVERSION:3.0\n{lines}\nEND:VCARD\n")
    assert found == ("contacts", "card=1", expected)


def test_calendar_events_have_their_times_and_one_of_whole_days_ends_on_its_last_day() -> None:
    assert records(read_icalendar, ICALENDAR.replace("\n", "\r\n")) == [
        ("events", "event=1", {
            "name": "Bay Expo, 2026", "start date": "2026-01-01T09:00:00+07:00",
            "end date": "2026-01-01T10:30:00+07:00", "location": "ศูนย์ประชุม", "description": "First line second",
            "organizer": "Bay Centre", "url": "https://bay.example/expo", "latitude": "7.88", "longitude": "98.39",
            "identifier": "expo-2026@bay.example", "recurrence rule": "FREQ=DAILY;COUNT=2"}),
        ("events", "event=2", {"name": "Fair", "start date": "2026-01-05", "end date": "2026-01-07",
                               "identifier": "fair"}),
    ]  # fmt: skip
    assert problems(read_icalendar, ICALENDAR) == [("event=3", "broken-event")]


@pytest.mark.parametrize(
    ("reader", "content", "code"),
    [
        (read_geojson, "[]", "not-geojson"),
        (read_geojson, '{"features": [{"a"', "broken-json"),
        (read_kml, "<kml><Placemark>", "broken-xml"),
        (read_kml, "<gpx/>", "not-kml"),
        (read_gpx, "<gpx><wpt></gpx>", "broken-xml"),
        (read_gpx, "<kml/>", "not-gpx"),
        (read_kml, "<a>" * 5000, "not-kml"),
        (read_kml, "<kml>" * 5000, "broken-xml"),
    ],
)
def test_what_is_broken_or_of_another_kind_is_refused_by_name(reader: Reader, content: str, code: str) -> None:
    assert refusal(reader, content) == code


def test_entities_in_maps_are_not_expanded(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the secret")
    for reader, body in ((read_kml, "<kml><Placemark>{}</Placemark></kml>"), (read_gpx, "<gpx><wpt>{}</wpt></gpx>")):
        doctype = f'<!DOCTYPE x [<!ENTITY a "within"><!ENTITY e SYSTEM "{tmp_path / "secret"}">]>'
        found = str(records(reader, doctype + body.format("<name>Hall &a; &e;</name>")))
        assert "Hall" in found
        assert "secret" not in found
        assert "within" not in found


@pytest.mark.parametrize(
    ("looks_like", "sample"),
    [
        (looks_like_geojson, GEOJSON),
        (looks_like_kml, KML),
        (looks_like_gpx, GPX),
        (looks_like_vcard, VCARD),
        (looks_like_icalendar, ICALENDAR),
    ],
)
def test_each_kind_is_told_by_its_content(looks_like: object, sample: str) -> None:
    assert callable(looks_like)
    pages = ("# How to\n\n    <kml xmlns='x'>\n    <gpx version='1.1'>\n", "<html><pre>\n<kml >\n<gpx >\n</pre></html>")
    others = ("name,city\n", "{}", *pages)
    found = [each for each in (GEOJSON, KML, GPX, VCARD, ICALENDAR, *others) if looks_like(each, "a.txt")]
    assert found == [sample]


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the shared data folder is not beside this checkout")
def test_real_bus_stops_have_a_place() -> None:
    stops = SHARED_DATA / "phuket_smart_bus" / "server" / "data" / "upstream" / "bus_stop_all.geojson"
    found = records(read_geojson, stops.read_bytes())
    assert len(found) == len(json.loads(stops.read_bytes())["features"])
    assert all("longitude" in values for _, _, values in found)


@pytest.mark.parametrize(
    ("reader", "sample"),
    [(read_geojson, GEOJSON), (read_kml, KML), (read_gpx, GPX), (read_vcard, VCARD), (read_icalendar, ICALENDAR)],
)
def test_no_map_card_or_calendar_breaks_its_reader(reader: Reader, sample: str) -> None:
    @settings(max_examples=60, deadline=None)
    @given(content=st.one_of(st.binary(max_size=100), mutated(sample.encode())))
    def holds(content: bytes) -> None:
        holds_its_promise(reader, content)

    holds()
