"""Listings: word for word what was approved, seen by whom they allow, gone with the release that they tell of."""

from __future__ import annotations

import pytest

from tenant_pipeline.core.errors import InputError, NotAllowedError
from tenant_pipeline.core.lifecycle import StateForbidsError, TenantState
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services import lifecycle
from tenant_pipeline.services.approvals.queue import list_requests
from tenant_pipeline.services.approvals.refusals import ApprovalMissingError
from tenant_pipeline.services.feature_flags.overrides import SwitchedOffError, set_flag
from tenant_pipeline.services.going_live.listings import list_approved, request_listing
from tenant_pipeline.services.going_live.releases import publish_approved, request_rollback
from tenant_pipeline.services.marketplace.drafting import ListingTerms
from tenant_pipeline.services.marketplace.listing import list_listings, listing_history, withdraw
from tenant_pipeline.services.releases.reading import list_releases
from tenant_pipeline.services.runtime import Runtime
from tests.integration.conflict_statements import Sources
from tests.integration.conftest import ATTACKER, TwoTenants
from tests.integration.releasable import approve_everything, publish_draft, releasable, settle, went_live

PUBLIC = ListingTerms("public", "read", resell=False)


@pytest.fixture
def runtime(tenants: TwoTenants) -> Runtime:
    return tenants.runtime


@pytest.fixture
def made(runtime: Runtime) -> Sources:
    sources = releasable(runtime)
    publish_draft(runtime, sources.tenant)
    went_live(runtime, sources.tenant)
    return sources


def listed(runtime: Runtime, tenant: TenantId, terms: ListingTerms = PUBLIC) -> None:
    request_listing(runtime, tenant, terms, requested_by="kanya")
    approve_everything(runtime, tenant)
    list_approved(runtime, tenant, run_by="run")


def seen(runtime: Runtime, tenant: TenantId, viewer: TenantId | None) -> bool:
    return any(each["tenant"] == tenant for each in list_listings(runtime, viewer=viewer))


def test_a_listing_is_shown_only_with_its_approvals_and_says_what_was_approved(runtime: Runtime, made: Sources) -> None:
    (request,) = request_listing(runtime, made.tenant, PUBLIC, requested_by="kanya")
    approve_everything(runtime, made.tenant, but="gov")
    with pytest.raises(ApprovalMissingError, match="platform-governance"):
        list_approved(runtime, made.tenant, run_by="run")
    assert not seen(runtime, made.tenant, None)
    approve_everything(runtime, made.tenant)
    list_approved(runtime, made.tenant, run_by="run")
    (shown,) = [each for each in list_listings(runtime, viewer=None) if each["tenant"] == made.tenant]
    assert {key: shown[key] for key in request.content} == request.content
    assert (shown["entities"], shown["version"], shown["resell"]) == (2, "1.0.0", False)
    assert {each["label"] for each in shown["sample"]} == {"Phuket Hall", "Kata Pavilion"}
    assert (shown["languages"], shown["rights"]) == ({"en": 2, "th": 1, "zh": 1}, ["CC BY 4.0"])


def test_who_sees_a_listing_is_what_its_visibility_says(runtime: Runtime, made: Sources) -> None:
    partner = releasable(runtime).tenant
    listed(runtime, made.tenant, ListingTerms("partners", "listing", resell=False))
    assert (seen(runtime, made.tenant, None), seen(runtime, made.tenant, partner)) == (False, False)
    for state in (TenantState.REVIEW, TenantState.PILOT):
        with runtime.database.platform() as connection:
            lifecycle.move_on(runtime, connection, partner, state, approvals=["a"], person="run", reason="x")
    assert seen(runtime, made.tenant, partner)
    assert not seen(runtime, made.tenant, ATTACKER)
    listed(runtime, made.tenant, ListingTerms("private", "none", resell=False))
    assert (seen(runtime, made.tenant, partner), seen(runtime, made.tenant, made.tenant)) == (False, True)


def test_what_is_not_shared_is_not_in_the_listing(runtime: Runtime, made: Sources) -> None:
    listed(runtime, made.tenant, ListingTerms("public", "none", resell=False))
    (shown,) = [each for each in list_listings(runtime, viewer=None) if each["tenant"] == made.tenant]
    assert shown.keys().isdisjoint({"types", "sample", "coverage", "rights", "entities"})
    listed(runtime, made.tenant, ListingTerms("public", "listing", resell=False))
    (shown,) = [each for each in list_listings(runtime, viewer=None) if each["tenant"] == made.tenant]
    assert (shown["sample"], shown["entities"]) == ([], 2)


