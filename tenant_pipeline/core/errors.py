"""One small tree of errors: what was wrong, where, and what to do about it."""

from __future__ import annotations


class TenantRuntimeError(Exception):
    """Base of every error that a user may meet.

    `what` says what was wrong, `where` names the file, field or row, `remedy` what to do. None of the three may
    carry a value read from a source, a secret or a DSN: they are shown, logged and stored.
    """

    code = "runtime-error"

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        super().__init__(what)

    def __str__(self) -> str:
        place = f" [{self.where}]" if self.where else ""
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{self.what}{place}.{remedy}" if not self.what.endswith(".") else f"{self.what}{place}{remedy}"


class ContractError(TenantRuntimeError):
    """A contract file is broken, newer than the code, or short of a label."""

    code = "contract-invalid"


class SettingsError(TenantRuntimeError):
    """The installation is configured in a way that cannot work."""

    code = "settings-invalid"


class NotFoundError(TenantRuntimeError):
    """A tenant, source or stage record does not exist, or is not the caller's to see."""

    code = "not-found"


class HeldError(TenantRuntimeError):
    """A legal hold stands: nothing of the tenant may be pruned or erased."""

    code = "legal-hold"


class InputError(TenantRuntimeError):
    """What a user handed in cannot be used as it is."""

    code = "input-invalid"


class NotAllowedError(TenantRuntimeError):
    """The person has not the role that the act asks for, or may not act on a request of their own."""

    code = "not-allowed"


class ProvisioningError(TenantRuntimeError):
    """An instance could not be brought up or taken down, or what stands in its place is not ours to change."""

    code = "provisioning-failed"


class SourceStoppedError(TenantRuntimeError):
    """A source cannot go on: nothing readable, a closed gate, or an upstream stage that has not run."""

    code = "source-stopped"


class DecidedMeanwhileError(SourceStoppedError):
    """What holds for a source has changed since its run began: no fault of the source, which has to begin anew."""

    code = "decided-meanwhile"


class SourceWithdrawnError(SourceStoppedError):
    """A source was withdrawn: it is in no line and in no run any more."""

    code = "source-withdrawn"


class GateClosedError(SourceStoppedError):
    """A gate's verdict keeps the source from going on."""

    code = "gate-closed"


class OutageError(TenantRuntimeError):
    """Something around us is away. No source is at fault: the work is put in line again, and tried with patience."""

    code = "outage"


class StoreUnavailableError(OutageError):
    """The object store does not answer, or fails again and again."""

    code = "object-store-unavailable"


class DatabaseUnavailableError(OutageError):
    """The database does not answer, or has nothing left to answer with."""

    code = "database-unavailable"


class MachineExhaustedError(OutageError):
    """The machine has no more of what everybody needs: disk, file descriptors."""

    code = "machine-exhausted"


class RunNotStartedError(OutageError):
    """A run ended before it had begun: nothing of it has been touched."""

    code = "run-not-started"


class ProcessLostError(TenantRuntimeError):
    """A process that worked for a stage was ended from outside, most likely for want of memory."""

    code = "process-lost"


class RunGoneError(TenantRuntimeError):
    """A source was on its way in no run: its run was deleted, is not known any more, or went only part of the way."""

    code = "run-gone"


class RunCancelledError(TenantRuntimeError):
    """A person has ended a run."""

    code = "run-cancelled"


class StageFaultError(TenantRuntimeError):
    """A stage failed in a way that nobody foresaw: a fault of the code, met by one source."""

    code = "stage-fault"


class ConservationError(TenantRuntimeError):
    """A stage lost or invented rows: rows in differ from rows out + rejected + quarantined."""

    code = "conservation-broken"


class IntegrityError(TenantRuntimeError):
    """Stored bytes, or the audit log, are not what was written."""

    code = "integrity-broken"
