"""PDFs for tests, written by hand: text in Helvetica or in a font of Unicode's own codes, ruled tables, pictures."""

from __future__ import annotations

from collections.abc import Sequence

TOP = 800
_MARKS = "\u0e31\u0e34\u0e35\u0e36\u0e37\u0e38\u0e39\u0e47\u0e48\u0e49\u0e4a\u0e4b\u0e4c\u0e4d\uf70a\uf710"


def text(words: str, x: float, y: float, size: float = 10) -> str:
    """A line of Latin text."""
    escaped = words.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT /F1 {size} Tf {x} {y} Td ({escaped}) Tj ET"


def thai(words: str, x: float, y: float, size: float = 10, back: float = 0) -> str:
    """A line of text in any script; each mark is drawn by itself, moved `back` towards or before its letter."""
    drawn = []
    for character in words:
        shift = back if character in _MARKS else 0
        drawn.append(f"{shift} <{ord(character):04x}> {-shift}")
    return f"BT /F2 {size} Tf {x} {y} Td [{' '.join(drawn)}] TJ ET"


def table(rows: Sequence[Sequence[str]], y: float, x: float = 50, width: float = 120, height: float = 20) -> str:
    """A table with ruled cells, downwards from y."""
    drawn = []
    for row in range(len(rows) + 1):
        drawn.append(f"{x} {y - row * height} m {x + width * len(rows[0])} {y - row * height} l S")
    for column in range(len(rows[0]) + 1):
        drawn.append(f"{x + column * width} {y} m {x + column * width} {y - len(rows) * height} l S")
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            place = (x + column * width + 4, y - row * height - 14)
            drawn.append(text(cell, *place) if cell.isascii() else thai(cell, *place))
    return "\n".join(drawn)


def line(x0: float, y0: float, x1: float, y1: float) -> str:
    """A ruled line."""
    return f"{x0} {y0} m {x1} {y1} l S"


def pdf(*pages: str, title: str = "") -> bytes:
    """A PDF of pages, each given by its drawing operators; a page of none has no text layer."""
    widths = " ".join(f"{ord(mark)} [0]" for mark in _MARKS)
    to_unicode = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /U def /CMapType 2 def "
        "1 begincodespacerange <0000> <ffff> endcodespacerange "
        "2 beginbfrange <0000> <dfff> <0000> <e000> <ffff> <e000> endbfrange "
        "endcmap CMapName currentdict /CMap defineresource pop end end"
    )
    kids = " ".join(f"{8 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        "<< /Type /Font /Subtype /Type0 /BaseFont /Unicode /Encoding /Identity-H /DescendantFonts [5 0 R] "
        "/ToUnicode 6 0 R >>",
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Unicode /CIDSystemInfo "
        f"<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /DW 600 /W [{widths}] >>",
        _stream(to_unicode),
        f"<< /Title ({title}) >>",
    ]
    for number, drawing in enumerate(pages):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 850] /Contents {9 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>"
        )
        objects.append(_stream(drawing))
    written = b"%PDF-1.7\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(written))
        written += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
    entries = "".join(f"{place:010d} 00000 n \n" for place in places)
    trailer = f"<< /Size {len(objects) + 1} /Root 1 0 R /Info 7 0 R >>"
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{entries}trailer\n{trailer}\nstartxref\n{len(written)}\n"
    return written + end.encode("latin-1") + b"%%EOF\n"


def _stream(content: str) -> str:
    return f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"
