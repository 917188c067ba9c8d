"""The language of a text that states none, by the script most of its letters are written in."""

from __future__ import annotations

import re

from tenant_pipeline.core.pseudonym import without_replacements

UNDETERMINED = "und"
"""BCP 47's tag for a text whose language cannot be told."""

_SCRIPTS = (
    ("th", re.compile("[\u0e01-\u0e5b]")),
    ("zh", re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")),
    ("ja", re.compile("[\u3041-\u30ff]")),
    ("ko", re.compile("[\u1100-\u11ff\uac00-\ud7af]")),
    ("en", re.compile("[A-Za-z\u00c0-\u024f]")),
)
"""Languages in the order that wins a draw. Latin letters count as English, the product's language in that script."""


def language_by_script(text: str) -> str:
    """`th`, `zh`, `en` (or `ja`, `ko`) by the script of most letters of `text`; `und` when it has none of them.

    Kana beside Chinese characters make a text Japanese. Pseudonyms do not count as letters.
    """
    words = without_replacements(text, " ")
    counts = {language: len(pattern.findall(words)) for language, pattern in _SCRIPTS}
    if counts["ja"]:
        counts["ja"] += counts.pop("zh")
    language, count = max(counts.items(), key=lambda item: item[1])
    return language if count else UNDETERMINED
