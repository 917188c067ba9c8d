"""The servers from which Dagster's webserver and daemon learn what there is to run: one for each code location.

They are ours to start because a daemon that starts its own loads all code anew every minute, in new processes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import grpc
import yaml

from tenant_pipeline.core.errors import SettingsError

CODE_LOCATIONS = ("tenant_pipeline.definitions", "tenant_pipeline.marts_definitions")
LONGEST_ANSWER_SECONDS = 0.2
LONGEST_SOCKET_PATH = 107
"""Bytes, on Linux."""


def code_servers(sockets: Path) -> Mapping[str, list[str]]:
    """For each code location the module and arguments with which Python serves it, at a socket in that folder.

    Raises SettingsError where the folder's path is too long for a socket.
    """
    if max(len(os.fsencode(_socket(sockets, location))) for location in CODE_LOCATIONS) > LONGEST_SOCKET_PATH:
        raise SettingsError(
            "The folder of temporary files has too long a path for sockets",
            where=str(sockets.parent),
            remedy="Set TMPDIR to a folder with a shorter path.",
        )
    return {
        location: [
            "tenant_pipeline.cli.code_server", "--module-name", location, "--location-name", location,
            "--working-directory", str(Path.cwd()), "--socket", str(_socket(sockets, location)),
            "--use-python-environment-entry-point", "--log-format", "json",
        ]
        for location in CODE_LOCATIONS
    }  # fmt: skip


def workspace_file(sockets: Path) -> Path:
    """A workspace file for Dagster that names those servers, written into that folder."""
    servers = [{"socket": str(_socket(sockets, location)), "location_name": location} for location in CODE_LOCATIONS]
    path = sockets / "workspace.yaml"
    path.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server} for server in servers]}))
    return path


def is_served(sockets: Path, location: str) -> bool:
    """Whether the server of a code location has loaded it and answers."""
    with grpc.insecure_channel(f"unix:{_socket(sockets, location)}") as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=LONGEST_ANSWER_SECONDS)
        except grpc.FutureTimeoutError:
            return False
    return True


def _socket(sockets: Path, location: str) -> Path:
    return sockets / location.rpartition(".")[2]
