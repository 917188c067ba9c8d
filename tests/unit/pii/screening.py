"""A stage screened, what then stands in it, and Thai ids to plant in it."""

from __future__ import annotations

from stdnum.th import pin

from tenant_pipeline.core.contract_terms import PiiPolicy
from tenant_pipeline.core.gate import GateVerdict
from tenant_pipeline.core.keys import DigestKey
from tenant_pipeline.core.stage import Disposition, StageCount, conserve_chain
from tenant_pipeline.pii.analyzer import PiiAnalyzer
from tenant_pipeline.pii.screen import screen
from tests.unit.pii.memory_stage import MemoryStage, digest_key, pii_policy


def run(
    analyzer: PiiAnalyzer,
    stage: MemoryStage,
    policy: PiiPolicy | None = None,
    *,
    key: DigestKey | None = None,
    agreement: bool = True,
) -> tuple[MemoryStage, StageCount, GateVerdict]:
    out = MemoryStage()
    counts, verdict = screen(
        stage,
        out,
        policy=policy or pii_policy(),
        key=key or digest_key(),
        analyzer=analyzer,
        agreement_in_place=agreement,
    )
    conserve_chain(counts, None, "screen")
    assert sum(count.quarantined for count in counts) == out.rejected(Disposition.QUARANTINED)
    assert sum(count.rejected for count in counts) == out.rejected(Disposition.REJECTED)
    return out, counts[-1], verdict


def values(out: MemoryStage, column: str = "f0000") -> list[str | None]:
    cells = out.written["t00001"].whole()[column]
    return [None if missing else str(cell) for cell, missing in zip(cells, cells.isna(), strict=True)]


def numbers(first: int, count: int) -> list[str]:
    """Thirteen digits each, the last of them the check digit of a Thai id."""
    return [base + pin.calc_check_digit(base) for base in (f"{first + 7 * n:012d}" for n in range(count))]


def dashed(number: str) -> str:
    return "-".join((number[0], number[1:5], number[5:10], number[10:12], number[12]))
