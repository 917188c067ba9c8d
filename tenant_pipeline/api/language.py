"""In which language an answer's sentences are: the best of those that the request asks for (RFC 9110, RFC 4647)."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends, Header, Response

from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.core.sentences.reading import LANGUAGES, Tell, teller

_RANGE = re.compile(r"\s*(\*|[A-Za-z]{1,8})(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*)?")


def negotiated(accept_language: str) -> str:
    """The language of LANGUAGES that the header likes best, the first of equals; English where it likes none of them.

    A range with a region or a script is taken for its language, and what cannot be read is passed over.
    """
    liked: dict[str, float] = {}
    for each in accept_language.split(","):
        if found := _RANGE.fullmatch(each):
            language = found[1].lower()
            liked[language] = max(liked.get(language, 0.0), float(found[2] or 1))
    order = [each for each in liked if each in LANGUAGES]
    order += [each for each in LANGUAGES if each not in liked]
    best = max(order, key=lambda each: liked.get(each, liked.get("*", 0.0)))
    return best if liked.get(best, liked.get("*", 0.0)) > 0 else LANGUAGES[0]


def _told(
    response: Response,
    runtime: RuntimeOf,
    accept_language: Annotated[str, Header(description="The language of the sentences: en, th or zh.")] = "",
) -> Tell:
    language = negotiated(accept_language)
    response.headers["Content-Language"] = language
    response.headers["Vary"] = "Accept-Language"
    return teller(language, runtime.contracts.labels)


Telling = Annotated[Tell, Depends(_told)]
"""What tells the answer's sentences in the language of whoever asks."""
