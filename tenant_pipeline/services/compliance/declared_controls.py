"""What has to be declared: agreement, lawful basis, special categories, retention, transfers, breaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tenant_pipeline.core.compliance.control import Control, Outcome
from tenant_pipeline.core.compliance.processing_record import ProcessingRecord, covering
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.pii.special_categories import SPECIAL_CATEGORY
from tenant_pipeline.services.compliance.breaches import Breach
from tenant_pipeline.services.erasure.requests import ErasureRequest
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import Connection
from tenant_pipeline.storage.keys import KeysDestroyedError


@dataclass(frozen=True)
class ScreenedSource:
    """A source with what its latest screen found: entity types; None where it was not screened yet.

    `held_since` is when the oldest was received of what the raw zone still has of it; None where it has nothing.
    """

    id: SourceId
    held_since: datetime | None
    entity_types: frozenset[str] | None

    @property
    def bears_personal_data(self) -> bool:
        """Whether the screen found any; what was not screened counts as if it had."""
        return self.entity_types is None or bool(self.entity_types)


def screened_sources(connection: Connection, runtime: Runtime, tenant: TenantId) -> list[ScreenedSource]:
    """Every source of a tenant with what its latest verdict of the PII gate rests on."""
    erased = tenant in runtime.keys.destroyed()
    of_feeds = _held_of_feeds(connection, runtime, tenant)
    rows = connection.execute(
        """
        SELECT source.id, source.received_at, verdict.findings
          FROM runtime.tenant_sources AS source
          LEFT JOIN LATERAL (
               SELECT findings FROM runtime.gate_verdicts
                WHERE tenant_id = source.tenant_id AND source_id = source.id AND gate = 'pii'
                ORDER BY decided_at DESC LIMIT 1) AS verdict ON true
         WHERE source.tenant_id = %s ORDER BY source.id
        """,
        (tenant,),
    ).fetchall()
    return [
        ScreenedSource(
            row["id"],
            None if erased else of_feeds.get(row["id"], row["received_at"]),
            None if row["findings"] is None else frozenset(each["entity_type"] for each in row["findings"]),
        )
        for row in rows
    ]


def _held_of_feeds(connection: Connection, runtime: Runtime, tenant: TenantId) -> dict[SourceId, datetime | None]:
    """Since when the sources of feeds are held.

    A feed brings the same source anew, and what it brought before is kept until it is pruned: the oldest version that
    is still there counts, whether it was taken in or not. Content that came back counts anew, as for pruning.
    """
    versions = connection.execute(
        """
        SELECT feed.source_id, version.unit_digest, max(version.fetched_at) AS fetched_at
          FROM runtime.feed_versions AS version
          JOIN runtime.feeds AS feed ON feed.tenant_id = version.tenant_id AND feed.id = version.feed_id
         WHERE version.tenant_id = %s GROUP BY feed.source_id, version.unit_digest
        """,
        (tenant,),
    ).fetchall()
    units = {row["unit_digest"] for row in versions}
    try:
        there = {digest for digest, _, _ in runtime.raw_zone(tenant).stored() if digest in units} if units else set()
    except KeysDestroyedError:
        there = set()
    held: dict[SourceId, datetime | None] = {SourceId(row["source_id"]): None for row in versions}
    for row in versions:
        if row["unit_digest"] in there:
            held[row["source_id"]] = min(held[row["source_id"]] or row["fetched_at"], row["fetched_at"])
    return held


def agreement(reference: str | None) -> list[Control]:
    """Whether an agreement is on record; that it is valid, and not expired, only people can tell."""
    there = bool((reference or "").strip())
    return [
        Control(
            "agreement",
            "s.40",
            "Processing for another rests on an agreement.",
            "The registry names the agreement.",
            Outcome.MET if there else Outcome.NOT_MET,
            {"on_record": there},
            "" if there else "Name it: `tenant-pipeline tenant update --pdpa-agreement`.",
        ),
        Control(
            "agreement-in-force",
            "s.40",
            "The agreement is in force.",
            "The registry holds its reference and neither its text nor its end.",
            Outcome.NOT_CHECKABLE,
            {},
            "Have somebody read the agreement and its end.",
        ),
    ]


def lawful_basis(sources: Sequence[ScreenedSource], records: Sequence[ProcessingRecord]) -> Control:
    """Whether each source with personal data is covered by an activity, which names its purpose and basis."""
    bearing = [each for each in sources if each.bears_personal_data]
    without = [each.id for each in bearing if not covering(records, each.id)]
    return Control(
        "lawful-basis",
        "s.24, s.39",
        "Personal data is processed for a purpose, on a basis that the Act lists, and on record.",
        "Each source in which the screen found personal data, or that was not screened, is of a declared activity.",
        Outcome.NOT_MET if without else Outcome.MET,
        {
            "sources": len(sources),
            "with_personal_data": len(bearing),
            "not_screened": sum(each.entity_types is None for each in sources),
            "without_basis": without,
            "bases": sorted({str(each.basis) for each in records}),
        },
        "Declare it: `tenant-pipeline compliance declare`." if without else "",
    )


def special_categories(sources: Sequence[ScreenedSource], records: Sequence[ProcessingRecord]) -> Control:
    """Whether each source with special categories is covered by an activity with a basis of its own for them."""
    bearing = [each for each in sources if SPECIAL_CATEGORY in (each.entity_types or ())]
    without = [
        each.id
        for each in bearing
        if not any(record.special_basis is not None for record in covering(records, each.id))
    ]
    return Control(
        "special-categories",
        "s.26",
        "Special categories have a basis of section 26.",
        "Each source in which the screen found a special category is of an activity that declares such a basis.",
        Outcome.NOT_MET if without else Outcome.MET,
        {"with_special_categories": len(bearing), "without_basis": without},
        "Declare it with --special-basis: `tenant-pipeline compliance declare`." if without else "",
    )


def retention(sources: Sequence[ScreenedSource], records: Sequence[ProcessingRecord], now: datetime) -> Control:
    """Whether nothing with personal data is held for longer than the shortest period declared for it."""
    bearing = [each for each in sources if each.bears_personal_data]
    undeclared = [each.id for each in bearing if not covering(records, each.id)]
    too_long = [
        each.id
        for each in bearing
        if each.held_since is not None
        and any(record.kept_too_long(each.held_since, now) for record in covering(records, each.id))
    ]
    return Control(
        "retention",
        "s.37(3)",
        "Personal data is erased when its period has ended.",
        "Nothing that is stored of a source with personal data was received longer ago than an activity that it is of"
        " allows; of a feed the oldest version that was not pruned counts.",
        Outcome.NOT_MET if too_long or undeclared else Outcome.MET,
        {"held_too_long": too_long, "without_period": undeclared},
        "Erase it, have old versions of feeds pruned (`tenant-pipeline retention set raw-units`), or declare the period"
        " that holds: `tenant-pipeline compliance declare`."
        if too_long or undeclared
        else "",
    )


def transfers(records: Sequence[ProcessingRecord]) -> list[Control]:
    """What was declared of transfers abroad; whether data goes elsewhere too, a machine does not see."""
    declared = {
        each.activity: [f"{to.country}: {to.safeguard}" for to in each.destinations]
        for each in records
        if each.destinations
    }
    return [
        Control(
            "transfers",
            "s.28, s.29",
            "Personal data leaves the country only under a safeguard.",
            "Destinations are recorded with their safeguards; which networks data really crosses was not looked at.",
            Outcome.NOT_CHECKABLE,
            {"destinations": declared},
            "Have somebody compare the declared destinations with where processors and backups are.",
        )
    ]


def breach_clock(breaches: Sequence[Breach], now: datetime) -> Control:
    """Whether each breach was notified, or found to need no notice, within seventy-two hours."""
    late = [str(each.id) for each in breaches if each.clock.overdue(now)]
    return Control(
        "breach-notification",
        "s.37(4)",
        "A breach is notified within seventy-two hours.",
        "The clock of each breach on record.",
        Outcome.NOT_MET if late else Outcome.MET,
        {"breaches": len(breaches), "open": sum(each.closed_at is None for each in breaches), "late": late},
        "Notify the Office and close them: `tenant-pipeline compliance breach close`." if late else "",
    )


def erasure(requests: Sequence[ErasureRequest], now: datetime) -> Control:
    """Whether each request to erase was done in its time, and looking again found nothing left."""
    late = [str(each.id) for each in requests if each.clock.overdue(now)]
    remains = [str(each.id) for each in requests if each.state() == "remains"]
    return Control(
        "erasure",
        "s.33, s.37(3)",
        "What is to be erased is erased, in time.",
        "The clock of thirty days of each request on record to erase all of the tenant, and its proof."
        " Requests of single persons are not on this record.",
        Outcome.NOT_MET if late or remains else Outcome.MET,
        {
            "requests": len(requests),
            "open": sum(each.ended_at is None for each in requests),
            "late": late,
            "remains": remains,
        },
        "Do them, and look at what remains: `tenant-pipeline erasure show`." if late or remains else "",
    )
