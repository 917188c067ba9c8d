"""The seventh stage: statements checked against the contract, and the quality gate's verdict on the source."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from tenant_pipeline.core.contract_terms import QualityThresholds
from tenant_pipeline.core.gate import GateVerdict
from tenant_pipeline.core.stage import Disposition, StageCount
from tenant_pipeline.core.statement import STATEMENT_COLUMNS
from tenant_pipeline.core.tables import StageReader, StageWriter
from tenant_pipeline.core.validate.checks import StatementCheck, statement_checks
from tenant_pipeline.core.validate.schema import failures, statement_schema
from tenant_pipeline.core.validate.verdict import FailureTally, quality_verdict
from tenant_pipeline.core.vocabulary import Vocabulary

_TEXT = pd.ArrowDtype(pa.string())


def validate(
    standardised: StageReader, out: StageWriter, *, vocabulary: Vocabulary, thresholds: QualityThresholds
) -> tuple[tuple[StageCount, ...], GateVerdict]:
    """Write the statements that pass every check, reject the others, and judge the source by the share that failed.

    A reject's code is the name of the first check that the statement failed.
    """
    checks = statement_checks(vocabulary)
    schema = statement_schema(checks)
    tally = FailureTally()
    rows_in = rejected = 0
    for table in standardised.tables("statements"):
        descriptor = table.descriptor
        with out.table(descriptor.name, "statements", fields=descriptor.fields, about=descriptor.about) as writer:
            for batch in table.batches(STATEMENT_COLUMNS):
                frame = batch[list(STATEMENT_COLUMNS)].reset_index(drop=True)
                failing = failures(schema, frame, checks)
                rejects = _rejects(frame, failing, checks)
                writer.write(frame.drop(index=rejects.index).reset_index(drop=True))
                if len(rejects):
                    out.reject_many(rejects.reset_index(drop=True))
                tally.add(failing, frame["locator"])
                rows_in += len(frame)
                rejected += len(rejects)
    passed = rows_in - rejected
    count = StageCount("statement", rows_in, passed, rejected, 0, passed, "statement")
    return (count,), quality_verdict(rows_in, rejected, tally, thresholds)


def _rejects(
    frame: pd.DataFrame, failing: Mapping[str, npt.NDArray[np.int64]], checks: tuple[StatementCheck, ...]
) -> pd.DataFrame:
    """One reject for each failing row, under the first check that it failed, indexed by the row's position."""
    first_check = np.full(len(frame), -1, dtype=np.int64)
    for number in range(len(checks) - 1, -1, -1):
        first_check[failing.get(checks[number].name, np.array([], dtype=np.int64))] = number
    rows = np.flatnonzero(first_check >= 0)
    codes = [checks[number].name for number in first_check[rows]]
    reasons = [checks[number].reason for number in first_check[rows]]
    return pd.DataFrame(
        {
            "locator": frame["locator"].iloc[rows],
            "code": pd.Series(codes, index=rows, dtype=_TEXT),
            "reason": pd.Series(reasons, index=rows, dtype=_TEXT),
            "disposition": pd.Series([str(Disposition.REJECTED)] * len(rows), index=rows, dtype=_TEXT),
        }
    )
