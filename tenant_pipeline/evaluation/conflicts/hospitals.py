"""Five records of each of a thousand hospital measures, of which three agree on a wrong value wherever they differ.

The column `src` was dealt out at random within each block of five, so it says nothing of who is right; the place within
the block does: the first three have a wrong address, the last three a wrong number and code. Both readings are offered.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

from tenant_pipeline.core.conflict.comparison import Candidate
from tenant_pipeline.core.statement import Datatype
from tenant_pipeline.core.vocabulary import PropertyDefinition
from tenant_pipeline.evaluation.conflicts.dispute import Dispute, DisputedData

FOLDER = Path("fusion_hospital", "testdata", "hospital")
TIERS = Path(__file__).with_name("hospital_tiers.json")
"""Which of the five feeds a tenant's steward would call authoritative for what."""
NO_AUTHORITY = 3

_DATATYPES = {
    "Address1": Datatype.ADDRESS, "City": Datatype.NAME, "CountyName": Datatype.NAME, "HospitalName": Datatype.NAME,
    "PhoneNumber": Datatype.TELEPHONE, "ProviderNumber": Datatype.IDENTIFIER, "ZipCode": Datatype.POSTAL_CODE,
}  # fmt: skip


def read_tiers(path: Path) -> Mapping[str, Mapping[str, int]]:
    """A tiers file: for each source its tier (1–5) by property, `*` for all others."""
    tiers: Mapping[str, Mapping[str, int]] = json.loads(path.read_text(encoding="utf-8"))
    return tiers


def read_hospitals(folder: Path, *, by_place: bool, tiers: Mapping[str, Mapping[str, int]] | None) -> DisputedData:
    """The questions of the data set; sources are the places in a block, or the letters of `src`."""
    with (folder / "input_golden_record.csv").open(encoding="utf-8", newline="") as file:
        golden = {row["hospital_number"]: row for row in csv.DictReader(file)}
    said: dict[tuple[str, str], list[Candidate]] = {}
    places: dict[str, int] = {}
    with (folder / "hospital_input_synthetic.csv").open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 2):
            entity = row.pop("hospital_number")
            letter = row.pop("src")
            places[entity] = places.get(entity, 0) + 1
            source = f"feed {places[entity]}" if by_place else letter
            for attribute, value in row.items():
                said.setdefault((entity, attribute), []).append(
                    Candidate(
                        source, f"{number:06d}", value, value, f"row={number}", _tier(tiers, source, attribute),
                        "partner-doc", "",
                    )
                )  # fmt: skip
    disputes = tuple(
        Dispute(
            f"{entity}, {attribute}",
            f"{entity} {attribute}",
            PropertyDefinition(attribute, _DATATYPES.get(attribute, Datatype.CATEGORY)),
            "en",
            tuple(candidates),
            frozenset({golden[entity][attribute]}),
            (),
            frozenset(one.statement_id for one in candidates),
        )
        for (entity, attribute), candidates in said.items()
    )
    claims = tuple(
        (f"{entity} {attribute}", one.source_id, one.value)
        for (entity, attribute), candidates in said.items()
        for one in candidates
    )
    reading = "sources by place in the block" if by_place else "sources by the column src"
    authority = "with a tiers file" if tiers else "without tiers"
    return DisputedData(f"fusion_hospital, {reading}, {authority}", disputes, claims)


def _tier(tiers: Mapping[str, Mapping[str, int]] | None, source: str, attribute: str) -> int:
    if tiers is None:
        return NO_AUTHORITY
    of_source = tiers.get(source, {})
    return of_source.get(attribute, of_source.get("*", NO_AUTHORITY))
