"""Thai administrative areas in independent compilations: linked by names and parents; the official codes are gold."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from tenant_pipeline.evaluation.linking.tables import GoldTables, record

LEVELS = ("province", "district", "subdistrict")


@dataclass(frozen=True)
class Area:
    """An area: its official code, its names, and its parent's code ("" for a province)."""

    code: str
    thai: str
    english: str
    parent: str


Compilation = Mapping[str, Sequence[Area]]
"""Areas by level."""


def gazetteers(folder: Path, languages: tuple[str, str] = ("th en", "th en")) -> Iterator[GoldTables]:
    """Every two compilations below `folder`, level by level; `languages` are those the left and right side keep."""
    found = {
        name: read(folder / name)
        for name, read in (("kongvut", _kongvut), ("geothai", _geothai), ("tgj", _tgj))
        if (folder / name).is_dir()
    }
    for one, other in combinations(sorted(found), 2):
        for level in LEVELS:
            yield _tables(f"{one}-{other} {level}", found[one], found[other], level, languages)


def _tables(name: str, one: Compilation, other: Compilation, level: str, languages: tuple[str, str]) -> GoldTables:
    left = {f"l:{code}": said for code, said in _side(one, level, languages[0])}
    right = {f"r:{code}": said for code, said in _side(other, level, languages[1])}
    matches = frozenset((id_, f"r:{id_[2:]}") for id_ in left if f"r:{id_[2:]}" in right)
    rows = {id_: {f"{key}_{lang}": value for key, value, lang in said} for id_, said in (*left.items(), *right.items())}
    ones, others = (
        {id_: record(id_, "AdministrativeArea", said) for id_, said in side.items()} for side in (left, right)
    )
    return GoldTables(name, ones, others, matches, rows=rows)


def _side(areas: Compilation, level: str, languages: str) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """Each area's code, and what is said of it: its names, and those of what lies above it."""
    above = {
        "district": [("addressRegion", "province")],
        "subdistrict": [("containedInPlace", "district"), ("addressRegion", "province")],
    }
    by_code = [(property_, {each.code: each for each in areas[upper]}) for property_, upper in above.get(level, ())]
    for area in areas[level]:
        said, here = _names("name", area, languages), area
        for property_, uppers in by_code:
            parent = uppers.get(here.parent)
            if parent is None:
                break
            said += _names(property_, parent, languages)
            here = parent
        yield area.code, said


def _names(property_: str, area: Area, languages: str) -> list[tuple[str, str, str]]:
    texts = {"th": area.thai, "en": area.english}
    return [(property_, texts[language], language) for language in languages.split()]


def _kongvut(folder: Path) -> Compilation:
    csvs = folder / "formats" / "csv"
    districts = list(_csv(csvs / "districts.csv"))
    # its provinces are numbered by themselves: the code is the first two digits of a district's
    province_code = {row["province_id"]: row["id"][:2] for row in districts}
    return {
        "province": [
            Area(province_code[row["id"]], row["name_th"], row["name_en"], "")
            for row in _csv(csvs / "provinces.csv")
            if row["id"] in province_code
        ],
        "district": [Area(row["id"], row["name_th"], row["name_en"], row["id"][:2]) for row in districts],
        "subdistrict": [
            Area(row["id"], row["name_th"], row["name_en"], row["district_id"])
            for row in _csv(csvs / "sub_districts.csv")
        ],
    }


def _geothai(folder: Path) -> Compilation:
    data = folder / "data" / "v1"
    return {
        "province": _areas(_json(data / "provinces.json"), "province_id", "province_name_{}", ""),
        "district": _areas(_json(data / "districts.json"), "district_id", "district_name_{}", "province_id"),
        "subdistrict": _areas(
            _json(data / "subdistricts.json"), "subdistrict_id", "subdistrict_name_{}", "district_id"
        ),
    }


def _tgj(folder: Path) -> Compilation:
    data = folder / "src"
    return {
        "province": _areas(_json(data / "provinces.json"), "provinceCode", "provinceName{}", ""),
        "district": _areas(_json(data / "districts.json"), "districtCode", "districtName{}", "provinceCode"),
        "subdistrict": _areas(
            _json(data / "subdistricts.json"), "subdistrictCode", "subdistrictName{}", "districtCode"
        ),
    }


def _areas(rows: Iterable[Mapping[str, Any]], code: str, name: str, parent: str) -> list[Area]:
    thai, english = ("th", "en") if name.endswith("_{}") else ("Th", "En")
    return [
        Area(str(row[code]), row[name.format(thai)] or "", row[name.format(english)] or "", str(row.get(parent, "")))
        for row in rows
    ]


def _json(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8-sig"))
    return rows


def _csv(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)
