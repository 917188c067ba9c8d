"""The checks of a vocabulary as one pandera schema, and its failure cases as (row, check).

Pandera is loaded by who validates: it takes seconds where Spark is installed, and most processes never do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.core.statement import STATEMENT_COLUMNS
from tenant_pipeline.core.validate.checks import StatementCheck

if TYPE_CHECKING:
    import pandera.pandas as pandera

_SHAPE_CHECKS = frozenset({"column_in_dataframe", "column_in_schema", "column_ordered", "not_nullable"})
"""Pandera's own checks of a frame's shape."""


def statement_schema(checks: tuple[StatementCheck, ...]) -> pandera.DataFrameSchema:
    """A schema for frames of statements: exactly STATEMENT_COLUMNS, no nulls, and every check by its name."""
    import pandera.pandas as pandera

    return pandera.DataFrameSchema(
        {column: pandera.Column(nullable=False) for column in STATEMENT_COLUMNS},
        checks=[pandera.Check(check.test, name=check.name, error=check.name) for check in checks],
        strict=True,
        ordered=True,
    )


def failures(
    schema: pandera.DataFrameSchema, frame: pd.DataFrame, checks: tuple[StatementCheck, ...]
) -> dict[str, npt.NDArray[np.int64]]:
    """The positions of the rows that fail, by the name of the check, in the order of the checks.

    `frame` has a range index. Raises IntegrityError when the frame itself has not the shape of statements, or a check
    could not be made: that is a fault of the runtime, not of a row. Pandera's own error would quote the rows.
    """
    from pandera.errors import SchemaErrors

    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
    else:
        return {}
    known = [check.name for check in checks]
    shapeless = sorted(set(cases["check"][cases["index"].isna() | ~cases["check"].isin(known)]))
    if shapeless:
        raise IntegrityError(
            "The statements have not the columns and texts that a statement has",
            where=f"validate, {', '.join(name for name in shapeless if name in _SHAPE_CHECKS or name in known)}",
            remedy="This is a fault of the runtime, not of the source: report it with the stage's record.",
        )
    by_check = {name: rows["index"] for name, rows in cases.groupby("check")}
    return {name: np.unique(by_check[name].to_numpy(dtype=np.int64)) for name in known if name in by_check}
