"""Which types may be one thing: only the same, or one the ancestor of the other."""

from __future__ import annotations

from tenant_pipeline.core.vocabulary import Vocabulary


def family(vocabulary: Vocabulary, type_: str) -> str:
    """The broad kind that a type belongs to: its ancestor next below the root. Candidates are sought within one."""
    line = _line(vocabulary, type_)
    return line[-2] if len(line) > 1 else line[-1]


def compatible(vocabulary: Vocabulary, left: str, right: str) -> bool:
    """Whether two types can be of one thing: the same, or one the other's ancestor. A bus stop is no province."""
    return left in _line(vocabulary, right) or right in _line(vocabulary, left)


def _line(vocabulary: Vocabulary, type_: str) -> list[str]:
    """The type and its ancestors, up to the root."""
    line = [type_]
    while (parent := vocabulary.type(line[-1]).parent) is not None:
        line.append(parent)
    return line
