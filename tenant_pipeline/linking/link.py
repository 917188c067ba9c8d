"""The eighth stage: entities get the tenant's canonical ids.

Identifiers decide first. What has none that is known is looked for under its blocking keys and scored against what is
found there; a sure pair is linked, a pair in the grey zone goes to people and stays apart until they have decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from tenant_pipeline.core.batch_map import BatchMap
from tenant_pipeline.core.sentences.saying import say
from tenant_pipeline.core.stage import StageCount
from tenant_pipeline.core.tables import StageReader, StageWriter
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.core.vocabulary import Vocabulary
from tenant_pipeline.linking.entity_index import LINKS, EntityIndex, Known, Proposal, Said
from tenant_pipeline.linking.features import NEVER_BY_SCORE, Features
from tenant_pipeline.linking.gather import Ahead, Gathered, gather
from tenant_pipeline.linking.kinds import family
from tenant_pipeline.linking.matching import Batch
from tenant_pipeline.linking.pair import pair_ends

ENTITIES_A_BATCH = 5_000

_TWO_ROWS: Mapping[str, Any] = {"says": say("Two rows of one table were given to it at different times."), "rows": True}


def link(
    validated: StageReader,
    out: StageWriter,
    *,
    vocabulary: Vocabulary,
    index: EntityIndex,
    tenant: TenantId,
    code: str = "",
    keyless: frozenset[str] = frozenset(),
    by_content: frozenset[str] = frozenset(),
    processes: Callable[[], AbstractContextManager[BatchMap]] | None = None,
    folder: Path | None = None,
) -> tuple[StageCount, ...]:
    """Link the source's entities to the tenant's, keep what was found in `index`, and write the `links` table.

    `keyless` are the tables whose rows no key tells apart: two of their rows may be one thing. `by_content` are those
    with rows that are named by what they say, so that a changed one has another id: it is handed on what the row was
    before, where linking would see no difference between the two. An entity that was
    linked before, by this version of the `code`, and has the same features still is only passed on: it is found by its
    id, and nothing of it is matched or written. Where two rows of a table with a key are one thing by that, because one
    was away when a score found the other, people are asked. The outcome depends on the entities that are known when it
    runs; the caller sees to it that no other source of the tenant is linked at the same time. Memory is bounded by the
    batch, whatever the source holds. The `processes` are for a large source that is new: they read the entities and
    make the keys that they are looked for under, of all of them. In `folder` lies what does not fit in memory while it
    works.
    """
    identifying = frozenset(name for name, property_ in vocabulary.properties.items() if property_.identifying)
    tables = validated.tables("statements")
    statements = sum(table.rows for table in tables)
    alone = len(tables) == 1 and tables[0].descriptor.name not in keyless
    families = {type_: family(vocabulary, type_) for type_ in vocabulary.types}
    ahead = Ahead(processes, families) if processes else None
    batch = partial(Batch, vocabulary, index, tenant, keyless, alone, code)
    again: list[Features] = []
    linked = 0
    index.note(_entity_ids(validated))
    if by_content:
        index.hand_on(_said(gather(validated, identifying, code, folder=folder), by_content, families))
    with out.table("links", "links") as writer:
        with closing(gather(validated, identifying, code, ahead, folder)) as parts:
            for new in (new for entities in parts for new in _batches(entities)):
                again = _link_batch(batch(), new, again)
        while again:
            again = _link_batch(batch(), [], again)
        for crowd in index.crowded(keyless):
            index.add([], {}, [], {}, [_row_in_doubt(*each) for each in crowd])
        for links in index.linked():
            writer.write(_frame(links))
            linked += len(links)
        if not linked:
            writer.write(_frame(LINKS.empty_table()))
    return (
        StageCount("statement", statements, statements, 0, 0, linked, "entity"),
        StageCount("entity", linked, linked, 0, 0, statements, "statement"),
    )


def _entity_ids(validated: StageReader) -> Iterator[list[str]]:
    """The ids of all entities of the source, each once in a batch of its statements."""
    for table in validated.tables("statements"):
        for frame in table.batches(("entity_id",)):
            yield list(frame["entity_id"].unique())


def _said(
    parts: Iterable[Sequence[Gathered]], by_content: frozenset[str], families: Mapping[str, str]
) -> Iterator[Sequence[Said]]:
    """All entities of the source. Without a name nothing is linked but by an identifier, and that is sure anyway."""
    for batch in (batch for part in parts for batch in _batches(part)):
        yield [
            Said(
                each.features.entity_id,
                each.digest,
                each.features
                if each.features.table in by_content
                and "name" in each.features.values
                and not each.features.identifiers
                and families[each.features.type] not in NEVER_BY_SCORE
                else None,
            )
            for each in batch
        ]


def _link_batch(batch: Batch, entities: Sequence[Gathered], again: Sequence[Features]) -> list[Features]:
    """Link some entities; returns those of earlier batches that gave way to surer ones and are to be linked again."""
    batch.digests = {each.features.entity_id: each.digest for each in entities}
    batch.keys = {each.features.entity_id: each.keys for each in entities if each.keys is not None}
    batch.match([each.features for each in entities], again)
    batch.index.add(batch.seen, batch.changed, batch.members, batch.homes, batch.proposals)
    return batch.index.release(batch.displaced) if batch.displaced else []


def _row_in_doubt(known: Known, probability: float) -> Proposal:
    return Proposal(*pair_ends(known.home_id, known.canonical_id), probability, _TWO_ROWS)


def _batches(entities: Sequence[Gathered]) -> Iterator[Sequence[Gathered]]:
    for first in range(0, len(entities), ENTITIES_A_BATCH):
        yield entities[first : first + ENTITIES_A_BATCH]


def _frame(links: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = links.to_pandas(types_mapper=pd.ArrowDtype)
    return frame
