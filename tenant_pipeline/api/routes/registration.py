"""Registering a tenant, and who has which role in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, StringConstraints

from tenant_pipeline.api.authentication.authenticator import CallerOf, TokenOf
from tenant_pipeline.api.callers import Caller
from tenant_pipeline.api.conditional import ConditionalRoute
from tenant_pipeline.api.once import OnceOnly
from tenant_pipeline.api.problems import ProblemError
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.api.texts import Line, RoleName, TenantSlug
from tenant_pipeline.core.access_token import AccessToken
from tenant_pipeline.core.errors import NotAllowedError
from tenant_pipeline.core.platform_roles import PLATFORM_ROLES
from tenant_pipeline.core.rows import row_as_json
from tenant_pipeline.services import registry
from tenant_pipeline.services import roles as tenant_roles
from tenant_pipeline.services.runtime import Runtime

router = APIRouter(tags=["registry"], route_class=ConditionalRoute)

MAY_GRANT: Mapping[str, tuple[str, ...]] = {
    "viewer": ("tenant-admin", "platform-governance"),
    "contributor": ("tenant-admin", "platform-governance"),
    "reviewer": ("tenant-admin", "platform-governance"),
    "tenant-admin": ("tenant-admin", "platform-governance"),
}
"""Who may give a role here. The platform's own roles are given by its operator alone."""

DomainName = Annotated[str, StringConstraints(min_length=3, max_length=253, pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]
CHANGING_ROLES = ("tenant-admin", "platform-governance")
TIER_ROLES = ("platform-governance",)


class Names(BaseModel):
    """A name in the three languages."""

    th: Line
    en: Line
    zh: Line


class SomeNames(BaseModel):
    """A name in some of the three languages; in the others it stays."""

    model_config = ConfigDict(extra="forbid")

    th: Line | None = None
    en: Line | None = None
    zh: Line | None = None


class Registration(BaseModel):
    """A tenant to be registered. `pdpa_agreement_ref` is asked for before any personal data is taken in."""

    id: TenantSlug
    name: Names
    domain: DomainName
    tier: Line = "pilot"
    pdpa_agreement_ref: Line | None = None


class TenantChange(BaseModel):
    """What is to be changed; what is left out stays. The tier is platform governance's to change."""

    name: SomeNames | None = None
    domain: DomainName | None = None
    tier: Line | None = None
    pdpa_agreement_ref: Line | None = None


class Tenant(BaseModel):
    """A tenant's row of the registry."""

    id: str
    name: Names
    domain: str
    tier: str
    status: str
    template_version: str
    pdpa_agreement_ref: str | None
    founder_signoff_ref: str | None
    created_at: str
    go_live_at: str | None


class Role(BaseModel):
    """A role that a person has."""

    person: str
    role: str
    granted_by: str
    granted_at: str


class RoleChange(BaseModel):
    """A person and a role."""

    person: Line
    role: RoleName


class Roles(BaseModel):
    """Who has which role."""

    roles: list[Role]


@router.post("/api/tenant/register", status_code=201)
def register(registration: Registration, token: TokenOf, request: Request, runtime: RuntimeOf) -> Tenant:
    """Register the tenant that your token names, as a draft; you become its admin.

    Whoever answers for the installation holds their role in it from the start, so that its gates wait for somebody.
    Sent again by its admin with the same content, it answers the same. The tenant goes live only through its gates,
    which the founder signs for the first pilot.
    """
    if token.tenant != registration.id:
        raise ProblemError(403, "other-tenant", "Your token is for another tenant", "Use one for the tenant's id.")
    roles_held = request.app.state.authenticator.roles(token)
    if any(row["id"] == token.tenant for row in registry.list_tenants(runtime)):
        known = _tenant(runtime, token)
        same = registration.model_dump() == known.model_dump(include=set(Registration.model_fields))
        if same and "tenant-admin" in roles_held:
            return known
        raise ProblemError(
            409, "tenant-registered", "The tenant is registered already", "Have its admin give you a role."
        )
    registry.register_tenant(
        runtime,
        token.tenant,
        name=registration.name.model_dump(),
        domain=registration.domain,
        tier=registration.tier,
        actor=token.person,
        pdpa_agreement_ref=registration.pdpa_agreement_ref,
        admin=token.person,
    )
    return _tenant(runtime, token)


def _tenant(runtime: Runtime, of: AccessToken | Caller) -> Tenant:
    return Tenant.model_validate(row_as_json(registry.show_tenant(runtime, of.tenant)))


@router.get("/api/tenant/{tenant}")
def show(caller: CallerOf, runtime: RuntimeOf) -> Tenant:
    """The tenant's row of the registry."""
    return _tenant(runtime, caller)


@router.patch("/api/tenant/{tenant}")
def update(changed: TenantChange, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> Tenant:
    """Change what is known of the tenant. Its id, and the names that are made from it, never change."""
    caller.require(CHANGING_ROLES if changed.tier is None else TIER_ROLES)

    def act() -> Tenant:
        registry.update_tenant(
            runtime,
            caller.tenant,
            person=caller.person,
            name=changed.name.model_dump(exclude_none=True) if changed.name else None,
            domain=changed.domain,
            tier=changed.tier,
            pdpa_agreement_ref=changed.pdpa_agreement_ref,
        )
        return _tenant(runtime, caller)

    return once.answer(caller, act)


@router.get("/api/tenant/{tenant}/roles")
def roles(caller: CallerOf, runtime: RuntimeOf) -> Roles:
    """Who has which role."""
    held = tenant_roles.list_roles(runtime, caller.tenant)
    return Roles(roles=[Role.model_validate(row_as_json(row)) for row in held])


@router.post("/api/tenant/{tenant}/roles")
def grant(change: RoleChange, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> Roles:
    """Give a person a role."""
    _require_granter(caller, change.role)

    def act() -> Roles:
        tenant_roles.grant_role(
            runtime, caller.tenant, person=change.person, role=change.role, granted_by=caller.person
        )
        return roles(caller, runtime)

    return once.answer(caller, act)


@router.delete("/api/tenant/{tenant}/roles")
def revoke(change: RoleChange, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> Roles:
    """Take a role from a person again."""
    _require_granter(caller, change.role)

    def act() -> Roles:
        tenant_roles.revoke_role(
            runtime, caller.tenant, person=change.person, role=change.role, revoked_by=caller.person
        )
        return roles(caller, runtime)

    return once.answer(caller, act)


def _require_granter(caller: Caller, role: str) -> None:
    if role in PLATFORM_ROLES:
        raise NotAllowedError(
            "This role is the installation's to give, not the tenant's",
            where="role",
            remedy="Ask whoever runs it: `tenant-pipeline role grant`, or `role appoint` for every new tenant.",
        )
    if role not in MAY_GRANT:
        raise NotAllowedError("There is no such role to give", where="role", remedy=f"One of {', '.join(MAY_GRANT)}.")
    caller.require(MAY_GRANT[role])