def test_a_release_a_rollback_and_a_word_each_take_it_down_and_nothing_signed_before_brings_it_back(
    runtime: Runtime, made: Sources
) -> None:
    listed(runtime, made.tenant)
    made.say(5, ("name", "en", "New Arena"), entity="can-arena", compare=False)
    settle(made)
    publish_draft(runtime, made.tenant)
    assert not seen(runtime, made.tenant, made.tenant)
    listed(runtime, made.tenant)
    with runtime.database.platform() as connection:
        first = list_releases(connection, made.tenant)[0]
    request_rollback(runtime, made.tenant, first.digest, requested_by="kanya", reason="Wrong")
    approve_everything(runtime, made.tenant)
    publish_approved(runtime, made.tenant, run_by="run")
    assert not seen(runtime, made.tenant, made.tenant)
    listed(runtime, made.tenant)
    request_listing(runtime, made.tenant, ListingTerms("public", "none", resell=False), requested_by="kanya")
    approve_everything(runtime, made.tenant)
    with pytest.raises(NotAllowedError):
        withdraw(runtime, made.tenant, person="rin", role="reviewer", reason="x")
    assert withdraw(runtime, made.tenant, person="anan", role="tenant-admin", reason="Renovation")
    assert not withdraw(runtime, made.tenant, person="anan", role="tenant-admin", reason="Renovation")
    with pytest.raises(ApprovalMissingError, match="nothing was asked for"):
        list_approved(runtime, made.tenant, run_by="run")
    assert [each["step"] for each in listing_history(runtime, made.tenant)] == ["listed", "withdrawn"] * 3


def test_an_approval_for_a_release_that_is_no_longer_live_lists_nothing(runtime: Runtime, made: Sources) -> None:
    request_listing(runtime, made.tenant, PUBLIC, requested_by="kanya")
    approve_everything(runtime, made.tenant)
    made.say(5, ("name", "en", "New Arena"), entity="can-arena", compare=False)
    settle(made)
    publish_draft(runtime, made.tenant)
    with pytest.raises(InputError, match="not live"):
        list_approved(runtime, made.tenant, run_by="run")
    with pytest.raises(ApprovalMissingError, match="nothing was asked for"):
        list_approved(runtime, made.tenant, run_by="run")
    assert not seen(runtime, made.tenant, made.tenant)


@pytest.mark.parametrize(
    "terms",
    [
        ListingTerms("everybody", "read", resell=False),
        ListingTerms("public", "all", resell=False),
        ListingTerms("private", "read", resell=False),
        ListingTerms("public", "listing", resell=True),
    ],
)
def test_terms_that_the_contract_does_not_know_or_that_contradict_are_refused(
    runtime: Runtime, made: Sources, terms: ListingTerms
) -> None:
    with pytest.raises(InputError):
        request_listing(runtime, made.tenant, terms, requested_by="kanya")


def test_a_tenant_is_listed_once_it_is_live_and_not_before(runtime: Runtime) -> None:
    made = releasable(runtime)
    for state in ("draft", "review"):
        with pytest.raises(StateForbidsError, match=state):
            request_listing(runtime, made.tenant, PUBLIC, requested_by="kanya")
        if state == "draft":
            publish_draft(runtime, made.tenant)
    went_live(runtime, made.tenant)
    listed(runtime, made.tenant)
    assert seen(runtime, made.tenant, None)


def test_stepping_back_from_live_takes_it_down_with_what_was_asked_for(runtime: Runtime, made: Sources) -> None:
    listed(runtime, made.tenant)
    (request,) = request_listing(
        runtime, made.tenant, ListingTerms("private", "none", resell=False), requested_by="kanya"
    )
    lifecycle.step_back(
        runtime, made.tenant, TenantState.PILOT, person="anan", role="tenant-admin", reason="Wrong hall"
    )
    assert not seen(runtime, made.tenant, made.tenant)
    assert [each["step"] for each in listing_history(runtime, made.tenant)] == ["listed", "withdrawn"]
    (ended,) = [each for each in list_requests(runtime, made.tenant) if each.request.id == request.request.id]
    assert [(step["step"], step["reason"]) for step in ended.steps] == [("withdrawn", "The tenant is pilot")]


def switch(runtime: Runtime, tenant: TenantId, *, on: bool) -> None:
    set_flag(runtime, tenant, "marketplace.listings", on, person="gov", role="platform-governance", reason="Dispute")


def test_listings_that_are_switched_off_are_neither_asked_for_nor_put_up_nor_shown(
    runtime: Runtime, made: Sources
) -> None:
    listed(runtime, made.tenant)
    request_listing(runtime, made.tenant, ListingTerms("public", "none", resell=False), requested_by="kanya")
    approve_everything(runtime, made.tenant)
    switch(runtime, made.tenant, on=False)
    assert not seen(runtime, made.tenant, made.tenant)
    with pytest.raises(SwitchedOffError, match="switched off"):
        request_listing(runtime, made.tenant, PUBLIC, requested_by="kanya")
    with pytest.raises(SwitchedOffError, match="switched off"):
        list_approved(runtime, made.tenant, run_by="run")
    switch(runtime, made.tenant, on=True)
    assert seen(runtime, made.tenant, None)
    assert list_approved(runtime, made.tenant, run_by="run")["share_scope"] == "none"
