"""Templates: published once, pinned by tenants, and left only upwards, by a plan that was looked at."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tenant_pipeline.core.errors import InputError, NotAllowedError, NotFoundError
from tenant_pipeline.services.approvals.refusals import OutdatedError
from tenant_pipeline.services.coverage.reading import read_coverage
from tenant_pipeline.services.going_live.releases import publish_approved, request_release
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.releases.checks import ReleaseRefusedError
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tenant_pipeline.services.templates import upgrading
from tenant_pipeline.services.templates.publishing import (
    keep_what_is_pinned,
    list_templates,
    publish_template,
    shipped,
)
from tenant_pipeline.services.templates.upgrading import UpgradePlan, plan_upgrade, upgrade
from tenant_pipeline.settings import Settings
from tests.installed import migrated_home
from tests.integration.conflict_statements import Sources
from tests.integration.releasable import approve_everything, publish_draft, releasable, settle

GOV = {"person": "gov", "role": "platform-governance"}


@pytest.fixture(scope="module")
def runtime(own_installation: Runtime) -> Runtime:
    """An installation with two templates beside the shipped one."""
    for template in (wider(own_installation), stricter(own_installation)):
        publish_template(own_installation, template, published_by="gov")
    return own_installation


@pytest.fixture
def made(runtime: Runtime) -> Sources:
    return releasable(runtime)


def content(runtime: Runtime, version: str, **types: dict[str, list[str]]) -> dict[str, Any]:
    """The shipped template with other rules for some types."""
    return {"version": version, "types": {**shipped(runtime).as_json()["types"], **types}}


def wider(runtime: Runtime) -> dict[str, Any]:
    """A template with one type more."""
    return content(runtime, "1.1.0", BusStop={"required": [], "optional": ["name"]})


def stricter(runtime: Runtime) -> dict[str, Any]:
    """A template that requires of a hall what the shipped one only takes."""
    optional = shipped(runtime).as_json()["types"]["EventVenue"]["optional"]
    rules = {"required": ["postalCode"], "optional": [each for each in optional if each != "postalCode"]}
    return content(runtime, "2.0.0", EventVenue=rules)


def test_a_published_template_never_changes_and_its_number_follows_its_changes() -> None:
    with migrated_home() as home, open_runtime(Settings(home=home)) as runtime:
        with pytest.raises(InputError, match=r"at least version 1\.1\.0"):
            publish_template(runtime, {**wider(runtime), "version": "1.0.1"}, published_by="gov")
        first = publish_template(runtime, wider(runtime), published_by="gov")
        assert publish_template(runtime, wider(runtime), published_by="gov") == first
        with pytest.raises(InputError, match=r"says something else"):
            publish_template(runtime, content(runtime, "1.1.0"), published_by="gov")
        with pytest.raises(InputError, match=r"at least version 2\.0\.0: .*EventVenue postalCode"):
            publish_template(runtime, {**stricter(runtime), "version": "1.2.0"}, published_by="gov")
        publish_template(runtime, stricter(runtime), published_by="gov")
        assert [each["version"] for each in list_templates(runtime)] == ["1.0.0", "1.1.0", "2.0.0"]
        with runtime.database.administration() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE runtime.templates SET content = '{}'")


def test_the_contracts_template_is_kept_from_the_first_tenant_on_that_is_pinned_to_it() -> None:
    def kept(runtime: Runtime) -> list[str]:
        keep_what_is_pinned(runtime)
        with runtime.database.platform() as connection:
            return [row["version"] for row in connection.execute("SELECT version FROM runtime.templates")]

    with migrated_home() as home, open_runtime(Settings(home=home)) as runtime:
        assert kept(runtime) == [], "everything can still be restored here"
        with runtime.database.platform() as connection:
            connection.execute(
                """
                INSERT INTO runtime.tenants
                       (id, name, domain, tier, status, db_schema_name, k8s_namespace, template_version)
                VALUES ('of-before', '{"th": "ก", "en": "a", "zh": "普"}', 'a.example', 'pilot', 'draft',
                        'tenant_of_before', 'tenant-of-before', '1.0.0')
                """
            )
        assert kept(runtime) == kept(runtime) == ["1.0.0"]


def test_an_upgrade_is_planned_looked_at_and_done_for_that_plan_only(runtime: Runtime, made: Sources) -> None:
    tenant = made.tenant
    request_release(runtime, tenant, requested_by="kanya")
    approve_everything(runtime, tenant)
    publish_approved(runtime, tenant, run_by="run")
    planned = plan_upgrade(runtime, tenant, "2.0.0")
    assert planned.lacking == ({"id": "can-pavilion", "type": "EventVenue", "lacks": ["postalCode"]},)
    with pytest.raises(InputError, match=r"1 entities lack what 2\.0\.0 requires: can-pavilion"):
        upgrade(runtime, tenant, "2.0.0", plan=planned.digest(), **GOV)
    made.say(3, ("postalCode", "", "83100"), entity="can-pavilion", compare=False, title="Post office")
    settle(made)
    request_release(runtime, tenant, requested_by="kanya")
    approve_everything(runtime, tenant)
    publish_approved(runtime, tenant, run_by="run")
    with pytest.raises(InputError, match=r"no longer the one"):
        upgrade(runtime, tenant, "2.0.0", plan=planned.digest(), **GOV)
    anew = plan_upgrade(runtime, tenant, "2.0.0")
    with pytest.raises(NotAllowedError):
        upgrade(runtime, tenant, "2.0.0", plan=anew.digest(), person="rin", role="reviewer")
    assert show_tenant(runtime, tenant)["template_version"] == "1.0.0"
    upgrade(runtime, tenant, "2.0.0", plan=anew.digest(), **GOV)
    assert show_tenant(runtime, tenant)["template_version"] == "2.0.0"
    with pytest.raises(InputError, match=r"no way down to 1\.1\.0"):
        plan_upgrade(runtime, tenant, "1.1.0")
    with pytest.raises(NotFoundError):
        plan_upgrade(runtime, tenant, "9.0.0")
    with runtime.database.tenant(tenant) as connection:
        actions = connection.execute(
            "SELECT action FROM runtime.audit_log WHERE tenant_id = %s AND action LIKE 'template.%%'", (tenant,)
        ).fetchall()
    assert [row["action"] for row in actions] == ["template.upgrade"]


def _live_and_about_to_publish_what_the_later_template_does_not_take(made: Sources) -> None:
    runtime, tenant = made.runtime, made.tenant
    made.say(3, ("postalCode", "", "83100"), entity="can-pavilion", compare=False, title="Post office")
    settle(made)
    publish_draft(runtime, tenant)
    made.say(4, ("name", "en", "New Arena"), entity="can-arena", compare=False, title="Press")
    settle(made)
    request_release(runtime, tenant, requested_by="kanya")
    approve_everything(runtime, tenant)


def test_a_release_that_was_built_before_an_upgrade_is_not_published_after_it(runtime: Runtime, made: Sources) -> None:
    tenant = made.tenant
    _live_and_about_to_publish_what_the_later_template_does_not_take(made)
    upgrade(runtime, tenant, "2.0.0", plan=plan_upgrade(runtime, tenant, "2.0.0").digest(), **GOV)
    with pytest.raises(OutdatedError, match=r"no longer at template 1\.0\.0"):
        publish_approved(runtime, tenant, run_by="run")
    with pytest.raises(ReleaseRefusedError, match="fits-template"):
        request_release(runtime, tenant, requested_by="kanya")


def test_what_is_published_between_the_plan_and_the_upgrade_keeps_the_upgrade_from_being_done(
    runtime: Runtime, made: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = made.tenant
    _live_and_about_to_publish_what_the_later_template_does_not_take(made)

    def planned_before_it_is_published(*given: Any) -> UpgradePlan:
        planned = plan_upgrade(*given)
        publish_approved(runtime, tenant, run_by="run")
        return planned

    plan = plan_upgrade(runtime, tenant, "2.0.0").digest()
    monkeypatch.setattr(upgrading, "plan_upgrade", planned_before_it_is_published)
    with pytest.raises(InputError, match=r"no longer the one"):
        upgrade(runtime, tenant, "2.0.0", plan=plan, **GOV)
    assert show_tenant(runtime, tenant)["template_version"] == "1.0.0"


def test_a_release_that_does_not_fit_its_template_is_refused(runtime: Runtime, made: Sources) -> None:
    with runtime.database.platform() as connection:
        connection.execute("UPDATE runtime.tenants SET template_version = '2.0.0' WHERE id = %s", (made.tenant,))
    with pytest.raises(ReleaseRefusedError, match=r"fits-template \(1 values that template 2.0.0 requires are missing"):
        request_release(runtime, made.tenant, requested_by="kanya")


def test_breadth_is_measured_by_the_tenants_own_template(runtime: Runtime, made: Sources) -> None:
    asked = len(runtime.contracts.template_types)
    breadth = {each.as_json()["dimension"]: each.as_json() for each in read_coverage(runtime, made.tenant)}["breadth"]
    assert breadth["denominator"] == asked
    with runtime.database.platform() as connection:
        connection.execute("UPDATE runtime.tenants SET template_version = '1.1.0' WHERE id = %s", (made.tenant,))
    later = {each.as_json()["dimension"]: each.as_json() for each in read_coverage(runtime, made.tenant)}["breadth"]
    assert later["denominator"] == len(
        next(each for each in list_templates(runtime) if each["version"] == "1.1.0")["types"]
    )
