"""The Merkle tree head is RFC 6962's, whatever number of leaves there are."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.audit_chain import MerkleTree


def _by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it is written there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + _by_definition(leaves[:split]) + _by_definition(leaves[split:])).digest()


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70))
def test_the_root_is_that_of_the_definition(leaves: list[bytes]) -> None:
    tree = MerkleTree()
    for leaf in leaves:
        tree.add(leaf.hex())
    assert tree.root() == _by_definition(leaves).hex()
    assert tree.size == len(leaves)


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70), st.integers(min_value=0, max_value=70))
def test_a_tree_goes_on_from_its_peaks(leaves: list[bytes], at: int) -> None:
    tree = MerkleTree()
    for number, leaf in enumerate(leaves):
        if number == at:
            tree = MerkleTree.of_peaks(tree.peaks)
        tree.add(leaf.hex())
    assert tree.root() == _by_definition(leaves).hex()
    assert tree.size == len(leaves)
