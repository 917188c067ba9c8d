"""What a process keeps in a folder of its own goes with it: at once, or with the next one where it was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tenant_pipeline.storage.owned_folder import clear_abandoned, owned_folder, owned_folders

OWN = "own-"
HOLD = """
import pathlib, sys, time
from tenant_pipeline.storage.owned_folder import owned_folder
with owned_folder("own-", pathlib.Path(sys.argv[1])) as folder:
    (folder / "file").write_text("half")
    print(folder, flush=True)
    time.sleep(60)
"""


def test_it_is_private_and_gone_after_the_block(tmp_path: Path) -> None:
    with owned_folder(OWN, tmp_path) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "file").write_text("content")
    assert not folder.exists()


def test_what_a_killed_process_left_goes_with_the_next_one_and_not_before(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        held = Path(process.stdout.readline().strip())
        clear_abandoned(OWN, tmp_path)
        assert owned_folders(OWN, tmp_path) == [held], "its owner lives"
        process.kill()
    assert held.exists()
    assert owned_folders(OWN, tmp_path) == []
    with owned_folder(OWN, tmp_path) as next_one:
        assert list(tmp_path.iterdir()) == [next_one]


def test_the_one_last_changed_comes_first(tmp_path: Path) -> None:
    with owned_folder(OWN, tmp_path) as first, owned_folder(OWN, tmp_path) as second:
        (second / "file").touch()
        assert owned_folders(OWN, tmp_path) == [second, first]


def test_other_names_files_and_links_are_left_alone(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "own-link").symlink_to(elsewhere)
    (tmp_path / "own-file").touch()
    before = sorted(tmp_path.iterdir())
    clear_abandoned(OWN, tmp_path)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of somebody else's")
def test_a_folder_of_another_user_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "own-other"
    other.mkdir()
    os.chown(other, 12345, 12345)
    clear_abandoned(OWN, tmp_path)
    assert other.exists()
    assert owned_folders(OWN, tmp_path) == []
