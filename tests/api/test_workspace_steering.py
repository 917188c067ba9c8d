"""What those who answer for a tenant do in the browser: read what was done, and steer what the tenant may and shows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.registry import register_tenant, update_tenant
from tenant_pipeline.services.runtime import Runtime
from tests.api.browser import People, browser, needs_browser
from tests.api.conftest import Served
from tests.integration.conflict_statements import Sources
from tests.integration.releasable import make_releasable

pytestmark = [pytest.mark.slow, needs_browser]

FERRY = TenantId("ferry-halls")


@pytest.fixture(scope="module")
def runtime_of(served: Served) -> Runtime:
    return served.runtime


@pytest.fixture(scope="module")
def halls(runtime_of: Runtime) -> Sources:
    """A tenant whose draft is fit to be published, with somebody in each role."""
    name = {"th": "ท่าเรือข้ามฟาก", "en": "Ferry halls", "zh": "渡轮会堂"}
    register_tenant(runtime_of, FERRY, name=name, domain="ferry.example", tier="pilot", actor="test")
    return make_releasable(Sources(runtime_of, FERRY))


@pytest.fixture(scope="module")
def people(served: Served, halls: Sources) -> Iterator[People]:
    with browser() as opened:
        yield People(opened, served, halls.tenant)


@pytest.fixture(autouse=True)
def _nothing_goes_wrong_unseen(people: People) -> Iterator[None]:
    people.complaints.clear()
    yield
    for context in people.browser.contexts:
        context.close()
    assert people.complaints == []


def test_the_audit_trail_is_searched_and_sent_to_somebody_else(people: People, runtime_of: Runtime) -> None:
    update_tenant(runtime_of, people.tenant, person="anan", tier="standard")
    anan = people.open("anan", "panel-overview")
    anan.get_by_text("Read and search").click()
    trail = anan.get_by_role("region", name="Audit trail")
    expect(trail.get_by_text("tenant.update")).to_be_visible()
    anan.get_by_label("What was done").fill("role")
    anan.get_by_label("To what").fill("rin")
    anan.get_by_label("To what").press("Enter")
    expect(trail.locator("tbody tr")).to_have_count(1)
    expect(trail.get_by_text("role.granted")).to_be_visible()
    query = dict(each.split("=") for each in anan.url.split("?")[1].split("&"))
    gov = people.open("gov", "panel-overview", **query)
    expect(gov.get_by_role("region", name="Audit trail").locator("tbody tr")).to_have_count(1)
