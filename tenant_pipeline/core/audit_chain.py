"""The audit log's mathematics: a hash chain over its entries, and Merkle tree heads over the chain (RFC 6962)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenant_pipeline.core.digest import canonical_json

FIRST_PREVIOUS_HASH = "0" * 64


@dataclass(frozen=True)
class ChainEntry:
    """An entry as it is hashed. `at` is an ISO 8601 time in UTC with microseconds; `sequence` counts from 1."""

    tenant: str
    sequence: int
    at: str
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any]


def entry_hash(entry: ChainEntry, previous_hash: str) -> str:
    """SHA-256 over the entry's canonical JSON and the hash of the entry before it, as hexadecimal digits."""
    content = {
        "tenant": entry.tenant,
        "sequence": entry.sequence,
        "at": entry.at,
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "details": dict(entry.details),
        "previous_hash": previous_hash,
    }
    return hashlib.sha256(canonical_json(content)).hexdigest()


class MerkleTree:
    """A Merkle tree hash over leaves that come one by one (RFC 6962, section 2.1); memory grows with its height."""

    def __init__(self) -> None:
        self._peaks: list[tuple[int, bytes]] = []
        self.size = 0

    @classmethod
    def of_peaks(cls, peaks: Sequence[tuple[int, str]]) -> MerkleTree:
        """The tree that `peaks` are of, to go on with: its leaves are not needed again."""
        tree = cls()
        tree._peaks = [(height, bytes.fromhex(node)) for height, node in peaks]
        tree.size = sum(2**height for height, _ in tree._peaks)
        return tree

    @property
    def peaks(self) -> list[tuple[int, str]]:
        """The roots of its perfect subtrees from left to right: each one's height, and its hash in hexadecimal."""
        return [(height, node.hex()) for height, node in self._peaks]

    def add(self, leaf: str) -> None:
        """Add a leaf: the hash of an entry, as hexadecimal digits."""
        node = hashlib.sha256(b"\x00" + bytes.fromhex(leaf)).digest()
        height = 0
        while self._peaks and self._peaks[-1][0] == height:
            node = _inner(self._peaks.pop()[1], node)
            height += 1
        self._peaks.append((height, node))
        self.size += 1

    def root(self) -> str:
        """The tree's hash as hexadecimal digits; of an empty tree, the SHA-256 of nothing."""
        if not self._peaks:
            return hashlib.sha256(b"").hexdigest()
        node = self._peaks[-1][1]
        for _, left in reversed(self._peaks[:-1]):
            node = _inner(left, node)
        return node.hex()


def _inner(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
