"""What has to come of a feed's answers, by the rules alone: nothing here knows how the runtime does it."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.feed_week.plan import HEADER, Answer, answers

TIMES_A_DAY = {"0 6 * * *": 1, "15 9,21 * * *": 2}


@dataclass
class Expected:
    """Counts of one feed, and what its source says in the end."""

    requests: int = 0
    not_modified: int = 0
    failures: int = 0
    versions: int = 0
    held: int = 0
    decided: int = 0
    taken_in: int = 0
    stages: int = 0
    names: set[str] = field(default_factory=set)
    ever: set[str] = field(default_factory=set)


def expected_of(seed: int, tenant: str, feed: int, cron: str, days: int) -> Expected:
    """What `days` of a feed have to come to.

    It is asked when it is added and at each of its times; a failure adds one request, a few minutes later. A version is
    content other than that of the version before; it is held where it has lost more than half of the rows taken in
    last, or has other fields. A version that is taken in goes through nine stages, but through the last two only where
    the source has had its content before: the first seven are then found done. What stands in the knowledge base still,
    because what came in between was not taken in, goes through none.
    """
    plan = answers(seed, tenant, feed)
    found = Expected()
    last: Answer | None = None
    inside: Answer | None = None
    known: set[bytes] = set()
    for _ in range(1 + days * TIMES_A_DAY[cron]):
        answer = next(plan)
        while answer.fails:
            found.requests += 1
            found.failures += 1
            answer = next(plan)
        found.requests += 1
        if last is not None and answer.body == last.body:
            found.not_modified += answer.kind == "unchanged"
            continue
        last = answer
        found.versions += 1
        shrunk = inside is not None and len(answer.rows) < len(inside.rows) / 2
        held = inside is not None and (shrunk or answer.header != HEADER)
        found.held += held
        found.decided += held and bool(answer.decision)
        if held and answer.decision != "accept":
            continue
        stands = inside is not None and answer.body == inside.body
        inside = answer
        found.taken_in += 1
        if not stands:
            found.stages += 2 if answer.body in known else 9
        known.add(answer.body)
        found.names = {name for _, name in answer.rows}
        found.ever |= found.names
    return found
