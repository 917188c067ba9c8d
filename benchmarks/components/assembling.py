"""`assemble` of a new source, beside COPY of the same rows: `python -m benchmarks.components.assembling STATEMENTS`.

The floor is PostgreSQL's own COPY, from a file, of the rows that came out into a table with the same columns and
indexes: no ids made, nothing compared, no policy. The time is that of our processors and the database's together.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.components.figure import print_figures, rate
from benchmarks.components.statement_rows import (
    STATEMENTS_A_HALL,
    links_of,
    stage_store,
    statement_rows,
    stored,
)
from benchmarks.measured import processor_seconds
from benchmarks.scale.installation import add_halls, installation, register
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.assemble import assemble

TENANT = TenantId("components")
PIECE = 1024 * 1024


def main(statements: int) -> None:
    """Measure and print."""
    halls = max(1, statements // STATEMENTS_A_HALL)
    wanted = halls * STATEMENTS_A_HALL
    with installation() as runtime, stage_store() as store, tempfile.TemporaryDirectory() as folder:
        register(runtime, TENANT)
        source = add_halls(runtime, TENANT, 0, Path(folder)).id
        validated = stored(store, "validate", "statements", statement_rows(halls, halls))
        links = stored(store, "link", "links", iter([links_of(halls)]))
        began = processor_seconds()
        with runtime.database.tenant(TENANT) as connection:
            count = assemble(connection, TENANT, source, links, validated, runtime.now(), Path(folder))
        seconds = processor_seconds() - began
        if count.inserted != wanted:
            raise AssertionError(f"of {wanted} statements: {count}")
        floor = _copied(runtime, Path(folder) / "rows")
    print_figures(
        rate("assemble, new statements", "statements a second of processor time, the database's included", wanted,
             seconds, beside="COPY alone", beside_seconds=floor, rows=wanted)
    )  # fmt: skip


def _copied(runtime: Runtime, path: Path) -> float:
    """Processor seconds of COPY into a table that is like that of the statements."""
    with runtime.database.administration() as connection, connection.cursor() as cursor:
        with path.open("wb") as file, cursor.copy("COPY runtime.statements TO STDOUT") as rows:
            file.writelines(rows)
        cursor.execute("CREATE TABLE public.floor (LIKE runtime.statements INCLUDING INDEXES)")
        connection.commit()
        began = processor_seconds()
        with path.open("rb") as file, cursor.copy("COPY public.floor FROM STDIN") as copy:
            while piece := file.read(PIECE):
                copy.write(piece)
        connection.commit()
        return processor_seconds() - began


if __name__ == "__main__":
    main(int(sys.argv[1]))
