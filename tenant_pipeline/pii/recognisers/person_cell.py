"""Whether a whole cell looks like a person's name: listed names and nothing else. Proves nothing of a single cell."""

from __future__ import annotations

import re

from tenant_pipeline.pii.recognisers import latin_names
from tenant_pipeline.pii.recognisers.chinese_person import is_chinese_name
from tenant_pipeline.pii.recognisers.person_titles import TITLE
from tenant_pipeline.pii.recognisers.thai_names import features

PERSONS = "person-name"
"""The kind of evidence: the column's values are names of persons."""

_THAI_WORDS = re.compile(r"[ก-๎]+(?: [ก-๎]+){1,3}")
_LATIN_WORDS = re.compile(r"[A-Za-zÀ-ɏ'’.-]+(?:,? [A-Za-zÀ-ɏ'’.-]+){1,3}")


def looks_like_a_person(folded: str) -> bool:
    """Whether the cell is, after any title, a listed given name with a family name in Thai, Latin or Chinese letters.

    One of the two must be listed for Thai, whose family names are nearly all different by law, both for Latin ones.
    """
    text = folded.strip()
    title = TITLE.match(text)
    if title and title.end() < len(text):
        text = text[title.end() :]
    if _THAI_WORDS.fullmatch(text):
        words = text.split(" ")
        return words[0] in features.given_names() or words[-1] in features.family_names()
    if _LATIN_WORDS.fullmatch(text):
        words = [word.strip(",") for word in text.split()]
        words = [word.title() if word.isupper() or word.islower() else word for word in words]
        given, family = latin_names.given_names(), latin_names.family_names()
        return (words[0] in given and words[-1] in family) or (words[-1] in given and words[0] in family)
    return is_chinese_name(text)
