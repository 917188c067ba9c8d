"""The consistency of a source stays true between two scorings: signing settles facts, reopening disputes them again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenant_pipeline.core.coverage.score import weighted
from tenant_pipeline.core.origin import Origin, UnitMode
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.services import roles
from tenant_pipeline.services.conflicts import bulk_signing
from tenant_pipeline.services.conflicts.matrix import update_conflicts
from tenant_pipeline.services.conflicts.reading import ALL, page_of_matrix
from tenant_pipeline.services.conflicts.signatures import Decision
from tenant_pipeline.services.conflicts.signing import Choice, reopen, resolve
from tenant_pipeline.services.coverage import counting
from tenant_pipeline.services.coverage.reading import ReadDimension, read_coverage
from tenant_pipeline.services.coverage.scope import Scope
from tenant_pipeline.services.coverage.scoring import update_coverage
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import get_source
from tests.integration.conflict_statements import ANN, BOB
from tests.integration.conftest import ATTACKER, TwoTenants
from tests.integration.hall_steps import assembled, csv_file
from tests.registered import registered


@pytest.fixture
def tenant(tenants: TwoTenants, tmp_path: Path) -> TenantId:
    tenant = registered(tenants.runtime, f"c{tmp_path.name.encode().hex()[-12:]}")
    for person in ("ann", "bob"):
        for each in (tenant, ATTACKER):
            roles.grant_role(tenants.runtime, each, person=person, role="reviewer", granted_by="test")
    return tenant


@pytest.fixture
def runtime(tenants: TwoTenants) -> Runtime:
    return tenants.runtime


def scored(runtime: Runtime, tenant: TenantId, folder: Path, capacity: int, name: str) -> SourceId:
    source = assembled(
        runtime, tenant, Origin.PARTNER_DOC, UnitMode.SINGLE_FILE, csv_file(folder, capacity, f"{name}.csv")
    )
    update_conflicts(runtime, tenant, source.id)
    update_coverage(runtime, tenant, source.id)
    return source.id


def consistency(runtime: Runtime, tenant: TenantId, source: SourceId) -> ReadDimension:
    return next(each for each in read_coverage(runtime, tenant, source) if each.dimension.id == "consistency")


def fraction(runtime: Runtime, tenant: TenantId, source: SourceId) -> tuple[int, int]:
    found = consistency(runtime, tenant, source).found
    return found.numerator, found.denominator


def counted_now(runtime: Runtime, tenant: TenantId, source: SourceId) -> tuple[int, int]:
    """What scoring the source now would find."""
    with runtime.database.tenant(tenant) as connection:
        facts = counting.facts(connection, Scope(tenant, source))
    return facts["shared"] - facts["disputed"], facts["shared"]


def shown_score(runtime: Runtime, tenant: TenantId, source: SourceId) -> float | None:
    with runtime.database.tenant(tenant) as connection:
        return get_source(connection, tenant, source).coverage_score


def weighted_now(runtime: Runtime, tenant: TenantId, source: SourceId) -> float | None:
    scores = [each.found for each in read_coverage(runtime, tenant, source)]
    return weighted(scores, runtime.contracts.coverage_dimensions)


def item_of(runtime: Runtime, tenant: TenantId) -> dict[str, str]:
    (item,) = page_of_matrix(runtime, tenant, ALL, limit=10).items
    return item


def test_a_signature_makes_both_sources_consistent_again_and_reopening_disputes_them(
    runtime: Runtime, tenant: TenantId, tmp_path: Path
) -> None:
    first = scored(runtime, tenant, tmp_path, 2500, "a")
    second = scored(runtime, tenant, tmp_path, 3500, "b")
    assert fraction(runtime, tenant, second) == counted_now(runtime, tenant, second) == (4, 5)
    before = shown_score(runtime, tenant, second)
    item = item_of(runtime, tenant)
    resolve(
        runtime, tenant, item["conflict_id"], digest=item["candidates_digest"],
        choice=Choice(Decision.CANDIDATE, 1), signer=ANN,
    )  # fmt: skip
    found = consistency(runtime, tenant, second)
    assert (found.found.numerator, found.found.denominator, found.counts_as) == (5, 5, "pass")
    assert found.found.explanation == "pass because none of the 5 shared facts are disputed"
    assert fraction(runtime, tenant, second) == counted_now(runtime, tenant, second)
    after = shown_score(runtime, tenant, second)
    assert before is not None
    assert after is not None
    assert after > before
    assert after == pytest.approx(weighted_now(runtime, tenant, second))
    numerator, denominator = fraction(runtime, tenant, first)
    assert numerator == denominator > 0, "scored when it was alone, and no longer unassessed"

    reopen(runtime, tenant, item["conflict_id"], signer=BOB)
    assert fraction(runtime, tenant, second) == counted_now(runtime, tenant, second) == (4, 5)
    assert "disputed" in consistency(runtime, tenant, second).found.explanation
    assert shown_score(runtime, tenant, second) == pytest.approx(before)


def test_a_signed_list_does_the_same_and_one_that_fails_changes_nothing(
    runtime: Runtime, tenant: TenantId, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored(runtime, tenant, tmp_path, 2500, "a")
    second = scored(runtime, tenant, tmp_path, 3500, "b")
    rule = {"proposed_rule": str(item_of(runtime, tenant)["proposed_rule"]), "verdict": "differs"}
    with runtime.database.tenant(tenant) as connection:
        connection.execute("UPDATE runtime.conflicts SET needs_person = false WHERE tenant_id = %s", (tenant,))
    digest = bulk_signing.preview(runtime, tenant, **rule)["digest"]
    with monkeypatch.context() as patch:
        patch.setattr(type(runtime.audit), "append", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            bulk_signing.sign_list(runtime, tenant, **rule, digest=digest, signer=ANN)
    assert fraction(runtime, tenant, second) == (4, 5)
    bulk_signing.sign_list(runtime, tenant, **rule, digest=digest, signer=ANN)
    assert fraction(runtime, tenant, second) == counted_now(runtime, tenant, second) == (5, 5)


def test_another_source_that_contradicts_lowers_those_that_were_scored_before(
    runtime: Runtime, tenant: TenantId, tmp_path: Path
) -> None:
    first = scored(runtime, tenant, tmp_path, 2500, "a")
    second = scored(runtime, tenant, tmp_path, 2500, "b")
    assert fraction(runtime, tenant, second) == (5, 5)
    scored(runtime, tenant, tmp_path, 9999, "c")
    assert fraction(runtime, tenant, second) == counted_now(runtime, tenant, second) == (4, 5)
    assert fraction(runtime, tenant, first)[0] < fraction(runtime, tenant, first)[1]
