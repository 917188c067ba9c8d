"""Hostile documents: what XML, JSON, YAML, spreadsheets and PDFs have been made to do to those who read them."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from tenant_pipeline.core.canonical_export import export_lines

CANARY = "canary-4f1e"
"""What a file outside holds that entities try to pull in."""

_XML_BODIES = {
    "feed": "<rss version='2.0'><channel><title>t</title><item><title>{}</title></item></channel></rss>",
    "kml": "<kml xmlns='http://www.opengis.net/kml/2.2'><Placemark><name>{}</name></Placemark></kml>",
    "gpx": "<gpx xmlns='http://www.topografix.com/GPX/1/1'><wpt lat='1' lon='2'><name>{}</name></wpt></gpx>",
    "xml": "<rows><row><a>{}</a></row><row><a>b</a></row></rows>",
    "mediawiki": "<mediawiki xmlns='http://www.mediawiki.org/xml/export-0.11/'><page><title>{}</title><ns>0</ns><id>1</id>"
    "<revision><id>1</id><text>{{{{see|name=x|lat=1}}}}</text></revision></page></mediawiki>",
    "newsml": "<newsItem xmlns='http://iptc.org/std/nar/2006-10-01/'><contentMeta><headline>{}</headline></contentMeta>"
    "<contentSet><inlineXML><p>{}</p></inlineXML></contentSet></newsItem>",
    "dcat": "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:dcat='http://www.w3.org/ns/dcat#'>"
    "<dcat:Dataset><dcat:keyword>{}</dcat:keyword></dcat:Dataset></rdf:RDF>",
    "confluence": "<hibernate-generic datetime='x'><object class='Page'><property name='title'>{}</property></object>"
    "</hibernate-generic>",
}


def xml_attacks(canary_path: str) -> Iterator[tuple[str, bytes]]:
    """Entities that read files, reach out or unfold; external definitions; inclusion; depth; names of the files."""
    doctypes = {
        "file": f"<!DOCTYPE r [<!ENTITY x SYSTEM 'file://{canary_path}'>]>",
        "path": f"<!DOCTYPE r [<!ENTITY x SYSTEM '{canary_path}'>]>",
        "http": "<!DOCTYPE r [<!ENTITY x SYSTEM 'http://127.0.0.1:9/x'>]>",
        "parameter": f"<!DOCTYPE r [<!ENTITY % p SYSTEM 'file://{canary_path}'>%p;<!ENTITY x 'y'>]>",
        "external": f"<!DOCTYPE r SYSTEM 'file://{canary_path}'>",
        "public": "<!DOCTYPE r PUBLIC '-//x//y' 'http://127.0.0.1:9/x.dtd'>",
        "laughs": "<!DOCTYPE r [<!ENTITY a '" + "ha" * 50 + "'>"
        + "".join(f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefgh", "bcdefghx", strict=True)) + "]>",
        "quadratic": "<!DOCTYPE r [<!ENTITY x '" + "A" * 60_000 + "'>]>",
        "recursive": "<!DOCTYPE r [<!ENTITY x '&y;'><!ENTITY y '&x;'>]>",
    }  # fmt: skip
    for format_name, body in _XML_BODIES.items():
        for attack, doctype in doctypes.items():
            content = "&x;" * (200 if attack == "quadratic" else 1)
            text = f"<?xml version='1.0'?>{doctype}{body.format(content, content)}"
            yield f"{attack}-{format_name}.xml", text.encode()
        included = f"<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='{canary_path}' parse='text'/>"
        yield f"include-{format_name}.xml", body.format(included, included).encode()
        yield f"deep-{format_name}.xml", body.format("<a>" * 50_000, "").encode()
        yield (
            f"wide-{format_name}.xml",
            body.format("<b " + " ".join(f"a{n}='1'" for n in range(8_000)) + "/>", "").encode(),
        )
        yield f"cut-{format_name}.xml", body.format("x", "x").encode()[:-12]


def json_attacks() -> Iterator[tuple[str, bytes]]:
    """Depth, numbers without end, keys without end, types that are not what a format promises."""
    yield "deep-array.json", b"[" * 100_000
    yield "deep-closed.json", b"[" * 100_000 + b"]" * 100_000
    yield "deep-object.json", b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    yield "number.json", b'[{"a":' + b"9" * 500_000 + b"}]"
    yield "exponent.json", b'[{"a":1e999999999}]'
    yield "nan.json", b'[{"a":NaN},{"a":-Infinity}]'
    yield "surrogate.json", b'[{"a":"\\ud800"},{"a":"\\udfff\\ud800"}]'
    yield "nul.json", b'[{"a":"x\\u0000y"}]'
    yield "keys.json", json.dumps([{f"key{n}": n for n in range(30_000)}]).encode()
    yield "tables.json", json.dumps({f"table{n}": [{"a": 1}] for n in range(6_000)}).encode()
    for position, value in enumerate((None, True, 1, 1.5, "x", [], {}, [[]], [None], [1, "a", {}], {"a": {"b": []}})):
        yield f"odd-{position}.json", json.dumps(value).encode()
        for key in ("features", "mapping", "chat_messages", "chunkedPrompt", "choices", "value", "result", "openapi"):
            shell = {"type": "FeatureCollection", "success": True, "current_node": "x", key: value}
            yield f"odd-{key}-{position}.json", json.dumps(shell).encode()
            yield f"odd-list-{key}-{position}.json", json.dumps([shell, shell]).encode()


def text_attacks() -> Iterator[tuple[str, bytes]]:
    """YAML that builds objects or unfolds, tables without end, markup without end."""
    yield "object.yaml", b"a: !!python/object/apply:os.system ['touch /tmp/never']\nb: 1\nc: 2\n"
    yield "module.yaml", b"a: !!python/module:os\nb: 1\nc: 2\n"
    aliases = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
    )
    yield "laughs.yaml", aliases.encode()
    yield "deep.yaml", b"a:\n" + b"".join(b" " * n + b"- \n" for n in range(1, 3000))
    yield "flow.yaml", b"a: " + b"[" * 50_000
    yield "columns.csv", b",".join(b"c%d" % n for n in range(30_000)) + b"\n" + b"1," * 30_000 + b"\n"
    yield "field.csv", b"a,b\n1," + b"x" * 20_000_000 + b"\n2,3\n"
    yield "quotes.csv", b'a,b\n"' * 20_000
    yield "nul.csv", b"a,b\n1,\0\n2,3\n"
    yield "formulas.csv", b"a,b\n=cmd|' /C calc'!A0,@SUM(1)\n+1,-1\n"
    yield "pipes.md", b"|" * 100_000 + b"\n" + b"|-" * 50_000 + b"\n"
    yield "brackets.md", b"[" * 100_000 + b"](" * 1000
    yield "stars.md", b"# t\n" + b"*a _b " * 20_000
    yield "divs.html", b"<html><body>" + b"<div>" * 100_000
    yield "tables.html", b"<html><body>" + b"<table><tr><td>" * 3_000
    yield (
        "span.html",
        b"<html><table><tr><td colspan=999999999 rowspan=999999999>x</td></tr><tr><td>y</td></tr></table>",
    )
    yield "braces.wiki", b"{{" * 30_000 + b"see|name=x"
    yield "listing.wiki", b"== See ==\n* {{see | name=" + b"[[" * 20_000 + b"}}\n"
    yield "create.sql", b"CREATE TABLE a (" + b"(" * 20_000
    yield "fold.ics", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:" + b"x\r\n " * 50_000 + b"\r\n"
    yield "nest.ics", b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 20_000
    yield (
        "rrule.ics",
        (
            b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:x\r\nDTSTART:00010101T000000\r\n"
            b"RRULE:FREQ=SECONDLY;COUNT=999999999\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        ),
    )
    yield "cards.vcf", b"BEGIN:VCARD\r\nVERSION:3.0\r\n" * 5_000
    yield "utf7.txt", b"+ADw-script+AD4-" * 100
    for encoding in ("utf-16", "utf-32"):
        yield f"half-{encoding}.csv", "a,b\n1,2\n".encode(encoding) * 3 + b"\xff"


def office_attacks() -> Iterator[tuple[str, bytes]]:
    """Packages whose parts are missing, wrong, unfolding, or lead outside."""
    types = b"<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>"
    laughs = b"<!DOCTYPE r [<!ENTITY a 'haha'><!ENTITY b '&a;&a;&a;'>]><r>&b;</r>"
    outside = (
        b"<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'><Relationship Id='r1' "
        b"Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet' "
        b"Target='file:///etc/passwd' TargetMode='External'/></Relationships>"
    )
    for main in ("word/document.xml", "xl/workbook.xml", "ppt/presentation.xml"):
        for name, content in (("empty", b""), ("text", b"no xml"), ("laughs", laughs), ("deep", b"<a>" * 30_000)):
            yield f"{name}-{main.split('/')[0]}.bin", _package({"[Content_Types].xml": types, main: content})
        yield (
            f"outside-{main.split('/')[0]}.bin",
            _package({"[Content_Types].xml": types, main: b"<r/>", f"{main.rpartition('/')[0]}/_rels/x.rels": outside,
                      "_rels/.rels": outside}),
        )  # fmt: skip
        yield (
            f"zeros-{main.split('/')[0]}.bin",
            _package({"[Content_Types].xml": types, main: b"<a/>", "z": b"\0" * 30_000_000}),
        )
    for kind in ("spreadsheet", "text", "presentation"):
        media = f"application/vnd.oasis.opendocument.{kind}".encode()
        for name, content in (("empty", b""), ("laughs", laughs), ("deep", b"<a>" * 30_000)):
            yield (
                f"{name}-{kind}.bin",
                _package({"mimetype": media, "META-INF/manifest.xml": b"<m/>", "content.xml": content}),
            )


def pdf_attacks() -> Iterator[tuple[str, bytes]]:
    """PDFs that run in circles, lie about their length, or are only a beginning."""
    yield "mark.pdf", b"%PDF-1.7\n"
    yield "junk.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 400
    yield "circle.pdf", _pdf(b"<</Type/Pages/Kids[2 0 R]/Count 1>>")
    yield "parent.pdf", _pdf(b"<</Type/Pages/Kids[1 0 R]/Count 1/Parent 2 0 R>>")
    yield "count.pdf", _pdf(b"<</Type/Pages/Kids[]/Count 999999999>>")
    yield "kids.pdf", _pdf(b"<</Type/Pages/Kids " + b"[" * 20_000 + b"/Count 1>>")
    yield "length.pdf", _pdf(b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Length 999999999999>>stream\nx\nendstream")
    yield (
        "filters.pdf",
        _pdf(
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/Contents 3 0 R/Length 9/Filter["
            + b"/FlateDecode" * 500
            + b"]>>stream\nxxxxxxxxx\nendstream",
        ),
    )
    yield (
        "encrypted.pdf",
        _pdf(b"<</Type/Pages/Kids[]/Count 0>>", trailer=b"/Encrypt<</Filter/Standard/V 9/R 9/O()/U()/P 0>>"),
    )


def mutated(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Our own samples with bytes changed, cut out, doubled, put elsewhere, or cut off: `count` in all."""
    chance = random.Random(seed)
    samples = sorted(all_samples(), key=lambda each: each[0])
    for number in range(count):
        name, content = samples[number % len(samples)]
        changed = bytearray(content)
        for _ in range(chance.choice((1, 2, 5, 20))):
            if not changed:
                break
            position = chance.randrange(len(changed))
            match chance.randrange(6):
                case 0:
                    changed[position] = chance.randrange(256)
                case 1:
                    changed[position] ^= 1 << chance.randrange(8)
                case 2:
                    del changed[position : position + chance.randrange(1, 200)]
                case 3:
                    piece = changed[position : position + chance.randrange(1, 200)]
                    changed[position:position] = piece * chance.choice((1, 2, 50))
                case 4:
                    token = chance.choice(
                        (b"\0", b'"', b"<", b"{", b"[", b"\xff\xfe", b"&x;", b"\r", b"999999999999", b"%")
                    )
                    changed[position:position] = token
                case _:
                    del changed[position:]
        yield f"{number}-{name}", bytes(changed)


