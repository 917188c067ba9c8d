"""What a listing says of a tenant's live release: exactly this is approved, and nothing else is ever shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from tenant_pipeline.core.approval.operation import Operation
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.release.difference import label_of
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import registry
from tenant_pipeline.services.coverage.reading import read_coverage
from tenant_pipeline.services.feature_flags.overrides import require_on
from tenant_pipeline.services.marketplace.listing import LISTINGS
from tenant_pipeline.services.releases.reading import documents_of, live_release
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.tenant_state import require_fitting

SAMPLE = 12
"""How many entities a listing shows where the tenant shares reading."""
NEVER_SHOWN = ("Person",)


@dataclass(frozen=True)
class ListingTerms:
    """What the tenant allows: who sees the listing, how much it shares, and whether it may be resold."""

    visibility: str
    share_scope: str
    resell: bool


def draft_listing(runtime: Runtime, tenant: TenantId, terms: ListingTerms) -> dict[str, Any]:
    """The listing of the tenant's live release under these terms: what gate-marketplace approves.

    Raises InputError for terms that the contract does not know or that contradict each other, StateForbidsError where
    the tenant is not live, SwitchedOffError where listings are off.
    """
    row = registry.show_tenant(runtime, tenant)
    _require_known(runtime, terms)
    with runtime.database.platform() as connection:
        require_fitting(connection, tenant, Operation.LISTING)
        require_on(connection, tenant, LISTINGS, runtime.now())
        live = live_release(connection, tenant)
    if live is None:
        raise InputError("Nothing is live", where=tenant, remedy="A listing is derived from a published release.")
    types: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    rights: set[str] = set()
    sample: list[dict[str, Any]] = []
    for document in documents_of(runtime, tenant, live):
        types[document["type"]] += 1
        languages.update(language for language, names in document["names"].items() if names)
        rights.update(source["rights"] for value in document["values"] for source in value["sources"])
        if terms.share_scope == "read" and len(sample) < SAMPLE and document["type"] not in NEVER_SHOWN:
            sample.append({"id": document["id"], "type": document["type"], "label": label_of(document)})
    content = {
        "tenant": tenant,
        "title": row["name"],
        "domain": row["domain"],
        "release": live.digest,
        "version": live.version,
        "visibility": terms.visibility,
        "share_scope": terms.share_scope,
        "resell": terms.resell,
    }
    if terms.share_scope == "none":
        return content
    return {
        **content,
        "entities": live.entities,
        "types": dict(sorted(types.items())),
        "languages": dict(sorted(languages.items())),
        "rights": sorted(rights - {""}),
        "coverage": {each.dimension.id: str(each.found.band) for each in read_coverage(runtime, tenant)},
        "sample": sample,
    }


def _require_known(runtime: Runtime, terms: ListingTerms) -> None:
    rules = runtime.contracts.documents["enterprise_intake"]["shareability_and_resellability"]
    for given, known, where in (
        (terms.visibility, rules["visibility"], "--visibility"),
        (terms.share_scope, rules["share_scope"], "--share-scope"),
    ):
        if given not in known:
            raise InputError("The contract knows no such term", where=where, remedy=f"One of {', '.join(known)}.")
    if terms.visibility == "private" and terms.share_scope != "none":
        raise InputError(
            "What is private is shared with nobody", where="--share-scope", remedy="Give none, or another visibility."
        )
    if terms.resell and terms.share_scope != "read":
        raise InputError(
            "Only what others may read can be resold", where="--resell", remedy="Share reading, or leave it out."
        )
