"""Who asks, after their token was verified."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from tenant_pipeline.core.errors import NotAllowedError
from tenant_pipeline.core.tenancy import TenantId


@dataclass(frozen=True)
class Caller:
    """A person in one tenant: what their token says of them, and the roles that the tenant has given them.

    `until` is when their token is taken for the last time.
    """

    person: str
    tenant: TenantId
    roles: frozenset[str]
    until: datetime

    def require(self, allowed: Collection[str]) -> str:
        """The first of the allowed roles that the caller has. Raises NotAllowedError without any."""
        for role in allowed:
            if role in self.roles:
                return role
        raise NotAllowedError(
            "Your roles do not allow this", where=self.tenant, remedy=f"One of {', '.join(sorted(allowed))} may."
        )

    def acting_as(self, role: str | None, allowed: Collection[str]) -> str:
        """The role that the caller acts in: the one they name, or the first of the allowed ones that they have.

        Raises NotAllowedError for a role that is not theirs or not allowed.
        """
        if role is None:
            return self.require(allowed)
        return self.require([each for each in allowed if each == role])
