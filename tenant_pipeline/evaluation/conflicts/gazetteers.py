"""Three independent compilations of Thailand's sub-districts: who writes what of each official code."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from tenant_pipeline.core.standardise.names import standardise_name
from tenant_pipeline.core.standardise.reading import Context

FOLDER = Path("thai_gazetteers")
Said = tuple[str, str, str, str, str]
"""Source, code, property, language, and the value as written."""


def read_gazetteers(folder: Path) -> pd.DataFrame:
    """What the compilations say of the codes that all share, as candidates for the conflict matrix."""
    said = [*_kongvut(folder), *_geothai(folder), *_tgj(folder)]
    sources: dict[str, set[str]] = {}
    for source, code, *_ in said:
        sources.setdefault(code, set()).add(source)
    rows = [
        {
            "canonical_id": code,
            "type": "AdministrativeArea",
            "property": property_,
            "lang": lang,
            "value": standardise_name(raw, Context(lang)).value if property_ == "name" else raw,
            "raw_value": raw,
            "source_id": source,
            "statement_id": f"{source} {code} {property_} {lang}",
            "locator": code,
            "authority_tier": 2,
            "origin": "regulator",
            "observed_at": "",
        }
        for source, code, property_, lang, raw in said
        if len(sources[code]) == 3
    ]
    return pd.DataFrame(rows)


def _kongvut(folder: Path) -> Iterator[Said]:
    with (folder / "kongvut/formats/csv/sub_districts.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield from _of("kongvut", row["id"], row["name_th"], row["name_en"], row["zip_code"])


def _geothai(folder: Path) -> Iterator[Said]:
    for row in json.loads((folder / "geothai/data/v1/subdistricts.json").read_text(encoding="utf-8")):
        names = row["subdistrict_name_th"], row["subdistrict_name_en"]
        yield from _of("geothai", str(row["subdistrict_id"]), *names, str(row["postal_code"]))


def _tgj(folder: Path) -> Iterator[Said]:
    for row in json.loads((folder / "tgj/src/subdistricts.json").read_text(encoding="utf-8")):
        names = row["subdistrictNameTh"], row["subdistrictNameEn"]
        yield from _of("tgj", str(row["subdistrictCode"]), *names, str(row["postalCode"]))


def _of(source: str, code: str, thai: str, english: str, postcode: str) -> Iterator[Said]:
    yield source, code, "name", "th", thai
    yield source, code, "name", "en", english
    yield source, code, "postalCode", "", postcode
