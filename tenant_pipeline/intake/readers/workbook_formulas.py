"""Formulas of an XLSX whose value was never stored: programs that write workbooks without computing them do that."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from typing import IO, BinaryIO

from lxml import etree

from tenant_pipeline.intake.archive import BROKEN

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_MOST = 10_000


def formulas_without_value(stream: BinaryIO) -> Iterator[tuple[str, str]]:
    """The sheet and the cell (`B3`) of each such formula, at most 10,000. Nothing for other kinds of workbook."""
    stream.seek(0)
    found = 0
    try:
        with zipfile.ZipFile(stream) as package:
            for name, part in _sheets(package):
                if not _has_formula(package, part):
                    continue
                with package.open(part) as sheet:
                    for cell in _unvalued(sheet):
                        yield name, cell
                        found += 1
                        if found == _MOST:
                            return
    except (*BROKEN, KeyError, RuntimeError, etree.XMLSyntaxError):
        return  # no XLSX, or one that its reader has judged already


def _sheets(package: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    relations = etree.fromstring(package.read("xl/_rels/workbook.xml.rels"), _parser())
    targets = {each.get("Id"): each.get("Target", "") for each in relations.iter(_PACKAGE)}
    workbook = etree.fromstring(package.read("xl/workbook.xml"), _parser())
    for sheet in workbook.iter(f"{_MAIN}sheet"):
        target = targets.get(sheet.get(_RELATION), "")
        part = target.lstrip("/") if target.startswith("/") else posixpath.join("xl", target)
        if "worksheets/" in part and part in package.namelist():
            yield sheet.get("name", ""), part


def _has_formula(package: zipfile.ZipFile, part: str) -> bool:
    """Whether a sheet has any formula, found without parsing it."""
    with package.open(part) as sheet:
        before = b""
        while piece := sheet.read(1024 * 1024):
            if b"<f>" in (held := before + piece) or b"<f " in held:
                return True
            before = piece[-3:]
    return False


def _unvalued(sheet: IO[bytes]) -> Iterator[str]:
    cells = etree.iterparse(sheet, tag=f"{_MAIN}row", resolve_entities=False, no_network=True, load_dtd=False)
    for _, row in cells:
        for cell in row:
            if cell.find(f"{_MAIN}f") is not None:
                value = cell.find(f"{_MAIN}v")
                if value is None or (value.text is None and cell.get("t") != "str"):  # an empty text is a value
                    yield cell.get("r", "")
        row.clear()
        while row.getprevious() is not None:
            del row.getparent()[0]


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
