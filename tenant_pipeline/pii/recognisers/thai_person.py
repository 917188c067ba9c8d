"""Names of persons in Thai: after a title anywhere, and in running text wherever the model of Thai names sees one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tenant_pipeline.pii.recognisers import thai_titled_person
from tenant_pipeline.pii.recognisers.folded import Candidate, FoldedRecogniser
from tenant_pipeline.pii.recognisers.person_titles import TITLE
from tenant_pipeline.pii.recognisers.thai_names.model import names_in
from tenant_pipeline.pii.recognisers.thai_titled_person import titled_names

_RUNNING_WORDS = "กล่าว|ว่า|ได้|จะ|เป็น|และ|กับ|ให้|ของ|ถูก|ไม่|คือ|มี|เผย|ระบุ|ยืนยัน|โดย|ด้วย|พร้อม|ร่วม|ชี้|แจ้ง|สั่ง|แถลง|หลัง|เพื่อ|จาก"
"""Verbs and prepositions: what has none of them is the name of a thing, and the model is not asked."""

_SENTENCE_LETTERS = 30
"""From this many Thai letters on, a text is no mere name of a place."""

_RUNNING = re.compile(_RUNNING_WORDS)
_LETTERS = re.compile(r"[ก-ฮ]")
_FEWEST_LETTERS = 15
_SCORE = 0.75
_NO_NAME = re.compile(r"[^ก-ฮA-Za-z]*[ก-ฮA-Za-z]?[^ก-ฮA-Za-z]*")
_OF_A_THING = re.compile(
    r"(?:ถนน|ซอย|ถ\.|ซ\.|ร้าน|โรงเรียน|โรงแรม|บริษัท|หจก\.|บจก\.|มูลนิธิ|วัด|ตลาด|หมู่บ้าน|อาคาร|ห้าง|หุ้นส่วนจำกัด|ชุมชน"
    r"|สะพาน)[ ]?$"
)
"""Words before a name that make it a street's, a shop's or a school's."""

_LONGEST_WORD_BEFORE = 16
_ENDS = " \t\u00a0\"'“”‘’()[]{}.,:;!?-*"


class ThaiPersonRecogniser(FoldedRecogniser):
    """The name without its title, so that the same person has the same token with and without one."""

    entity = "PERSON"
    prefilter = rf"{thai_titled_person.PREFILTER}|{_RUNNING_WORDS}|(?:[ก-ฮ][^ก-ฮ]*){{{_SENTENCE_LETTERS}}}"

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Names by title and by model, joined where they touch the same person."""
        found = list(titled_names(folded))
        if _is_running_text(folded):
            found += _by_model(folded)
        for one in joined(found):
            if not _OF_A_THING.search(folded[max(0, one.start - _LONGEST_WORD_BEFORE) : one.start]):
                yield one


def _is_running_text(folded: str) -> bool:
    letters = len(_LETTERS.findall(folded))
    return letters >= _SENTENCE_LETTERS or (letters >= _FEWEST_LETTERS and _RUNNING.search(folded) is not None)


def _by_model(folded: str) -> Iterator[Candidate]:
    for begin, end in names_in(folded):
        text = folded[begin:end]
        start = begin + len(text) - len(text.lstrip(_ENDS))
        end = begin + len(text.rstrip(_ENDS))
        title = TITLE.match(folded, start, end)
        if title and title.end() < end:
            start = title.end()
        if start < end and not _NO_NAME.fullmatch(folded, start, end):
            yield Candidate(start, end, _SCORE)


def joined(found: Sequence[Candidate]) -> Iterator[Candidate]:
    """Overlapping candidates as one, with the higher score."""
    whole: Candidate | None = None
    for one in sorted(found, key=lambda candidate: (candidate.start, candidate.end)):
        if whole is not None and one.start < whole.end:
            whole = Candidate(whole.start, max(whole.end, one.end), max(whole.score, one.score))
            continue
        if whole is not None:
            yield whole
        whole = one
    if whole is not None:
        yield whole
