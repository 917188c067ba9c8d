"""Candidates for the conflict matrix, made by hand and from the gazetteers, and the properties they speak with."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from tenant_pipeline.core.digest import short_id
from tenant_pipeline.core.statement import Datatype
from tenant_pipeline.core.vocabulary import PropertyDefinition, TypeDefinition, Vocabulary

COLUMNS = (
    "canonical_id", "property", "lang", "type", "source_id", "statement_id", "value", "raw_value", "locator",
    "authority_tier", "origin", "observed_at", "valid_from", "valid_to",
)  # fmt: skip

PROPERTIES = {
    each.name: each
    for each in (
        PropertyDefinition("name", Datatype.NAME, per_language=True),
        PropertyDefinition("address", Datatype.ADDRESS, per_language=True),
        PropertyDefinition("geo", Datatype.GEO, tolerance=150),
        PropertyDefinition("floorSize", Datatype.AREA, unit="m2", tolerance=0.01),
        PropertyDefinition("maximumAttendeeCapacity", Datatype.NUMBER, tolerance=0.0),
        PropertyDefinition("openingDate", Datatype.DATE, tolerance=0),
        PropertyDefinition("validThrough", Datatype.DATE, tolerance=1),
        PropertyDefinition("postalCode", Datatype.POSTAL_CODE),
        PropertyDefinition("areaCode", Datatype.ADMINISTRATIVE_CODE),
        PropertyDefinition("website", Datatype.URL),
        PropertyDefinition("licenceStatus", Datatype.CATEGORY),
        PropertyDefinition("addressCountry", Datatype.CATEGORY),
        PropertyDefinition("contact", Datatype.TELEPHONE),
        PropertyDefinition("telephone", Datatype.TELEPHONE, multi_valued=True),
    )
}
VOCABULARY = Vocabulary("1.0.0", {"Place": TypeDefinition("Place", None, tuple(PROPERTIES), ())}, PROPERTIES)


def candidate(value: str, source: str, **columns: Any) -> dict[str, Any]:
    """A candidate row: what `source` says of one entity's English name, unless `columns` say otherwise."""
    row = {
        "canonical_id": "can-1",
        "property": "name",
        "lang": "en",
        "type": "Place",
        "source_id": source,
        "value": value,
        "raw_value": value,
        "locator": "o00001#row=2",
        "authority_tier": 2,
        "origin": "partner-doc",
        "observed_at": "2026-01-01T00:00:00Z",
        "valid_from": "",
        "valid_to": "",
        **columns,
    }
    parts = [str(row[name]) for name in ("source_id", "canonical_id", "property", "value", "lang")]
    return {"statement_id": short_id("st-", parts), **row}


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    """The rows as a frame of candidates."""
    return pd.DataFrame(rows, columns=list(COLUMNS))


def gazetteer_tambons(folder: Path) -> Iterator[tuple[str, dict[str, dict[str, str]]]]:
    """Each gazetteer's tambons by official code: the Thai name, the English name and the postal code, as written."""
    with (folder / "kongvut/formats/csv/sub_districts.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    yield "kongvut", {row["id"]: _said(row["name_th"], row["name_en"], row["zip_code"]) for row in rows}
    rows = json.loads((folder / "geothai/data/v1/subdistricts.json").read_text(encoding="utf-8"))
    yield (
        "geothai",
        {
            str(row["subdistrict_id"]): _said(
                row["subdistrict_name_th"], row["subdistrict_name_en"], row["postal_code"]
            )
            for row in rows
        },
    )
    rows = json.loads((folder / "tgj/src/subdistricts.json").read_text(encoding="utf-8"))
    yield (
        "tgj",
        {
            str(row["subdistrictCode"]): _said(row["subdistrictNameTh"], row["subdistrictNameEn"], row["postalCode"])
            for row in rows
        },
    )


def _said(thai: str, english: str, postcode: Any) -> dict[str, str]:
    return {"th": thai, "en": english, "postalCode": str(postcode)}
