"""Fields that hold persons: their name says so (ผู้ติดต่อ, contact person, 联系人), or most of their values are names.

The whole cell is a name. In fields of organisers and authors, who are organisations as often, it is one where it looks
like it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from presidio_analyzer import RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

from tenant_pipeline.pii.nearby_words import SERIES, words_of, words_pattern
from tenant_pipeline.pii.recognisers.folded import Candidate, FoldedRecogniser
from tenant_pipeline.pii.recognisers.person_cell import PERSONS, looks_like_a_person
from tenant_pipeline.pii.recognisers.person_titles import TITLE

PERSON_FIELD_WORDS = (
    "ผู้ติดต่อ", "ผู้ประสานงาน", "ชื่อผู้ติดต่อ", "ชื่อสกุล", "ชื่อ สกุล", "ชื่อ นามสกุล", "นามสกุล", "ชื่อเจ้าของ", "เจ้าของกิจการ",
    "ผู้รับผิดชอบ", "ชื่อผู้จัดการ", "ผู้ดูแล", "ชื่อพนักงาน", "ชื่อลูกค้า", "ชื่อผู้เข้าพัก", "ผู้เข้าร่วม", "วิทยากร",
    "contact person", "contact name", "contact persons", "full name", "fullname", "first name", "firstname",
    "last name", "lastname", "surname", "family name", "given name", "person", "person name", "person in charge",
    "owner name", "manager name", "customer name", "guest name", "passenger name", "employee name",
    "attendee", "attendee name", "speaker name", "coordinator", "focal point", "pic name",
    "联系人", "联络人", "姓名", "负责人", "客户姓名", "乘客姓名", "店主", "業主", "聯絡人", "聯繫人", "負責人",
)  # fmt: skip
_NAME_PART = re.compile(r"[^\W\d_][^\d@()\[\]{}<>/\\|;,:=+\"⟦⟧\r\n]*")
_NO_NAMES = frozenset(
    (
        "n/a",
        "na",
        "none",
        "null",
        "unknown",
        "tbc",
        "tbd",
        "same",
        "ไม่มี",
        "ไม่ระบุ",
        "ไม่ทราบ",
        "无",
        "暂无",
        "同上",
        "不详",
    )
)
_LONGEST = 200


def _title_length(text: str) -> int:
    """How much of `text` is a title, which stays: the name after it is the same person's with or without one."""
    title = TITLE.match(text)
    return title.end() if title and title.end() < len(text) else 0


class PersonFieldRecogniser(FoldedRecogniser):
    """Every run of words in the cell, without the numbers and addresses that have recognisers of their own."""

    entity = "PERSON"
    prefilter = r"[^\x00-\x40\[-`{-\x7f]"
    context_words: ClassVar[tuple[str, ...]] = PERSON_FIELD_WORDS
    needs_context = True
    field_only = True
    evidence: ClassVar[str | None] = PERSONS

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """The runs of words of a short cell."""
        if len(folded) > _LONGEST or folded.strip().lower() in _NO_NAMES:
            return
        for match in _NAME_PART.finditer(folded):
            start = match.start() + _title_length(match[0])
            end = match.start() + len(match[0].rstrip(" .-'*_"))
            if end - start >= 2:
                yield Candidate(start, end, 0.1)

    def enhance_using_context(
        self,
        text: str,
        raw_recognizer_results: list[RecognizerResult],
        other_raw_recognizer_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        """Sure when the field's name or its column says so; words in the cell itself do not count."""
        named = words_pattern(self.context_words).search(words_of(context)) is not None
        named = named or (self.evidence is not None and SERIES + self.evidence in (context or ()))
        for result in raw_recognizer_results:
            result.score = 0.7 if named else 0.1
            result.recognition_metadata[RecognizerResult.IS_SCORE_ENHANCED_BY_CONTEXT_KEY] = True
        return raw_recognizer_results


class OrganiserFieldRecogniser(PersonFieldRecogniser):
    """A whole cell that is a listed name, in a field of persons or organisations."""

    context_words = ("organizer", "organiser", "author", "ผู้จัด", "ผู้เขียน", "作者", "主办人")
    evidence = None

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """The cell, where it looks like a person's name."""
        if looks_like_a_person(folded):
            yield from super().candidates(folded)
