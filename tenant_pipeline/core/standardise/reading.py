"""What a standardiser is told, what it answers, and how it declines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tenant_pipeline.core.vocabulary import PropertyDefinition


@dataclass(frozen=True)
class Context:
    """What is known of a value besides its text.

    `lang` is the language that the source or the mapping stated, "" when none did. `definition` is the contract's
    property (it names the canonical unit), None when the contract has no such property. `properties` are all the
    contract's properties: a reference's key is standardised like the property that its scheme names.
    """

    lang: str = ""
    definition: PropertyDefinition | None = None
    properties: Mapping[str, PropertyDefinition] = field(default_factory=dict)

    @property
    def unit(self) -> str | None:
        """The canonical unit of the property, when the contract names one."""
        return self.definition.unit if self.definition else None


@dataclass(frozen=True)
class Standardised:
    """A canonical value and the name of the rule that read it.

    `others` are further values that stood in the same text (three telephone numbers in a cell): each becomes a
    statement of its own.
    """

    value: str
    rule: str
    others: tuple[str, ...] = ()


class Unreadable(Exception):
    """A text that cannot be read as its datatype.

    `code` is the machine's name for the reason, `reason` the sentence for a person; neither quotes the text.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason


Standardiser = Callable[[str, Context], Standardised]
"""A pure function from a text and its context to a canonical value. Raises Unreadable and nothing else."""
