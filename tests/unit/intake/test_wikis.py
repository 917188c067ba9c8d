"""What a legacy wiki holds is read: MediaWiki's dumps, Confluence's exports, Notion's and DokuWiki's pages."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

import tenant_pipeline.samples
from tenant_pipeline.intake.readers.confluence_export import looks_like_confluence_export, read_confluence_export
from tenant_pipeline.intake.readers.confluence_page import looks_like_confluence_page, read_confluence_page
from tenant_pipeline.intake.readers.dokuwiki_page import looks_like_dokuwiki, read_dokuwiki
from tenant_pipeline.intake.readers.item import SEGMENTS, Item, Items, Problem, UnreadableError
from tenant_pipeline.intake.readers.mediawiki_dump import looks_like_mediawiki_dump, read_mediawiki_dump
from tenant_pipeline.intake.readers.notion_page import looks_like_notion, read_notion
from tenant_pipeline.intake.readers.wikitext import looks_like_wikitext, read_wikitext
from tenant_pipeline.intake.readers.xml_elements import elements

Reader = Callable[[BinaryIO, str], Items]
SAMPLES = Path(tenant_pipeline.samples.__file__).parent / "origins" / "legacy-wiki"
DUMP = (SAMPLES / "venue-wiki.xml").read_bytes()
DOKUWIKI = (SAMPLES / "choeng_thale.txt").read_bytes()
NOTION_PATH = next(SAMPLES.glob("Kathu*.md"))
NOTION = NOTION_PATH.read_bytes()
CONFLUENCE = (SAMPLES / "rawai-pavilion_884736.html").read_bytes()
EXPORT = """<?xml version="1.0" encoding="UTF-8"?>
<hibernate-generic datetime="2025-11-20 08:00:00">
<object class="BodyContent" package="com.atlassian.confluence.core"><id name="id">901</id>
<property name="body"><![CDATA[<p>A pier for 80&nbsp;guests,<br/>see
<ac:link><ri:page ri:content-title="Rawai" /></ac:link>.</p>
<ac:structured-macro ac:name="info"><ac:parameter ac:name="title">Unsaid</ac:parameter><ac:rich-text-body><p>Open
daily.</p></ac:rich-text-body></ac:structured-macro><ac:image><ri:attachment ri:filename="pier.jpg"/></ac:image>
<table><tbody><tr><th>name</th><th>capacity</th></tr><tr><td>ท่าเรือ</td><td>80</td></tr></tbody></table>]]></property>
<property name="content" class="Page"><id name="id">12</id></property></object>
<object class="BodyContent"><id name="id">902</id><property name="body"><![CDATA[<p>Older.</p>]]></property>
<property name="content" class="Page"><id name="id">13</id></property></object>
<object class="BodyContent"><id name="id">903</id><property name="body"><![CDATA[<p>A comment.</p>]]></property>
<property name="content" class="Comment"><id name="id">14</id></property></object>
<object class="Page"><id name="id">11</id><property name="title"><![CDATA[South]]></property></object>
<object class="Page"><id name="id">12</id><property name="title"><![CDATA[Rawai Pier]]></property>
<property name="parent" class="Page"><id name="id">11</id></property>
<property name="contentStatus"><![CDATA[current]]></property></object>
<object class="Page"><id name="id">13</id><property name="title"><![CDATA[Rawai Pier]]></property>
<property name="originalVersion" class="Page"><id name="id">12</id></property></object>
</hibernate-generic>
""".encode()


def _read(reader: Reader, content: bytes | str) -> list[Item | Problem]:
    data = content.encode() if isinstance(content, str) else content
    first, second = list(reader(io.BytesIO(data), "utf-8")), list(reader(io.BytesIO(data), "utf-8"))
    assert first == second
    return first


def _records(found: list[Item | Problem]) -> list[tuple[str, str, dict[str, str | None]]]:
    return [
        (item.table, item.locator, {name: value for name, value in item.values.items() if value is not None})
        for item in found
        if isinstance(item, Item) and item.shape != SEGMENTS
    ]


def _texts(found: list[Item | Problem]) -> list[tuple[str, str | None, str | None, str | None]]:
    return [
        (item.locator, item.values["title"], item.values.get("section"), item.values["text"])
        for item in found
        if isinstance(item, Item) and item.shape == SEGMENTS
    ]


def _codes(found: list[Item | Problem]) -> list[tuple[str, str]]:
    return [(item.locator, item.code) for item in found if isinstance(item, Problem)]


def test_a_dump_gives_listings_infoboxes_and_tables_of_the_last_revision() -> None:
    assert _records(_read(read_mediawiki_dump, DUMP)) == [
        (
            "กล่องข้อมูล ย่าน",
            "page=11&listing=1",
            {"name": "Makham Bay", "alt": "อ่าวมะขาม", "จังหวัด": "ภูเก็ต", "latitude": "7.825", "longitude": "98.4"},
        ),
        (
            "see",
            "page=11&listing=2",
            {
                "name": "Makham Bay Convention Centre", "alt": "ศูนย์ประชุมอ่าวมะขาม", "url": "https://makhambay.example",
                "email": "hello@makhambay.example", "address": "88 Sakdidet Road", "latitude": "7.8251",
                "longitude": "98.4012", "telephone": "+66 76 555 010", "hours": "08:00-20:00", "parking": "400",
                "description": "The largest hall on the bay, with a pier of its own.", "kind": "see",
                "page": "Makham Bay",
            },
        ),
        (
            "see",
            "page=11&listing=3",
            {
                "name": "ศาลาตะวันฉาย", "address": "12 ถนนศักดิเดช", "telephone": "076-555-011", "latitude": "7.8263",
                "longitude": "98.4020", "description": "ศาลาริมน้ำสำหรับงานเลี้ยง 200 คน", "kind": "see",
                "page": "Makham Bay",
            },
        ),
        (
            "table of Room, Capacity Theatre, Capacity Banquet",
            "page=11&table=1&row=3",
            {"Room": "Coral Hall", "Capacity Theatre": "900", "Capacity Banquet": "600"},
        ),
        (
            "table of Room, Capacity Theatre, Capacity Banquet",
            "page=11&table=1&row=4",
            {"Room": "Pearl Room", "Capacity Theatre": "120", "Capacity Banquet": "80"},
        ),
    ]  # fmt: skip


def test_a_dumps_prose_goes_by_section_without_listings_notes_and_markup() -> None:
    found = _read(read_mediawiki_dump, DUMP)
    assert _texts(found) == [
        ("page=11&section=0", "Makham Bay", None,
         "Makham Bay (จีน: 玛康湾) is a bay for meetings and dinners by the sea."),
        ("page=11&section=1", "Makham Bay", "Venues", "The bay has two halls."),
        ("page=11&section=2", "Makham Bay", "Venues / Rooms", "Both rooms look onto the water."),
    ]  # fmt: skip
    assert {item.values["modified"] for item in found if isinstance(item, Item) and item.shape == SEGMENTS} == {
        "2025-11-20T03:15:00Z"
    }


def test_redirects_and_talk_pages_are_counted_and_contributors_are_not_taken() -> None:
    found = _read(read_mediawiki_dump, DUMP)
    assert _codes(found) == [("page=12", "not-an-article"), ("page=13", "not-an-article")]
    assert "Orn Example" not in str(found)
    assert "Not a venue" not in str(found)


def test_a_dump_without_namespace_numbers_goes_by_the_names_it_lists() -> None:
    old = DUMP.replace(b"<ns>0</ns>", b"").replace(b"<ns>1</ns>", b"")
    assert _codes(_read(read_mediawiki_dump, old)) == [("page=12", "not-an-article"), ("page=13", "not-an-article")]


def test_a_dump_that_breaks_off_keeps_what_stood_before() -> None:
    cut = DUMP[: DUMP.index(b"<title>Makham</title>")]
    found = _read(read_mediawiki_dump, cut)
    assert len(_records(found)) == 5
    assert [code for _, code in _codes(found)] == ["broken-xml"]
    with pytest.raises(UnreadableError) as unreadable:
        _read(read_mediawiki_dump, b"<mediawiki><page")
    assert unreadable.value.code == "broken-xml"


def test_a_dump_is_let_go_of_page_by_page() -> None:
    page = b"<page><title>P</title><ns>0</ns><id>1</id><revision><text>words</text></revision></page>"
    stream = io.BytesIO(b"<mediawiki>" + page * 2_000 + b"</mediawiki>")
    before = [len(list(element.itersiblings(preceding=True))) for element in elements(stream, ("page",))]
    assert (len(before), max(before)) == (2_000, 1)


def test_entities_in_a_dump_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the secret")
    entity = f'<!DOCTYPE m [<!ENTITY e SYSTEM "{tmp_path / "secret"}">]>'
    page = "<page><title>P</title><id>1</id><revision><text>a &e; b</text></revision></page>"
    dump = f"{entity}<mediawiki>{page}</mediawiki>"
    assert "the secret" not in str(_read(read_mediawiki_dump, dump))


def test_more_kinds_of_tables_than_are_kept_apart_are_problems() -> None:
    boxes = "".join(f"{{{{Infobox kind {number}|name=n|address=a}}}}" for number in range(205))
    dump = f"<mediawiki><page><title>P</title><id>1</id><revision><text>{boxes}</text></revision></page></mediawiki>"
    found = _read(read_mediawiki_dump, dump)
    assert len(_records(found)) == 200
    assert _codes(found) == [(f"page=1&listing={number}", "too-many-tables") for number in range(201, 206)]


def test_the_rarest_parameters_of_a_wiki_are_folded_into_one_field() -> None:
    rare = "".join(f"{{{{see|name=n|address=a|rare {number}=x{number}}}}}" for number in range(410))
    dump = f"<mediawiki><page><title>P</title><id>1</id><revision><text>{rare}</text></revision></page></mediawiki>"
    found = _records(_read(read_mediawiki_dump, dump))
    assert len({name for _, _, values in found for name in values}) == 401
    assert found[-1][2]["further parameters"] == "rare 409: x409"


def test_chinese_listings_and_parameters_are_known() -> None:
    page = "== 景点 ==\n* {{景点|名称=玛康湾会议中心|地址=沙迪德路88号|电话=076-555-010|纬度=7.8251|经度=98.4012|网址=https://a.example|描述=海湾}}\n"
    ((table, locator, values),) = _records(_read(read_wikitext, page))
    assert (table, locator) == ("see", "listing=1")
    assert values == {
        "name": "玛康湾会议中心", "address": "沙迪德路88号", "telephone": "076-555-010", "latitude": "7.8251",
        "longitude": "98.4012", "url": "https://a.example", "description": "海湾", "kind": "see",
    }  # fmt: skip


def test_any_template_with_a_name_and_an_address_is_a_listing_and_others_are_not() -> None:
    page = (
        "{{venue card|name=Hall|address=Road|seats=10}} {{see also|Other}} {{quote|name=Someone}} {{see|alt=Nameless}}"
    )
    assert _records(_read(read_wikitext, page)) == [
        ("venue card", "listing=1", {"name": "Hall", "address": "Road", "seats": "10", "kind": "venue card"})
    ]


def test_a_listings_type_is_its_kind_and_markup_in_its_values_is_stripped() -> None:
    page = (
        "{{listing|type=Sleep|name=''[[Inn|The Inn]]''|url=[https://inn.example The Inn] {{dead link}}"
        "|content=By<!--x--> '''the''' sea&nbsp;<ref>n</ref>}}"
    )
    assert _records(_read(read_wikitext, page)) == [
        ("sleep", "listing=1",
         {"kind": "sleep", "name": "The Inn", "url": "https://inn.example", "description": "By the sea"})
    ]  # fmt: skip


def test_a_listing_within_another_ones_text_is_a_record_of_its_own() -> None:
    page = "{{do|name=Fair|address=Lagoon|content=Held at {{see|name=Hall|address=Road}} yearly}}"
    assert [
        (table, values["name"], values.get("description")) for table, _, values in _records(_read(read_wikitext, page))
    ] == [
        ("do", "Fair", "Held at yearly"),
        ("see", "Hall", None),
    ]


def test_a_table_that_only_lays_out_columns_is_prose() -> None:
    page = "== Halls ==\n{| style='width:50%'\n|-\n| Left column of words\n| Right column\n|}\n[[x]] '''y'''\n"
    found = _read(read_wikitext, page)
    assert _records(found) == []
    assert _texts(found)[0][3] == "Left column of words\n\nRight column\n\nx y"


@pytest.mark.parametrize("opened", ["<b>", "<br ", "[[", "{{a|", "<!--", "{|\n", "[http://a "])
def test_a_page_that_would_keep_the_parser_busy_is_refused(opened: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        _read(read_wikitext, "== A ==\n" + opened * 5_000)
    assert refused.value.code == "tangled-page"


def test_a_page_longer_than_any_wiki_keeps_is_refused_and_the_dump_goes_on() -> None:
    with pytest.raises(UnreadableError) as refused:
        _read(read_wikitext, "x" * (2 * 1024 * 1024 + 1))
    assert refused.value.code == "page-too-long"
    page = "<page><title>P</title><id>{}</id><revision><text>{}</text></revision></page>"
    dump = f"<mediawiki>{page.format(1, 'x' * (2 * 1024 * 1024 + 1))}{page.format(2, 'words')}</mediawiki>"
    found = _read(read_mediawiki_dump, dump)
    assert _codes(found) == [("page=1", "page-too-long")]
    assert [text for _, _, _, text in _texts(found)] == ["words"]


def test_a_confluence_page_gives_its_text_its_breadcrumbs_and_its_tables() -> None:
    found = _read(read_confluence_page, CONFLUENCE)
    assert _texts(found) == [
        ("page=1", "Rawai Sea Pavilion", "Andaman Venues / South",
         "ศาลาทะเลราไวย์ (拉威海亭) is an open pavilion for 180 guests.")
    ]  # fmt: skip
    assert _records(found) == [
        ("table 1", "table=1",
         {"name": "Rawai Sea Pavilion", "Address": "3 Wiset Road, Rawai", "Telephone": "076-555-231"}),
        ("table 2", "table=2&row=2", {"Event": "Rawai Wedding Fair", "Start date": "2026-05-16"}),
    ]  # fmt: skip
    assert "floor-plan" not in str(found)
    assert "Orn Example" not in str(found)


def test_a_confluence_page_without_its_content_is_unreadable() -> None:
    with pytest.raises(UnreadableError) as unreadable:
        _read(read_confluence_page, "<html><body><p>words</p></body></html>")
    assert unreadable.value.code == "no-content"


def test_a_confluence_export_gives_its_current_pages_without_macros() -> None:
    found = _read(read_confluence_export, EXPORT)
    assert _texts(found) == [("page=12", "Rawai Pier", "South", "A pier for 80 guests,\nsee Rawai.\nOpen daily.")]
    assert _records(found) == [("table 1", "page=12&table=1&row=2", {"name": "ท่าเรือ", "capacity": "80"})]
    assert _codes(found) == [("page=13", "not-an-article"), ("body=903", "not-an-article")]


def test_a_confluence_export_that_breaks_off_keeps_what_stood_before() -> None:
    found = _read(read_confluence_export, EXPORT[: EXPORT.rindex(b"<object")])
    assert len(_texts(found)) == 1
    assert [code for _, code in _codes(found)][-1] == "broken-xml"
    with pytest.raises(UnreadableError) as unreadable:
        _read(read_confluence_export, "<hibernate-generic><object class='User'/></hibernate-generic>")
    assert unreadable.value.code == "no-page"


def test_a_notion_page_gives_its_properties_its_body_and_its_tables() -> None:
    found = _read(read_notion, NOTION)
    assert _records(found) == [
        (
            "properties",
            "line=3",
            {
                "name": "Kathu Tin Hall", "Name (TH)": "หอเหมืองกะทู้", "Name (ZH)": "卡图锡矿厅",
                "Address": "45 Wichit Songkhram Road, Kathu", "Capacity": "350",
                "Website": "https://kathutinhall.example", "Tags": "venue, heritage",
            },
        ),
        ("table 1", "table=1&line=16", {"Room": "Dredge Room", "Capacity": "250"}),
        ("table 1", "table=1&line=17", {"Room": "Assay Office", "Capacity": "40"}),
    ]  # fmt: skip
    ((locator, title, _, text),) = _texts(found)
    assert (locator, title) == ("line=9", "Kathu Tin Hall")
    assert str(text).startswith("A former tin dredge works")


def test_prose_with_a_colon_below_a_notion_title_is_not_a_property() -> None:
    found = _read(read_notion, "# Hall\n\nNote: words\nand they go on\n\nMore\n")
    assert _records(found) == []
    assert _texts(found)[0][3] == "Note: words\nand they go on\n\nMore"


def test_a_dokuwiki_page_gives_its_sections_and_its_tables() -> None:
    found = _read(read_dokuwiki, DOKUWIKI)
    title = "Choeng Thale Exhibition Hall"
    assert _texts(found) == [
        ("line=3", title, title, "The hall (ศูนย์นิทรรศการเชิงทะเล, 车恩塔莱展览馆) stands by the lagoon; see the map."),
        ("line=13", title, f"{title} / Fairs", "Two fairs a year\nFree parking"),
    ]
    assert _records(found) == [
        ("table 1", "table=1",
         {"name": title, "Address": "9 Moo 4, Si Sunthon Road", "Telephone": "076-555-190", "Capacity": "3,000"}),
        ("table 2", "table=2&line=17", {"Event": "Lagoon Boat Fair", "Start date": "2026-03-14", "Visitors": "2,300"}),
        ("table 2", "table=2&line=18", {"Event": "งานอาหารทะเล", "Start date": "2026-04-10", "Visitors": "5,000"}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("venue-wiki.xml", looks_like_mediawiki_dump),
        ("choeng_thale.txt", looks_like_dokuwiki),
        (NOTION_PATH.name, looks_like_notion),
        ("rawai-pavilion_884736.html", looks_like_confluence_page),
    ],
)
def test_each_sample_looks_like_its_own_format_alone(path: str, expected: Callable[[str, str], bool]) -> None:
    text = (SAMPLES / path).read_text()
    known = [looks_like_mediawiki_dump, looks_like_dokuwiki, looks_like_notion, looks_like_confluence_page,
             looks_like_confluence_export, looks_like_wikitext]  # fmt: skip
    assert [looks_like for looks_like in known if looks_like(text, f"folder/{path}")] == [expected]


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("{{pagebanner|a.jpg}}\n* {{see\n| name=Hall | address=Road }}", "a.txt", True),
        ("Intro '''words''' and [[links]].\n\n== Halls ==\nmore", "a.txt", True),
        ("== Halls ==\nmore", "a.wiki", True),
        ("== Halls ==\nmore", "a.txt", False),
        ('{"text": "{{see|name=Hall|address=Road}}"}', "a.json", False),
        ("[[1, 2], [3, 4]]", "a.json", False),
        ("# Title\n\nSee [[Note]].\n\n| a | b |\n|---|---|\n", "a.md", False),
        ("Hello {{ name }}, welcome", "a.txt", False),
    ],
)
def test_wikitext_is_told_from_what_only_shares_its_marks(text: str, path: str, expected: bool) -> None:
    assert looks_like_wikitext(text, path) is expected
    assert not looks_like_dokuwiki(text, path)
