"""The version of a release, by what changed since the one before (Semantic Versioning 2.0.0).

A reader of release 1.4.2 finds in every later 1.x all that it found: what takes something away is a new major
version, what adds something a minor one, and what only says something else a patch. Who looks for entities of a type
misses one that is of another by now: its type counts as taken away and added. Going back to a release takes away
what was published after it, whatever the numbers: the next one is numbered from the release that was gone back to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from semver import Version

from tenant_pipeline.core.release.difference import TYPE, Change, EntityChange

FIRST = "1.0.0"


@dataclass(frozen=True)
class ChangeCounts:
    """How much changed: entities and properties added and removed, and properties whose values changed."""

    entities_added: int = 0
    entities_removed: int = 0
    properties_added: int = 0
    properties_removed: int = 0
    properties_changed: int = 0

    @property
    def nothing(self) -> bool:
        return self == ChangeCounts()


def count_changes(changes: Iterable[EntityChange]) -> ChangeCounts:
    """The counts over all changes."""
    entities = dict.fromkeys(Change, 0)
    properties = dict.fromkeys(Change, 0)
    for each in changes:
        entities[each.change] += 1
        if each.change is Change.CHANGED:
            for one in each.properties:
                for change in (Change.REMOVED, Change.ADDED) if one.property == TYPE else (one.change,):
                    properties[change] += 1
    return ChangeCounts(
        entities[Change.ADDED],
        entities[Change.REMOVED],
        properties[Change.ADDED],
        properties[Change.REMOVED],
        properties[Change.CHANGED],
    )


def next_version(before: str, counts: ChangeCounts) -> str:
    """The version after `before`, for these changes. Raises ValueError where `before` is no semantic version."""
    version = Version.parse(before)
    if counts.entities_removed or counts.properties_removed:
        return str(version.bump_major())
    if counts.entities_added or counts.properties_added:
        return str(version.bump_minor())
    return str(version.bump_patch())
