"""Identifiers name one thing: what shares one is one, what bears another of the same scheme is another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tenant_pipeline.core.digest import short_id
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.linking.features import Features

IdentifierKey = tuple[str, str, str]
"""Type, scheme and value of an identifier."""


def identifier_keys(entity: Features) -> list[IdentifierKey]:
    """The identifiers of an entity, each with the type that it is of."""
    return [(entity.type, scheme, value) for scheme, value in entity.identifiers]


def by_scheme(identifiers: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """The values of each scheme."""
    schemes: dict[str, set[str]] = {}
    for scheme, value in identifiers:
        schemes.setdefault(scheme, set()).add(value)
    return schemes


def contradict(left: Mapping[str, set[str]], right: Mapping[str, set[str]]) -> bool:
    """Whether both bear identifiers of some scheme but share none of it (see `by_scheme`)."""
    return any(not left[scheme] & right[scheme] for scheme in left.keys() & right.keys())


def own_id(tenant: TenantId, entity: Features) -> str:
    """The canonical id of an entity that nothing known is like: its identifier's where it has one, so that the order
    in which sources come does not matter."""
    if entity.identifiers:
        return short_id("can-", (tenant, entity.type, *min(entity.identifiers)))
    return short_id("can-", (tenant, entity.entity_id))
