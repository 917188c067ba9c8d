"""The trained model: which stretches of a Thai text are names of persons, with their titles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import as_file, files
from threading import Lock

import pycrfsuite

from tenant_pipeline.pii.recognisers.thai_names.features import features_of, words_of_text

MODEL = "thai_names.crfsuite"
BEGIN, INSIDE, OUTSIDE = "B", "I", "O"
_LONGEST = 1_000
"""Characters that are read at once; a longer stretch is cut at a space, so that time grows with the length only."""

_STRETCH = re.compile(rf"[^\r\n]{{1,{_LONGEST}}}(?=\s|$)|[^\r\n]{{1,{_LONGEST}}}", re.MULTILINE)
_THAI = re.compile(r"[ก-๛]")
_ONE_AT_A_TIME = Lock()
"""A tagger holds the sequence it is reading, and stages may run in threads."""


@cache
def _tagger() -> pycrfsuite.Tagger:
    tagger = pycrfsuite.Tagger()
    with as_file(files(__package__).joinpath(MODEL)) as path:
        tagger.open(str(path))
    return tagger


def names_in(text: str) -> Iterator[tuple[int, int]]:
    """The names in a text from left to right, as offsets."""
    for stretch in _STRETCH.finditer(text):
        if _THAI.search(stretch[0]):
            words = words_of_text(stretch[0])
            with _ONE_AT_A_TIME:
                labels = _tagger().tag(features_of(words))
            for start, end in spans(words, labels):
                yield stretch.start() + start, stretch.start() + end


def spans(words: Sequence[str], labels: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The stretches that labels (B, I, O) mark; an I after no name begins one."""
    position, start = 0, None
    for word, label in zip(words, labels, strict=True):
        if label != INSIDE and start is not None:
            yield start, position
            start = None
        if label == BEGIN or (label == INSIDE and start is None):
            start = position
        position += len(word)
    if start is not None:
        yield start, position
