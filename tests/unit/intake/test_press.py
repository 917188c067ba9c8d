"""What the press sends is read: pages with JSON-LD and spanned tables, NewsML-G2, and feeds with places."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tenant_pipeline.samples
from tenant_pipeline.intake.readers.html_page import read_html
from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items, Problem, UnreadableError
from tenant_pipeline.intake.readers.news_feed import looks_like_feed, read_feed
from tenant_pipeline.intake.readers.newsml_g2 import looks_like_newsml_g2, read_newsml_g2

Reader = Callable[[BinaryIO, str], Items]
SAMPLES = Path(tenant_pipeline.samples.__file__).parent / "origins" / "press"
ARTICLE = (SAMPLES / "article.html").read_bytes()
NEWSML = (SAMPLES / "newsml.xml").read_bytes()
FEED = (SAMPLES / "feed.xml").read_bytes()


def _read(reader: Reader, content: bytes | str) -> list[Item | Problem]:
    data = content.encode() if isinstance(content, str) else content
    first, second = list(reader(io.BytesIO(data), "utf-8")), list(reader(io.BytesIO(data), "utf-8"))
    assert first == second
    return first


def _records(found: list[Item | Problem]) -> list[tuple[str, str, dict[str, str | None]]]:
    return [(item.table, item.locator, dict(item.values)) for item in _of(found, "records")]


def _segments(found: list[Item | Problem]) -> list[dict[str, str | None]]:
    return [
        {name: value for name, value in {"#": item.locator, **item.values}.items() if value is not None}
        for item in _of(found, SEGMENTS)
    ]


def _of(found: list[Item | Problem], shape: str) -> list[Item]:
    return [item for item in found if isinstance(item, Item) and item.shape == shape]


def _codes(found: list[Item | Problem]) -> list[tuple[str, str]]:
    return [(item.locator, item.code) for item in found if isinstance(item, Problem)]


def _page(*blocks: Any, body: str = "<p>words</p>") -> str:
    scripts = "".join(f'<script type="application/ld+json">{json.dumps(block)}</script>' for block in blocks)
    return f"<html><head><title>T</title>{scripts}</head><body>{body}</body></html>"


def test_json_ld_things_become_records_with_their_place_and_organiser_flattened() -> None:
    place = {
        "address": "9 Moo 4, Si Sunthon Road, Thalang, 83110, TH", "city": "Thalang", "postal code": "83110",
        "country": "TH", "latitude": "7.9921", "longitude": "98.3055",
    }  # fmt: skip
    found = [record for record in _records(_read(read_html, ARTICLE)) if record[0].startswith("JSON-LD")]
    assert found == [
        ("JSON-LD Place", "json-ld=1&item=2",
         {"type": "Place", "name": "Choeng Thale Exhibition Hall", "telephone": "076-555-190", **place}),
        ("JSON-LD BusinessEvent", "json-ld=1&item=3",
         {"type": "BusinessEvent", "name_en": "Lagoon Boat Fair", "name_th": "งานเรือทะเลสาบ", "name_zh": "泻湖船展",
          "start date": "2026-03-14", "end date": "2026-03-16", "organizer": "Andaman Fairs Co., Ltd.",
          "url": "https://boatfair.example", "location": "Choeng Thale Exhibition Hall", **place}),
    ]  # fmt: skip


def test_an_articles_headline_date_and_author_stand_on_its_text_and_hidden_words_do_not() -> None:
    (segment,) = _segments(_read(read_html, ARTICLE))
    text = str(segment.pop("text"))
    assert segment == {
        "#": "page=1", "title": "Boat fair comes to the lagoon", "published": "2026-02-09T10:00:00+07:00",
        "author": "Island Trade News desk", "url": "https://news.example/lagoon-boat-fair", "keywords": "boats; MICE",
    }  # fmt: skip
    assert "visitors at the Choeng Thale Exhibition Hall." in text
    assert "Subscribe" not in text


def test_metas_tell_of_an_article_without_json_ld_and_of_no_other_page() -> None:
    metas = '<meta property="article:published_time" content="2026-01-02"><meta name="author" content="News desk">'
    page = "<html><head><title>T</title>{}</head><body>words</body></html>"
    (article,) = _segments(_read(read_html, page.format(metas)))
    assert (article["title"], article["published"], article["author"]) == ("T", "2026-01-02", "News desk")
    (other,) = _segments(_read(read_html, page.format('<meta name="author" content="Site builder">')))
    assert other == {"#": "page=1", "title": "T", "text": "words"}


def test_spanned_cells_repeat_and_header_rows_are_joined() -> None:
    assert [record for record in _records(_read(read_html, ARTICLE)) if record[0] == "table 1"] == [
        ("table 1", "table=1&row=3",
         {"Day": "14 March", "Programme Morning": "Opening", "Programme Evening": "Regatta"}),
        ("table 1", "table=1&row=4", {"Day": "14 March", "Programme Morning": "Talks", "Programme Evening": "Dinner"}),
    ]  # fmt: skip


def test_a_nested_tables_rows_are_its_own() -> None:
    inner = "<table><tr><th>room</th></tr><tr><td>Pearl</td></tr></table>"
    outer = f"<table><tr><th>name</th><th>rooms</th></tr><tr><td>Hall</td><td>two{inner}</td></tr></table>"
    assert _records(_read(read_html, _page(body=outer))) == [
        ("table 1", "table=1&row=2", {"name": "Hall", "rooms": "two"}),
        ("table 2", "table=2&row=2", {"room": "Pearl"}),
    ]


def test_a_title_row_over_a_table_is_no_part_of_its_names() -> None:
    rows = "<tr><th colspan=2>Halls of 2026</th></tr><tr><th>name</th><th>seats</th></tr><tr><td>A</td><td>9</td></tr>"
    assert _records(_read(read_html, _page(body=f"<table>{rows}</table>"))) == [
        ("table 1", "table=1&row=3", {"name": "A", "seats": "9"})
    ]


def test_a_hidden_table_is_a_problem_and_an_endless_span_ends() -> None:
    hidden = "<div hidden><table><tr><th>a</th></tr><tr><td>b</td></tr></table></div>"
    wide = "<table><tr><th>a</th></tr><tr><td colspan=999999 rowspan=999999>b</td></tr><tr><td>c</td></tr></table>"
    found = _read(read_html, _page(body=hidden + wide))
    assert _codes(found) == [("table=1", "hidden-table")]
    assert _records(found) == [("table 2", "table=2&row=2", {"a": "b"}), ("table 2", "table=2&row=3", {"a": "b"})]


def test_lists_of_items_and_main_entities_are_unrolled_and_page_furniture_is_left_out() -> None:
    hotel = {
        "@type": ["Hotel", "LocalBusiness"],
        "name": "Inn",
        "address": "3 Road",
        "geo": {"latitude": 7, "longitude": 98.5},
    }
    events = [{"@type": "ListItem", "item": {"@type": "Event", "name": name}} for name in ("One", "Two")]
    blocks = (
        {"@type": "BreadcrumbList", "itemListElement": [{"@type": "ListItem", "name": "Home"}]},
        {"@type": "WebPage", "name": "Page", "mainEntity": hotel},
        {"@type": "ItemList", "itemListElement": events},
    )
    assert [(table, values["name"]) for table, _, values in _records(_read(read_html, _page(*blocks)))] == [
        ("JSON-LD Hotel", "Inn"),
        ("JSON-LD Event", "One"),
        ("JSON-LD Event", "Two"),
    ]


def test_a_nested_location_contact_and_offer_keep_their_own_names() -> None:
    event = {
        "@context": "https://schema.org", "@type": "https://schema.org/Event", "name": "Fair",
        "location": {"@type": "Place", "name": "Hall", "address": "3 Road",
                     "geo": {"latitude": "7.5", "longitude": 98}},
        "contactPoint": {"telephone": "076-555-100"},
        "offers": {"@type": "Offer", "price": 100, "priceCurrency": "THB"},
        "performer": [{"name": "A"}, {"name": "B"}], "maximumAttendeeCapacity": 300,
    }  # fmt: skip
    ((table, locator, values),) = _records(_read(read_html, _page(event)))
    assert (table, locator) == ("JSON-LD Event", "json-ld=1")
    assert values == {
        "type": "Event", "name": "Fair", "location": "Hall", "address": "3 Road", "latitude": "7.5", "longitude": "98",
        "telephone": "076-555-100", "offers.price": "100", "offers.priceCurrency": "THB", "performer": "A; B",
        "capacity": "300",
    }  # fmt: skip


def test_broken_json_ld_is_a_problem_and_the_rest_of_the_page_is_read() -> None:
    page = _page({"@type": "Place", "name": "Hall"}).replace(
        "<script", '<script type="application/ld+json">{"@type": </script><script', 1
    )
    found = _read(read_html, page)
    assert _codes(found) == [("json-ld=1", "broken-json-ld")]
    assert _records(found) == [("JSON-LD Place", "json-ld=2", {"type": "Place", "name": "Hall"})]


def test_json_ld_nested_beyond_reason_is_a_problem() -> None:
    nested = '{"@type": "Place", "name": ' + "[" * 100 + "]" * 100 + "}"
    page = f'<html><body>words<script type="application/ld+json">{nested}</script></body></html>'
    assert _codes(_read(read_html, page)) == [("json-ld=1", "nested-json-ld")]
    endless = page.replace(nested, "[" * 200_000)
    assert _codes(_read(read_html, endless)) == [("json-ld=1", "broken-json-ld")]


def test_json_ld_in_a_wrapping_of_older_pages_is_read() -> None:
    block = '//<![CDATA[\n{"@type": "Place", "name": "Hall"}\n//]]>'
    page = f'<html><body>words<script type="application/ld+json">\n{block}\n</script></body></html>'
    assert _records(_read(read_html, page)) == [("JSON-LD Place", "json-ld=1", {"type": "Place", "name": "Hall"})]


def test_things_that_refer_to_each_other_in_a_circle_are_read_once_each() -> None:
    one = {"@type": "Event", "@id": "#a", "name": "A", "location": {"@id": "#b"}}
    other = {"@type": "Place", "@id": "#b", "name": "B", "event": {"@id": "#a"}, "containedInPlace": {"@id": "#b"}}
    assert _records(_read(read_html, _page([one, other]))) == [
        ("JSON-LD Event", "json-ld=1&item=1", {"type": "Event", "name": "A", "location": "B"}),
        ("JSON-LD Place", "json-ld=1&item=2", {"type": "Place", "name": "B", "event": "A", "containedInPlace": "B"}),
    ]


def test_a_news_item_gives_its_text_with_what_is_known_of_it() -> None:
    found = _read(read_newsml_g2, NEWSML)
    assert _segments(found) == [
        {
            "#": "item=1", "guid": "urn:newsml:news.example:20260318:hall", "title": "ศูนย์นิทรรศการเชิงทะเลเปิดฮอลล์ใหม่",
            "text": "ฮอลล์ใหม่รองรับผู้เข้าชมได้ 3,000 คน\nเปิดวันที่ 1 เมษายน 2569",
            "published": "2026-03-18T09:30:00+07:00", "author": "ทีมข่าวอันดามัน", "location": "Phuket",
            "keywords": "trade fair; tourism", "language": "th",
        }
    ]  # fmt: skip
    assert _codes(found) == [("item=2", "no-text")]


def test_a_single_news_item_in_nitf_is_read() -> None:
    item = """<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="https://news.example/1">
      <itemMeta><versionCreated>2026-01-02</versionCreated></itemMeta>
      <contentMeta><creator><name>News desk</name></creator><headline>H</headline></contentMeta>
      <contentSet><inlineXML><nitf xmlns="http://iptc.org/std/NITF/2006-10-18/"><body><body.head><hedline>H</hedline>
      </body.head><body.content><p>One.</p><p>Two.</p></body.content></body></nitf></inlineXML></contentSet></newsItem>"""
    assert _segments(_read(read_newsml_g2, item)) == [
        {"#": "item=1", "guid": "https://news.example/1", "title": "H", "text": "One.\nTwo.", "published": "2026-01-02",
         "author": "News desk", "url": "https://news.example/1"}
    ]  # fmt: skip
    assert looks_like_newsml_g2(item, "a.xml")


def test_a_message_that_breaks_off_keeps_what_stood_before() -> None:
    found = _read(read_newsml_g2, NEWSML[: NEWSML.index(b"</itemSet>")])
    assert len(_segments(found)) == 1
    assert [code for _, code in _codes(found)] == ["no-text", "broken-xml"]
    with pytest.raises(UnreadableError) as unreadable:
        _read(read_newsml_g2, '<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/"/>')
    assert unreadable.value.code == "no-news-item"


def test_a_feeds_entries_keep_their_place_their_date_and_their_categories() -> None:
    assert _segments(_read(read_feed, FEED)) == [
        {
            "#": "item=1", "title": "Lagoon Boat Fair announces its dates", "url": "https://news.example/fairs/boats",
            "text": "The fair opens on 14 March.\nEntry is free.", "published": "2026-02-09T03:00:00Z",
            "author": "Fair desk", "keywords": "boats; MICE", "latitude": "7.9921", "longitude": "98.3055",
        },
        {
            "#": "item=2", "title": "คั่วกลิ้งกับทะเล: งานอาหารทะเลกะทู้", "url": "https://news.example/fairs/food",
            "text": "งานอาหารทะเลจัดที่หอเหมืองกะทู้", "published": "Fri, 10 Apr 2026 04:00:00 GMT",
            "latitude": "7.9155", "longitude": "98.3339",
        },
        {
            "#": "item=3", "title": "拉威海亭举办婚礼展", "url": "https://news.example/fairs/wedding",
            "text": "海亭可容纳一百八十位宾客。", "published": "Sat, 16 May 2026 04:00:00 GMT",
        },
    ]  # fmt: skip


def test_atom_and_rss_1_are_read_too() -> None:
    atom = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:georss="http://www.georss.org/georss"><entry><title>A</title>
      <link href="https://news.example/a"/><georss:point>7.5 98.25</georss:point><updated>2026-01-02T00:00:00Z</updated>
      <category term="x" label="Fairs"/><author><name>Desk</name></author><summary>words</summary></entry></feed>"""
    rdf = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
      xmlns:dc="http://purl.org/dc/elements/1.1/"><item rdf:about="https://news.example/b"><title>B</title>
      <link>https://news.example/b</link><description>more</description><dc:date>2026-01-03</dc:date></item></rdf:RDF>"""
    assert _segments(_read(read_feed, atom)) == [
        {"#": "item=1", "title": "A", "text": "words", "url": "https://news.example/a", "author": "Desk",
         "published": "2026-01-02T00:00:00Z", "keywords": "Fairs", "latitude": "7.5", "longitude": "98.25"}
    ]  # fmt: skip
    assert _segments(_read(read_feed, rdf)) == [
        {"#": "item=1", "guid": "https://news.example/b", "title": "B", "text": "more", "url": "https://news.example/b",
         "published": "2026-01-03"}
    ]  # fmt: skip
    assert looks_like_feed(atom, "a.xml")
    assert looks_like_feed(rdf, "b.xml")


