"""Names and owners: valid for every tenant, never the same for two, and nothing of anyone else's is taken for ours."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.core.tenancy import TenantId, tenant_id
from tenant_pipeline.provisioning.kubernetes.naming import check_namespace
from tenant_pipeline.provisioning.kubernetes.objects.identity import Identity
from tenant_pipeline.provisioning.kubernetes.ownership import OWNER, check_owned, labels, owner_uid

TENANTS = st.from_regex(re.compile(r"[a-z](?:[a-z0-9]|-(?!-)){1,38}[a-z0-9]", re.ASCII), fullmatch=True).map(tenant_id)
INSTALLATIONS = st.text(min_size=1, max_size=20).filter(lambda text: "\n" not in text)

_LABEL_VALUE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", re.ASCII)


@given(tenant=TENANTS)
def test_every_tenant_has_a_valid_namespace_and_valid_labels(tenant: TenantId) -> None:
    assert check_namespace(f"tenant-{tenant}") == f"tenant-{tenant}"
    assert all(_LABEL_VALUE.fullmatch(value) for value in labels(tenant).values())


@given(
    one=st.tuples(INSTALLATIONS, TENANTS, TENANTS),
    other=st.tuples(INSTALLATIONS, TENANTS, TENANTS),
)
def test_two_instances_have_one_owner_only_if_installation_tenant_and_namespace_are_the_same(
    one: tuple[str, TenantId, TenantId], other: tuple[str, TenantId, TenantId]
) -> None:
    assert (owner_uid(*one) == owner_uid(*other)) == (one == other)


@given(tenant=TENANTS, other=TENANTS, installation=INSTALLATIONS, second=INSTALLATIONS)
def test_only_the_tenants_own_by_the_same_installation_is_taken_for_ours(
    tenant: TenantId, other: TenantId, installation: str, second: str
) -> None:
    namespace = f"tenant-{tenant}"
    owner = owner_uid(installation, tenant, namespace)
    live = Identity(tenant, namespace, owner).new_namespace()
    check_owned(live, tenant, owner)
    if other != tenant:
        with pytest.raises(ProvisioningError, match="another tenant"):
            check_owned(live, other, owner_uid(installation, other, namespace))
    if second != installation:
        with pytest.raises(ProvisioningError, match="another installation"):
            check_owned(live, tenant, owner_uid(second, tenant, namespace))


@pytest.mark.parametrize("metadata", [{}, {"labels": None}, {"labels": {}, "annotations": None}])
def test_what_bears_no_mark_is_not_ours_and_the_refusal_names_it(metadata: dict[str, object]) -> None:
    live = {"kind": "Secret", "metadata": {"name": "nerve", "namespace": "tenant-a"} | metadata}
    with pytest.raises(ProvisioningError) as refusal:
        check_owned(live, TenantId("abc"), "owner")
    assert refusal.value.where == "Secret tenant-a/nerve"
    assert "Delete or rename it" in refusal.value.remedy


def test_our_label_without_our_owner_is_not_enough() -> None:
    body = Identity(TenantId("abc"), "tenant-abc", "owner").new("v1", "Secret", "nerve")
    del body["metadata"]["annotations"][OWNER]
    with pytest.raises(ProvisioningError, match="another installation"):
        check_owned(body, TenantId("abc"), "owner")


@pytest.mark.parametrize(
    "namespace",
    ["", "default", "kube-system", "kube-public", "Tenant", "a_b", "-a", "a-", "a.b", "a/b", "a" * 64, "tenant-ไทย"],
)
def test_a_namespace_that_cannot_be_a_tenants_is_refused(namespace: str) -> None:
    with pytest.raises(ProvisioningError):
        check_namespace(namespace)
