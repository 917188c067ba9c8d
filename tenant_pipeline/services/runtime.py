"""The running installation: database, keys, objects, contracts and audit log, opened together and closed together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tenant_pipeline.contracts.contracts import Contracts
from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.errors import SettingsError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.audit_log import AuditLog
from tenant_pipeline.storage.checkpoints import CheckpointFile, CheckpointObjects, Checkpoints
from tenant_pipeline.storage.database import Database
from tenant_pipeline.storage.embedded_postgres import EmbeddedPostgres, running_dsn
from tenant_pipeline.storage.keys import KeyRing
from tenant_pipeline.storage.migrations import migrate
from tenant_pipeline.storage.object_store import Objects, RawZone
from tenant_pipeline.storage.object_store_bucket import BucketStore
from tenant_pipeline.storage.object_store_url import open_object_store
from tenant_pipeline.storage.stage_store import StageStore

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The present by this machine, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Runtime:
    """All that a use case needs, handed to it whole. `clock` tells the present; with another, time passes otherwise."""

    settings: Settings
    contracts: Contracts
    database: Database
    keys: KeyRing
    objects: Objects
    audit: AuditLog
    clock: Clock = system_clock
    server: EmbeddedPostgres | None = None
    """The database's server, where this process has started it."""

    def now(self) -> datetime:
        """The present, in UTC: the one place where a service reads the clock."""
        return self.clock()

    def raw_zone(self, tenant: TenantId) -> RawZone:
        """The tenant's encrypted raw zone."""
        return RawZone(self.objects, tenant, self.keys.raw_zone_key(tenant))

    def stage_store(self, tenant: TenantId) -> StageStore:
        """The tenant's stage outputs."""
        return StageStore(self.objects, tenant, self.keys.raw_zone_key(tenant))


def administration_dsn(settings: Settings) -> str | None:
    """The DSN to administer with: the one in the settings, or the running embedded database's; None if none runs."""
    if settings.database_dsn is not None:
        return settings.database_dsn.get_secret_value()
    return running_dsn(settings.postgres_directory)


def object_store(settings: Settings) -> Objects:
    """Where objects are kept. Raises SettingsError for a URL that names no store."""
    return open_object_store(
        settings.object_store_url,
        folder=settings.objects_directory,
        staging=settings.staging_directory,
        retry_seconds=settings.object_store_retry_seconds,
        request_seconds=settings.object_store_request_seconds,
    )


def _checkpoints(settings: Settings, objects: Objects) -> Checkpoints:
    if isinstance(objects, BucketStore):
        return CheckpointObjects(objects)
    return CheckpointFile(settings.checkpoints_file)


def _refuse_half_restored(settings: Settings) -> None:
    """Raise SettingsError while a restore of everything has not ended, which erases again what was erased since."""
    try:
        snapshot, _, tenant = settings.restoring_file.read_text().partition(" ")
    except FileNotFoundError:
        return
    if not tenant:
        raise SettingsError(
            f"The restore of the snapshot {snapshot} has not ended",
            where=str(settings.restoring_file),
            remedy="Wait for it, or run `tenant-pipeline restore` again: it goes on where it was. Or begin with an"
            " empty home and database.",
        )


@contextmanager
def connect(settings: Settings, *, half_restored: bool = False) -> Iterator[Runtime]:
    """The runtime over a database that is already there.

    Raises SettingsError when none runs, and while everything is being restored, but where it is the restore that asks.
    """
    if not half_restored:
        _refuse_half_restored(settings)
    dsn = administration_dsn(settings)
    if dsn is None:
        raise SettingsError(
            "No database is running",
            where=str(settings.postgres_directory),
            remedy="Start one with `tenant-pipeline up`, or set TENANT_RUNTIME_DATABASE_DSN.",
        )
    keys = KeyRing(settings.keys_directory)
    objects = object_store(settings)
    database = Database(dsn, keys.login_secret())
    try:
        yield Runtime(
            settings=settings,
            contracts=load_contracts(settings.contracts),
            database=database,
            keys=keys,
            objects=objects,
            audit=AuditLog(_checkpoints(settings, objects), keys.audit_signing_key()),
        )
    finally:
        database.close()


@contextmanager
def open_runtime(
    settings: Settings, revision: str | None = None, *, half_restored: bool = False, set_logins: bool = False
) -> Iterator[Runtime]:
    """The runtime with a migrated database, starting the embedded one for as long as this block lasts if need be.

    `revision`: migrated so far only, to bring a backup back. `set_logins` is as `migrate` has it. Raises as `connect`
    and `migrate` do.
    """
    with ExitStack() as stack:
        server = None
        if administration_dsn(settings) is None:
            server = stack.enter_context(EmbeddedPostgres(settings.postgres_directory))
        runtime = replace(stack.enter_context(connect(settings, half_restored=half_restored)), server=server)
        migrate(runtime.database, revision, set_logins=set_logins)
        yield runtime
