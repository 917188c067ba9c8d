"""A command that meets a database which is away says so, and not where in the code it was noticed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_a_database_that_is_away_is_told_in_words_and_without_its_secret(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "TENANT_RUNTIME_HOME": str(tmp_path / "home"),
        "TENANT_RUNTIME_DATABASE_DSN": f"host={tmp_path} user=postgres password=not-to-be-told dbname=postgres",
    }
    command = [str(Path(sys.executable).with_name("tenant-pipeline")), "tenant", "list"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "database-unavailable" in ended.stderr
    assert "run the command again" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "not-to-be-told" not in ended.stderr + ended.stdout
