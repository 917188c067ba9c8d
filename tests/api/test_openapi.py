"""The description holds: whatever it allows is answered as it says, and whatever it forbids is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.conftest import FUZZED, Served

pytestmark = pytest.mark.slow

ENDING_THE_SESSION = "^/api/sessions?$"


@pytest.mark.parametrize(
    ("person", "options"),
    [
        ("fuzz", ["--max-examples", "3", "--exclude-path-regex", ENDING_THE_SESSION]),
        ("leaver", ["--max-examples", "4", "--include-path-regex", ENDING_THE_SESSION]),
    ],
)
def test_whatever_is_asked_is_answered_as_the_description_says(
    served: Served, tmp_path: Path, person: str, options: list[str]
) -> None:
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(f'[parameters]\n"path.tenant" = "{FUZZED}"\n"query.follow" = "false"\n')
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(configuration), "run"),
            *(f"{served.url}/api/openapi.json", "--checks", "all", "--phases", "coverage,fuzzing", "--seed", "1"),
            *("--request-timeout", "120"),  # an answer that comes late is none of its business
            *("--header", f"Authorization: Bearer {served.token(person, FUZZED)}", *options),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
