"""What becomes of a source whose run ended before it was through: by whose fault it was, as far as that is known.

Where something around us is away, no source is at fault: it is tried again for as long as it takes, at growing
intervals. Where a process was ended from outside and nobody knows for which of its sources, each of them is run by
itself: so the one that does it is found, and the others go on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(minutes=15)
MOST_LOSSES_ALONE = 2
"""So often a process may be ended that worked on one source alone, before a person has to look. Once is a coincidence:
a machine that was restarted."""


class Ending(StrEnum):
    """How a run came to its end."""

    OUTAGE = "outage"
    LOST = "lost"
    CANCELLED = "cancelled"
    ADRIFT = "adrift"
    """Nobody knows: there is no such run any more, or it went only part of the way."""


@dataclass(frozen=True)
class Standing:
    """How often a source was set back since it last went on, and whether it is run by itself.

    `outages` counts what was away, `losses` the processes that were ended while they worked on it alone.
    """

    alone: bool = False
    outages: int = 0
    losses: int = 0


@dataclass(frozen=True)
class Setback:
    """What becomes of a source: stopped for a person to look, or in line again after `wait`."""

    standing: Standing
    stopped: bool = False
    wait: timedelta = timedelta(0)


def set_back(ending: Ending, standing: Standing) -> Setback:
    """What becomes of a source that stands so, when its run has ended so."""
    if ending is Ending.CANCELLED:
        return Setback(Standing(alone=standing.alone), stopped=True)
    if ending is Ending.OUTAGE:
        wait = min(FIRST_WAIT * 2 ** min(standing.outages, 16), LONGEST_WAIT)
        return Setback(replace(standing, outages=standing.outages + 1), wait=wait)
    if ending is Ending.ADRIFT:
        return Setback(standing)
    if not standing.alone:
        return Setback(replace(standing, alone=True))
    if standing.losses + 1 >= MOST_LOSSES_ALONE:
        return Setback(Standing(alone=True), stopped=True)
    return Setback(replace(standing, losses=standing.losses + 1))
