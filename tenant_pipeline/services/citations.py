"""What an AI's answers cite: the addresses, how often and where, and each handed in as a source of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from tenant_pipeline.core.errors import SourceStoppedError, TenantRuntimeError
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.stage import Stage
from tenant_pipeline.core.standardise.reading import Context, Unreadable
from tenant_pipeline.core.standardise.urls import standardise_url
from tenant_pipeline.core.tables import TableReader, field_column
from tenant_pipeline.core.tenancy import SourceId, TenantId, partition_key
from tenant_pipeline.intake.link.policy import LinkPolicy
from tenant_pipeline.pii.policy import Action, action_for
from tenant_pipeline.services import sources
from tenant_pipeline.services.lineage import lineage
from tenant_pipeline.services.pii_analyzer import analyzer
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.stage_store import StoredStage

TABLE, FIELD = "citations", "url"
MOST_LOCATORS = 100
"""Of each address so many places are told; `times` counts them all."""

PERSONAL = "personal-data"


@dataclass
class CitedUrl:
    """An address in its canonical form, how often it is cited, and where."""

    url: str
    times: int = 0
    locators: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The address as the command line gives it."""
        return asdict(self)


@dataclass(frozen=True)
class Citations:
    """Addresses, the most cited first, and how many citations are none that can be told, by the reason's code."""

    urls: tuple[CitedUrl, ...]
    left_out: dict[str, int]


@dataclass(frozen=True)
class Added:
    """What became of a cited address: `added`, `known` already, `withdrawn` once, or `failed` with the reason."""

    url: str
    outcome: str
    source_id: str = ""
    reason: str = ""


def cited_urls(runtime: Runtime, tenant: TenantId, source_id: SourceId) -> Citations:
    """The addresses that a source cites, from the tables `citations` of its `extract`.

    Two ways of writing one address are one. Left out are texts that are no web address, and addresses in which
    personal data stands: this is read before `screen`. Raises NotFoundError for a source that there is not, and
    SourceStoppedError where it has not come as far as `extract`.
    """
    found: dict[str, CitedUrl] = {}
    left_out: Counter[str] = Counter()
    for locator, text in _records(_extracted(runtime, tenant, source_id)):
        try:
            url = standardise_url(text, Context()).value
        except Unreadable as unreadable:
            left_out[unreadable.code] += 1
            continue
        cited = found.setdefault(url, CitedUrl(url))
        cited.times += 1
        if len(cited.locators) < MOST_LOCATORS:
            cited.locators.append(locator)
    shown = []
    for cited in sorted(found.values(), key=lambda each: (-each.times, each.url)):
        if _is_personal(runtime, cited.url):
            left_out[PERSONAL] += cited.times
        else:
            shown.append(cited)
    return Citations(tuple(shown), dict(left_out))


def add_cited(
    runtime: Runtime,
    tenant: TenantId,
    citations: Citations,
    *,
    origin: Origin,
    actor: str,
    rights: str = "",
    link_policy: LinkPolicy | None = None,
) -> Iterator[Added]:
    """Hand in each address as a link source under its own title, one after the other.

    One that is a link source under this title already is not fetched again, nor one that was withdrawn. One that
    cannot be taken in is told with the reason, and the rest goes on.
    """
    known = {
        source.title: source
        for source in sources.list_sources(runtime, tenant)
        if source.unit_mode is UnitMode.LINK and source.origin is origin
    }
    for cited in citations.urls:
        if cited.url in known:
            there = known[cited.url]
            yield Added(cited.url, "withdrawn" if there.is_withdrawn else "known", there.id)
            continue
        try:
            source = sources.add_source(
                runtime,
                tenant,
                origin=origin,
                unit_mode=UnitMode.LINK,
                places=[cited.url],
                title=cited.url,
                actor=actor,
                rights=rights,
                link_policy=link_policy,
            )
        except TenantRuntimeError as error:
            yield Added(cited.url, "failed", reason=f"{error.code}: {error.what}")
        else:
            yield Added(cited.url, "added", source.id)


def _extracted(runtime: Runtime, tenant: TenantId, source_id: SourceId) -> StoredStage:
    with runtime.database.tenant(tenant) as connection:
        source = sources.get_source(connection, tenant, source_id)
        behind = lineage(connection, runtime, source)
    if Stage.EXTRACT not in behind:
        raise SourceStoppedError(
            "The source has not been extracted as it is now",
            where=partition_key(tenant, source_id),
            remedy="Run it first: `tenant-pipeline run`.",
        )
    return runtime.stage_store(tenant).read(behind[Stage.EXTRACT].output_digest)


def _records(extracted: StoredStage) -> Iterator[tuple[str, str]]:
    """Locator and text of each citation."""
    for table in extracted.tables("records"):
        column = _column(table)
        if column is not None:
            for frame in table.batches(["locator", column]):
                for locator, text in zip(frame["locator"].tolist(), frame[column].tolist(), strict=True):
                    if isinstance(text, str):
                        yield locator, text


def _column(table: TableReader) -> str | None:
    """The column of a table of citations that holds the addresses; None for any other table."""
    descriptor = table.descriptor
    if descriptor.about.get("name") != TABLE or FIELD not in descriptor.fields:
        return None
    return field_column(descriptor.fields.index(FIELD))


def _is_personal(runtime: Runtime, url: str) -> bool:
    policy = runtime.contracts.pii_policy
    return any(action_for(policy, found.entity_type) is not Action.ALLOW for found in analyzer().find(url))
