"""Measure the recognition of personal data: on gold sets in a folder, on values that are nobody's, on places."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.evaluation.counts import Counts
from tenant_pipeline.evaluation.pii.false_alarms import measure_places, measure_random_values
from tenant_pipeline.evaluation.pii.gold import OUR_TYPES, GoldSet, GoldText, Span
from tenant_pipeline.evaluation.pii.gold_readers import read_gold
from tenant_pipeline.evaluation.pii.peers import (
    PRESIDIO,
    PYTHAINLP,
    SURE_PRESIDIO,
    presidio_finds,
    pythainlp_finds,
    sure_presidio_finds,
)
from tenant_pipeline.evaluation.pii.place_names import place_names
from tenant_pipeline.evaluation.pii.scoring import Finder, Score, score, worst
from tenant_pipeline.evaluation.pii.thai_ner import not_learnt_from
from tenant_pipeline.evaluation.report import Evaluation, Measured
from tenant_pipeline.pii.analyzer import PiiAnalyzer, build_analyzer

GOLD_FOLDERS = ("pii_presidio", "thai_ner_train")
PLACE_FOLDERS = (
    "phuket_smart_bus",
    "overture_place_pairs",
    "er_restaurants_fodors_zagat",
    "er_restaurants_oaei",
    "wikivoyage_boston",
    "thai_gazetteers",
)
"""Folders of names that are no person's."""

_GOLD_NAMES = ("pii", "thai_ner")
"""Beginnings of the names of folders in which gold data is looked for."""

_PEER_NOTE = (
    "The peer is Presidio's default registry for English at its default threshold (0), behind the same blank NLP engine"
    " as ours: no trained model may be downloaded, so it finds no names of persons."
)


def evaluate(data: Path, *, peers: bool = True) -> Evaluation:
    """Measure on the gold sets in `data`: a folder of sub-folders, or of files in one of the three forms.

    Always measures the share of random values that is flagged. Raises InputError for a folder that is not there and for
    gold data of our form that is broken.
    """
    if not data.is_dir():
        raise InputError("The data folder does not exist", where=str(data), remedy="Name a folder with gold data.")
    analyzer = build_analyzer()
    measured = [_measure_gold(analyzer, gold, peers=peers) for gold in _gold_sets(data)]
    measured.append(measure_random_values(analyzer, peers=peers))
    for name in PLACE_FOLDERS:
        if (data / name).is_dir():
            measured.append(measure_places(analyzer, name, place_names(data / name)))
    absent = (name for name in (*GOLD_FOLDERS, *PLACE_FOLDERS) if not (data / name).is_dir())
    return Evaluation("pii", tuple(measured), tuple(f"{name}: no such folder in the data" for name in absent))


def _gold_sets(data: Path) -> Iterator[GoldSet]:
    """Gold sets by name: one for each sub-folder's file that is one, and one for each file in the folder itself."""
    folders = [folder for folder in sorted(data.iterdir()) if folder.is_dir() and folder.name.startswith(_GOLD_NAMES)]
    files = [(path, path.stem) for path in sorted(data.iterdir()) if path.is_file()]
    files += [(path, folder.name) for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    for path, name in files:
        gold = read_gold(path, name)
        if gold is not None:
            yield gold


def _measure_gold(analyzer: PiiAnalyzer, gold: GoldSet, *, peers: bool) -> Measured:
    unseen = GoldSet(gold.name, not_learnt_from(gold.texts), gold.types)
    ours = score(unseen, _our_finder(analyzer))
    counts: dict[str, Counts] = {}
    groups: dict[str, dict[str, Counts]] = {
        "by type": ours.by_type,
        "by language": ours.by_language,
        "by source": ours.by_source,
        "exact boundaries": {"all": ours.exact, **ours.exact_by_type},
        "only with a trained model": ours.needing_a_model,
    }
    if peers:
        for name, finder in _peers_for(unseen):
            theirs = score(unseen, finder)
            if name == PYTHAINLP:
                counts[f"{name}, names only"] = theirs.by_type["PERSON"]
                continue
            counts[name] = theirs.overlap
            groups[f"{name}, by type"] = theirs.by_type
    notes = [_PEER_NOTE] if peers else []
    if len(unseen.texts) < len(gold.texts):
        notes.append("Texts that our model of Thai names has learnt from are left out; PyThaiNLP's may have seen them.")
    return Measured(
        gold.name,
        ours.overlap,
        counts,
        {by: group for by, group in groups.items() if group},
        _figures(gold, unseen, ours),
        worst(ours.errors),
        tuple(notes),
    )


def _figures(gold: GoldSet, unseen: GoldSet, ours: Score) -> dict[str, float | int | str | None]:
    figures: dict[str, float | int | str | None] = {
        "texts": len(unseen.texts),
        "texts left out because the model has learnt from them": len(gold.texts) - len(unseen.texts),
    }
    for kind, count in sorted(ours.unmarked_types.items()):
        figures[f"found {kind}, which the gold data nowhere marks"] = count
    return figures


def _our_finder(analyzer: PiiAnalyzer) -> Finder:
    def find(gold: GoldText) -> Iterator[tuple[Span, float]]:
        for one in analyzer.find(gold.text):
            if one.entity_type in OUR_TYPES:
                yield Span(one.start, one.end, one.entity_type), one.score

    return find


def _peers_for(gold: GoldSet) -> Iterator[tuple[str, Finder]]:
    yield PRESIDIO, lambda text: presidio_finds(text.text)
    yield SURE_PRESIDIO, lambda text: sure_presidio_finds(text.text)
    if any(text.language == "th" and gold.type_of(span.type) == "PERSON" for text in gold.texts for span in text.spans):
        yield PYTHAINLP, pythainlp_finds
