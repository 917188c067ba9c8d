"""What people decide before anything is released: what data is for, a field with personal data, every conflict."""

from __future__ import annotations

from tenant_pipeline.cli.demo.people import ADMINISTERS, ASKS, GOVERNS, PEOPLE, PILOT, REVIEWS
from tenant_pipeline.cli.shell import console
from tenant_pipeline.core.compliance.lawful_basis import LawfulBasis
from tenant_pipeline.core.compliance.processing_record import ProcessingRecord
from tenant_pipeline.core.tenancy import SourceId
from tenant_pipeline.pii.declarations import DeclaredClass
from tenant_pipeline.pii.policy import Action
from tenant_pipeline.samples.phuket_mice.pilot import NOTES
from tenant_pipeline.services import privacy_declarations
from tenant_pipeline.services.compliance import processing_records
from tenant_pipeline.services.conflicts import bulk_signing, reading
from tenant_pipeline.services.conflicts.authority import Signer
from tenant_pipeline.services.runtime import Runtime

MOST = 1_000
DIRECTORY = ProcessingRecord(
    activity="event-directory",
    purpose="Let organisers find halls and events, and reach who answers for them",
    basis=LawfulBasis.LEGITIMATE_INTEREST,
    special_basis=None,
    subjects=("contact persons of venues and organisers",),
    retention_days=3 * 365,
)


def declare_processing(runtime: Runtime) -> None:
    """The admin puts on record what personal data is for, on which basis, and for how long it is kept."""
    processing_records.declare(
        runtime, PILOT, DIRECTORY, person=ADMINISTERS, role=PEOPLE[ADMINISTERS], reason="Agreed with the partners"
    )
    console.print(
        f"{ADMINISTERS} declared {DIRECTORY.activity}: {DIRECTORY.basis}, kept for {DIRECTORY.retention_days} days.",
        highlight=False,
    )


def drop_national_ids(runtime: Runtime, workbook: SourceId) -> None:
    """Have the notes with a national id emptied, so that their records need not be withheld; signed by governance."""
    declared = privacy_declarations.declare(
        runtime,
        PILOT,
        DeclaredClass.ACTION,
        person=ASKS,
        reason="A caretaker's national id stands in a note; the note is not needed",
        source=workbook,
        field=NOTES,
        entity_types=("TH_NATIONAL_ID",),
        action=Action.DROP,
    )
    privacy_declarations.sign(
        runtime, PILOT, declared.id, person=GOVERNS, role=PEOPLE[GOVERNS], reason="The rest of the record is harmless"
    )
    console.print(f"{ASKS} asked that notes with a national id are emptied; {GOVERNS} signed.", highlight=False)


def sign_conflicts(runtime: Runtime) -> None:
    """The reviewer looks at the proposals of each rule and signs them, list by list."""
    open_items = [
        item
        for item in reading.list_conflicts(runtime, PILOT, source=None, property_=None, verdict=None, limit=MOST)
        if item["status"] == "open" and not item["needs_person"]
    ]
    signer = Signer(REVIEWS, PEOPLE[REVIEWS], "The source of the higher tier is right here")
    for rule, verdict in sorted({(item["proposed_rule"], item["verdict"]) for item in open_items}):
        shown = bulk_signing.preview(runtime, PILOT, proposed_rule=rule, verdict=verdict)
        done = bulk_signing.sign_list(
            runtime, PILOT, proposed_rule=rule, verdict=verdict, digest=shown["digest"], signer=signer
        )
        console.print(f"{REVIEWS} signed {done.signed} conflicts that {rule} decides.", highlight=False)
