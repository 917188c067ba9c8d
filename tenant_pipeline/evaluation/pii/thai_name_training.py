"""Train the model of Thai names: `python -m tenant_pipeline.evaluation.pii.thai_name_training <train.txt>`.

Learns from one half of the Thai NER corpus (W. Phatthiyaphaibun, CC BY 3.0) and from a copy of each of its texts in
which the names are replaced by random ones of PyThaiNLP's lists, so that it learns where names stand and not who is in
the news. Written beside its features: the model, and the digests of the texts it has seen.
"""

from __future__ import annotations

import random
import sys
from importlib.resources import files
from pathlib import Path

import pycrfsuite

from tenant_pipeline.evaluation.pii.gold import GoldText, Span
from tenant_pipeline.evaluation.pii.thai_ner import LEARNT_FROM, text_digest, thai_ner_texts, training_half
from tenant_pipeline.pii.folding import fold
from tenant_pipeline.pii.recognisers.person_titles import TITLE
from tenant_pipeline.pii.recognisers.thai_names.features import (
    family_names,
    features_of,
    given_names,
    words_of_text,
)
from tenant_pipeline.pii.recognisers.thai_names.model import BEGIN, INSIDE, MODEL, OUTSIDE

_SEED = 5
_PERSON = "PERSON"
_PARAMETERS = {
    "c1": 0.1,
    "c2": 0.05,
    "max_iterations": 120,
    "feature.minfreq": 2,
    "feature.possible_transitions": True,
}


def labels_of(words: list[str], persons: list[Span]) -> list[str]:
    """B for a word in which a name begins, I for its other words, O for the rest."""
    labels, position = [], 0
    for word in words:
        end = position + len(word)
        label = OUTSIDE
        for span in persons:
            if span.start < end and position < span.end:
                label = BEGIN if position <= span.start else INSIDE
                break
        labels.append(label)
        position = end
    return labels


def with_other_names(gold: GoldText, chance: random.Random, given: list[str], family: list[str]) -> GoldText:
    """The text with each name replaced by a random one, its title kept; family names only where there was one."""
    pieces: list[str] = []
    spans: list[Span] = []
    position = length = 0
    for span in gold.spans:
        if span.type != _PERSON or span.start < position:
            continue
        name = gold.text[span.start : span.end]
        title = TITLE.match(name)
        head = title[0] if title else ""
        other = head + chance.choice(given)
        if " " in name[len(head) :].strip():
            other += " " + chance.choice(family)
        pieces += [gold.text[position : span.start], other]
        start = length + span.start - position
        spans.append(Span(start, start + len(other), _PERSON))
        length, position = start + len(other), span.end
    pieces.append(gold.text[position:])
    return GoldText("".join(pieces), gold.language, tuple(spans), gold.place)


def train(texts: list[GoldText], model: Path) -> None:
    """Train on all of `texts` and write the model to `model`. The same texts give the same model."""
    chance = random.Random(_SEED)
    given = sorted(name for name in given_names() if len(name) > 3)
    family = sorted(name for name in family_names() if len(name) > 4)
    trainer = pycrfsuite.Trainer(verbose=False)
    trainer.set_params(_PARAMETERS)
    for text in texts:
        variants = [text]
        if any(span.type == _PERSON for span in text.spans):
            variants.append(with_other_names(text, chance, given, family))
        for variant in variants:
            words = words_of_text(fold(variant.text))
            persons = [span for span in variant.spans if span.type == _PERSON]
            trainer.append(features_of(words), labels_of(words, persons))
    trainer.train(str(model))


def main(corpus: str) -> None:
    """Train on the training half of a corpus file and replace the shipped model."""
    texts = training_half(thai_ner_texts(Path(corpus)))
    folder = Path(str(files("tenant_pipeline.pii.recognisers.thai_names")))
    train(texts, folder / MODEL)
    digests = sorted({text_digest(text) for text in texts})
    (folder / LEARNT_FROM).write_text("\n".join(digests) + "\n", encoding="ascii")


if __name__ == "__main__":
    main(sys.argv[1])
