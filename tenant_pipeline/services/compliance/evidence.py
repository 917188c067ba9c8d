"""The evidence pack of a tenant: each control, looked at now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tenant_pipeline.core.compliance.control import Control, Standing
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.pii.special_categories import SPECIAL_CATEGORY
from tenant_pipeline.services import gates, registry, sources
from tenant_pipeline.services.audit_trail import verify_audit
from tenant_pipeline.services.compliance.breaches import list_breaches
from tenant_pipeline.services.compliance.processing_records import covers, processing_records
from tenant_pipeline.services.compliance.rescan import rescan
from tenant_pipeline.services.provisioning.operations import Act, operations
from tenant_pipeline.services.releases.reading import publishing_history
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source

_LOOSE = """
SELECT class.relname FROM pg_class AS class
  JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attname = 'tenant_id'
 WHERE class.relnamespace = 'runtime'::regnamespace AND class.relkind IN ('r', 'p')
   AND NOT (class.relrowsecurity AND class.relforcerowsecurity)
"""
_BOUND = (
    "SELECT count(*) AS tables FROM pg_attribute AS attribute JOIN pg_class AS class ON class.oid = attrelid"
    " WHERE attname = 'tenant_id' AND relnamespace = 'runtime'::regnamespace AND relkind IN ('r', 'p')"
)


def gather_evidence(runtime: Runtime, tenant: TenantId) -> list[Control]:
    """Every control of the tenant with its evidence. Raises NotFoundError for no such tenant."""
    row = registry.show_tenant(runtime, tenant)
    every = sources.list_sources(runtime, tenant)
    found = _personal_data(runtime, tenant)
    records = processing_records(runtime, tenant)
    return [
        _agreement(row, found),
        _lawful_basis(every, found, records),
        _special_categories(every, found, records),
        _retention(runtime, every, records),
        _cross_border(records),
        _erasure(runtime, tenant),
        _breaches(runtime, tenant),
        _no_raw_identifiers(runtime, tenant),
        _row_level_security(runtime),
        _isolation(runtime, tenant),
        _approvals(runtime, tenant),
        _audit_log(runtime, tenant),
    ]


def _personal_data(runtime: Runtime, tenant: TenantId) -> dict[str, set[str]]:
    """The types of personal data that the last verdict of the PII gate found, by source."""
    with runtime.database.tenant(tenant) as connection:
        states = gates.states(connection, tenant, runtime.now())
    found: dict[str, set[str]] = {}
    for state in states:
        if str(state.gate) == "pii":
            found.setdefault(state.source, {str(each.get("entity_type", "")) for each in state.findings} - {""})
    return {source: types for source, types in found.items() if types}


def _standing(is_met: bool) -> Standing:
    return Standing.MET if is_met else Standing.NOT_MET


def _agreement(row: Mapping[str, Any], found: Mapping[str, set[str]]) -> Control:
    reference = row["pdpa_agreement_ref"]
    return Control(
        "data-handling-agreement", "PDPA s.40", "processing for a controller rests on an agreement",
        _standing(reference is not None or not found),
        {"reference": reference or "none", "sources_with_personal_data": len(found)},
        "`tenant-pipeline tenant update --pdpa-agreement` records it.",
    )  # fmt: skip


def _lawful_basis(every: list[Source], found: Mapping[str, set[str]], records: list[dict[str, Any]]) -> Control:
    without = [
        each.id
        for each in every
        if each.id in found and not any(covers(record, str(each.origin)) for record in records)
    ]
    return Control(
        "lawful-basis", "PDPA s.19, 21, 24, 39", "each processing of personal data has a purpose and a lawful basis",
        _standing(not without),
        {
            "sources_with_personal_data": len(found),
            "without_a_record": without,
            "purposes": [f"{record['purpose']} ({record['basis']})" for record in records],
        },
        "`tenant-pipeline compliance declare` records the purpose, the basis and how long.",
    )  # fmt: skip


def _special_categories(every: list[Source], found: Mapping[str, set[str]], records: list[dict[str, Any]]) -> Control:
    special = [each for each in every if SPECIAL_CATEGORY in found.get(each.id, ())]
    without = [
        each.id
        for each in special
        if not any(record["special_basis"] and covers(record, str(each.origin)) for record in records)
    ]
    return Control(
        "special-categories", "PDPA s.26", "special categories have an explicit ground of their own",
        _standing(not without),
        {"sources_with_special_categories": [each.id for each in special], "without_a_ground": without},
        "Declare the processing with a special basis, or have the field dropped (`privacy declare`).",
    )  # fmt: skip


def _retention(runtime: Runtime, every: list[Source], records: list[dict[str, Any]]) -> Control:
    now, overdue = runtime.now(), []
    for each in every:
        days = [record["retention_days"] for record in records if covers(record, str(each.origin))]
        if days and each.received_at + timedelta(days=max(days)) < now:
            overdue.append(each.id)
    return Control(
        "retention", "PDPA s.37 (3)", "nothing is kept longer than was declared",
        _standing(not overdue) if records else Standing.FOR_PEOPLE,
        {"sources": len(every), "kept_too_long": overdue, "declared_days": [r["retention_days"] for r in records]},
        "Decide whether they are still needed, and declare it, or have them erased.",
    )  # fmt: skip


def _cross_border(records: list[dict[str, Any]]) -> Control:
    abroad = {country: ground for record in records for country, ground in record["destinations"].items()}
    return Control(
        "cross-border", "PDPA s.28, 29", "data go abroad only on a declared safeguard",
        Standing.FOR_PEOPLE,
        {"declared": [f"{country}: {ground}" for country, ground in sorted(abroad.items())],
         "note": "the runtime itself sends nothing; where its database and objects lie is the operator's to know"},
    )  # fmt: skip


def _erasure(runtime: Runtime, tenant: TenantId) -> Control:
    with runtime.database.platform() as connection:
        steps = connection.execute(
            "SELECT version, step, taken_at FROM runtime.digest_key_steps WHERE tenant_id = %s ORDER BY taken_at",
            (tenant,),
        ).fetchall()
    destroyed = [
        f"version {row['version']} at {row['taken_at'].isoformat()}" for row in steps if row["step"] == "destroyed"
    ]
    return Control(
        "erasure", "PDPA s.33", "personal data are erased when asked for",
        Standing.FOR_PEOPLE,
        {"digest_keys_destroyed": destroyed,
         "note": "destroying a key cuts pseudonyms off from their values; one person's statements are erased by hand"},
    )  # fmt: skip


def _breaches(runtime: Runtime, tenant: TenantId) -> Control:
    now, every = runtime.now(), list_breaches(runtime, tenant)
    return Control(
        "breach-clock", "PDPA s.37 (4)", "the office is told of a breach within 72 hours",
        _standing(not any(each.is_late(now) for each in every)),
        {
            "breaches": len(every),
            "late": [each.id for each in every if each.is_late(now)],
            "running": [f"{each.id} until {each.due_at.isoformat()}" for each in every if each.notified_at is None],
        },
        "Tell the office, and record it with `tenant-pipeline compliance notified`.",
    )  # fmt: skip


def _no_raw_identifiers(runtime: Runtime, tenant: TenantId) -> Control:
    result = rescan(runtime, tenant)
    return Control(
        "no-raw-identifiers", "PDPA s.37 (1)", "identifiers that must not stand raw are found nowhere",
        _standing(not result.found),
        {
            "texts_looked_at": result.looked_at.total(),
            "places": len(result.looked_at),
            "found": [f"{place} ({count})" for place, count in sorted(result.found.items())],
        },
        "Run the sources again from `screen`, and find out how they came there.",
    )  # fmt: skip


def _row_level_security(runtime: Runtime) -> Control:
    with runtime.database.platform() as connection:
        loose = [row["relname"] for row in connection.execute(_LOOSE).fetchall()]
        bound = connection.execute(_BOUND).fetchone()
    return Control(
        "row-level-security", "PDPA s.37 (1)", "each tenant's rows are kept apart by the database itself",
        _standing(not loose),
        {"tenant_bound_tables": bound["tables"] if bound else 0, "not_forced": loose},
        "`tenant-pipeline pentest` shows what comes through; restore the policies by the migrations.",
    )  # fmt: skip


def _isolation(runtime: Runtime, tenant: TenantId) -> Control:
    with runtime.database.platform() as connection:
        done = [each for each in operations(connection, tenant) if each.act is Act.PROVISION and each.outcome == "done"]
    if not done:
        return Control(
            "instance-isolation", "PDPA s.37 (1)", "the tenant's instance reaches nobody else's data",
            Standing.FOR_PEOPLE, {"note": "there is no instance"},
        )  # fmt: skip
    probes = [each.detail for each in done[0].steps if each.step == "isolation_probe" and each.detail]
    probe = dict(probes[-1]) if probes else {}
    return Control(
        "instance-isolation", "PDPA s.37 (1)", "the tenant's instance reaches nobody else's data",
        _standing(bool(probe.get("attempts_in_all")) and not probe.get("came_through")),
        {"probed_at": done[0].begun_at.isoformat(), "attempts": probe.get("attempts_in_all", 0),
         "came_through": probe.get("came_through", []), "not_tried": probe.get("not_tried", [])},
        "Provision the instance again: the probe takes it down where anything comes through.",
    )  # fmt: skip


def _approvals(runtime: Runtime, tenant: TenantId) -> Control:
    with runtime.database.platform() as connection:
        published = [each for each in publishing_history(connection, tenant) if each["stage"] == "published"]
        given = {
            str(row["id"])
            for row in connection.execute(
                "SELECT id FROM runtime.approvals WHERE tenant_id = %s AND decision = 'approve'", (tenant,)
            )
        }
    without = [each["id"] for each in published if not each["approvals"] or not set(each["approvals"]) <= given]
    return Control(
        "approvals", "PDPA s.39", "nothing is published but on people's approvals",
        _standing(not without),
        {"publications": len(published), "without_their_approvals": without},
        "Go back to a release that was approved, and find out who published this one.",
    )  # fmt: skip


def _audit_log(runtime: Runtime, tenant: TenantId) -> Control:
    (chain,) = verify_audit(runtime, tenant)
    return Control(
        "audit-log", "PDPA s.39", "what was done can be shown, and not changed unseen",
        _standing(bool(chain["intact"])),
        {"entries": chain["entries"], "checkpoints": chain["checkpoints"], "problem": chain["problem"] or "none"},
        "Compare with the copy of the checkpoints; `tenant-pipeline audit verify` names the entry.",
    )  # fmt: skip
