"""Tenant ids become roles, schemas and namespaces: only harmless ones pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.digest import short_id
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.tenancy import from_partition_key, partition_key, source_id, tenant_id

SLUG = r"[a-z]([a-z0-9]|-[a-z0-9]){2,15}[a-z0-9]"


@given(tenant=st.from_regex(SLUG, fullmatch=True), source=st.from_regex("src-[0-9a-f]{16}", fullmatch=True))
def test_a_partition_key_leads_back_to_its_tenant_and_source(tenant: str, source: str) -> None:
    key = partition_key(tenant_id(tenant), source_id(source))
    assert from_partition_key(key) == (tenant, source)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ab",
        "Ab-c",
        "a b",
        "a--b",
        "-abc",
        "abc-",
        "a_b",
        "1abc",
        "ภูเก็ต",
        "abc|d",
        "a\n",
        "abc\n",
        "a'; DROP",
        "x" * 41,
    ],
)
def test_anything_but_a_slug_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        tenant_id(text)


@pytest.mark.parametrize("key", ["", "tenant", "tenant|", "|src-0123456789abcdef", "tenant|src-xyz", "a|b|c"])
def test_anything_but_tenant_and_source_is_no_partition_key(key: str) -> None:
    with pytest.raises(InputError):
        from_partition_key(key)


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_ids_differ_when_their_parts_do(left: list[str], right: list[str]) -> None:
    assert (short_id("x-", left) == short_id("x-", right)) == (left == right)
