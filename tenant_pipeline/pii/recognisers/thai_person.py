"""Names of persons in Thai: after a title anywhere, and in running text wherever the model of Thai names sees one."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from tenant_pipeline.pii.recognisers import thai_titled_person
from tenant_pipeline.pii.recognisers.folded import Candidate, FoldedRecogniser
from tenant_pipeline.pii.recognisers.person_titles import TITLE
from tenant_pipeline.pii.recognisers.thai_names.model import names_in
from tenant_pipeline.pii.recognisers.thai_provinces import thai_provinces
from tenant_pipeline.pii.recognisers.thai_titled_person import titled_names

_RUNNING_WORDS = "กล่าว|ว่า|ได้|จะ|เป็น|และ|กับ|ให้|ของ|ถูก|ไม่|คือ|มี|เผย|ระบุ|ยืนยัน|โดย|ด้วย|พร้อม|ร่วม|ชี้|แจ้ง|สั่ง|แถลง|หลัง|เพื่อ|จาก"
"""Verbs and prepositions: what has none of them is the name of a thing, and the model is not asked."""

_SENTENCE_LETTERS = 30
"""From this many Thai letters on, a text is no mere name of a place."""

_RUNNING = re.compile(_RUNNING_WORDS)
_LETTERS = re.compile(r"[ก-ฮ]")
_FEWEST_LETTERS = 15
_SCORE = 0.75
_NO_NAME = re.compile(r"[^ก-ฮA-Za-z]*[ก-ฮA-Za-z]?[^ก-ฮA-Za-z]*|(?:นพ|พญ|ทพ|ดร|ผศ|รศ|พล|พ\.?ต)\.?")
"""A single letter, or a title alone."""
_DIVISION = (
    r"(?:ตำบล|อำเภอ|จังหวัด|แขวง|เขต|หมู่(?:ที่|บ้าน)?|ซอย|ถนน|ประเทศ|เมือง|เกาะ|หาด|อ่าว|แหลม|ถ้ำ|คลอง|แม่น้ำ"
    r"|(?<![ก-๎.])[ตอจมซถ]\.)"
)
_BEGINS_WITH_DIVISION = re.compile(_DIVISION)
_ADDRESS = re.compile(r"(?<= )(?:ตำบล|อำเภอ|จังหวัด|แขวง|เขต|ถนน|ซอย|[ตอจมซถ]\.)")
_OF_A_THING = re.compile(
    rf"(?:{_DIVISION}|ร้าน|โรงเรียน|โรงแรม|บริษัท|หจก\.|บจก\.|มูลนิธิ|วัด|ตลาด|อาคาร|ห้าง|หุ้นส่วนจำกัด|ชุมชน|สะพาน|สนามบิน)[ ]?$"
)
"""Words before a name that make it a street's, a shop's or a school's."""

_LONGEST_WORD_BEFORE = 16
_ENDS = " \t\u00a0\"'“”‘’()[]{}.,:;!?-*"


class ThaiPersonRecogniser(FoldedRecogniser):
    """The name without its title, so that the same person has the same token with and without one."""

    entity = "PERSON"
    prefilter = rf"{thai_titled_person.PREFILTER}|{_RUNNING_WORDS}|(?:[ก-ฮ][^ก-ฮ]*){{{_SENTENCE_LETTERS}}}"

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Names by the model, which knows best where one ends, and those after a title that it has not seen."""
        by_model = list(_by_model(folded)) if _is_running_text(folded) else []
        for one in (*by_model, *_beside(by_model, titled_names(folded))):
            if not _OF_A_THING.search(folded[max(0, one.start - _LONGEST_WORD_BEFORE) : one.start]):
                yield one


def _is_running_text(folded: str) -> bool:
    letters = len(_LETTERS.findall(folded))
    return letters >= _SENTENCE_LETTERS or (letters >= _FEWEST_LETTERS and _RUNNING.search(folded) is not None)


def _by_model(folded: str) -> Iterator[Candidate]:
    for start, end in names_in(folded):
        start, end = _stripped(folded, start, end)
        title = TITLE.match(folded, start, end)
        if title and title.end() < end:
            start = title.end()
        if _BEGINS_WITH_DIVISION.match(folded, start, end):
            continue
        if division := _ADDRESS.search(folded, start, end):
            end = division.start()
        start, end = _stripped(folded, start, _without_province(folded, start, end))
        if start < end and not _NO_NAME.fullmatch(folded, start, end):
            yield Candidate(start, end, _SCORE)


def _stripped(folded: str, start: int, end: int) -> tuple[int, int]:
    """The stretch without spaces, quotes and points at its ends."""
    text = folded[start:end]
    return start + len(text) - len(text.lstrip(_ENDS)), start + len(text.rstrip(_ENDS))


def _beside(taken: Sequence[Candidate], others: Iterable[Candidate]) -> Iterator[Candidate]:
    """Those of `others` that overlap none of `taken`; both are in order."""
    ends = [candidate.end for candidate in taken]
    for other in others:
        position = bisect_right(ends, other.start)
        if position == len(taken) or taken[position].start >= other.end:
            yield other


def _without_province(folded: str, start: int, end: int) -> int:
    """The end of a stretch, or where its last word begins when that is a province."""
    last = max(folded.rfind(" ", start, end) + 1, start)
    return last if folded[last:end] in thai_provinces() else end
