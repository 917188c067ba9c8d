"""What a user would otherwise pick: Presidio as it comes, and PyThaiNLP's packaged model of Thai names.

Presidio's registry is its default one for English, the only language it has recognisers for without further
configuration, behind the same blank NLP engine as ours, since no trained model may be downloaded. Its threshold is its
default (0): every result counts; beside that stands what it finds from our threshold on.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import as_file, files
from unittest.mock import patch

import pycrfsuite
import tldextract
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.predefined_recognizers.generic import email_recognizer
from presidio_analyzer.recognizer_registry import RecognizerRegistry
from pythainlp.tag import pos_tag
from pythainlp.tag.thainer import ThaiNameTagger
from pythainlp.tokenize import word_tokenize

from tenant_pipeline.evaluation.pii.gold import DEFAULT_TYPES, GoldText, Span
from tenant_pipeline.pii.nlp_engine import build_nlp_engine
from tenant_pipeline.pii.recognisers.folded import THRESHOLD

PRESIDIO = "Presidio, default registry"
SURE_PRESIDIO = f"{PRESIDIO}, scores from {THRESHOLD}"
PYTHAINLP = "PyThaiNLP thainer_crf_1_5_1"

_LST20 = {
    "NOUN": "NN", "PROPN": "NN", "VERB": "VV", "ADJ": "AJ", "ADV": "AV", "AUX": "AX", "ADP": "PS", "CCONJ": "CC",
    "SCONJ": "CC", "DET": "AJ", "INTJ": "IJ", "NUM": "NU", "PART": "PA", "PRON": "PR", "PUNCT": "PU", "SYM": "PU",
}  # fmt: skip
"""Universal parts of speech as those of LST20 (P. Boonkwan et al., 2020)."""

_PACKAGED_SUFFIXES = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


@cache
def _presidio() -> AnalyzerEngine:
    engine = build_nlp_engine()
    registry = RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])


def presidio_finds(text: str) -> list[tuple[Span, float]]:
    """What stock Presidio finds, under our names for its types. Its suffix list is the packaged one: no network."""
    with patch.object(email_recognizer, "tldextract", _OfflineSuffixes):
        results = _presidio().analyze(text, "en")
    return [
        (Span(one.start, one.end, DEFAULT_TYPES.get(one.entity_type, one.entity_type)), one.score) for one in results
    ]


def sure_presidio_finds(text: str) -> list[tuple[Span, float]]:
    """What of it has our threshold's score at least."""
    return [(span, score) for span, score in presidio_finds(text) if score >= THRESHOLD]


class _OfflineSuffixes:
    """Stands in for the module `tldextract`, whose default extractor would fetch a list."""

    extract = staticmethod(_PACKAGED_SUFFIXES.extract_str)


@cache
def _tagger() -> pycrfsuite.Tagger:
    tagger = pycrfsuite.Tagger()
    with as_file(files("pythainlp.corpus").joinpath("thainer_crf_1_5_1.model")) as path:
        tagger.open(str(path))
    return tagger


def pythainlp_finds(gold: GoldText) -> Iterable[tuple[Span, float]]:
    """Names by PyThaiNLP's model, opened directly: its own loader would download a newer one.

    The tagger whose parts of speech it has learnt (LST20's) is not packaged; universal ones are mapped to them.
    """
    words = word_tokenize(gold.text, engine="newmm")
    if not words:
        return
    tagged = pos_tag(words, engine="perceptron", corpus="orchid_ud")
    tagged = [(word, _LST20.get(tag, "XX")) for word, tag in tagged]
    labels = _tagger().tag(ThaiNameTagger._extract_features(tagged))
    position, start = 0, None
    for word, label in zip(words, labels, strict=True):
        if start is not None and label != "I-PERSON":
            yield Span(start, position, "PERSON"), 1.0
            start = None
        if label == "B-PERSON" or (label == "I-PERSON" and start is None):
            start = position
        position += len(word)
    if start is not None:
        yield Span(start, position, "PERSON"), 1.0
