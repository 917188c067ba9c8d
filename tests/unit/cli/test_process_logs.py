"""A log that has grown large begins anew while its process writes on, and only so many older ones are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenant_pipeline.cli import process_logs
from tenant_pipeline.cli.process_logs import turn_over


def test_a_log_begins_anew_under_the_process_that_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "daemon.log"
    with path.open("ab", buffering=0) as log:
        for number in range(6):
            log.write(f"{number}".encode() * 20)
            turn_over(tmp_path, most_bytes=10, kept=3)
        log.write(b"now")
    assert path.read_bytes() == b"now"
    older = {each.name: each.read_text()[0] for each in tmp_path.glob("daemon.log.*")}
    assert older == {"daemon.log.1": "5", "daemon.log.2": "4", "daemon.log.3": "3"}


def test_a_small_log_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "daemon.log").write_text("short")
    turn_over(tmp_path, most_bytes=10)
    assert [each.name for each in tmp_path.iterdir()] == ["daemon.log"]


def test_without_room_for_a_copy_the_log_begins_anew_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(source: Path, target: Path) -> None:
        target.write_text("half")
        raise OSError(28, "No space left on device")

    (tmp_path / "daemon.log").write_text("long enough")
    monkeypatch.setattr(process_logs.shutil, "copyfile", no_room)
    turn_over(tmp_path, most_bytes=5)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("daemon.log", "")]
