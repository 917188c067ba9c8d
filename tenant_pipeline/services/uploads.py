"""Uploads: files that arrive bit by bit, and become a source together when all of them are there."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.origin import Origin, UnitFile, UnitMode
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.intake.receive import ReceiveLimits
from tenant_pipeline.services import registry, sources
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import Connection
from tenant_pipeline.storage.upload import Upload, sweep_uploads

LARGEST_FILE = ReceiveLimits().max_file_bytes
MOST_ON_THEIR_WAY = 10_000
MOST_BYTES_ON_THEIR_WAY = 64 * 1024**3
KEPT = timedelta(days=7)


class UploadEndedError(NotFoundError):
    """The upload was given up, has expired, or is part of a source already."""

    code = "upload-ended"


@dataclass(frozen=True)
class UploadRecord:
    """What is known of an upload: its path in its folder, how long it will be, and its digest when all is there.

    The path can hold a person's name: it is forgotten when the upload ends.
    """

    id: str
    path: str
    length: int
    person: str
    expires_at: datetime
    sha256: Sha256 | None


def begin_upload(runtime: Runtime, tenant: TenantId, *, path: str, length: int, person: str) -> UploadRecord:
    """A new upload.

    Raises InputError when the file is too long or too much is on its way already, and KeysDestroyedError for a tenant
    that was erased.
    """
    registry.require_in_service(runtime, tenant)
    if length > LARGEST_FILE:
        raise InputError("The file is too long", where="Upload-Length", remedy=f"At most {LARGEST_FILE:,} bytes.")
    now = runtime.now()
    with runtime.database.tenant(tenant) as connection:
        row = connection.execute(
            """
            SELECT count(*) AS uploads, coalesce(sum(length), 0) AS bytes FROM runtime.uploads
             WHERE tenant_id = %s AND ended_at IS NULL AND expires_at > %s
            """,
            (tenant, now),
        ).fetchone()
        assert row is not None
        if row["uploads"] >= MOST_ON_THEIR_WAY or row["bytes"] + length > MOST_BYTES_ON_THEIR_WAY:
            raise InputError("Too much is on its way", where=tenant, remedy="Hand in what has arrived, or give it up.")
        begun = UploadRecord(secrets.token_hex(16), path, length, person, now + KEPT, None)
        connection.execute(
            """
            INSERT INTO runtime.uploads (tenant_id, id, path, length, person, begun_at, expires_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s)
            """,
            (tenant, begun.id, path, length, person, now, begun.expires_at),
        )
    if length == 0:
        with going_on(runtime, tenant, begun.id, person) as (_, arriving):
            finish(runtime, tenant, begun, arriving)
    return begun


def find_upload(runtime: Runtime, tenant: TenantId, identifier: str, person: str) -> UploadRecord:
    """An upload of the person's own. Raises NotFoundError for any other, UploadEndedError when it is over."""
    with runtime.database.tenant(tenant) as connection:
        return _find(runtime, connection, tenant, identifier, person)


@contextmanager
def going_on(runtime: Runtime, tenant: TenantId, identifier: str, person: str) -> Iterator[tuple[UploadRecord, Upload]]:
    """An upload in hand, to write what follows at its offset. Raises as `find_upload`, and InputError while another
    process has it in hand."""
    record = find_upload(runtime, tenant, identifier, person)
    with runtime.raw_zone(tenant).upload(f"tus {identifier}") as upload:
        yield record, upload


def finish(runtime: Runtime, tenant: TenantId, record: UploadRecord, upload: Upload) -> None:
    """All of it is there: it becomes a file of the raw zone."""
    digest, _ = upload.finish()
    with runtime.database.tenant(tenant) as connection:
        connection.execute(
            "UPDATE runtime.uploads SET sha256 = %s WHERE tenant_id = %s AND id = %s", (digest, tenant, record.id)
        )


def give_up(runtime: Runtime, tenant: TenantId, identifier: str, person: str) -> None:
    """End an upload; what has arrived of it is swept away with time. Raises as `find_upload`."""
    with runtime.database.tenant(tenant) as connection:
        _find(runtime, connection, tenant, identifier, person)
        _end(runtime, connection, tenant, [identifier])


def source_of_uploads(
    runtime: Runtime,
    tenant: TenantId,
    uploads: Sequence[str],
    *,
    origin: Origin,
    unit_mode: UnitMode,
    title: str,
    person: str,
    rights: str = "",
    observed_at: datetime | None = None,
) -> sources.Source:
    """Hand in what was uploaded as one source; folders keep their paths.

    Raises InputError for an upload of which something is missing yet, NotFoundError for one that is not the person's.
    """
    with runtime.database.tenant(tenant) as connection:
        records = [_find(runtime, connection, tenant, each, person) for each in uploads]
    missing = [each for each in records if each.sha256 is None]
    if missing:
        raise InputError(
            f"{len(missing)} of the uploads are not whole yet", where="uploads", remedy="Go on with them first."
        )
    files = [UnitFile(each.path, each.sha256, each.length) for each in records if each.sha256 is not None]
    added = sources.add_uploaded_source(
        runtime,
        tenant,
        origin=origin,
        unit_mode=unit_mode,
        files=files,
        title=title,
        actor=person,
        rights=rights,
        observed_at=observed_at,
    )
    with runtime.database.tenant(tenant) as connection:
        _end(runtime, connection, tenant, [each.id for each in records])
    return added


def forget_expired_uploads(runtime: Runtime) -> int:
    """End the uploads of all tenants that nobody has gone on with in time, and remove what has arrived of such.

    Returns how many ended.
    """
    sweep_uploads(runtime.objects.staging)
    now = runtime.now()
    with runtime.database.platform() as connection:
        return connection.execute(
            "UPDATE runtime.uploads SET ended_at = %s, path = '-' WHERE ended_at IS NULL AND expires_at <= %s",
            (now, now),
        ).rowcount


def _find(runtime: Runtime, connection: Connection, tenant: TenantId, identifier: str, person: str) -> UploadRecord:
    row = connection.execute(
        """
        SELECT id, path, length, person, expires_at, sha256, ended_at FROM runtime.uploads
         WHERE tenant_id = %s AND id = %s AND person = %s
        """,
        (tenant, identifier, person),
    ).fetchone()
    if row is None:
        raise NotFoundError("There is no such upload of yours", where="upload", remedy="Begin it anew.")
    if row.pop("ended_at") is not None or row["expires_at"] <= runtime.now():
        raise UploadEndedError("The upload is over", where="upload", remedy="Begin it anew.")
    return UploadRecord(**row)


def _end(runtime: Runtime, connection: Connection, tenant: TenantId, uploads: Sequence[str]) -> None:
    connection.execute(
        "UPDATE runtime.uploads SET ended_at = %s, path = '-' WHERE tenant_id = %s AND id = ANY(%s)",
        (runtime.now(), tenant, list(uploads)),
    )
