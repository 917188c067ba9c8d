"""SQL definitions: tables and their columns as records, in whichever of four dialects the statements parse."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import sqlglot
from sqlglot import exp

from tenant_pipeline.intake.readers.item import Item, Items, Problem, UnreadableError
from tenant_pipeline.intake.readers.sql_statements import sql_statements
from tenant_pipeline.intake.readers.storable import storable
from tenant_pipeline.intake.text_encoding import text_of_bytes

DIALECTS = ("postgres", "mysql", "tsql", "sqlite")
LONGEST_STATEMENT = 1_000_000
_SAMPLE = 30
_CREATES = r"(?i:create\s+(?:(?:global|local|temporary|temp|unlogged|or\s+replace)\s+)*table\b)"
_NAME = r"""(?:[\w$#\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]+|"[^"\n]{1,128}"|`[^`\n]{1,128}`|\[[^\]\n]{1,128}\])"""
_CREATES_NAMED = re.compile(rf"{_CREATES}\s*(?i:if\s+not\s+exists\b\s*)?{_NAME}(?:\s*\.\s*{_NAME}){{0,3}}\s*\(")
_DEFINES = re.compile(rf"{_CREATES}|(?i:alter\s+table\b|comment\s+on\b)")
_HOLDS_ROWS = re.compile(r"(?i)(?:insert|replace|copy|merge|update|delete)\b")
_KNOWN = re.compile(
    r"(?i)(?:create|drop|set|alter|begin|start|commit|end|use|grant|revoke|select|with|lock|unlock|declare|exec|execute|"
    r"if|print|pragma|analyze|vacuum|delimiter|truncate|comment|do|call|return|rollback|show|reset|else|while)\b"
)

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)


@dataclass
class _Column:
    line: int
    type: str | None = None
    nullable: bool = True
    default: str | None = None
    references: str | None = None
    comment: str | None = None


@dataclass
class _Table:
    line: int
    comment: str | None = None
    columns: dict[str, _Column] = field(default_factory=dict)


def looks_like_sql(text: str, path: str) -> bool:
    """Whether the text begins as SQL, and one of its statements defines a table: a page that shows one is no SQL."""
    beginning = text[:65536]
    if path.casefold().endswith((".md", ".markdown")) or not _CREATES_NAMED.search(beginning):
        return False
    statements = [statement for _, statement in sql_statements(beginning)]
    begins = bool(statements) and any(each.match(statements[0]) for each in (_HOLDS_ROWS, _KNOWN))
    return begins and any(map(_CREATES_NAMED.match, statements))


def read_sql(stream: BinaryIO, encoding: str) -> Items:
    """Each table and each column, with what later statements say about it. Statements that hold rows, and those that
    cannot be parsed, are problems. Raises UnreadableError where no table is defined."""
    text = text_of_bytes(stream.read(), encoding or "utf-8").lstrip("\ufeff")
    definitions: list[tuple[int, str]] = []
    for line, statement in sql_statements(text):
        if _DEFINES.match(statement):
            definitions.append((line, statement))
        elif _HOLDS_ROWS.match(statement):
            yield Problem(f"line={line}", "rows-in-sql", "Rows in SQL statements are not read; export them as a table.")
        elif not _KNOWN.match(statement):
            yield Problem(f"line={line}", "broken-statement", "The statement is none that SQL knows.")
    tables: dict[str, _Table] = {}
    dialects = _by_success([statement for _, statement in definitions[:_SAMPLE]])
    for line, statement in definitions:
        parsed = next(filter(None, (_parsed(statement, dialect) for dialect in dialects)), None)
        if parsed is None:
            yield Problem(f"line={line}", "broken-statement", "The definition cannot be parsed in any known dialect.")
        else:
            _take(parsed, line, dialects[0], tables)
    if not tables:
        raise UnreadableError("no-table-defined", "The SQL defines no table that can be read.")
    yield from _items(tables)


def _by_success(statements: Sequence[str]) -> list[str]:
    """The dialects, first the one in which the most statements parse."""
    success = {dialect: sum(_parsed(each, dialect) is not None for each in statements) for dialect in DIALECTS}
    return sorted(DIALECTS, key=lambda dialect: -success[dialect])


def _parsed(statement: str, dialect: str) -> exp.Expression | None:
    if len(statement) > LONGEST_STATEMENT:
        return None
    try:
        found = sqlglot.parse_one(statement, read=dialect)
    except MemoryError:
        raise
    except Exception:  # its own ParseError and TokenError, and RecursionError for what is deeply nested
        return None
    return found if isinstance(found, exp.Create | exp.Alter | exp.Comment) else None


def _take(statement: exp.Expression, line: int, dialect: str, tables: dict[str, _Table]) -> None:
    """What a statement says about tables and columns."""
    named = statement.find(exp.Table)
    if isinstance(statement, exp.Comment):
        _comment(statement, tables)
    elif isinstance(statement, exp.Create) and named is not None:
        table = tables.setdefault(_name(named), _Table(line))
        for comment in statement.find_all(exp.SchemaCommentProperty):
            table.comment = comment.this.name
        schema = statement.this
        for each in schema.expressions if isinstance(schema, exp.Schema) else []:
            _part(each, line, dialect, table)
    elif isinstance(statement, exp.Alter) and named is not None and _name(named) in tables:
        for action in statement.args.get("actions") or []:
            for each in action.expressions if isinstance(action, exp.AddConstraint) else [action]:
                _part(each, line, dialect, tables[_name(named)])


def _part(part: exp.Expression, line: int, dialect: str, table: _Table) -> None:
    """A column, or a constraint on columns."""
    if isinstance(part, exp.ColumnDef | exp.Identifier):
        name = part if isinstance(part, exp.Identifier) else part.this
        column = _Column(line + int(name.meta.get("line", 1)) - 1)
        table.columns[name.name] = column
        column.comment = " ".join(each.strip() for each in part.comments or []) or None
        if isinstance(part, exp.ColumnDef):
            column.type = part.kind.sql(dialect=dialect) if part.kind is not None else None
            for constraint in part.constraints:
                _constrain(column, constraint.args.get("kind"), dialect)
        return
    for key in part.find_all(exp.ForeignKey):
        reference = key.args.get("reference")
        for position, each in enumerate(key.expressions):
            if each.name in table.columns and reference is not None:
                table.columns[each.name].references = _reference(reference, position)
    for primary in part.find_all(exp.PrimaryKey):
        for each in primary.find_all(exp.Identifier):
            if each.name in table.columns:
                table.columns[each.name].nullable = False


def _constrain(column: _Column, kind: exp.Expression | None, dialect: str) -> None:
    if isinstance(kind, exp.NotNullColumnConstraint):
        column.nullable = bool(kind.args.get("allow_null"))
    elif isinstance(kind, exp.PrimaryKeyColumnConstraint):
        column.nullable = False
    elif isinstance(kind, exp.DefaultColumnConstraint):
        column.default = kind.this.sql(dialect=dialect)
    elif isinstance(kind, exp.CommentColumnConstraint):
        column.comment = kind.this.name
    elif isinstance(kind, exp.Reference):
        column.references = _reference(kind, 0)


def _comment(statement: exp.Comment, tables: dict[str, _Table]) -> None:
    said = statement.expression.name if statement.expression is not None else None
    about = statement.this
    if isinstance(about, exp.Table) and _name(about) in tables:
        tables[_name(about)].comment = said
    elif isinstance(about, exp.Column):
        name = ".".join(part.name for part in about.parts[:-1])
        if name in tables and about.name in tables[name].columns:
            tables[name].columns[about.name].comment = said


def _reference(reference: exp.Expression, position: int) -> str | None:
    """The column referred to as `table.column`, or its table where no column is named."""
    table = reference.find(exp.Table)
    columns = reference.this.expressions if isinstance(reference.this, exp.Schema) else []
    if table is None:
        return None
    return f"{_name(table)}.{columns[position].name}" if position < len(columns) else _name(table)


def _name(table: exp.Table) -> str:
    return ".".join(part.name for part in table.parts)


def _items(tables: dict[str, _Table]) -> Items:
    for name, table in tables.items():
        yield Item("tables", f"line={table.line}", {"name": storable(name), "comment": _stored(table.comment)})
    for name, table in tables.items():
        for number, (column, about) in enumerate(table.columns.items(), 1):
            values = {
                "table": storable(name),
                "name": storable(column),
                "type": _stored(about.type),
                "nullable": "true" if about.nullable else "false",
                "default": _stored(about.default),
                "references": _stored(about.references),
                "comment": _stored(about.comment),
            }
            yield Item("columns", f"line={about.line}&column={number}", values)


def _stored(text: str | None) -> str | None:
    return storable(text).strip() or None if text else None
