"""Conflicts against gold truths: how many disputes the proposal resolves, beside what a user would do instead."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from pathlib import Path

import pandas as pd

from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.conflict.comparators.registry import compare
from tenant_pipeline.core.conflict.comparison import Verdict
from tenant_pipeline.core.conflict.find import find_conflicts
from tenant_pipeline.core.conflict.resolution import Proposal, propose
from tenant_pipeline.core.conflict.standing import SourceStanding, source_standings
from tenant_pipeline.core.conflict.truth_discovery import estimate
from tenant_pipeline.evaluation.conflicts.dispute import Choice, Dispute, DisputedData, first_claimed, majority
from tenant_pipeline.evaluation.conflicts.gazetteers import FOLDER as GAZETTEERS
from tenant_pipeline.evaluation.conflicts.gazetteers import read_gazetteers
from tenant_pipeline.evaluation.conflicts.gold import CLAIMS, read_gold
from tenant_pipeline.evaluation.conflicts.hospitals import FOLDER as HOSPITALS
from tenant_pipeline.evaluation.conflicts.hospitals import TIERS, read_hospitals, read_tiers
from tenant_pipeline.evaluation.conflicts.wiki_edits import FOLDER as WIKI
from tenant_pipeline.evaluation.conflicts.wiki_edits import read_wiki_edits
from tenant_pipeline.evaluation.counts import Counts
from tenant_pipeline.evaluation.report import Evaluation, Measured, WorstError


def evaluate(data: Path, *, peers: bool = True) -> Evaluation:
    """Hold the proposals for disputed values against what is true, and the conflicts found against those there.

    `data` has folders of data sets, a folder `conflicts` of our own gold files, or is such a folder. Raises InputError
    for a gold file that cannot be read.
    """
    measured: list[Measured] = []
    skipped: list[str] = []
    for disputed in _disputed(data, skipped):
        measured += _measured(disputed, peers=peers)
    if (data / GAZETTEERS).is_dir():
        measured.append(_gazetteers(data / GAZETTEERS))
    else:
        skipped.append(f"{GAZETTEERS}: not below the data folder")
    return Evaluation("conflicts", tuple(measured), tuple(skipped))


def _disputed(data: Path, skipped: list[str]) -> Iterator[DisputedData]:
    wiki = sorted((data / WIKI).glob("*.json"))
    yield from map(read_wiki_edits, wiki)
    if not wiki:
        skipped.append(f"{WIKI}: not below the data folder")
    hospitals = data / HOSPITALS
    if hospitals.is_dir():
        tiers = read_tiers(hospitals / "tiers.json" if (hospitals / "tiers.json").is_file() else TIERS)
        yield read_hospitals(hospitals, by_place=True, tiers=tiers)
        yield read_hospitals(hospitals, by_place=True, tiers=None)
        yield read_hospitals(hospitals, by_place=False, tiers=None)
    else:
        skipped.append(f"{HOSPITALS}: not below the data folder")
    folder = next((each for each in (data / "conflicts", data) if (each / CLAIMS).is_file()), None)
    if folder is not None:
        yield read_gold(folder)
    else:
        skipped.append(f"own gold files: no {CLAIMS} in the data folder or in conflicts/ below it")


def _measured(disputed: DisputedData, *, peers: bool) -> Iterator[Measured]:
    claims = pd.DataFrame(sorted(set(disputed.claims)), columns=["item", "source_id", "value"])
    standings = source_standings(claims)
    proposals = {each.key: _proposed(each, standings) for each in disputed.disputes}
    conflicting = [each for each in disputed.disputes if each.conflicting]
    known = [each for each in conflicting if each.truth]

    def ours(dispute: Dispute) -> str:
        return proposals[dispute.key].value

    by_property: dict[str, list[Dispute]] = defaultdict(list)
    for each in known:
        by_property[each.definition.name].append(each)
    yield Measured(
        f"{disputed.name}: disputes resolved",
        _resolved(known, ours),
        {name: _resolved(known, choose) for name, choose in _peers(claims).items()} if peers else {},
        {"by property": {name: _resolved(all_, ours) for name, all_ in sorted(by_property.items())}},
        {
            "disputes": len(conflicting),
            "disputes of which the truth is known": len(known),
            "share resolved, of all disputes": _share(conflicting, ours),
            "share resolved, of those with a known truth": _share(known, ours),
            "the same, equal to the letter": _share(known, ours, to_the_letter=True),
            "majority, of all disputes": _share(conflicting, majority),
            "share handed to a person": _part(conflicting, lambda each: proposals[each.key].needs_person),
            "of the others, share resolved": _share([e for e in known if not proposals[e.key].needs_person], ours),
        },
        tuple(_error(each, proposals[each.key]) for each in known if not each.resolved_by(ours(each))),
        (*disputed.notes, "A wrong choice counts as made up and as missed, so precision is the share resolved."),
    )
    yield Measured(f"{disputed.name}: conflicts found", _found([each for each in disputed.disputes if each.truth]))


def _proposed(dispute: Dispute, standings: Mapping[str, SourceStanding]) -> Proposal:
    return propose(dispute.candidates, lambda left, right: _verdict(dispute, left, right), standings)


def _verdict(dispute: Dispute, left: str, right: str) -> Verdict:
    return compare(left, right, dispute.lang, dispute.definition).verdict


def _peers(claims: pd.DataFrame) -> Mapping[str, Choice]:
    """What a user would otherwise do: a vote, the first record, plain truth discovery over the claims."""
    likelihood = claims.assign(likelihood=estimate(claims).likelihood)
    accu = {(item, value): share for item, _, value, share in likelihood.itertuples(index=False, name=None)}
    return {
        "majority vote": majority,
        "first claim": first_claimed,
        "ACCU (Dong 2009), values compared to the letter": lambda dispute: (
            max(dispute.candidates, key=lambda one: accu.get((dispute.item, one.value), 0.0)).value
        ),
    }


def _resolved(disputes: list[Dispute], choose: Choice) -> Counts:
    right = sum(each.resolved_by(choose(each)) for each in disputes)
    return Counts(right, len(disputes) - right, len(disputes) - right)


def _share(disputes: list[Dispute], choose: Choice, *, to_the_letter: bool = False) -> float | None:
    return _part(disputes, lambda each: each.resolved_by(choose(each), to_the_letter=to_the_letter))


def _part(disputes: list[Dispute], holds: Callable[[Dispute], bool]) -> float | None:
    return sum(map(holds, disputes)) / len(disputes) if disputes else None


def _error(dispute: Dispute, proposal: Proposal) -> WorstError:
    why = f"{proposal.rule}: {' '.join(proposal.explanation)} {proposal.needs_person_reason}".strip()
    weight = 0.5 if proposal.needs_person else 1.0
    return WorstError(dispute.key, " | ".join(sorted(dispute.truth)), proposal.value, why, weight)


def _found(disputes: list[Dispute]) -> Counts:
    """Whether a contradiction is seen where a wrong value is claimed beside a right one."""
    counts = Counts()
    for each in disputes:
        right = {value for value in each.values if each.resolved_by(value)}
        there = bool(right) and right != each.values
        pairs = combinations(sorted(each.values), 2)
        seen = any(_verdict(each, left, right) in (Verdict.DIFFERS, Verdict.INCOMPARABLE) for left, right in pairs)
        counts += Counts(int(there and seen), int(seen and not there), int(there and not seen))
    return counts


def _gazetteers(folder: Path) -> Measured:
    """Whether every value of which the letters differ is an item, by a comparison of the letters alone."""
    frame = read_gazetteers(folder)
    keys = ["canonical_id", "property", "lang"]
    letters = frame["raw_value"].map(_letters)
    there = {key for key, values in letters.groupby([frame[name] for name in keys]) if values.nunique() > 1}
    items = find_conflicts(frame, load_contracts().vocabulary)
    found = {(item.canonical_id, item.property, item.lang) for item in items if item.verdict is Verdict.DIFFERS}
    missed = [" ".join(map(str, key)).strip() for key in sorted(there - found)]
    errors = tuple(WorstError(place, "differs", "no such item", "missed") for place in missed)
    return Measured(
        "thai_gazetteers, sub-districts of all three: conflicts found",
        Counts(len(there & found), len(found - there), len(there - found)),
        figures={"items of the matrix": len(items)},
        errors=errors,
        notes=("A conflict is there where letters, digits or marks differ, whatever the case and spacing.",),
    )


def _letters(text: str) -> str:
    folded = unicodedata.normalize("NFC", text).casefold()
    return "".join(character for character in folded if unicodedata.category(character)[0] in "LNM")
