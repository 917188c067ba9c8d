"""What people send is received safely, identified by its content, and read with a locator for every record."""

from __future__ import annotations

import io
import json
import resource
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import InputError, IntegrityError
from tenant_pipeline.core.origin import Unit, UnitFile, UnitMode
from tenant_pipeline.core.stage import Disposition, StageCount, conserve_chain
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.intake import extract as extraction
from tenant_pipeline.intake import identify as identification
from tenant_pipeline.intake.archive import ArchiveLimits
from tenant_pipeline.intake.extract import extract
from tenant_pipeline.intake.formats import identify_format
from tenant_pipeline.intake.identify import RELEASABLE, identify
from tenant_pipeline.intake.overruled import OverruledRefusal
from tenant_pipeline.intake.readers.item import Problem, UnreadableError
from tenant_pipeline.intake.receive import ReceiveLimits, receive
from tenant_pipeline.intake.refusals import digest_of_member
from tenant_pipeline.intake.sandbox import parsers
from tenant_pipeline.intake.sandbox.limits import ParserLimits
from tenant_pipeline.intake.text_formats import text_format
from tenant_pipeline.intake.unit_reader import unit_from_paths, unit_from_uploads
from tenant_pipeline.storage.object_store import RawZone
from tenant_pipeline.storage.object_store_folder import ObjectStore
from tenant_pipeline.storage.stage_store import StageStore
from tests.unit.pii.memory_stage import MemoryStage

ROOT = Path(__file__).resolve().parents[3]
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture
def raw(tmp_path: Path) -> RawZone:
    return RawZone(ObjectStore(tmp_path / "objects"), TenantId("a-tenant"), b"k" * 32)


