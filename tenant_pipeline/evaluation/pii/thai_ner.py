"""The Thai NER corpus, and which of its lines our own model of Thai names has learnt from.

Its news stories repeat each other, so whole blocks of consecutive lines fall to one side. A block's digest decides, so
the split is the same for everyone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from tenant_pipeline.evaluation.pii.gold import GoldText
from tenant_pipeline.evaluation.pii.inline_tagged import inline_tagged

BLOCK = 40
"""Lines that stay together."""

LEARNT_FROM = "learnt_from.txt"
_MODEL_PACKAGE = "tenant_pipeline.pii.recognisers.thai_names"


def thai_ner_texts(path: Path) -> list[GoldText]:
    """The file's lines that hold text."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return [inline_tagged(line, f"{path.name}:{number}") for number, line in enumerate(lines, 1) if line.strip()]


def training_half(texts: Sequence[GoldText]) -> list[GoldText]:
    """The texts that the model may learn from: the blocks whose SHA-256 digest is even."""
    return [text for block in _blocks(texts) if _digest(block)[-1] % 2 == 0 for text in block]


def text_digest(text: GoldText) -> str:
    """Twelve hexadecimal digits that stand for a text in the list of those learnt from."""
    return hashlib.sha256(text.text.strip().encode()).hexdigest()[:12]


def not_learnt_from(texts: Iterable[GoldText]) -> tuple[GoldText, ...]:
    """The texts that the shipped model has not learnt from, in whatever file they stand."""
    return tuple(text for text in texts if text_digest(text) not in _learnt_from())


@cache
def _learnt_from() -> frozenset[str]:
    return frozenset(files(_MODEL_PACKAGE).joinpath(LEARNT_FROM).read_text(encoding="ascii").split())


def _blocks(texts: Sequence[GoldText]) -> Iterator[Sequence[GoldText]]:
    for start in range(0, len(texts), BLOCK):
        yield texts[start : start + BLOCK]


def _digest(block: Sequence[GoldText]) -> bytes:
    return hashlib.sha256("\n".join(text.text for text in block).encode()).digest()