def test_a_feed_that_breaks_keeps_its_entries_and_names_the_break() -> None:
    cut = FEED[: FEED.index(b"<title>\xe6\x8b\x89")]
    found = _read(read_feed, cut)
    assert [segment["#"] for segment in _segments(found)] == ["item=1", "item=2"]
    assert _codes(found) == [("item=3", "no-text"), ("line=28", "broken-xml")]


def test_a_feed_is_never_taken_for_the_name_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_bytes(FEED)
    with pytest.raises(UnreadableError) as refused:
        _read(read_feed, str(tmp_path / "feed.xml"))
    assert refused.value.code == "empty-feed"


@pytest.mark.parametrize(("path", "expected"), [("newsml.xml", looks_like_newsml_g2), ("feed.xml", looks_like_feed)])
def test_each_sample_looks_like_its_own_format_alone(path: str, expected: Callable[[str, str], bool]) -> None:
    text = (SAMPLES / path).read_text()
    assert [known for known in (looks_like_newsml_g2, looks_like_feed) if known(text, path)] == [expected]
    assert not looks_like_feed("<html><body><feed></body></html>", "a.html")
    assert looks_like_feed('<?xml version="1.0"?><!-- a > b --><!DOCTYPE rss>\n<rss version="2.0">', "a.xml")
    assert not looks_like_feed("<!---->" * 500 + "<html>", "a.xml")


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.dictionaries(
                st.sampled_from(["@type", "@id", "@graph", "@value", "@language", "name", "address", "geo", "location",
                                 "itemListElement", "item", "mainEntity", "contactPoint", "offers"]),
                inner, max_size=5,
            ),
        ),
        max_leaves=20,
    )
)  # fmt: skip
def test_json_ld_of_any_shape_is_read_or_named(block: Any) -> None:
    for item in _read(read_html, _page(block)):
        assert isinstance(item, Item | Problem)
        if isinstance(item, Item):
            assert all(value is None or isinstance(value, str) for value in item.values.values())
