"""The fifth stage: records become statements. What no mapping knows is reported, never dropped in silence."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tenant_pipeline.core.mapping.apply import Application
from tenant_pipeline.core.mapping.mapping import MappingRules
from tenant_pipeline.core.mapping.report import TableReport, totals
from tenant_pipeline.core.mapping.statements import is_statements, map_statements, statements_report
from tenant_pipeline.core.stage import Disposition, StageCount
from tenant_pipeline.core.statement import STATEMENT_COLUMNS
from tenant_pipeline.core.tables import BATCH_ROWS, StageReader, StageWriter
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.core.vocabulary import Vocabulary


def map_records(
    screened: StageReader,
    out: StageWriter,
    *,
    mappings: MappingRules,
    vocabulary: Vocabulary,
    tenant: TenantId,
    source: SourceId,
    origin: str,
) -> tuple[StageCount, ...]:
    """Map every table of records; write its statements, a reject for each record without any, and the report `mapping`.

    A record's entity is named by the mapping's key fields, or by what the record says; a segment of a text by where it
    stands. An empty field says nothing. Raises InputError when a table to look up in is too large.
    """
    application = Application(
        screened, mappings=mappings, vocabulary=vocabulary, tenant=tenant, source=source, origin=origin
    )
    records = mapped = statements = 0
    as_stated = []
    for reader in screened.tables("records"):
        if is_statements(reader.descriptor):
            said, refused = map_statements(reader, out, vocabulary=vocabulary, tenant=tenant, source=source)
            records, mapped, statements = records + said + refused, mapped + said, statements + said
            as_stated.append(statements_report(reader.descriptor))
    reports = []
    for table in application.tables:
        report = TableReport(table)
        with out.table(table.reader.descriptor.name, "statements") as writer:
            for batch in application.batches(table):
                made = batch.statements.select(list(STATEMENT_COLUMNS))
                for start in range(0, max(made.num_rows, 1), BATCH_ROWS):
                    writer.write(made.slice(start, BATCH_ROWS).to_pandas(types_mapper=pd.ArrowDtype))
                silent = pc.invert(batch.speaking)
                if pc.any(silent).as_py():
                    out.reject_many(_rejects(batch.records["locator"].filter(silent)))
                records += batch.records.num_rows
                mapped += pc.sum(batch.speaking).as_py() or 0
                statements += made.num_rows
                report.count(batch)
        reports.append(report.as_json())
    out.document("mapping", {"version": mappings.version, "tables": [*as_stated, *reports], "totals": totals(reports)})
    return (StageCount("record", records, mapped, records - mapped, 0, statements, "statement"),)


def _rejects(locators: pa.ChunkedArray) -> pd.DataFrame:
    rows = len(locators)
    constant = {
        "code": "no-statement",
        "reason": "No field of the record that the mapping knows has a value.",
        "disposition": str(Disposition.REJECTED),
    }
    columns = {"locator": locators, **{name: pa.repeat(text, rows) for name, text in constant.items()}}
    frame: pd.DataFrame = pa.table(columns).to_pandas(types_mapper=pd.ArrowDtype)
    return frame
