"""What the server of each feed answers, request after request: drawn from a seed, the same for all who ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

HEADER = "licence_no,venue_name_en,postcode"
OTHER_HEADER = "licence_no,venue_name_en,zip"
ROWS = 12

# What a feed does, and how often of a hundred; what follows a version that no person lets in is the content before.
KINDS = {
    "unchanged": 46, "changed": 28, "shrunk": 6, "schema": 5, "failing": 6, "busy": 3, "truncated": 3, "slow": 3,
}  # fmt: skip
DECISIONS = ("accept", "refuse", "")


@dataclass(frozen=True)
class Answer:
    """One answer: `names` are the venues of its rows, `decision` what a person does where it is held."""

    kind: str
    header: str
    rows: tuple[tuple[str, str], ...]
    decision: str = ""

    @property
    def body(self) -> bytes:
        """The table that the feed serves."""
        lines = (f"{key},{name},{83000 + number}" for number, (key, name) in enumerate(self.rows))
        return "\n".join([self.header, *lines, ""]).encode()

    @property
    def fails(self) -> bool:
        """Whether nothing can be taken from it."""
        return self.kind in ("failing", "busy", "truncated")


def answers(seed: int, tenant: str, feed: int) -> Iterator[Answer]:
    """What the feed answers, for ever. It fails at most twice in a row."""
    random = Random(f"{seed} {tenant} {feed}")
    generation = 0

    def row() -> tuple[str, str]:
        nonlocal generation
        generation += 1
        return f"{tenant}-{feed}-{generation}", f"Hall {generation} of {tenant} {feed}"

    rows = tuple(row() for _ in range(ROWS))
    yield Answer("changed", HEADER, rows)
    failed = 0
    while True:
        (kind,) = random.choices(list(KINDS), list(KINDS.values()))
        if kind in ("failing", "busy", "truncated"):
            if failed < 2:
                failed += 1
                yield Answer(kind, HEADER, rows)
            continue
        failed = 0
        if kind == "changed":
            renamed = (rows[0][0], f"{rows[0][1]} once more")
            more = 1 + (len(rows) < ROWS)
            rows = (*rows[2:], renamed, *(row() for _ in range(more)))
            yield Answer(kind, HEADER, rows)
        elif kind == "shrunk" and len(rows) >= ROWS - 2:
            decision = random.choice(DECISIONS)
            yield Answer(kind, HEADER, rows[:3], decision)
            if decision == "accept":
                rows = rows[:3]
            else:
                yield Answer("recovered", HEADER, rows)
        elif kind == "schema":
            yield Answer(kind, OTHER_HEADER, rows, random.choice(("refuse", "")))
            yield Answer("recovered", HEADER, rows)
        else:
            yield Answer("slow" if kind == "slow" else "unchanged", HEADER, rows)
