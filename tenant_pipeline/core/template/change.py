"""How two templates differ, and which version number such a difference asks for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from semver import Version

from tenant_pipeline.core.template.template import Template, TypeRules

_NOTHING = TypeRules(frozenset(), frozenset())


class Weight(IntEnum):
    """What a change means for a knowledge base that fits the version before (Semantic Versioning 2.0.0, 6 to 8)."""

    PATCH = 0
    MINOR = 1
    MAJOR = 2


@dataclass(frozen=True)
class TemplateChange:
    """One difference: in a type, or in one of its properties."""

    type: str
    property: str
    change: str
    weight: Weight

    def as_json(self) -> dict[str, str]:
        """The change as the command line and the API give it."""
        return {"type": self.type, "property": self.property, "change": self.change, "weight": self.weight.name.lower()}


def changes_between(old: Template, new: Template) -> list[TemplateChange]:
    """What was added, removed, tightened and loosened, by type and property.

    Removing, and asking for more, breaks what fitted: major. Offering more is minor. Asking for less is minor too:
    what fitted fits.
    """
    found = []
    for name in sorted({*old.types, *new.types}):
        if name not in old.types:
            found.append(TemplateChange(name, "", "type added", Weight.MINOR))
        if name not in new.types:
            found.append(TemplateChange(name, "", "type removed", Weight.MAJOR))
            continue
        before, after = old.types.get(name, _NOTHING), new.types[name]
        known, wanted = before.required | before.optional, after.required | after.optional
        is_new = name not in old.types
        for each in sorted(known | wanted):
            change = _change(each, before, after)
            if change is not None:
                weight = Weight.MINOR if is_new else change[1]
                found.append(TemplateChange(name, each, change[0], weight))
    return found


def _change(name: str, before: TypeRules, after: TypeRules) -> tuple[str, Weight] | None:
    was, now = _rank(name, before), _rank(name, after)
    return {
        (0, 1): ("optional property added", Weight.MINOR),
        (0, 2): ("required property added", Weight.MAJOR),
        (1, 2): ("property made required", Weight.MAJOR),
        (2, 1): ("property made optional", Weight.MINOR),
        (1, 0): ("property removed", Weight.MAJOR),
        (2, 0): ("property removed", Weight.MAJOR),
    }.get((was, now))


def _rank(name: str, rules: TypeRules) -> int:
    return 2 if name in rules.required else 1 if name in rules.optional else 0


def least_version(old: Template, new: Template) -> Version:
    """The lowest version that the new template may bear after the old one."""
    weight = max((each.weight for each in changes_between(old, new)), default=Weight.PATCH)
    bump = {
        Weight.MAJOR: old.version.bump_major,
        Weight.MINOR: old.version.bump_minor,
        Weight.PATCH: old.version.bump_patch,
    }
    return bump[weight]()