class Read:
    """A unit that went through the first three stages."""

    def __init__(self, raw: RawZone, unit: Unit) -> None:
        self.received, self.identified, self.extracted = MemoryStage(), MemoryStage(), MemoryStage()
        counts: list[tuple[StageCount, ...]] = [receive(unit, raw, self.received, ReceiveLimits())]
        counts.append(identify(self.received, raw, self.identified))
        counts.append(extract(self.identified, self.received, raw, self.extracted))
        upstream = None
        for stage in counts:
            conserve_chain(stage, upstream, "intake")
            upstream = stage[-1]
        self.counts = counts
        self.objects = self.identified.document("profile")["objects"]

    @property
    def codes(self) -> list[str]:
        stages = (self.received, self.identified, self.extracted)
        return [reject["code"] for stage in stages for reject in stage.rejects]

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every record with its fields under their own names, and its locator."""
        found = []
        for table in self.extracted.tables("records"):
            names = dict(zip(table.descriptor.field_columns, table.descriptor.fields, strict=True))
            for frame in table.batches():
                for row in frame.to_dict("records"):
                    values = {
                        names[str(key)]: value for key, value in row.items() if key in names and isinstance(value, str)
                    }
                    found.append({**values, "#": row["locator"]})
        return found


def _unit(raw: RawZone, **files: bytes) -> Unit:
    taken = []
    for name, content in files.items():
        digest, size = raw.put(io.BytesIO(content))
        taken.append(UnitFile(name.replace("__", "."), digest, size))
    return Unit(UnitMode.FOLDER, tuple(taken))


def _read(raw: RawZone, **files: bytes) -> Read:
    return Read(raw, _unit(raw, **files))


def _zip(members: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return written.getvalue()


def test_csv_rows_are_records_that_lead_back_to_their_row(raw: RawZone) -> None:
    read = _read(raw, a__csv="name,capacity\nHall,10\nโถง,20\n".encode())
    assert read.records == [
        {"name": "Hall", "capacity": "10", "#": "o00001#row=2"},
        {"name": "โถง", "capacity": "20", "#": "o00001#row=3"},
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp874"])
def test_thai_is_read_in_the_encoding_it_comes_in(raw: RawZone, encoding: str) -> None:
    text = "ชื่อ;ที่อยู่\nศูนย์ประชุมอ่าวมะขาม;ตำบลวิชิต อำเภอเมือง จังหวัดภูเก็ต\nหอประชุมเมืองเก่า;ถนนดีบุก\n"
    read = _read(raw, a__csv=text.encode(encoding))
    assert read.records[0]["ชื่อ"] == "ศูนย์ประชุมอ่าวมะขาม"
    assert read.records[1]["ที่อยู่"] == "ถนนดีบุก"


def test_chinese_is_read_in_gb18030(raw: RawZone) -> None:
    text = "名称,地址\n普吉会展中心,普吉府芭东海滩路一百二十号\n老城礼堂,普吉府老城区迪布街\n"
    assert _read(raw, a__csv=text.encode("gb18030")).records[0]["名称"] == "普吉会展中心"


def test_a_row_of_data_is_not_taken_for_a_header(raw: RawZone) -> None:
    read = _read(raw, a__csv=b"somchai@example.com,0812345678\nana@example.com,0898765432\n")
    (table,) = read.objects[0]["tables"]
    assert table["fields"] == ["column 1", "column 2"]
    assert len(read.records) == 2


def test_a_row_with_too_many_cells_is_a_reject_and_the_rest_goes_on(raw: RawZone) -> None:
    read = _read(raw, a__csv=b"a,b\n1,2\n1,2,3\n4,5\n")
    assert len(read.records) == 2
    assert read.codes == ["ragged-row"]
    assert read.extracted.rejects[0]["locator"] == "o00001#row=3"


cells = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12)


@settings(max_examples=40, deadline=None)
@example(rows=[("", ":"), ("", "0")])
@given(rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=20))
def test_no_cell_of_a_csv_is_lost(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    import csv

    zone = RawZone(ObjectStore(tmp_path_factory.mktemp("raw")), TenantId("a-tenant"), b"k" * 32)
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([("first", "second"), *rows])
    read = _read(zone, a__csv=written.getvalue().encode())
    # Below a blank row, one of words over numbers is taken for the header of a further table: its words are names.
    said = [text for record in read.records for pair in record.items() if pair[0] != "#" for text in map(str, pair)]
    for cell in {cell for row in rows for cell in row if cell.strip()}:
        assert any(cell.strip() in text for text in said), cell


def test_every_sheet_is_a_table_and_title_rows_are_text(raw: RawZone) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "สถานที่"
    for row in (["รายงานประจำปี"], [], ["ชื่อ", "ความจุ"], ["โถง", 120], ["หอ", 3.5]):
        sheet.append(row)
    book.create_sheet("Empty")
    written = io.BytesIO()
    book.save(written)
    read = _read(raw, a__xlsx=written.getvalue())
    title, first, second = sorted(read.records, key=lambda record: str(record["#"]))
    assert title == {"title": "สถานที่", "text": "รายงานประจำปี", "#": "o00001#sheet=สถานที่&row=1"}
    assert first == {"ชื่อ": "โถง", "ความจุ": "120", "#": "o00001#sheet=สถานที่&row=4"}
    assert second["ความจุ"] == "3.5"


def test_json_is_flattened_and_fields_of_later_records_are_known(raw: RawZone) -> None:
    value = [{"a": 1, "b": {"c": True}}, {"a": None, "tags": ["x", "y"], "d": [{"e": 1}]}]
    read = _read(raw, a__json=json.dumps(value).encode())
    assert read.records[0] == {"a": "1", "b.c": "true", "#": "o00001#/0"}
    assert read.records[1] == {"tags": "x; y", "d": '[{"e": 1}]', "#": "o00001#/1"}


def test_geojson_features_are_records_with_their_point(raw: RawZone) -> None:
    feature = {
        "type": "Feature",
        "properties": {"stop": "PKCD"},
        "geometry": {"type": "Point", "coordinates": [98.39, 7.88]},
    }
    read = _read(raw, a__geojson=json.dumps({"type": "FeatureCollection", "features": [feature]}).encode())
    (record,) = read.records
    assert (record["stop"], record["longitude"], record["latitude"]) == ("PKCD", "98.39", "7.88")


def test_tables_in_markdown_html_and_chats_become_records(raw: RawZone) -> None:
    table = "| name | capacity |\n|---|---|\n| Hall | 10 |\n"
    said = {"id": "b", "parent": "a", "message": {"author": {"role": "assistant"}, "content": {"parts": [table]}}}
    hidden = {"id": "a", "parent": None, "message": {"author": {"role": "system"}, "content": {"parts": ["be kind"]}}}
    chat = [{"title": "t", "current_node": "b", "mapping": {"a": hidden, "b": said}}]
    page = (
        "<html><title>T</title><table><tr><th>name</th><th>capacity</th></tr><tr><td>Hall</td><td>10</td></tr></table>"
    )
    read = _read(raw, a__md=f"# Page\n\n{table}".encode(), b__html=page.encode(), c__json=json.dumps(chat).encode())
    halls = [record for record in read.records if record.get("capacity") == "10"]
    assert [record["#"] for record in halls] == [
        "o00001#table=1&line=5",
        "o00002#table=1&row=2",
        "o00003#message=b&table=1&line=3",
    ]
    assert "hidden-message" in read.codes


def test_claude_and_chatgpt_exports_keep_who_said_what(raw: RawZone) -> None:
    claude = [{"name": "c", "chat_messages": [
        {"uuid": "1", "sender": "human", "text": "Where?"},
        {"uuid": "2", "sender": "assistant", "content": [{"type": "text", "text": "There."}]},
    ]}]  # fmt: skip
    read = _read(raw, a__json=json.dumps(claude).encode())
    assert [(record["role"], record["text"], record["#"]) for record in read.records] == [
        ("user", "Where?", "o00001#message=1"),
        ("assistant", "There.", "o00001#message=2"),
    ]


def test_an_export_without_a_message_is_an_error(raw: RawZone) -> None:
    read = _read(raw, a__json=b'[{"name": "c", "chat_messages": []}]')
    assert read.codes == ["no-message"]


def test_the_content_decides_and_not_the_name(raw: RawZone) -> None:
    read = _read(raw, wrong__pdf=b"name,capacity\nHall,10\nOther,20\n")
    assert read.objects[0]["reader"] == "csv"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty", b"", "empty-file"),
        ("spaces", b"  \n\t ", "empty-file"),
        ("binary", bytes(range(256)) * 40, "unknown-format"),
        ("broken.pdf", b"%PDF-1.7 nothing of the kind", "broken-pdf"),
        ("broken.json", b'[{"a"', "broken-json"),
        ("letter.rtf", rb"{\rtf1\ansi\ansicpg874 \'ca\'c1\'aa\'d2\'c2}", "unknown-format"),
        ("letter.eml", b"Return-Path: <ann@a.example>\r\nSubject: Hall\r\n\r\n=E0=B8=AA\r\n", "unknown-format"),
        ("mailbox", b"From a@b.example\nX-A: b\nReceived: from b.example\n\tby c\n\nYes.\n", "unknown-format"),
        ("page.doc", b"Subject: A\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\n-", "unknown-format"),
        ("book.epub", _zip({"mimetype": b"application/epub+zip", "META-INF/container.xml": b"<a/>"}), "unknown-format"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name_and_the_rest_goes_on(
    raw: RawZone, name: str, content: bytes, code: str
) -> None:
    digest, size = raw.put(io.BytesIO(content))
    good, good_size = raw.put(io.BytesIO(b"a,b\n1,2\n3,4\n"))
    unit = Unit(UnitMode.FOLDER, (UnitFile(name, digest, size), UnitFile("z.csv", good, good_size)))
    read = Read(raw, unit)
    assert read.codes == [code]
    assert read.identified.rejected(Disposition.QUARANTINED) == 1
    assert len(read.records) == 2


def test_a_note_that_begins_with_fields_is_no_e_mail() -> None:
    note = b"Subject: Hall\nReceived: by phone on 3 May\n\nIt is free.\n\nMIME-Version: 1.0\n"
    assert identify_format(io.BytesIO(note), "note.txt").reader == "text"


def test_what_stands_before_a_break_is_kept(raw: RawZone) -> None:
    read = _read(raw, a__json=b'[{"a": 1}, {"a"')
    assert read.records == [{"a": "1", "#": "o00001#/0"}]
    assert read.codes == ["broken-json"]


def test_json_in_another_encoding_is_read(raw: RawZone) -> None:
    read = _read(raw, a__json='[{"ชื่อ": "โถงใหญ่ริมอ่าว"}, {"ชื่อ": "หอประชุมเมืองเก่า"}]'.encode("utf-16"))
    assert read.records[1]["ชื่อ"] == "หอประชุมเมืองเก่า"


def test_an_archive_is_opened_and_an_archive_in_it_too(raw: RawZone) -> None:
    inner = _zip({"deep/b.csv": b"a,b\n3,4\n5,6\n"})
    read = _read(raw, a__zip=_zip({"a.csv": b"a,b\n1,2\n7,8\n", "inner.zip": inner, "__MACOSX/._a": b"x"}))
    assert len(read.records) == 4
    assert read.codes == ["system-file"]


class _Undeclared(zipfile.ZipInfo):
    """A member whose name is these bytes, in an encoding that the archive does not say."""

    def __init__(self, name: bytes) -> None:
        super().__init__(name.hex())
        self.name = name

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.name, 0


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("สมชาย.csv", "cp874"), ("สมชาย.csv", "utf-8"), ("普吉.csv", "gb18030"), ("café.csv", "cp437")],
)
def test_a_name_whose_encoding_an_archive_does_not_say_is_read_as_it_was_written(
    raw: RawZone, name: str, encoding: str
) -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr(_Undeclared(name.encode(encoding)), "a,b\n1,2\n")
        archive.writestr(name, "the same name, in UTF-8 that is said")
    received = MemoryStage()
    receive(_unit(raw, a__zip=written.getvalue()), raw, received, ReceiveLimits())
    assert received.written["manifest"].whole()["path"].to_list() == [f"a.zip!/{name}"]
    assert [reject["code"] for reject in received.rejects] == ["colliding-name"]


def test_what_is_unsafe_in_an_archive_is_refused_and_the_rest_goes_on(raw: RawZone) -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("good.csv", "a,b\n1,2\n3,4\n")
        archive.writestr("../evil.csv", "x")
        archive.writestr("/etc/passwd", "x")
        archive.writestr("GOOD.csv", "x")
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    read = _read(raw, a__zip=written.getvalue())
    assert len(read.records) == 2
    assert len(read.codes) == 4
    assert all("evil" not in reject["reason"] + reject["locator"] for reject in read.received.rejects)


def test_a_bomb_does_not_unfold(raw: RawZone) -> None:
    bomb = _zip({f"{number}.txt": b"0" * 60_000_000 for number in range(4)})
    read = _read(raw, a__zip=bomb)
    assert read.codes
    assert read.records == []


def test_what_did_not_fit_an_archive_is_taken_in_once_a_person_releases_it(raw: RawZone) -> None:
    unit = _unit(raw, a__zip=_zip({"1.csv": b"a,b\n" + b"1,2\n" * 20, "2.csv": b"a,b\n" + b"3,4\n" * 20}))
    limits = ReceiveLimits(archive=ArchiveLimits(max_total_bytes=100))
    refused, released = MemoryStage(), MemoryStage()
    receive(unit, raw, refused, limits)
    (reject,) = refused.rejects
    assert reject["code"] == "archive-too-large"
    digest = digest_of_member(unit.files[0].sha256, 2)
    (count,) = receive(
        unit, raw, released, limits, released={OverruledRefusal(reject["locator"], reject["code"], digest)}
    )
    assert released.rejects == []
    assert count.emitted == 2


def test_of_more_tables_than_files_may_be_open_all_are_extracted_as_far_as_the_machine_lets_them(
    raw: RawZone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    halls = {f"halls {number}": [{"name": "Hall"}] for number in range(320)}
    received, identified, refused = MemoryStage(), MemoryStage(), MemoryStage()
    receive(_unit(raw, a__json=json.dumps(halls).encode()), raw, received, ReceiveLimits())
    identify(received, raw, identified)
    stages = StageStore(ObjectStore(tmp_path / "stages"), TenantId("a-tenant"), b"k" * 32)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, before[1]))
    try:
        with stages.write("extract", Sha256("a" * 64), "1", encrypted=True) as out:
            objects, rows = extract(identified, received, raw, out)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert (objects.quarantined, rows.rows_out) == (0, 320)
    monkeypatch.setattr(resource, "getrlimit", lambda which: (300, 300))
    extract(identified, received, raw, refused)
    assert [reject["code"] for reject in refused.rejects] == ["too-many-tables"]


def test_external_entities_are_not_followed(raw: RawZone, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    entity = f'<!DOCTYPE r [<!ENTITY e SYSTEM "{secret}">]>'
    feed = f'<?xml version="1.0"?>{entity}<rss><channel><item><title>&e;</title></item></channel></rss>'
    read = _read(raw, a__xml=feed.encode())
    assert "the secret" not in str(read.records)


def test_what_is_handed_in_is_checked_before_it_is_taken(raw: RawZone, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    file = tmp_path / "a.csv"
    file.write_text("a,b\n")
    (tmp_path / "link").symlink_to(file)
    for mode, path in (
        (UnitMode.SINGLE_FILE, tmp_path / "folder"),
        (UnitMode.SINGLE_FILE, tmp_path / "missing"),
        (UnitMode.SINGLE_FILE, tmp_path / "link"),
        (UnitMode.FOLDER, file),
        (UnitMode.FOLDER, tmp_path / "folder"),
        (UnitMode.LINK, file),
    ):
        with pytest.raises(InputError) as refused:
            unit_from_paths(mode, [path], raw)
        assert refused.value.where
        assert refused.value.remedy
    for name in ("Bay halls.md", "My Activity.HTML"):
        export = tmp_path / name
        export.write_text("x")
        assert [each.path for each in unit_from_paths(UnitMode.AI_BUNDLE, [export], raw).files] == [name]
        assert unit_from_uploads(UnitMode.AI_BUNDLE, [UnitFile(name, Sha256("a" * 64), 1)]).files[0].path == name
    in_a_folder = [UnitFile("Takeout/prompt", Sha256("a" * 64), 1)]
    assert [each.path for each in unit_from_uploads(UnitMode.AI_BUNDLE, in_a_folder).files] == ["prompt"]
    with pytest.raises(InputError, match="Markdown or HTML"):
        unit_from_paths(UnitMode.AI_BUNDLE, [file], raw)
    with pytest.raises(InputError, match="Markdown or HTML"):
        unit_from_uploads(UnitMode.AI_BUNDLE, [UnitFile("a.csv", Sha256("a" * 64), 1)])


def test_the_digest_of_a_unit_does_not_depend_on_the_order_of_its_files() -> None:
    files = (UnitFile("a", Sha256("a" * 64), 1), UnitFile("b", Sha256("b" * 64), 2))
    assert Unit(UnitMode.FOLDER, files).digest == Unit(UnitMode.FOLDER, files[::-1]).digest
    assert Unit(UnitMode.FOLDER, files).digest != Unit(UnitMode.AI_BUNDLE, files).digest


@pytest.mark.slow
@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the shared data folder is not beside this checkout")
@pytest.mark.parametrize(
    "folder", ["messy_tables", "pdf_bad", "blns", "partner_docs_docx", "ai_exports", "phuket_smart_bus"]
)
def test_real_files_are_read_or_refused_by_name(raw: RawZone, folder: str) -> None:
    unit = unit_from_paths(UnitMode.FOLDER, [SHARED_DATA / folder], raw)
    read = Read(raw, unit)
    read_objects = {entry["object"] for entry in read.objects}
    refused = {reject["locator"] for reject in read.identified.rejects}
    assert len(read_objects) + len(refused) == read.counts[1][0].rows_in
    assert read.records


def test_a_file_that_extract_cannot_read_is_refused_and_the_rest_goes_on(
    raw: RawZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = _unit(raw, a__csv=b"name\nHall\n", b__json=json.dumps({"text": "x" * 20_000_000}).encode(),
                 c__csv=b"name\nRoom\n")  # fmt: skip
    small = ParserLimits(memory_bytes=4 * 1024**2)
    monkeypatch.setattr(extraction, "limits_of", lambda wider: ParserLimits() if wider else small)
    read = Read(raw, unit)
    assert [record["name"] for record in read.records] == ["Hall", "Room"]
    (reject,) = read.extracted.rejects
    assert (reject["locator"], reject["disposition"]) == ("o00002", Disposition.QUARANTINED)
    assert reject["code"] in RELEASABLE
    assert [(count.rows_in, count.quarantined, count.emitted) for count in read.counts[2]] == [(3, 1, 2), (2, 0, 2)]

    released = MemoryStage()
    digest = unit.files[1].sha256
    extract(
        read.identified, read.received, raw, released, released={OverruledRefusal("o00009", reject["code"], digest)}
    )
    assert sum(table.rows for table in released.tables("records")) == 3
    assert released.written["refusals"].whole()["let_in"].to_list() == ["released"]


@pytest.mark.parametrize("failing", [0, 1])
def test_what_a_parser_breaks_off_leaves_no_half_table(
    raw: RawZone, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    def broken(stream: io.BytesIO, **about: Any) -> Any:
        found = list(parsers.records(stream, **about))
        yield from found
        if b"Hall 2" in found[0][1].column(1).to_pylist()[0].encode():
            yield Problem("row=9", "ragged-row", "The row has more cells than the header.")
            raise UnreadableError(*(("parse-error", "Its parser gave up (KeyError)."), ("broken-csv", "x"))[failing])

    monkeypatch.setattr(extraction, "records", broken)
    unit = _unit(raw, a__csv=b"name\nHall 1\n", b__csv=b"name\nHall 2\n")
    if failing:
        with pytest.raises(IntegrityError):
            Read(raw, unit)
        return
    read = Read(raw, unit)
    assert [record["name"] for record in read.records] == ["Hall 1"]
    assert read.codes == ["ragged-row", "parse-error"]


CHAT = "".join(f"[12/01/2026, 10:{minute}:33] Ann: the hall has {minute} seats, I think\n" for minute in range(10, 40))


@pytest.mark.parametrize(
    "text", [CHAT, "[1] The hall opened in 2019\n[2] It closed\n", "[[Category:Halls]]\nThe hall is old.\n"]
)
def test_what_begins_with_a_bracket_need_not_be_json(raw: RawZone, text: str) -> None:
    read = _read(raw, chat__txt=text.encode())
    said = " ".join(str(value) for record in read.records for value in record.values())
    for line in text.splitlines():
        assert line.strip("[]") in said


@pytest.mark.parametrize("text", ["[1, 2.5, -3]", "[[1, 2], [3, 4]]", "[-1e3]", "[[], {}]", "[[1,2]," * 60_000])
def test_arrays_of_numbers_are_json(text: str) -> None:
    assert text_format(text[:250_000], "a").reader == "json"


def test_what_a_person_releases_is_read_within_wider_limits(raw: RawZone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identification, "ParserLimits", lambda: ParserLimits(memory_bytes=4 * 1024**2))
    digest, size = raw.put(io.BytesIO(json.dumps({"text": "x" * 20_000_000}).encode()))
    unit = Unit(UnitMode.SINGLE_FILE, (UnitFile("large.json", digest, size),))
    received, refused, elsewhere, released, extracted = (MemoryStage() for _ in range(5))
    receive(unit, raw, received, ReceiveLimits())
    identify(received, raw, refused)
    (reject,) = refused.rejects
    assert reject["code"] in RELEASABLE
    identify(received, raw, elsewhere, released={OverruledRefusal(reject["locator"], reject["code"], "0" * 64)})
    assert elsewhere.rejects == [reject], "another file lay there when it was released"
    identify(received, raw, released, released={OverruledRefusal("o00009", reject["code"], digest)})
    assert released.rejects == []
    extract(released, received, raw, extracted)
    assert [table.rows for table in extracted.tables("records")] == [1]
