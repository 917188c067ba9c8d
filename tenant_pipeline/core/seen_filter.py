"""What was surely not seen before, in memory that does not grow: a Bloom filter.

Bloom, "Space/time trade-offs in hash coding with allowable errors", CACM 13(7), 1970; two hashes do for all (Kirsch and
Mitzenmacher, "Less hashing, same performance", ESA 2006).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

BITS = 1 << 27
"""16 MiB. With ten million keys, one in two hundred that were not seen is taken for one that was."""
PROBES = 4


class SeenFilter:
    """Keys that were seen. It takes some others for seen too, and none that was for new."""

    def __init__(self) -> None:
        self._bits = np.zeros(BITS // 8, np.uint8)

    def add(self, keys: Iterable[Hashable]) -> None:
        """Note keys."""
        places = _places(keys).ravel()
        np.bitwise_or.at(self._bits, places >> 3, _bit(places))

    def may_have_seen(self, keys: Sequence[Hashable]) -> list[bool]:
        """Of each key, whether it may have been noted; False is sure."""
        places = _places(keys)
        found: list[bool] = ((self._bits[places >> 3] & _bit(places)) != 0).all(axis=0).tolist()
        return found


def _places(keys: Iterable[Hashable]) -> npt.NDArray[np.int64]:
    """The bits of each key, a row a probe."""
    hashes = np.fromiter(map(hash, keys), np.int64).view(np.uint64)
    step = (hashes >> np.uint64(32)) | np.uint64(1)
    probes = np.arange(PROBES, dtype=np.uint64)[:, None]
    return ((hashes[None, :] + probes * step[None, :]) % np.uint64(BITS)).astype(np.int64)


def _bit(places: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    bits: npt.NDArray[np.uint8] = np.left_shift(1, places & 7).astype(np.uint8)
    return bits
