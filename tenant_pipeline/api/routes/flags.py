"""What is switched on for the tenant, and its own values of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field, StrictBool, StringConstraints

from tenant_pipeline.api.authentication.authenticator import CallerOf
from tenant_pipeline.api.callers import Caller
from tenant_pipeline.api.conditional import ConditionalRoute
from tenant_pipeline.api.once import OnceOnly
from tenant_pipeline.api.running import RuntimeOf
from tenant_pipeline.api.texts import AnyTime, Identifier, Reason
from tenant_pipeline.core.errors import NotFoundError
from tenant_pipeline.core.rows import row_as_json
from tenant_pipeline.services.feature_flags import overrides
from tenant_pipeline.services.feature_flags.registry import Flag as KnownFlag
from tenant_pipeline.services.feature_flags.registry import flags as known_flags
from tenant_pipeline.services.runtime import Runtime

router = APIRouter(prefix="/api/tenant/{tenant}/flags", tags=["flags"], route_class=ConditionalRoute)

Value = StrictBool | float | Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00]*$")]


class Flag(BaseModel):
    """A flag as it holds now. `owners` are the roles that may override it for the tenant."""

    flag: str
    type: str
    value: bool | float | str
    own: bool = Field(description="Whether the value is the tenant's own.")
    until: str | None = Field(description="When the tenant's own value ends; none for good.")
    default: bool | float | str
    minimum: float | None
    maximum: float | None
    owners: list[str]
    description: str


class Flags(BaseModel):
    """Every flag, and everything that was ever set and cleared."""

    flags: list[Flag]
    history: list[dict[str, Any]] = Field(description="Flag, act, value, person, role, reason, until; in order.")


class Override(BaseModel):
    """A value of the tenant's own, for good or until a time."""

    value: Value
    reason: Reason
    expires_at: AnyTime | None = None


class Clearing(BaseModel):
    """Why the default should hold again."""

    reason: Reason


@router.get("")
def flags(caller: CallerOf, runtime: RuntimeOf) -> Flags:
    """Every flag as it holds for the tenant."""
    return _flags(runtime, caller)


@router.put("/{flag}")
def override(flag: Identifier, wanted: Override, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> Flags:
    """Give a flag a value of the tenant's own. Only a role that owns the flag may."""
    role = caller.require(_known(flag).owners)

    def act() -> Flags:
        overrides.set_flag(
            runtime,
            caller.tenant,
            flag,
            wanted.value,
            person=caller.person,
            role=role,
            reason=wanted.reason,
            expires_at=wanted.expires_at,
        )
        return _flags(runtime, caller)

    return once.answer(caller, act)


@router.delete("/{flag}")
def clear(flag: Identifier, why: Clearing, caller: CallerOf, runtime: RuntimeOf, once: OnceOnly) -> Flags:
    """Let the flag's default hold again."""
    role = caller.require(_known(flag).owners)

    def act() -> Flags:
        overrides.clear_flag(runtime, caller.tenant, flag, person=caller.person, role=role, reason=why.reason)
        return _flags(runtime, caller)

    return once.answer(caller, act)


def _known(flag: str) -> KnownFlag:
    try:
        return known_flags()[flag]
    except KeyError:
        raise NotFoundError(
            "There is no such flag", where="flag", remedy=f"One of {', '.join(known_flags())}."
        ) from None


def _flags(runtime: Runtime, caller: Caller) -> Flags:
    return Flags(
        flags=[Flag.model_validate(row_as_json(each)) for each in overrides.list_flags(runtime, caller.tenant)],
        history=[row_as_json(row) for row in overrides.history_of(runtime, caller.tenant)],
    )
