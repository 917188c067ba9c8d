"""Make a sentence from its template, in English: so it is kept, and so it is found again for a reader's language.

A placeholder is `{name}` or `{name:kind}`. `figure` is a number or a percentage; `sentence` is a sentence of its own,
of which `word`, `share` and `records` are narrower kinds and `list` is several, separated by commas; a kind of the
contracts' labels (`properties`, `types`, `coverage_dimensions`) is one or several of their ids; without a kind it is
whatever it is, and stays so.
"""

from __future__ import annotations

import re

PLACEHOLDER = re.compile(r"\{(?P<name>[a-z_]+)(?::(?P<kind>[a-z_]+))?\}")


def say(template: str, **values: object) -> str:
    """The sentence: the template with its placeholders filled. Raises KeyError for one that no value is given for."""
    return PLACEHOLDER.sub(lambda placeholder: str(values[placeholder["name"]]), template)