def all_samples() -> Iterator[tuple[str, bytes]]:
    """Our own samples of every format: each with its name."""

    def below(folder: Traversable) -> Iterator[tuple[str, bytes]]:
        for entry in sorted(folder.iterdir(), key=lambda each: each.name):
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from below(entry)
            elif not entry.name.endswith(".py"):
                yield entry.name, entry.read_bytes()

    yield from below(files("tenant_pipeline.samples"))
    yield from office_samples()
    yield from text_samples()


def text_samples() -> Iterator[tuple[str, bytes]]:
    """A small text of each format that the shipped samples have none of."""
    hall = {"name_en": "Hall", "name_th": "โถง", "capacity": 10}
    yield "venues.json", json.dumps([hall, {**hall, "at": {"lat": 7.5}}]).encode()
    yield "venues.ndjson", b"\n".join(json.dumps(hall, ensure_ascii=False).encode() for _ in range(3))
    yield (
        "venues.xml",
        "<?xml version='1.0'?><a><hall id='1'><n>โถง</n></hall><hall id='2'><n>B</n></hall></a>".encode(),
    )
    yield "venues.html", "<html><title>t</title><table><tr><th>a<th>b<tr><td>โถง<td>2</table>text</html>".encode()
    yield "export.ndjson", _canonical_export()
    yield "venues.wiki", b"== See ==\n* {{see | name=Hall | lat=7.8 | long=98.3 | content=A [[hall]]. }}\nWords.\n"
    yield (
        "entities.xml",
        (
            b"<?xml version='1.0'?><hibernate-generic><object class='Page'><id name='id'>1</id>"
            b"<property name='title'>Halls</property></object><object class='BodyContent'><id name='id'>2</id>"
            b"<property name='body'><![CDATA[<p>Two.</p><ac:structured-macro ac:name='info'><ac:rich-text-body><p>Open."
            b"</p></ac:rich-text-body></ac:structured-macro><table><tr><th>a</th></tr><tr><td>1</td></tr></table>]]>"
            b"</property>"
            b"<property name='content' class='Page'><id name='id'>1</id></property></object>"
            b"</hibernate-generic>"
        ),
    )
    yield "venues.txt", "โถงใหญ่\n\nรองรับผู้เข้าร่วม 200 คน ที่ริมอ่าว\n".encode()
    yield (
        "venues.gpx",
        b"<gpx xmlns='http://www.topografix.com/GPX/1/1'><wpt lat='7' lon='98'><name>A</name></wpt></gpx>",
    )
    columns = [{"name": "hall", "fieldName": "hall", "id": 1}, {"name": "seats", "fieldName": "seats", "id": 2}]
    view = {"meta": {"view": {"columns": columns}}, "data": [["A", 10], ["B", 20]]}
    yield "rows.json", json.dumps(view).encode()
    yield (
        "venues.odt",
        _package(
            {
                "mimetype": b"application/vnd.oasis.opendocument.text",
                "META-INF/manifest.xml": b"<m/>",
                "content.xml": b"<o:document-content xmlns:o='urn:oasis:names:tc:opendocument:xmlns:office:1.0' "
                b"xmlns:t='urn:oasis:names:tc:opendocument:xmlns:text:1.0'><o:body><o:text><t:h>Halls"
                b"</t:h><t:p>Two halls.</t:p></o:text></o:body></o:document-content>",
            }
        ),
    )


