"""What can be evaluated, and where its gold data lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import StrEnum
from importlib import import_module
from pathlib import Path

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.evaluation.report import Evaluation

SHIPPED = Path(__file__).resolve().parent.parent / "samples" / "gold"
"""Our own small gold data, which every installation has."""


class Subject(StrEnum):
    """A judgement that can be held against gold data."""

    PII = "pii"
    LINKING = "linking"
    CONFLICTS = "conflicts"
    EXTRACTION = "extraction"


def evaluations(subject: Subject, data: Path | None, *, peers: bool = True) -> Iterator[Evaluation]:
    """Evaluate a judgement on our own gold data, and then on the gold data in `data`.

    Raises InputError when `data` is no folder, or holds a gold file that cannot be read.
    """
    # Each subject brings libraries that take seconds to import; only the one asked for is.
    evaluate: Callable[..., Evaluation] = import_module(f"tenant_pipeline.evaluation.{subject}").evaluate
    yield replace(evaluate(SHIPPED / subject, peers=peers), skipped=())
    if data is not None:
        if not data.is_dir():
            raise InputError("There is no such folder", where=str(data), remedy="Name a folder of gold data.")
        yield evaluate(data, peers=peers)
