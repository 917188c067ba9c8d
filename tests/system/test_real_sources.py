"""Real input as sources of one tenant: gazetteers, a bus network, conferences, press, documents, AI exports."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenant_pipeline.core.stage import STAGES
from tests.installed import lay_migrated
from tests.system.conftest import SHARED_DATA, Installation

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the shared data folder is not beside this checkout"),
]

TENANT = "real-input"
GAZETTEERS = ("kongvut", "geothai", "tgj")
SHARED_DISTRICTS = 927
SHARED_TAMBONS = 7407
DIFFER_BY_SPELLING = {("name", "en"): 641, ("name", "th"): 59, ("postalCode", ""): 18}

SOURCES: dict[str, tuple[str, str, str]] = {
    "kongvut": ("canonical", "folder", "thai_gazetteers/kongvut/formats/csv"),
    "geothai": ("canonical", "folder", "thai_gazetteers/geothai/data/v1"),
    "tgj": ("canonical", "folder", "thai_gazetteers/tgj/src"),
    "smart bus": ("partner-doc", "folder", "phuket_smart_bus/server/data"),
    "conferences": ("partner-doc", "folder", "events_conferences/conferences"),
    "press": ("press", "folder", "thaigov_press_phuket/data"),
    "documents": ("partner-doc", "folder", "partner_docs_docx/features/steps/test_files"),
    "chatgpt": ("chatgpt", "ai-bundle", "ai_exports/polylogue/polylogue/schemas/providers/chatgpt/representatives"),
    "claude": ("claude", "ai-bundle", "ai_exports/polylogue/polylogue/schemas/providers/claude-ai/representatives"),
    "mixed": ("mixed", "ai-bundle", "ai_exports/knowledgemaxxing/tests/fixtures"),
}


class Loaded:
    """The tenant after all its sources were added and run, with what was read of it."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        installation.register(TENANT)
        self.ids = {
            title: installation.add(TENANT, origin, mode, SHARED_DATA / place, title=title)
            for title, (origin, mode, place) in SOURCES.items()
        }
        self.ran = {row["id"]: row for row in installation.json("run", "--tenant", TENANT)}
        self.stages = installation.json("stages", "--tenant", TENANT)
        self.conflicts: list[dict[str, Any]] = installation.json("conflicts", "--tenant", TENANT, "--limit", "100000")

    def statements(self, title: str, property_: str) -> list[dict[str, Any]]:
        """All statements of one source with this property."""
        found: list[dict[str, Any]] = self.installation.json(
            "statements", "--tenant", TENANT, "--source", self.ids[title], "--property", property_, "--limit", "100000"
        )
        return found


@pytest.fixture(scope="module")
def loaded(new_home: Callable[[], Path]) -> Loaded:
    """All sources added and run, once for the module."""
    return Loaded(Installation(lay_migrated(new_home())))


def test_every_source_reaches_the_draft_knowledge_base(loaded: Loaded) -> None:
    assert {row["title"]: row["ingest_status"] for row in loaded.ran.values()} == dict.fromkeys(SOURCES, "assembled")


def test_no_row_is_unaccounted_for(loaded: Loaded) -> None:
    for title, source in loaded.ids.items():
        records = [row for row in loaded.stages if row["source"] == source]
        assert [row["stage"] for row in records] == list(STAGES), title
        for upstream, row in zip([None, *records], records, strict=False):
            for count in row["counts"]:
                assert count["rows_in"] == count["rows_out"] + count["rejected"] + count["quarantined"], (title, row)
            if upstream is not None:
                assert row["rows_in"] == upstream["rows_out"], (title, row["stage"])
                assert row["unit_in"] == upstream["unit_out"], (title, row["stage"])
            held_back = row["rows_rejected"] + row["rows_quarantined"]
            assert sum(row["reject_codes"].values()) == held_back, (title, row["stage"])


def test_every_row_of_the_gazetteers_is_a_record(loaded: Loaded) -> None:
    rows = {
        "kongvut": 6 + 77 + 929 + 7451,
        "geothai": 77 + 928 + 7436,
        "tgj": 77 + 928 + 7436,
    }
    for title, expected in rows.items():
        (screened,) = (row for row in loaded.stages if row["source"] == loaded.ids[title] and row["stage"] == "screen")
        assert screened["rows_in"] >= expected, title
        assert screened["rows_quarantined"] == 0, title


def test_provinces_districts_and_tambons_link_on_their_official_codes(loaded: Loaded) -> None:
    canonical: dict[str, dict[str, str]] = {}
    for title in GAZETTEERS:
        codes = [row for row in loaded.statements(title, "identifier") if row["type"] == "AdministrativeArea"]
        canonical[title] = {row["value"]: row["canonical_id"] for row in codes}
        assert Counter(len(code) for code in canonical[title])[2] == 77, title
    everywhere = set.intersection(*(set(each) for each in canonical.values()))
    assert Counter(len(code) for code in everywhere) == {2: 77, 4: SHARED_DISTRICTS, 6: SHARED_TAMBONS}
    for code in everywhere:
        assert len({canonical[title][code] for title in GAZETTEERS}) == 1, code
    assert len({canonical["tgj"][code] for code in everywhere}) == len(everywhere)


def test_the_conflict_matrix_shows_each_difference_between_the_gazetteers(loaded: Loaded) -> None:
    codes = {row["canonical_id"]: row["value"] for row in loaded.statements("tgj", "identifier")}
    shared = _shared_tambons()
    found: Counter[tuple[str, str]] = Counter()
    for item in loaded.conflicts:
        key = (item["property"], item["lang"])
        if codes.get(item["canonical_id"]) in shared and key in DIFFER_BY_SPELLING:
            assert item["rule"], "each difference names the rule that judged it"
            found[key] += 1
    assert found == DIFFER_BY_SPELLING


def _shared_tambons() -> set[str]:
    folder = SHARED_DATA / "thai_gazetteers"
    lines = (folder / "kongvut/formats/csv/sub_districts.csv").read_text().splitlines()[1:]
    kongvut = {line.split(",", 1)[0] for line in lines}
    geothai = {
        str(row["subdistrict_id"]) for row in json.loads((folder / "geothai/data/v1/subdistricts.json").read_text())
    }
    tgj = {str(row["subdistrictCode"]) for row in json.loads((folder / "tgj/src/subdistricts.json").read_text())}
    shared = kongvut & geothai & tgj
    assert len(shared) == SHARED_TAMBONS
    return shared


def test_running_everything_a_second_time_writes_nothing(loaded: Loaded) -> None:
    objects = loaded.installation.settings.objects_directory
    before = _files(objects)
    again = loaded.installation.json("run", "--tenant", TENANT)
    assert {row["written"] for row in again} == {0}
    assert loaded.installation.json("stages", "--tenant", TENANT) == loaded.stages
    assert _files(objects) == before


def test_the_audit_log_holds(loaded: Loaded) -> None:
    (report,) = loaded.installation.json("audit", "verify", "--tenant", TENANT)
    assert report["intact"], report
    assert report["checkpoints"] >= 1


def _files(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
