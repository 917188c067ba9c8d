"""What a stage refuses of a source, and what it lets in because a person released it: told by content, not by place.

A release holds for the content that the person looked at. What else comes to lie at the same place is refused anew, and
the same content needs no second release, wherever a later version of the source has it.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import pandas as pd
import pyarrow as pa

from tenant_pipeline.core.digest import Sha256, sha256_of_json
from tenant_pipeline.core.stage import Disposition, Reject
from tenant_pipeline.core.tables import BATCH_ROWS, StageWriter, TableWriter
from tenant_pipeline.intake.overruled import OverruledRefusal

REFUSALS = "refusals"
COLUMNS = ("locator", "code", "digest", "let_in")


def digest_of_member(archive: Sha256, number: int) -> Sha256:
    """The digest of an archive's member that is refused before it is unpacked: of its archive, and which one it is."""
    return sha256_of_json([archive, number])


class Refusals:
    """What one run of a stage refuses and lets in; written down as the table `refusals` where there is any.

    `let_in` is empty for what is refused, and says `released` of what is taken in only because of a release.
    """

    def __init__(self, out: StageWriter, released: Collection[OverruledRefusal]) -> None:
        self._out = out
        self._by_digest = {(each.digest, each.code) for each in released if each.digest}
        self._by_place = {(each.locator, each.code) for each in released if not each.digest}
        self._waiting: list[tuple[str, str, str, str]] = []
        self._stack = ExitStack()
        self._table: TableWriter | None = None
        self.quarantined = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._write()
        self._stack.__exit__(kind, error, trace)

    def is_released(self, locator: str, digest: Sha256, *codes: str) -> bool:
        """Whether a person has released what would be refused there for one of these reasons; noted if so."""
        released = [code for code in codes if (digest, code) in self._by_digest or (locator, code) in self._by_place]
        for code in released:
            self._note(locator, code, digest, "released")
        return bool(released)

    def refuse(self, locator: str, code: str, reason: str, digest: Sha256) -> None:
        """Quarantine what lies there."""
        self._out.reject(Reject(locator, code, reason, Disposition.QUARANTINED))
        self.quarantined += 1
        self._note(locator, code, digest, "")

    def _note(self, locator: str, code: str, digest: str, let_in: str) -> None:
        self._waiting.append((locator, code, digest, let_in))
        if len(self._waiting) == BATCH_ROWS:
            self._write()

    def _write(self) -> None:
        if not self._waiting:
            return
        if self._table is None:
            self._table = self._stack.enter_context(self._out.table(REFUSALS, REFUSALS, fields=COLUMNS))
        self._table.write(pd.DataFrame(self._waiting, columns=list(COLUMNS), dtype=pd.ArrowDtype(pa.string())))
        self._waiting.clear()
