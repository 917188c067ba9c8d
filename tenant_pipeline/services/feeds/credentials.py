"""The secrets that feeds are asked with: kept encrypted under the tenant's key, named by feeds, shown to their site."""

from __future__ import annotations

import io
import json
import os
import re
import threading
from pathlib import Path

import httpx

from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.intake.link.credential import Credential
from tenant_pipeline.intake.link.target import LAST_PORT
from tenant_pipeline.services.registry import show_tenant
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.audit_log import AuditEntry
from tenant_pipeline.storage.encrypted_file import EncryptedReader, EncryptedWriter
from tenant_pipeline.storage.private_folder import make_private_folder, sync

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_HOST = re.compile(r"[a-z0-9.:-]+", re.ASCII)
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}", re.ASCII)
LONGEST_VALUE = 4_096
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def keep_credential(runtime: Runtime, tenant: TenantId, name: str, credential: Credential, *, actor: str) -> None:
    """Keep a secret under a name, in place of what was there. Audited without its value.

    Feeds that are asked with it and fail are asked at once.

    Raises InputError for another name than a slug, for an origin that is not https (this machine's own may be http),
    for no header name, and for a value that no header can carry.
    """
    show_tenant(runtime, tenant)
    try:
        origin = httpx.URL(credential.origin)
        host = origin.host
    except (httpx.InvalidURL, ValueError):  # a name that IDNA does not know is the latter
        raise InputError(
            "That is no address of a site", where="--origin", remedy="Such as https://feeds.partner.example."
        ) from None
    if not _NAME.fullmatch(name):
        raise InputError("A credential is called by a slug", where="NAME", remedy="a-z, 0-9 and hyphens.")
    own_machine = origin.scheme == "http" and host in LOOPBACK
    no_port = origin.port is not None and not 0 < origin.port <= LAST_PORT
    if (
        not _HOST.fullmatch(origin.raw_host.decode("ascii"))
        or origin.userinfo
        or no_port
        or not (origin.scheme == "https" or own_machine)
    ):
        raise InputError(
            "A secret is shown to a site over https", where="--origin", remedy="Such as https://feeds.partner.example."
        )
    if not _HEADER.fullmatch(credential.header):
        raise InputError("That is no header", where="--header", remedy="Such as Authorization.")
    value = credential.value
    if not value or len(value) > LONGEST_VALUE or not value.isascii() or not value.isprintable():
        raise InputError("No header can carry that value", where="value", remedy="One line of ASCII.")
    path = _path(runtime, tenant, name)
    make_private_folder(path.parent, runtime.settings.credentials_directory)
    content = {"origin": credential.origin, "header": credential.header, "value": value}
    draft = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        writer = EncryptedWriter(file, runtime.keys.raw_zone_key(tenant))
        writer.write(json.dumps(content).encode())
        writer.finish(name.encode())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync(path.parent)
    with runtime.database.tenant(tenant) as connection:
        connection.execute(
            """
            UPDATE runtime.feeds SET due_at = %s
             WHERE tenant_id = %s AND credential = %s AND status = 'active' AND failures > 0
            """,
            (runtime.now(), tenant, name),
        )
        details = {"origin": credential.origin, "header": credential.header}
        entry = AuditEntry(actor=actor, action="credential.kept", subject=name, details=details)
        runtime.audit.append(connection, tenant, [entry])


def credential_of(runtime: Runtime, tenant: TenantId, name: str) -> Credential:
    """The tenant's secret of that name. Raises NotFoundError where the tenant has none."""
    try:
        file = _path(runtime, tenant, name).open("rb")
    except FileNotFoundError:
        raise NotFoundError(
            f"The tenant has no credential {name}",
            where=tenant,
            remedy="`tenant-pipeline feed credential` keeps one, and PUT …/feeds/credentials/NAME.",
        ) from None
    with file, EncryptedReader(file, runtime.keys.raw_zone_key(tenant), name.encode(), f"credential {name}") as reader:
        content = json.load(io.BufferedReader(reader))
    return Credential(content["origin"], content["header"], content["value"])


def _path(runtime: Runtime, tenant: TenantId, name: str) -> Path:
    return runtime.settings.credentials_directory / tenant / name
