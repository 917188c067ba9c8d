"""Mappings for tables that nobody declared one for: proposed, tried without effect, accepted by a person, retired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, replace
from typing import Any

from tenant_pipeline.core.errors import GateClosedError, InputError, NotFoundError, SourceStoppedError
from tenant_pipeline.core.mapping.content_profile import SAMPLE_ROWS
from tenant_pipeline.core.mapping.definition import definition_digest, definition_of, fields_digest, next_version
from tenant_pipeline.core.mapping.difference import TableChange, difference
from tenant_pipeline.core.mapping.mapping import Mapping, MappingRules, mapping_of
from tenant_pipeline.core.mapping.proposal import Proposal
from tenant_pipeline.core.mapping.propose import propose_for_table
from tenant_pipeline.core.persons import require_person_and_reason
from tenant_pipeline.core.stage import Stage
from tenant_pipeline.core.tables import StageReader, TableReader
from tenant_pipeline.core.tenancy import SourceId, TenantId, partition_key
from tenant_pipeline.services import registry, sources
from tenant_pipeline.services.accepted_mappings import (
    ACTIVE,
    AcceptedMapping,
    append,
    chosen_mappings,
    rules_of,
    versions,
)
from tenant_pipeline.services.decisions import decisions_of
from tenant_pipeline.services.field_meanings import needs_meanings
from tenant_pipeline.services.lineage import lineage, require_gates_open
from tenant_pipeline.services.mapping_definitions import checked_definition
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.source_queue import put_in_line
from tenant_pipeline.services.sources import Source
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.database import Connection


@dataclass(frozen=True)
class TableProposal:
    """What is proposed for one table of a source."""

    table: str
    name: str
    rows: int
    proposal: Proposal

    def as_json(self) -> dict[str, Any]:
        """The proposal as the command line and the API give it."""
        return {"table": self.table, "name": self.name, "rows": self.rows, **self.proposal.as_json()}


@dataclass(frozen=True)
class Decision:
    """A mapping as a decision left it. `repeated` says that it stood so already; `sources` are put in line again."""

    mapping: AcceptedMapping
    repeated: bool
    sources: tuple[SourceId, ...]

    def as_json(self) -> dict[str, Any]:
        """The decision as the command line and the API give it."""
        return {**self.mapping.as_json(), "repeated": self.repeated, "sources_in_line": list(self.sources)}


def propose(
    runtime: Runtime, tenant: TenantId, source_id: SourceId, *, table: str | None = None
) -> list[TableProposal]:
    """Proposals for the tables of a source that no declared or accepted mapping knows, or for the named table.

    Raises NotFoundError for a source or table that is not there, SourceStoppedError before the source was screened,
    and GateClosedError when the PII gate is closed.
    """
    source, screened, rules = _screened(runtime, tenant, source_id)
    found = [_proposed(runtime, source, rules, reader) for reader in _tables(screened, table, source)]
    return [each for each in found if table is not None or not each.proposal.declared]


def diff(
    runtime: Runtime,
    tenant: TenantId,
    source_id: SourceId,
    *,
    table: str | None = None,
    definition: Any = None,
) -> list[TableChange]:
    """What would change in a source if a definition were accepted, or else what is proposed. Writes nothing.

    Raises InputError for a definition that could not be accepted, and otherwise what `propose` raises.
    """
    source, screened, rules = _screened(runtime, tenant, source_id)
    if definition is None:
        proposals = propose(runtime, tenant, source_id, table=table)
        tried = [each.proposal.mapping for each in proposals if each.proposal.mapping is not None]
    else:
        _tables(screened, table, source)
        tried = [mapping_of(checked_definition(definition, runtime.contracts))]
    changes = difference(
        screened,
        before=rules,
        after=_as_if_accepted(rules, tried),
        vocabulary=runtime.contracts.vocabulary,
        tenant=tenant,
        source=source_id,
        origin=str(source.origin),
    )
    return [change for change in changes if change.changes or change.table == table]


def accept(
    runtime: Runtime,
    tenant: TenantId,
    *,
    person: str,
    reason: str,
    definition: Any = None,
    source_id: SourceId | None = None,
    table: str | None = None,
) -> Decision:
    """Accept a definition, or what is proposed for a table of a source, as the next version of its mapping. Audited.

    The sources whose tables choose another mapping for it are put in line again; no other source is touched. Accepted
    again, the same definition changes nothing. Raises InputError for a definition that cannot be accepted or without
    a person and a reason, and what `propose` raises.
    """
    _require_words(person, reason)
    registry.show_tenant(runtime, tenant)
    if definition is None:
        definition = definition_of(_proposal_to_accept(runtime, tenant, source_id, table))
    checked = checked_definition(definition, runtime.contracts)
    digest = fields_digest(checked["match"]["all_of"], checked["shape"])
    with runtime.database.tenant(tenant) as connection:
        _one_at_a_time(connection, tenant)
        latest = next(iter(versions(connection, tenant, checked["id"])), None)
        if latest is not None:
            same = definition_digest(latest.mapping) == definition_digest(mapping_of(checked))
            if same and latest.state == ACTIVE:
                return Decision(latest, True, ())
            checked["version"] = next_version(latest.mapping.version)
        before = rules_of(connection, runtime, tenant)
        append(connection, tenant, checked, digest, person=person, reason=reason, retired=False)
        return _decided(connection, runtime, tenant, before, checked["id"], "mapping.accept", person, reason)


def retire(runtime: Runtime, tenant: TenantId, mapping_id: str, *, person: str, reason: str) -> Decision:
    """End a mapping: its tables are mapped again as if it had never been accepted. Audited; ended again, no change.

    Raises InputError without a person and a reason, and NotFoundError when the tenant has no such mapping.
    """
    _require_words(person, reason)
    registry.show_tenant(runtime, tenant)
    with runtime.database.tenant(tenant) as connection:
        _one_at_a_time(connection, tenant)
        latest = next(iter(versions(connection, tenant, mapping_id)), None)
        if latest is None:
            raise NotFoundError(
                "The tenant has accepted no mapping of that id",
                where="--mapping",
                remedy="`tenant-pipeline mapping list` shows them.",
            )
        if latest.state != ACTIVE:
            return Decision(latest, True, ())
        before = rules_of(connection, runtime, tenant)
        append(connection, tenant, latest.definition, latest.fields_digest, person=person, reason=reason, retired=True)
        return _decided(connection, runtime, tenant, before, mapping_id, "mapping.retire", person, reason)


def list_mappings(runtime: Runtime, tenant: TenantId) -> list[AcceptedMapping]:
    """Every version that the tenant has accepted, the latest first."""
    registry.show_tenant(runtime, tenant)
    with runtime.database.tenant(tenant) as connection:
        return versions(connection, tenant)


def _screened(runtime: Runtime, tenant: TenantId, source_id: SourceId) -> tuple[Source, StageReader, MappingRules]:
    registry.show_tenant(runtime, tenant)
    with runtime.database.tenant(tenant) as connection:
        source = sources.get_source(connection, tenant, source_id)
        screened = _screened_output(connection, runtime, source)
        rules = rules_of(connection, runtime, tenant)
    if screened is None:
        raise SourceStoppedError(
            "The source has not been screened as it is now",
            where=partition_key(tenant, source_id),
            remedy=f"Run it first: `tenant-pipeline run --tenant {tenant} --source {source_id}`.",
        )
    return source, screened, rules


def _screened_output(connection: Connection, runtime: Runtime, source: Source) -> StageReader | None:
    """What the PII screen left of a source, or None before it ran. Raises GateClosedError when its gate is closed."""
    behind = lineage(connection, runtime, source, before=Stage.MAP)
    if Stage.SCREEN not in behind:
        return None
    require_gates_open(connection, runtime, source, behind, before=Stage.MAP)
    return runtime.stage_store(source.tenant).read(behind[Stage.SCREEN].output_digest)


def _tables(screened: StageReader, table: str | None, source: Source) -> list[TableReader]:
    found = [reader for reader in screened.tables("records") if table in (None, reader.descriptor.name)]
    if table is not None and not found:
        raise NotFoundError(
            "The source has no such table",
            where=f"{partition_key(source.tenant, source.id)} --table",
            remedy="`tenant-pipeline mapping propose` without --table names those that can be proposed for.",
        )
    return found


def _proposed(runtime: Runtime, source: Source, rules: MappingRules, reader: TableReader) -> TableProposal:
    descriptor = reader.descriptor
    proposal = propose_for_table(
        rules,
        runtime.contracts.vocabulary,
        descriptor.fields,
        str(descriptor.about.get("shape", "records")),
        str(source.origin),
        _sample(reader),
    )
    return TableProposal(descriptor.name, str(descriptor.about.get("name", "")), reader.rows, proposal)


def _sample(reader: TableReader) -> list[tuple[str | None, ...]]:
    """At most SAMPLE_ROWS rows, evenly from the whole table."""
    columns = reader.descriptor.field_columns
    step = -(-reader.rows // SAMPLE_ROWS) or 1
    rows: list[tuple[str | None, ...]] = []
    seen = 0
    for frame in reader.batches(columns) if columns else ():
        taken = frame.iloc[-seen % step :: step]
        cells = [[cell if isinstance(cell, str) else None for cell in taken[column].tolist()] for column in columns]
        rows += zip(*cells, strict=True)
        seen += len(frame)
    return rows


def _proposal_to_accept(runtime: Runtime, tenant: TenantId, source_id: SourceId | None, table: str | None) -> Mapping:
    if source_id is None:
        raise InputError(
            "Neither a source nor a definition is given",
            where="--source, --definition",
            remedy="Name the source and table whose proposal you accept, or the file with the definition.",
        )
    proposals = propose(runtime, tenant, source_id, table=table)
    known = [each.proposal.mapping for each in proposals if each.proposal.mapping is not None]
    if len(known) != 1:
        raise InputError(
            f"There are {len(known)} proposals to accept, not one",
            where="--table",
            remedy="`tenant-pipeline mapping propose` shows them; name the table, or hand in a --definition.",
        )
    return known[0]


def _as_if_accepted(rules: MappingRules, tried: Sequence[Mapping]) -> MappingRules:
    """The rules after the acceptance of these mappings: each one's next version, before all others."""
    current = {mapping.id: mapping for mapping in rules.accepted}
    ids = {mapping.id for mapping in tried}
    numbered = [
        replace(mapping, version=next_version(current[mapping.id].version)) if mapping.id in current else mapping
        for mapping in tried
        if mapping.id not in current or definition_digest(current[mapping.id]) != definition_digest(mapping)
    ]
    unchanged = ids - {mapping.id for mapping in numbered}
    others = [mapping for mapping in rules.accepted if mapping.id not in ids or mapping.id in unchanged]
    return replace(rules, accepted=(*numbered, *others))


