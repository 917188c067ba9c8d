"""Where the workspace of a home is served, for as long as it is: links made beside it lead there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tenant_pipeline.storage.owned_folder import owned_folder, owned_folders

SERVING = ".serving-"
ADDRESS = "address"
EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
"""Hosts that stand for every address of this machine, and the address under which it reaches itself."""


def address_of(host: str, port: int) -> str:
    """The address under which this machine reaches a server that listens on that host."""
    named = f"[{host}]" if ":" in host else host
    return f"http://{EVERY_ADDRESS.get(host, named)}:{port}"


@contextmanager
def served_at(home: Path, host: str, port: int) -> Iterator[None]:
    """Let `served_address` know in the block, and no longer than this process lives."""
    with owned_folder(SERVING, home) as folder:
        (folder / ADDRESS).write_text(address_of(host, port))
        yield


def served_address(home: Path) -> str | None:
    """Where a living process serves the workspace of this home, the one that began last; None where there is none."""
    for folder in owned_folders(SERVING, home):
        with suppress(FileNotFoundError):  # it has just ended
            return (folder / ADDRESS).read_text() or None
    return None