def _canonical_export() -> bytes:
    said = {
        "entity": "can-1", "type": "EventVenue", "property": "name", "value": "Hall", "raw_value": "Hall", "lang": "en",
        "datatype": "name", "valid_from": "", "valid_to": "", "provenance": [],
    }  # fmt: skip
    return b"".join(export_lines("a-tenant", "2026-01-01T00:00:00+00:00", 1, [said]))


def office_samples() -> Iterator[tuple[str, bytes]]:
    """A small workbook, document, presentation and Parquet file, and a PDF."""
    import docx
    import pptx
    import pyarrow as pa
    import pyarrow.parquet as pq
    from openpyxl import Workbook

    book = Workbook()
    for row in (["name_en", "capacity"], ["Hall", 10], ["Arena", "=5*4"]):
        book.worksheets[0].append(row)
    written = io.BytesIO()
    book.save(written)
    yield "venues.xlsx", written.getvalue()
    document = docx.Document()
    document.add_heading("Venues", 1)
    table = document.add_table(rows=2, cols=2)
    for position, text in enumerate(("name_en", "capacity", "Hall", "10")):
        table.cell(position // 2, position % 2).text = text
    written = io.BytesIO()
    document.save(written)
    yield "venues.docx", written.getvalue()
    slides = pptx.Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[5])
    slide.shapes.title.text = "Venues"
    written = io.BytesIO()
    slides.save(written)
    yield "venues.pptx", written.getvalue()
    written = io.BytesIO()
    pq.write_table(pa.table({"name_en": ["Hall", "Arena"], "capacity": [10, 20]}), written)
    yield "venues.parquet", written.getvalue()
    stream = b"BT /F1 12 Tf 20 100 Td (Venues of the bay) Tj ET"
    yield (
        "venues.pdf",
        _pdf(
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
            b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        ),
    )


def _package(parts: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return written.getvalue()


def _pdf(*objects: bytes, trailer: bytes = b"") -> bytes:
    """A PDF whose second object and those behind it are given."""
    written = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, content in enumerate((b"<</Type/Catalog/Pages 2 0 R>>", *objects), 1):
        offsets.append(len(written))
        written += b"%d 0 obj%s endobj\n" % (number, content)
    start = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1)
    for offset in offsets:
        written += b"%010d 00000 n \n" % offset
    written += b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF" % (len(offsets) + 1, trailer, start)
    return bytes(written)
