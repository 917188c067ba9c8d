"""The entities of a source with their features, read from its statements in bounded memory: part by part, if large."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from tenant_pipeline.core.batch_map import BatchMap
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.entity_parts import part_bounds, part_on_disk, read_part
from tenant_pipeline.core.tables import StageReader
from tenant_pipeline.linking.blocking import packed_keys
from tenant_pipeline.linking.features import LINKING_PROPERTIES, Features

_COLUMNS = ("entity_id", "type", "property", "value", "lang")
_SCHEMA = pa.schema([*((name, pa.string()) for name in _COLUMNS), ("table", pa.string())])


class Gathered(NamedTuple):
    """An entity's features, their digest, and their blocking keys where these were made ahead."""

    features: Features
    digest: Sha256
    keys: bytes | None


@dataclass(frozen=True)
class Ahead:
    """Where the parts of a source are read, and their blocking keys made: the family of each type tells which.

    The `processes` are there from the first part to the last, and no longer: what they hold is room for what follows.
    """

    processes: Callable[[], AbstractContextManager[BatchMap]]
    families: Mapping[str, str]


def gather(
    validated: StageReader,
    identifying: frozenset[str],
    code: str,
    ahead: Ahead | None = None,
    folder: Path | None = None,
) -> Generator[list[Gathered], None, None]:
    """The source's entities with their features, each once, in the order of their ids, part after part.

    Their digests are of this version of the `code`; their keys are made only `ahead`. Parts lie in `folder`, or else
    among the system's temporary files.
    """
    tables = validated.tables("statements")
    bounds = part_bounds(sum(table.rows for table in tables))
    families = ahead.families if ahead else {}
    if len(bounds) == 1:
        yield _entities(_batches(validated, identifying), identifying, code, families)
        return
    with tempfile.TemporaryDirectory(prefix="gather-", dir=folder) as place:
        paths = part_on_disk(_batches(validated, identifying), _SCHEMA, bounds, Path(place))
        read = partial(_part, identifying=identifying, code=code, families=families)
        if ahead:
            with ahead.processes() as batch_map:
                yield from batch_map(partial(_packed, read), paths)
        else:
            yield from map(read, paths)


def _part(path: Path, identifying: frozenset[str], code: str, families: Mapping[str, str]) -> list[Gathered]:
    return _entities(read_part(path), identifying, code, families)


def _packed(read: Callable[[Path], list[Gathered]], path: Path) -> list[Gathered]:
    return [each._replace(features=each.features.packed()) for each in read(path)]


def _batches(validated: StageReader, identifying: frozenset[str]) -> Iterator[pa.Table]:
    """The statements that help to find an entity again, and of each batch one at least for every entity in it."""
    telling = pa.array(sorted({*LINKING_PROPERTIES, *identifying}))
    for table in validated.tables("statements"):
        for frame in table.batches(_COLUMNS):
            batch = pa.Table.from_pandas(frame, preserve_index=False).select(list(_COLUMNS))
            position = pa.array(range(len(batch)))
            firsts = pa.table({"entity": batch["entity_id"], "position": position})
            first = firsts.group_by("entity", use_threads=False).aggregate([("position", "min")])["position_min"]
            kept = pc.or_(pc.is_in(batch["property"], telling), pc.is_in(position, first.combine_chunks()))
            named = batch.append_column("table", pa.repeat(table.descriptor.name, len(batch)))
            yield named.filter(kept).cast(_SCHEMA)


def _entities(
    batches: Iterator[pa.Table], identifying: frozenset[str], code: str, families: Mapping[str, str]
) -> list[Gathered]:
    entities: dict[str, Features] = {}
    for batch in batches:
        columns = (batch[name].to_pylist() for name in (*_COLUMNS, "table"))
        for entity, type_, property_, value, lang, table in zip(*columns, strict=True):
            features = entities.get(entity)
            if features is None:
                features = entities[entity] = Features(entity, type_, table)
            if property_ in identifying or property_ in LINKING_PROPERTIES:
                features.add(property_, value, lang, identifying=property_ in identifying)
    in_order = [entities[entity] for entity in sorted(entities)]
    keys = [packed_keys(families[each.type], each) if families else None for each in in_order]
    return [Gathered(each, each.digest(code), packed) for each, packed in zip(in_order, keys, strict=True)]
