"""Real sources: what is no personal data is not flagged, and what is, is found at measured rates."""

from __future__ import annotations

import csv
import json
import pathlib
from collections import Counter
from typing import Any

import pyarrow as pa

from tenant_pipeline.core.gate import Band
from tenant_pipeline.pii.analyzer import PiiAnalyzer
from tenant_pipeline.pii.nearby_words import field_words
from tenant_pipeline.pii.screen import screen
from tests.unit.pii.memory_stage import MemoryStage, digest_key, pii_policy, records_stage

STRUCTURAL = ("PHONE_NUMBER", "EMAIL_ADDRESS", "CREDIT_CARD", "IBAN_CODE", "IP_ADDRESS")


def columns_of(rows: list[dict[str, Any]]) -> dict[str, list[str | None]]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {name: [None if row.get(name) is None else str(row[name]) for row in rows] for name in names}


def test_no_code_postcode_coordinate_time_stamp_or_name_of_the_gazetteers_is_flagged(
    analyzer: PiiAnalyzer, shared_data: pathlib.Path
) -> None:
    tables: list[list[dict[str, Any]]] = []
    for path in sorted((shared_data / "thai_gazetteers").rglob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            tables.append(list(csv.DictReader(file)))
    for path in sorted((shared_data / "thai_gazetteers").rglob("*.json")):
        rows = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(rows, list) and isinstance(rows[0], dict):
            tables.append(rows)
    assert sum(map(len, tables)) > 20_000
    for rows in tables:
        out = MemoryStage()
        _, verdict = screen(
            records_stage(columns_of(rows)),
            out,
            policy=pii_policy(),
            key=digest_key(),
            analyzer=analyzer,
            agreement_in_place=False,
        )
        assert verdict.band is Band.PASS, verdict.reasons


def test_the_smart_bus_timetables_are_clean(analyzer: PiiAnalyzer, shared_data: pathlib.Path) -> None:
    leaves: list[str] = []

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            for inner in value.values():
                collect(inner)
        elif isinstance(value, list):
            for inner in value:
                collect(inner)
        elif value is not None:
            leaves.append(str(value))

    for path in sorted((shared_data / "phuket_smart_bus").rglob("*.json")):
        collect(json.loads(path.read_text(encoding="utf-8")))
    distinct = sorted(set(leaves))
    assert analyzer.find_all(pa.array(distinct)) == {}


def test_of_the_conferences_only_one_name_that_is_an_address_is_flagged(
    analyzer: PiiAnalyzer, shared_data: pathlib.Path
) -> None:
    rows = [
        row
        for path in sorted((shared_data / "events_conferences").rglob("*.json"))
        for row in json.loads(path.read_text(encoding="utf-8"))
    ]
    flagged = Counter(
        found.entity_type
        for name, values in columns_of(rows).items()
        for answers in analyzer.find_all(pa.array(sorted({v for v in values if v})), (field_words(name),)).values()
        for found in answers
    )
    assert flagged == {"EMAIL_ADDRESS": 1}


def test_press_releases_give_up_their_titled_names_and_telephone_numbers(
    analyzer: PiiAnalyzer, shared_data: pathlib.Path
) -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted((shared_data / "thaigov_press_phuket").rglob("*.txt"))]
    lines = sorted({line for text in texts for line in text.splitlines() if line.strip()})
    flagged: Counter[str] = Counter()
    for answers in analyzer.find_all(pa.array(lines)).values():
        flagged.update(found.entity_type for found in answers)
    assert flagged["PERSON"] > 400
    assert set(flagged) == {"PERSON", "PHONE_NUMBER", "LINE_ID"}


def test_structural_types_reach_the_measured_rates_on_presidios_own_sentences(
    analyzer: PiiAnalyzer, shared_data: pathlib.Path
) -> None:
    path = shared_data / "pii_presidio" / "data" / "synth_dataset_v2.json"
    sentences = json.loads(path.read_text(encoding="utf-8"))
    right: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for sentence in sentences:
        answers = analyzer.find(sentence["full_text"])
        gold = [
            (span["start_position"], span["end_position"], span["entity_type"])
            for span in sentence["spans"]
            if span["entity_type"] in STRUCTURAL
        ]
        for start, end, entity_type in gold:
            hit = any(a.entity_type == entity_type and a.start < end and start < a.end for a in answers)
            (right if hit else missed)[entity_type] += 1
        for answer in answers:
            if answer.entity_type in STRUCTURAL and not any(
                answer.entity_type == entity_type and answer.start < end and start < answer.end
                for start, end, entity_type in gold
            ):
                wrong[answer.entity_type] += 1
    recall = {name: right[name] / (right[name] + missed[name]) for name in STRUCTURAL}
    assert min(recall["EMAIL_ADDRESS"], recall["IBAN_CODE"], recall["IP_ADDRESS"]) == 1.0
    assert recall["CREDIT_CARD"] > 0.98
    assert recall["PHONE_NUMBER"] > 0.95
    assert sum(wrong.values()) <= 5
