"""Extraction against gold records: by record and by field, for each format and language, beside plain libraries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tenant_pipeline.evaluation.extraction import travel_guide
from tenant_pipeline.evaluation.extraction.gold import SUFFIX, cases
from tenant_pipeline.evaluation.extraction.reading import read_by_peer, read_records, templates
from tenant_pipeline.evaluation.extraction.record import Pair, Record, field_counts, paired, record_counts
from tenant_pipeline.evaluation.report import Evaluation, Measured, WorstError
from tenant_pipeline.intake.readers.item import UnreadableError

_PEERS = "Peers are counted over the files that they have a reader for, under our names of fields where theirs differ."


def evaluate(data: Path, *, peers: bool = True) -> Evaluation:
    """Read the gold files below `data` and hold what comes out against what should.

    `data` has the travel guide's folder, a folder `extraction` of files with expectations, or is such a folder.
    Raises InputError for an expectation that cannot be read.
    """
    measured: list[Measured] = []
    skipped: list[str] = []
    guide = data / travel_guide.FOLDER
    if guide.is_dir():
        measured += _travel_guide(guide, peers=peers)
    else:
        skipped.append(f"wikivoyage_boston: {travel_guide.FOLDER} is not below the data folder")
    folder = next((each for each in (data / "extraction", data) if any(each.glob(f"*{SUFFIX}"))), None)
    if folder is not None:
        measured += _own_cases(folder, peers=peers)
    else:
        skipped.append(f"own gold files: no *{SUFFIX} in the data folder or in extraction/ below it")
    return Evaluation("extraction", tuple(measured), tuple(skipped))


@dataclass
class _Outcome:
    """Pairs as they come in, by what they are split by."""

    pairs: list[Pair] = field(default_factory=list)
    by: dict[str, dict[str, list[Pair]]] = field(default_factory=lambda: {"format": {}, "language": {}, "source": {}})
    errors: list[WorstError] = field(default_factory=list)
    peers: dict[str, list[Pair]] = field(default_factory=lambda: defaultdict(list))

    def add(self, pairs: Sequence[Pair], *, format_: str, language: str, source: str) -> None:
        self.pairs += pairs
        for by, name in (("format", format_), ("language", language or "und"), ("source", source)):
            self.by[by].setdefault(name, []).extend(pairs)
        self.errors += _errors(pairs, source)

    def measured(self, dataset: str, notes: tuple[str, ...]) -> list[Measured]:
        """What was measured of records, and of their fields."""
        return [
            Measured(
                f"{dataset}, {what}",
                count(self.pairs),
                {name: count(pairs) for name, pairs in self.peers.items()},
                {
                    f"by {by}": {name: count(pairs) for name, pairs in sorted(groups.items())}
                    for by, groups in self.by.items()
                    if len(groups) > 1
                },
                errors=tuple(self.errors) if count is field_counts else (),
                notes=notes,
            )
            for what, count in (("records", record_counts), ("fields", field_counts))
        ]


def _travel_guide(folder: Path, *, peers: bool) -> Iterable[Measured]:
    guide = travel_guide.read_guide(folder)
    page = folder / "boston_input.txt"
    expected, raw = travel_guide.expected_listings(guide), travel_guide.left_raw(guide)
    read, language = read_records(page)
    outcome = _Outcome()
    outcome.add(
        paired(expected, travel_guide.comparable(read, raw)), format_="wikitext", language=language, source=page.name
    )
    if peers:
        plain = [travel_guide.as_ours(record) for record in templates(page.read_text(encoding="utf-8"))]
        outcome.peers["mwparserfromhell"] = paired(
            expected, travel_guide.comparable([record for record in plain if "name" in record.values], raw)
        )
    notes = (
        f"{len(raw)} listings that the gold parser left as raw text are left out of the count.",
        "The peer is given our names of fields and our stripping of markup.",
    )
    return outcome.measured("wikivoyage_boston", notes)


def _own_cases(folder: Path, *, peers: bool) -> Iterable[Measured]:
    outcome = _Outcome()
    for case in cases(folder):
        try:
            read, language = read_records(case.file)
        except UnreadableError as unreadable:
            read, language = [], ""
            outcome.errors.append(WorstError(case.file.name, "readable", unreadable.code, unreadable.reason))
        outcome.add(
            paired(case.expected, read),
            format_=case.file.suffix.lstrip("."),
            language=language,
            source=case.file.name,
        )
        if peers and (theirs := read_by_peer(case.file)) is not None:
            name, records = theirs
            outcome.peers[name] += paired(case.expected, records)
    return outcome.measured(folder.name, (_PEERS,))


def _errors(pairs: Sequence[Pair], source: str) -> Iterable[WorstError]:
    for pair in pairs:
        if pair.found is None and pair.expected is not None:
            yield WorstError(f"{source} {pair.expected.place}", _shown(pair.expected), "", "missed record")
        elif pair.expected is None and pair.found is not None:
            yield WorstError(f"{source} {pair.found.place}", "", _shown(pair.found), "no such record")
        elif pair.expected is not None and pair.found is not None:
            wanted, read = pair.expected.values, pair.found.values
            for name in sorted({*wanted, *read}):
                if wanted.get(name) != read.get(name):
                    place = f"{source} {pair.found.place}, {name}"
                    yield WorstError(place, wanted.get(name, ""), read.get(name, ""), "other value", 1 / len(wanted))


def _shown(record: Record) -> str:
    return "; ".join(f"{name}={value}" for name, value in record.values.items())
