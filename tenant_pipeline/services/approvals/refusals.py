"""Why an approval is refused, or refuses."""

from __future__ import annotations

from tenant_pipeline.core.errors import InputError, NotAllowedError


class ApprovalMissingError(NotAllowedError):
    """An operation lacks approvals. The message lists every gate that is still closed, and whom it waits for."""

    code = "approval-missing"


class RequestEndedError(InputError):
    """The request was decided, withdrawn, used or has expired: no word on it counts any more."""

    code = "approval-request-ended"


class OutdatedError(InputError):
    """What was approved can no longer be done: something else was published since, or the tenant's template is another.

    It has to be asked for anew.
    """

    code = "approval-outdated"


class SignatureRefusedError(NotAllowedError):
    """A decision that must be signed is not, or its signature is not that person's over that decision."""

    code = "signature-refused"
