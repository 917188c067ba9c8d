"""The PII gate's verdict on a source, in sentences for governance."""

from __future__ import annotations

from tenant_pipeline.core.contract_terms import PiiPolicy
from tenant_pipeline.core.gate import Band, Gate, GateVerdict
from tenant_pipeline.core.sentences.saying import say
from tenant_pipeline.pii.findings import Findings
from tenant_pipeline.pii.recognisers.registry import NOT_PERSONAL


def pii_verdict(
    findings: Findings,
    *,
    policy: PiiPolicy,
    agreement_in_place: bool,
    records: int,
    quarantined: int,
    residual: int,
) -> GateVerdict:
    """Pass when nothing was found, warn when all of it was dealt with, fail when the source must not go on.

    `records` came in, `quarantined` of them were withheld, `residual` of those because personal data was still found
    after replacement.
    """
    dealt_with, allowed, declarations = findings.dealt_with(), findings.allowed(), findings.allowing()
    failures = []
    if residual:
        failures.append(
            say(
                "Personal data was still found after replacement; {records:records} withheld for it.",
                records=_records(residual),
            )
        )
    share = quarantined / records if records else 0.0
    if share > policy.quarantined_share_fail:
        failures.append(
            say(
                "{share:figure} of the records are quarantined; the policy lets a source pass with at most"
                " {most:figure}.",
                share=f"{share:.1%}",
                most=f"{policy.quarantined_share_fail:.1%}",
            )
        )
    personal = ({*dealt_with, *allowed} - NOT_PERSONAL) or declarations
    if personal and policy.requires_agreement and not agreement_in_place:
        failures.append(say("Personal data was found and the tenant has signed no data handling agreement."))
    notes = []
    if dealt_with:
        notes.append(say("Found and replaced or withheld: {found}.", found=_listed(dealt_with)))
    if allowed:
        notes.append(say("Found and left as it is, as the policy says: {found}.", found=_listed(allowed)))
    notes += [
        say(
            "Left as it is under the signed declaration {declaration}: {found}.",
            declaration=each,
            found=_listed(findings.allowed(each)),
        )
        for each in declarations
    ]
    if categories := findings.categories():
        notes.append(say("Special categories (PDPA section 26): {found}.", found=_listed(categories)))
    if quarantined:
        notes.append(say("{records:records} quarantined.", records=_records(quarantined)))
    if failures:
        band = Band.FAIL
    elif notes:
        band = Band.WARN
    else:
        band = Band.PASS
        notes.append(say("No personal data was found in {records:figure} records.", records=f"{records:,}"))
    return GateVerdict(Gate.PII, band, (*failures, *notes), findings.rows())


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {entity_type}" for entity_type, count in counts.items())


def _records(count: int) -> str:
    if count == 1:
        return say("{count:figure} record is", count=count)
    return say("{count:figure} records are", count=f"{count:,}")
