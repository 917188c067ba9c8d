"""Stage input and output held in memory, and statements made by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow as pa

from tenant_pipeline.core.stage import Disposition, Reject
from tenant_pipeline.core.statement import STATEMENT_COLUMNS, Datatype
from tenant_pipeline.core.tables import TableDescriptor, TableReader
from tenant_pipeline.core.vocabulary import PropertyDefinition, TypeDefinition, Vocabulary

TEXT = pd.ArrowDtype(pa.string())

VOCABULARY = Vocabulary(
    version="1.0.0",
    types={
        "Place": TypeDefinition("Place", None, ("name", "address", "geo", "area", "sameAs", "identifier"), ("name",)),
        "EventVenue": TypeDefinition(
            "EventVenue",
            "Place",
            ("telephone", "email", "maximumAttendeeCapacity", "wheelchair", "keywords"),
            ("name",),
        ),
        "AdministrativeArea": TypeDefinition(
            "AdministrativeArea", "Place", ("administrativeCode", "postalCode", "containedInPlace"), ("name",)
        ),
        "Event": TypeDefinition("Event", None, ("name", "startDate", "description", "telephone"), ("name",)),
    },
    properties={
        definition.name: definition
        for definition in (
            PropertyDefinition("name", Datatype.NAME, per_language=True),
            PropertyDefinition("description", Datatype.TEXT, per_language=True),
            PropertyDefinition("address", Datatype.ADDRESS, per_language=True),
            PropertyDefinition("geo", Datatype.GEO),
            PropertyDefinition("area", Datatype.AREA, unit="m2"),
            PropertyDefinition("sameAs", Datatype.URL, multi_valued=True),
            PropertyDefinition("identifier", Datatype.IDENTIFIER, identifying=True),
            PropertyDefinition("administrativeCode", Datatype.ADMINISTRATIVE_CODE, identifying=True),
            PropertyDefinition("postalCode", Datatype.POSTAL_CODE),
            PropertyDefinition("containedInPlace", Datatype.REFERENCE),
            PropertyDefinition("telephone", Datatype.TELEPHONE, multi_valued=True),
            PropertyDefinition("email", Datatype.EMAIL),
            PropertyDefinition("maximumAttendeeCapacity", Datatype.NUMBER, unit="person"),
            PropertyDefinition("wheelchair", Datatype.BOOLEAN),
            PropertyDefinition("keywords", Datatype.CATEGORY, multi_valued=True),
            PropertyDefinition("startDate", Datatype.DATE),
        )
    },
)

TOKEN = "⟦PHONE_NUMBER:k1:0123456789abcdef0123456789abcdef⟧"


def statement(type_: str, property_: str, value: str, **columns: str) -> dict[str, str]:
    """A statement as `map` writes it; `columns` replace what would be filled in."""
    definition = VOCABULARY.properties.get(property_)
    return {
        "entity_id": "ent-" + "0" * 24,
        "type": type_,
        "property": property_,
        "value": value,
        "raw_value": value,
        "lang": "",
        "datatype": str(definition.datatype) if definition else "text",
        "locator": "o00001#row=2",
        "method": "mapping:venues@1.0.0",
        "valid_from": "",
        "valid_to": "",
        **columns,
    }


def statements(*rows: dict[str, str]) -> pd.DataFrame:
    """The rows as a frame of statements."""
    return pd.DataFrame(
        {
            column: pd.arrays.ArrowExtensionArray(pa.array([row[column] for row in rows], pa.string()))
            for column in STATEMENT_COLUMNS
        }
    )


@dataclass
class MemoryTable:
    """A table of frames."""

    descriptor: TableDescriptor
    frames: list[pd.DataFrame] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(len(frame) for frame in self.frames)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        for frame in self.frames:
            yield frame if columns is None else frame[list(columns)]

    def write(self, frame: pd.DataFrame) -> None:
        self.frames.append(frame)


@dataclass
class MemoryStage:
    """A stage's output that can be written and then read."""

    written: list[MemoryTable] = field(default_factory=list)
    documents: dict[str, Any] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)

    def tables(self, role: str) -> list[TableReader]:
        return [table for table in self.written if table.descriptor.role == role]

    @contextmanager
    def table(
        self, name: str, role: str, *, fields: Sequence[str] = (), about: Mapping[str, Any] | None = None
    ) -> Iterator[MemoryTable]:
        table = MemoryTable(TableDescriptor(name, role, tuple(fields), about or {}))
        self.written.append(table)
        yield table

    def document(self, name: str, value: Any = None) -> Any:
        if value is not None:
            self.documents[name] = value
        return self.documents[name]

    def reject(self, reject: Reject) -> None:
        self.rejects.append(reject)

    def reject_many(self, frame: pd.DataFrame) -> None:
        columns = zip(*(frame[name] for name in ("locator", "code", "reason", "disposition")), strict=True)
        for locator, code, reason, disposition in columns:
            self.reject(Reject(locator, code, reason, Disposition(disposition)))

    def rejected(self, disposition: Disposition) -> int:
        return sum(reject.disposition is disposition for reject in self.rejects)

    @property
    def frame(self) -> pd.DataFrame:
        """All statements as one frame."""
        return pd.concat([frame for table in self.written for frame in table.frames], ignore_index=True)


def stage_of(*frames: pd.DataFrame) -> MemoryStage:
    """A stage whose output is one table of statements in these batches."""
    return MemoryStage([MemoryTable(TableDescriptor("venues", "statements"), list(frames))])
