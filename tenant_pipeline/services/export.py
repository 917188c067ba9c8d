"""Write out what a tenant's knowledge base says now, for its owner to keep, to read and to hand in elsewhere."""

from __future__ import annotations

import csv
import io
import itertools
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO

from tenant_pipeline.core.canonical_export import PROVENANCE_FIELDS, STATEMENT_FIELDS, export_lines
from tenant_pipeline.core.errors import InputError, IntegrityError
from tenant_pipeline.core.spreadsheet_cell import spreadsheet_cell
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import registry
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.statements import count_distinct, current_statements

DRAFT = ".draft"
SAID_ALIKE = ("entity", "property", "lang", "value", "valid_from", "valid_to")
"""What sources say alike who are one statement's provenance."""
CSV_COLUMNS = (*STATEMENT_FIELDS, *(name for name in PROVENANCE_FIELDS if name != "raw_value"), "sources")


class ExportFormat(StrEnum):
    """How the statements are written."""

    NDJSON = "ndjson"
    CSV = "csv"


@dataclass(frozen=True)
class Exported:
    """What was written where."""

    path: Path
    statements: int
    bytes: int


def export_statements(
    runtime: Runtime, tenant: TenantId, target: Path, format_: ExportFormat, *, actor: str, force: bool = False
) -> Exported:
    """Write the tenant's statements as they stand to `target`, in one pass and in bounded memory.

    A statement is what is said of an entity's property in a language for a period; sources that say the same are its
    provenance, the one of most authority first. The file is written beside its place, and
    moved there when it is whole and on record in the audit log. Raises InputError where a file is there already and
    `force` is not given, or where none can be written.
    """
    registry.show_tenant(runtime, tenant)
    if target.is_dir():
        raise InputError("The target is a folder", where=str(target), remedy="Name a file in it.")
    if target.exists() and not force:
        raise _exists(target)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}{DRAFT}")
    try:
        with draft.open("xb") as file, runtime.database.tenant(tenant) as connection:
            os.chmod(draft, 0o600)
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            count = count_distinct(connection, tenant)
            statements = _statements(current_statements(connection, tenant))
            if format_ is ExportFormat.CSV:
                written = _write_csv(file, statements)
            else:
                lines = 0
                for line in export_lines(tenant, runtime.now().isoformat(timespec="seconds"), count, statements):
                    file.write(line)
                    lines += 1
                written = lines - 2
            if written != count:
                raise IntegrityError(f"{count} statements were counted but {written} were read", where=tenant)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        details = {"format": str(format_), "statements": count}
        entry = AuditEntry(actor=actor, action="statements.export", subject=tenant, details=details)
        with runtime.database.tenant(tenant) as connection:
            runtime.audit.append(connection, tenant, [entry])
        _move(draft, target, force)
    except OSError as error:
        raise InputError(
            f"The export cannot be written ({type(error).__name__})",
            where=str(target),
            remedy="Name a place that can be written to and has room.",
        ) from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return Exported(target, count, size)


def _move(draft: Path, target: Path, force: bool) -> None:
    """Put the draft in its place; without `force`, a file that another process has put there meanwhile stays."""
    if force:
        draft.replace(target)
        return
    try:
        os.link(draft, target)
    except FileExistsError:
        raise _exists(target) from None
    except OSError:
        # Some file systems have no second names for a file.
        draft.replace(target)


def _exists(target: Path) -> InputError:
    return InputError("The file exists already", where=str(target), remedy="Name another, or give --force.")


def _statements(rows: Iterator[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows in the order of their statements, as statements with all who say so."""
    for _, same in itertools.groupby(rows, key=itemgetter(*SAID_ALIKE)):
        said = list(same)
        first = {name: said[0][name] for name in STATEMENT_FIELDS}
        yield {**first, "provenance": [{name: row[name] for name in PROVENANCE_FIELDS} for row in said]}


def _write_csv(file: BinaryIO, statements: Iterator[dict[str, Any]]) -> int:
    """A row for each statement, with the provenance of most authority and how many sources say so; returns how many.

    A spreadsheet takes a CSV file for UTF-8 only where it begins with the mark.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    rows = csv.writer(text)
    rows.writerow(CSV_COLUMNS)
    written = 0
    for statement in statements:
        rows.writerow([spreadsheet_cell(cell) for cell in _csv_row(statement)])
        written += 1
    text.detach()
    return written


def _csv_row(statement: Mapping[str, Any]) -> list[str]:
    provenance = statement["provenance"]
    cells = {**provenance[0], **statement, "sources": len({each["source"] for each in provenance})}
    return ["" if cells[name] is None else str(cells[name]) for name in CSV_COLUMNS]
