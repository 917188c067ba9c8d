"""Replace what was found in a text, in a column, and in the names and locators around a table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tenant_pipeline.core.contract_terms import PiiPolicy
from tenant_pipeline.core.keys import DigestKey
from tenant_pipeline.core.pseudonym import digest_of_token, mask, pseudonym, without_replacements
from tenant_pipeline.pii.analyzer import Found, PiiAnalyzer
from tenant_pipeline.pii.canonical import canonical_value
from tenant_pipeline.pii.column_evidence import number_evidence
from tenant_pipeline.pii.field_policy import FieldPolicy, WholeField
from tenant_pipeline.pii.findings import Findings, Kind, Place
from tenant_pipeline.pii.folding import fold
from tenant_pipeline.pii.policy import Action
from tenant_pipeline.pii.readings import seen
from tenant_pipeline.pii.recognisers.registry import STRUCTURAL_ENTITIES


@dataclass(frozen=True)
class ScreenedColumn:
    """A column without personal data, and which of its rows may not go on.

    `withheld` holds, per row, the entity type for which policy quarantines the record, or ''; `residual` the type
    that was still found in the output.
    """

    values: pa.Array
    withheld: npt.NDArray[np.object_] | None
    residual: npt.NDArray[np.object_] | None


@dataclass(frozen=True)
class _Treated:
    found: Found
    action: Action
    substitute: str


@dataclass(frozen=True)
class FieldScreen:
    """How a column is looked at: where it stands, the words about it, what passes as it is, and what holds for it."""

    place: Place
    context: Sequence[str]
    policy: FieldPolicy
    passing: re.Pattern[str] | None = None


@dataclass
class Replacer:
    """Finds and replaces under one tenant's key and policy, and counts what it does."""

    analyzer: PiiAnalyzer
    policy: PiiPolicy
    key: DigestKey
    findings: Findings = field(default_factory=Findings)

    def column(self, values: pa.Array, screen: FieldScreen) -> ScreenedColumn:
        """Screen a column of texts. Each distinct value is looked at once; what `passing` matches is left as it is."""
        encoded = values.dictionary_encode()
        distinct, indices = encoded.dictionary, encoded.indices
        whole = screen.policy.whole
        if whole is not None:
            stricter = {} if whole.signed else self._stricter(distinct, indices, screen, whole.ruling.action)
            found_whole = self._whole(distinct, indices, screen.place, whole, stricter)
            if whole.ruling.action is not Action.ALLOW:
                return found_whole
        answers = self.analyzer.find_all(distinct, screen.context)
        if not answers:
            return ScreenedColumn(values, None, None)
        positions = list(answers)
        counts = _counts(indices, len(distinct))
        replaced: list[str | None] = []
        withheld: dict[int, str] = {}
        for index, text in zip(positions, distinct.take(pa.array(positions)).to_pylist(), strict=True):
            found = _beside(screen.passing, text, answers[index]) if screen.passing else answers[index]
            treated = self._treat(text, found, screen.place, screen.policy, int(counts[index]))
            dropped = any(one.action is Action.DROP for one in treated)
            replaced.append(None if dropped else _rewritten(text, treated))
            for one in treated:
                if one.action is Action.QUARANTINE:
                    withheld.setdefault(index, one.found.entity_type)
        left = pa.array(replaced, type=distinct.type)
        residual = self._residual(left, screen)
        changed = np.zeros(len(distinct), dtype=bool)
        changed[positions] = True
        output = pc.replace_with_mask(distinct, pa.array(changed), left)
        still_there = {positions[index]: entity_type for index, entity_type in residual.items()}
        return ScreenedColumn(output.take(indices), _per_row(withheld, indices), _per_row(still_there, indices))

    def text(self, text: str, place: Place, context: Sequence[str] = ()) -> str:
        """Screen a name or path. It cannot be withheld: where policy drops or quarantines, a mask stands instead.

        `context` is what other texts of its sort say of it, such as the names of the other fields.
        """
        found = self.analyzer.find(text, context)
        return _rewritten(text, self._treat(text, found, place, FieldPolicy(self.policy), 1)) if found else text

    def each(self, text: str, apart: re.Pattern[str], place: Place, context: Sequence[str]) -> str:
        """Screen each stretch of a name or path by itself; what lies between, the one group of `apart`, stays."""
        stretches = apart.split(text)
        for position in range(0, len(stretches), 2):
            if stretches[position].strip("0123456789"):
                stretches[position] = self.text(stretches[position], place, context)
        return "".join(stretches)

    def json(self, value: Any, place: Place) -> Any:
        """Screen every text in a JSON value, keys and numbers included. A bare number speaks for itself alone."""
        if isinstance(value, str):
            return self.text(value, place, number_evidence(pa.array([fold(seen(value))])))
        if isinstance(value, Mapping):
            return {self.json(str(name), place): self.json(inner, place) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.json(inner, place) for inner in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            screened = self.json(str(value), place)
            return value if screened == str(value) else screened
        return value

    def _stricter(
        self, distinct: pa.Array, indices: pa.Array, screen: FieldScreen, action: Action
    ) -> dict[int, tuple[Action, str]]:
        """Of values that hold something with a ruling stricter than `action`: that, and of which entity type.

        What a field is as a whole lets nothing pass that would withhold its record in any other field.
        """
        if action is Action.ALLOW:
            return {}
        stricter: dict[int, tuple[Action, str]] = {}
        answers = self.analyzer.find_all(distinct, screen.context)
        counts = _counts(indices, len(distinct))
        texts = distinct.take(pa.array(list(answers), type=pa.int64())).to_pylist()
        for (index, found), text in zip(answers.items(), texts, strict=True):
            beside = _beside(screen.passing, text, found) if screen.passing else found
            for one in beside:
                ruling = screen.policy.ruling(one.entity_type)
                if ruling.action.strictness <= stricter.get(index, (action, ""))[0].strictness:
                    continue
                stricter[index] = (ruling.action, one.entity_type)
                kind = Kind(one.entity_type, ruling.action, declaration=ruling.declaration)
                self.findings.add(screen.place, kind, count=int(counts[index]), score=one.score, digest="")
        return stricter

    def _whole(
        self,
        distinct: pa.Array,
        indices: pa.Array,
        place: Place,
        whole: WholeField,
        stricter: Mapping[int, tuple[Action, str]],
    ) -> ScreenedColumn:
        """A column of which every value is personal, whatever it looks like. A special category leaves no digest."""
        texts = distinct.to_pylist()
        action, name = whole.ruling.action, whole.entity_type
        kind = Kind(name, action, whole.category, whole.ruling.declaration)
        count = len(indices) - indices.null_count
        tokens: list[str | None] = (
            [pseudonym(name, canonical_value(name, text), self.key) for text in texts]
            if action is Action.HASH and not whole.category
            else []
        )
        if count:
            digest = min((digest_of_token(token) for token in tokens if token), default="")
            self.findings.add(place, kind, count=count, score=1.0, digest=digest)
        others: list[str | None] = [None if action is Action.DROP else mask(name)] * len(texts)
        withheld = dict.fromkeys(range(len(texts)), name) if action is Action.QUARANTINE else {}
        output = tokens or others
        for index, (within, entity_type) in stricter.items():
            output[index] = None if within is Action.DROP else mask(name)
            if within is Action.QUARANTINE:
                withheld[index] = entity_type
        taken = pa.array(output, type=distinct.type).take(indices)
        return ScreenedColumn(taken, _per_row(withheld, indices), None)

    def _treat(
        self, text: str, found: Sequence[Found], place: Place, policy: FieldPolicy, count: int
    ) -> list[_Treated]:
        """Decide on and count what was found in one text that occurs `count` times."""
        treated = []
        for one in found:
            ruling = policy.ruling(one.entity_type)
            raw = text[one.start : one.end]
            token = pseudonym(one.entity_type, canonical_value(one.entity_type, raw), self.key)
            kind = Kind(one.entity_type, ruling.action, declaration=ruling.declaration)
            self.findings.add(place, kind, count=count, score=one.score, digest=digest_of_token(token))
            substitute = {Action.ALLOW: raw, Action.HASH: token}.get(ruling.action, mask(one.entity_type))
            treated.append(_Treated(one, ruling.action, substitute))
        return treated

    def _residual(self, left: pa.Array, screen: FieldScreen) -> dict[int, str]:
        """What is still found in texts that were rewritten, our own replacements and policy's exceptions left out."""
        bare = pa.array(
            [None if text is None else without_replacements(text) for text in left.to_pylist()], type=left.type
        )
        residual: dict[int, str] = {}
        answers = self.analyzer.find_all(bare, screen.context, sought=STRUCTURAL_ENTITIES)
        texts = bare.take(pa.array(list(answers), type=pa.int64())).to_pylist()
        for (index, found), text in zip(answers.items(), texts, strict=True):
            for one in _beside(screen.passing, text, found) if screen.passing else found:
                allowed = screen.policy.ruling(one.entity_type).action is Action.ALLOW
                if one.entity_type in STRUCTURAL_ENTITIES and not allowed:
                    residual.setdefault(index, one.entity_type)
        return residual


def _counts(indices: pa.Array, distinct: int) -> npt.NDArray[np.int64]:
    present = pc.drop_null(indices).to_numpy(zero_copy_only=False)
    return np.bincount(present, minlength=distinct)


def _beside(passing: re.Pattern[str], text: str, found: Sequence[Found]) -> Sequence[Found]:
    """What was found that lies in no stretch of the text that may pass."""
    stretches = [match.span() for match in passing.finditer(text)]
    return [one for one in found if not any(start <= one.start and one.end <= end for start, end in stretches)]


def _rewritten(text: str, treated: Sequence[_Treated]) -> str:
    pieces: list[str] = []
    position = 0
    for one in treated:
        pieces += (text[position : one.found.start], one.substitute)
        position = one.found.end
    return "".join((*pieces, text[position:]))


def _per_row(by_value: Mapping[int, str], indices: pa.Array) -> npt.NDArray[np.object_] | None:
    if not by_value:
        return None
    types = np.full(max(by_value) + 1, "", dtype=object)
    for index, entity_type in by_value.items():
        types[index] = entity_type
    rows = pc.fill_null(indices, -1).to_numpy(zero_copy_only=False)
    known = (rows >= 0) & (rows < len(types))
    result = np.full(len(rows), "", dtype=object)
    result[known] = types[rows[known]]
    return result
