"""What a person signs with a key of their own: their decision, word for word, and nothing that could be another's."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from tenant_pipeline.core.digest import Sha256, canonical_json
from tenant_pipeline.core.errors import InputError

DOMAIN = "tenant-runtime/approval/v1"
"""Says what the signature is for, so that one given for something else never counts (domain separation)."""


@dataclass(frozen=True)
class SignedDecision:
    """The decision that a signature covers."""

    tenant: str
    request: str
    gate: str
    subject_digest: Sha256
    person: str
    role: str
    decision: str
    reason: str


def bytes_to_sign(decision: SignedDecision) -> bytes:
    """The canonical JSON of the decision, with the domain before it."""
    return DOMAIN.encode() + b"\n" + canonical_json(vars(decision))


def from_base64(text: str, where: str) -> bytes:
    """The bytes of a signature, or of a person's key. Raises InputError for what is not base64."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise InputError("That is not base64", where=where) from None
