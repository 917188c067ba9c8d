"""The sockets of the code servers lie where the system's temporary files do, if a socket can."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenant_pipeline.cli.code_locations import CODE_LOCATIONS, code_servers
from tenant_pipeline.core.errors import SettingsError


def test_each_location_has_a_socket_of_its_own() -> None:
    arguments = code_servers(Path("/tmp/sockets"))
    sockets = {each[each.index("--socket") + 1] for each in arguments.values()}
    assert len(sockets) == len(arguments) == len(CODE_LOCATIONS)


def test_a_path_that_is_too_long_for_a_socket_is_refused_with_its_remedy() -> None:
    with pytest.raises(SettingsError, match="TMPDIR"):
        code_servers(Path("/tmp") / ("long" * 25))
