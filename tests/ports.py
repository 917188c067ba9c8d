"""Ports for servers that have to be told theirs."""

from __future__ import annotations

import secrets
import socket

LOWEST, HIGHEST = 10_000, 32_000
"""Below those that the kernel gives to whoever connects or listens without a wish: they may be gone in a moment."""


def free_port() -> int:
    """A port on loopback that nobody listens on, and that the kernel will give to nobody by itself."""
    while True:
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