def _decided(
    connection: Connection,
    runtime: Runtime,
    tenant: TenantId,
    before: MappingRules,
    mapping_id: str,
    action: str,
    person: str,
    reason: str,
) -> Decision:
    """Put in line the sources that are mapped otherwise now, and note what was decided in the audit log."""
    decided = versions(connection, tenant, mapping_id)[0]
    affected = _affected(connection, runtime, tenant, before, rules_of(connection, runtime, tenant))
    put_in_line(connection, tenant, affected)
    details: MappingOf[str, Any] = {
        "reason": reason,
        "type": decided.mapping.type,
        "definition_digest": definition_digest(decided.mapping),
        "fields_digest": decided.fields_digest,
        "sources": len(affected),
    }
    subject = f"{mapping_id}@{decided.mapping.version}"
    runtime.audit.append(connection, tenant, [AuditEntry(person, action, subject, details)])
    return Decision(decided, False, affected)


def _affected(
    connection: Connection, runtime: Runtime, tenant: TenantId, before: MappingRules, after: MappingRules
) -> tuple[SourceId, ...]:
    """The sources of which some table chooses another mapping under `after` than under `before`."""

    def chooses_otherwise(tables: StageReader, origin: str) -> bool:
        return chosen_mappings(tables, before, origin) != chosen_mappings(tables, after, origin)

    return tuple(
        source.id
        for source in sources.list_sources(runtime, tenant)
        if not source.is_withdrawn
        and any(chooses_otherwise(tables, str(source.origin)) for tables in _choosing(connection, runtime, source))
    )


def _choosing(connection: Connection, runtime: Runtime, source: Source) -> Iterator[StageReader]:
    """The outputs of a source whose tables choose mappings: what the screen left, unless its gate is closed, and before
    it what the screen itself reads, where a rule on personal data goes by what a field means.

    Under another mapping such a source counts as not screened, and its gate is judged anew.
    """
    decisions = decisions_of(connection, runtime, source)
    if needs_meanings(runtime.contracts, decisions.declarations):
        extracted = lineage(connection, runtime, source, before=Stage.SCREEN, decisions=decisions).get(Stage.EXTRACT)
        if extracted is not None:
            yield runtime.stage_store(source.tenant).read(extracted.output_digest)
    try:
        screened = _screened_output(connection, runtime, source)
    except GateClosedError:
        return
    if screened is not None:
        yield screened


def _one_at_a_time(connection: Connection, tenant: TenantId) -> None:
    connection.execute("SELECT app.lock('mappings', %s)", (tenant,))


def _require_words(person: str, reason: str) -> None:
    require_person_and_reason(
        person, reason, "A mapping is accepted or retired by a person, for a reason", remedy="Give both."
    )
