"""Thousands of hostile files: each is read or refused by name, none brings down more than its own parser."""

from __future__ import annotations

import errno
import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tenant_pipeline.core.origin import Unit, UnitFile, UnitMode
from tenant_pipeline.core.stage import conserve_chain
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.intake.archive import ArchiveError, ArchiveLimits, open_archive
from tenant_pipeline.intake.readers.item import UnreadableError
from tenant_pipeline.intake.receive import ReceiveLimits, receive
from tenant_pipeline.intake.sandbox.limits import ParserLimits
from tenant_pipeline.intake.sandbox.parsers import profile
from tenant_pipeline.storage.object_store import RawZone
from tenant_pipeline.storage.object_store_folder import ObjectStore
from tests.hostile import archives, documents
from tests.unit.pii.memory_stage import MemoryStage

SEED = 20_260_101
LIMITS = ParserLimits(cpu_seconds=20)
MUTATED = 600
MEMBERS = 2
"""So many files the archives hold that are broken as a whole."""
BROKEN_DOWN = ("parser-crashed", "parser-killed", "parser-time", "parse-error")
"""Refusals that a parser did not give itself: it broke down, or hung, or stumbled over something unforeseen."""


def _outcome(name: str, content: bytes) -> tuple[str, str]:
    """How a file ended: `read`, or its refusal's code; and all that was shown of it."""
    try:
        found = profile(io.BytesIO(content), name, samples=50, limits=LIMITS)
    except UnreadableError as refused:
        return refused.code, refused.reason
    return "read", str(found)


@pytest.fixture
def raw(tmp_path: Path) -> RawZone:
    return RawZone(ObjectStore(tmp_path / "objects"), TenantId("a-tenant"), b"k" * 32)


def _received(raw: RawZone, content: bytes) -> MemoryStage:
    digest, size = raw.put(io.BytesIO(content))
    out = MemoryStage()
    counts = receive(Unit(UnitMode.AI_BUNDLE, (UnitFile("b.zip", digest, size),)), raw, out, ReceiveLimits())
    conserve_chain(counts, None, "receive")
    return out


def _paths(out: MemoryStage) -> list[str]:
    return [path for table in out.tables("manifest") for frame in table.batches() for path in frame["path"]]


@pytest.mark.slow
def test_a_hostile_member_is_refused_by_name_and_the_good_one_comes_in(raw: RawZone) -> None:
    wrong = []
    for content, code in archives.hostile_members(SEED):
        out = _received(raw, content)
        codes = [reject["code"] for reject in out.rejects]
        if codes != [code] or _paths(out) != ["b.zip!/venues.csv"]:
            wrong.append((code, codes, _paths(out)))
    assert wrong == []


@pytest.mark.slow
def test_a_broken_archive_loses_no_member_without_a_word(raw: RawZone) -> None:
    for content in archives.hostile_wholes(SEED):
        out = _received(raw, content)
        assert out.rejects or len(_paths(out)) == MEMBERS


@pytest.mark.parametrize("failed", [errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.EIO, errno.ECONNRESET])
def test_a_disk_that_fills_or_fails_is_no_damage_of_the_member_that_is_unpacked(
    raw: RawZone, monkeypatch: pytest.MonkeyPatch, failed: int
) -> None:
    content, _ = next(archives.hostile_members(SEED))
    digest, size = raw.put(io.BytesIO(content))

    def fails(*_: object) -> NoReturn:
        raise OSError(failed, "no fault of the file")

    out, unit = MemoryStage(), Unit(UnitMode.AI_BUNDLE, (UnitFile("b.zip", digest, size),))
    for what, where in ((raw, "put"), (zipfile.ZipExtFile, "read"), (zipfile.ZipFile, "open")):
        with monkeypatch.context() as failing:
            failing.setattr(what, where, fails)
            with pytest.raises(OSError, match="no fault"):
                receive(unit, raw, out, ReceiveLimits())


@pytest.mark.parametrize(("entries", "name_bytes"), [(60_000, 1), (400, 65_535)])
def test_a_directory_beyond_all_bounds_is_refused_before_it_is_held(
    raw: RawZone, monkeypatch: pytest.MonkeyPatch, entries: int, name_bytes: int
) -> None:
    def held(*_: object) -> NoReturn:
        raise AssertionError

    monkeypatch.setattr(zipfile, "ZipFile", held)
    out = _received(raw, archives.crowded(entries, name_bytes))
    assert [reject["code"] for reject in out.rejects] == ["too-many-members"]


@pytest.mark.parametrize("form", ["plain", "comment", "prefix", "zip64"])
def test_a_directory_is_counted_wherever_an_archive_has_it(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    if form == "zip64":
        monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for number in range(5):
            archive.writestr(f"{number}.csv", "a,b")
        archive.comment = b"of the register" if form == "comment" else b""
    content = (b"#!/bin/sh\n" if form == "prefix" else b"") + written.getvalue()
    assert (b"PK\x06\x06" in content) == (form == "zip64")
    with open_archive(io.BytesIO(content), ArchiveLimits()) as opened:
        assert len(opened.infolist()) == 5
    with pytest.raises(ArchiveError) as refused:
        open_archive(io.BytesIO(content), ArchiveLimits(max_members=2))
    assert refused.value.code == "too-many-members"


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("outside") / "secret.txt"
    path.write_text(documents.CANARY)
    return path


@pytest.mark.slow
def test_no_entity_reads_a_file_reaches_out_or_unfolds(canary: Path) -> None:
    ended = Counter[str]()
    for name, content in documents.xml_attacks(str(canary)):
        code, shown = _outcome(name, content)
        ended[code] += 1
        assert documents.CANARY not in shown, name
        assert len(shown) < 2_000_000, name
        assert code not in BROKEN_DOWN, (name, code, shown)
    assert sum(ended.values()) > 90


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["json", "text", "office", "pdf"])
def test_documents_made_to_harm_are_read_or_refused_by_name(kind: str) -> None:
    attacks: Iterator[tuple[str, bytes]] = getattr(documents, f"{kind}_attacks")()
    broken = [(name, code) for name, content in attacks if (code := _outcome(name, content)[0]) in BROKEN_DOWN]
    assert broken == []


@pytest.mark.slow
def test_damaged_files_are_read_or_refused_by_name() -> None:
    ended = Counter[str]()
    broken = []
    for name, content in documents.mutated(SEED, MUTATED):
        code, _ = _outcome(name, content)
        ended[code] += 1
        if code in BROKEN_DOWN:
            broken.append((name, code))
    assert broken == []
    assert ended["read"] < MUTATED
