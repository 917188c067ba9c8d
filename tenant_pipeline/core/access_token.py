"""What a verified access token says: who, for which tenant, until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tenant_pipeline.core.tenancy import TenantId

LONGEST_PERSON = 200
"""Characters of whom a token is of."""


@dataclass(frozen=True)
class AccessToken:
    """The claims that count (RFC 9068), read from a token whose signature, issuer, audience and times were verified."""

    id: str
    issuer: str
    person: str
    tenant: TenantId
    issued_at: datetime
    expires_at: datetime
