"""Sources: handed in, and followed through their nine stages, gates and rejects."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tenant_pipeline.api.at_once import AtOnce
from tenant_pipeline.api.authentication.authenticator import CallerOf
from tenant_pipeline.api.callers import Caller
from tenant_pipeline.api.conditional import ConditionalRoute
from tenant_pipeline.api.language import Telling
from tenant_pipeline.api.once import OnceOnly
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.api.texts import AnyTime, Digest, Limit, Line, OptionalReason, Reason, RoleName, SourcePath, Url
from tenant_pipeline.core.gate import Gate
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.sentences.reading import Tell, in_english
from tenant_pipeline.core.stage import Stage
from tenant_pipeline.core.tenancy import source_id
from tenant_pipeline.services import gates, quarantine, sources
from tenant_pipeline.services.lineage import current_gate_states, every_record
from tenant_pipeline.services.rejects import rejects_of_stage
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.source_changes import change_source
from tenant_pipeline.services.uploads import source_of_uploads
from tenant_pipeline.services.withdrawals import WITHDRAWING_ROLES, withdraw_source

router = APIRouter(prefix="/api/tenant/{tenant}", tags=["sources"], route_class=ConditionalRoute)

HANDING_IN_ROLES = ("contributor", "tenant-admin")
LINKS = AtOnce(8, "too-many-links", "Many links are fetched just now")


class SourceUpload(BaseModel):
    """A source to hand in."""

    origin: Origin
    title: Line
    rights: OptionalReason = ""
    observed_at: AnyTime | None = Field(None, description="As of when its facts hold.")


class LinkUpload(SourceUpload):
    """A link: what lies behind the address is fetched."""

    unit_mode: Literal["link"]
    url: Url


class FilesUpload(SourceUpload):
    """A file, a folder or an AI bundle, by the ids of finished uploads."""

    unit_mode: Literal["single-file", "folder", "ai-bundle"]
    uploads: Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]], Field(min_length=1, max_length=10_000)
    ]


class SourceChange(BaseModel):
    """What is to change of a source; what is not given stays. No date: nobody knows as of when its facts hold.

    Its origin cannot change: what is no part of this is refused.
    """

    model_config = ConfigDict(extra="forbid")

    title: Line | None = None
    rights: OptionalReason | None = None
    observed_at: AnyTime | None = Field(None, description="As of when its facts hold.")

    def changes(self) -> dict[str, Any]:
        """What was given."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: value for name, value in given.items() if value is not None or name == "observed_at"}


AnyUpload = Annotated[LinkUpload | FilesUpload, Field(discriminator="unit_mode")]


class Source(BaseModel):
    """A source, how far it has come, and what it scores."""

    id: str
    tenant: str
    origin: str
    unit_mode: str
    title: str
    filename: str = Field(description="What a single file was called; empty for all else.")
    url: str = Field(description="The address of a link or a feed; empty for all else.")
    unit_digest: str
    rights: str = Field(description="Empty: none are declared, and the tenant cannot go live.")
    ingest_stage: str
    ingest_status: str
    coverage_score: float | None
    conflicts_count: int
    authority_rank: int
    observed_at: str | None
    received_at: str
    hindrance: dict[str, Any] | None = Field(
        None, description="Why it was stopped or set back: code, what, where, remedy, stage and run."
    )
    withdrawal: dict[str, Any] | None = Field(None, description="When it was withdrawn, by whom, as what and why.")


class Sources(BaseModel):
    """The tenant's sources, the oldest first."""

    sources: list[Source]


class SourceRecord(BaseModel):
    """A source with the auditable record of each stage, its gates, and what of it was refused."""

    source: Source
    stages: list[dict[str, Any]]
    gates: list[dict[str, Any]]
    quarantined: list[dict[str, Any]]


class Rejects(BaseModel):
    """Rows that did not pass a stage: where each is, and why. Never what it says."""

    rejects: list[dict[str, Any]]


class Withdrawal(BaseModel):
    """A source is taken out, on your word."""

    reason: Reason
    role: RoleName | None = None


class GateOverride(BaseModel):
    """A closed gate lets the source pass until a time, on your word."""

    gate: Gate
    role: RoleName
    reason: Reason
    expires_at: AnyTime


class QuarantineRelease(BaseModel):
    """What was refused and is let in all the same: the place, and what was looked at there."""

    locator: Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00]+$")]
    digest: Digest
    role: RoleName
    reason: Reason


@router.get("/sources")
def list_sources(caller: CallerOf, runtime: RuntimeOf) -> Sources:
    """The tenant's sources."""
    found = sources.list_sources(runtime, caller.tenant)
    return Sources(sources=[Source.model_validate(each.as_json()) for each in found])


@router.post("/source/upload", status_code=201)
def upload(wanted: AnyUpload, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> Source:
    """Hand in a source: it is put in line for the nine stages. The same source twice is one source."""
    caller.require(HANDING_IN_ROLES)
    act = partial(_handed_in, runtime, caller, wanted)
    return once.answer(caller, act, 201)


@router.get("/sources/{source}")
def record(source: SourcePath, caller: CallerOf, runtime: RuntimeOf, tell: Telling) -> SourceRecord:
    """One source with the record of its stages."""
    return _record(runtime, caller, source, tell)


@router.patch("/sources/{source}")
def change(source: SourcePath, wanted: SourceChange, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> Source:
    """Put right what was said of a source when it was handed in. Other rights or another date have it judged anew."""
    caller.require(HANDING_IN_ROLES)

    def act() -> Source:
        changed = change_source(runtime, caller.tenant, source_id(source), wanted.changes(), actor=caller.person)
        return Source.model_validate(changed.as_json())

    return once.answer(caller, act)


@router.post("/sources/{source}/withdrawal")
def withdraw(source: SourcePath, said: Withdrawal, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> Source:
    """Take a source out, for good: what it said is retired, a feed of it ends. What is published stays as it is."""
    role = caller.acting_as(said.role, WITHDRAWING_ROLES)

    def act() -> Source:
        withdrawn = withdraw_source(
            runtime, caller.tenant, source_id(source), person=caller.person, role=role, reason=said.reason
        )
        return Source.model_validate(withdrawn.as_json())

    return once.answer(caller, act)


@router.get("/sources/{source}/rejects")
def rejects(
    source: SourcePath,
    stage: Annotated[Stage, Query()],
    caller: CallerOf,
    runtime: RuntimeOf,
    limit: Limit = 100,
) -> Rejects:
    """What a stage did not let pass, in order."""
    found: Iterator[dict[str, Any]] = rejects_of_stage(runtime, caller.tenant, source_id(source), stage, limit)
    return Rejects(rejects=list(found))


@router.post("/sources/{source}/gate-override")
def override(
    source: SourcePath, said: GateOverride, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly
) -> SourceRecord:
    """Let a source pass a closed gate until a time. Audited; it expires."""

    def act() -> SourceRecord:
        gates.override(
            runtime,
            caller.tenant,
            source_id(source),
            said.gate,
            person=caller.person,
            role=caller.acting_as(said.role, gates.OVERRIDE_ROLES),
            reason=said.reason,
            expires_at=said.expires_at,
        )
        return _record(runtime, caller, source)

    return once.answer(caller, act)


@router.post("/sources/{source}/quarantine-release")
def release(
    source: SourcePath, said: QuarantineRelease, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly
) -> SourceRecord:
    """Let in what a reader refused, on your word."""

    def act() -> SourceRecord:
        quarantine.release(
            runtime,
            caller.tenant,
            source_id(source),
            said.locator,
            person=caller.person,
            role=said.role,
            reason=said.reason,
            digest=said.digest,
        )
        return _record(runtime, caller, source)

    return once.answer(caller, act)


def _handed_in(runtime: Runtime, caller: Caller, wanted: LinkUpload | FilesUpload) -> Source:
    if isinstance(wanted, FilesUpload):
        added = source_of_uploads(
            runtime,
            caller.tenant,
            wanted.uploads,
            origin=wanted.origin,
            unit_mode=UnitMode(wanted.unit_mode),
            title=wanted.title,
            person=caller.person,
            rights=wanted.rights,
            observed_at=wanted.observed_at,
        )
    else:
        with LINKS.place():
            added = sources.add_source(
                runtime,
                caller.tenant,
                origin=wanted.origin,
                unit_mode=UnitMode.LINK,
                places=[wanted.url],
                title=wanted.title,
                actor=caller.person,
                rights=wanted.rights,
                observed_at=wanted.observed_at,
            )
    return Source.model_validate(added.as_json())


def _record(runtime: Runtime, caller: Caller, source: str, tell: Tell = in_english) -> SourceRecord:
    identifier = source_id(source)
    with runtime.database.tenant(caller.tenant) as connection:
        found = sources.get_source(connection, caller.tenant, identifier)
    return SourceRecord(
        source=Source.model_validate(found.as_json()),
        stages=[each.as_json() for each in every_record(runtime, found)],
        gates=[each.as_json(tell) for each in current_gate_states(runtime, caller.tenant, identifier).values()],
        quarantined=[each.as_json() for each in quarantine.list_quarantined(runtime, caller.tenant, identifier)],
    )
