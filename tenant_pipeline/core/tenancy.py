"""Whose a thing is: tenant and source identifiers, and the partition key that joins them."""

from __future__ import annotations

import re
from typing import NewType

from tenant_pipeline.core.errors import InputError

TenantId = NewType("TenantId", str)
"""Lower-case slug, 3–40 characters of a–z, 0–9 and single inner hyphens; immutable once registered."""

SourceId = NewType("SourceId", str)
"""`src-` and 16 hexadecimal digits, unique within a tenant."""

PARTITION_SEPARATOR = "|"

PLATFORM = "runtime"
"""What comes of it and of ids that begin with it and a hyphen (`tenant_runtime_platform`, the namespace
`tenant-runtime`) is the platform's own."""

_TENANT_ID = re.compile(r"[a-z](?:[a-z0-9]|-(?!-)){1,38}[a-z0-9]", re.ASCII)
_SOURCE_ID = re.compile(r"src-[0-9a-f]{16}", re.ASCII)


def tenant_id(text: str) -> TenantId:
    """Check `text` and return it as a TenantId.

    Raises InputError when it is not a lower-case slug, or one of the platform's own: the id becomes a database role, a
    schema and a namespace.
    """
    if not _TENANT_ID.fullmatch(text):
        raise InputError(
            "The tenant id is not a lower-case slug",
            where="tenant id",
            remedy="Use 3 to 40 characters of a-z, 0-9 and single hyphens, beginning with a letter.",
        )
    if text == PLATFORM or text.startswith(f"{PLATFORM}-"):
        raise InputError("The tenant id is one of the platform's own", where="tenant id", remedy="Choose another.")
    return TenantId(text)


def source_id(text: str) -> SourceId:
    """Check `text` and return it as a SourceId. Raises InputError when it has another form."""
    if not _SOURCE_ID.fullmatch(text):
        raise InputError(
            "The source id has another form than src-<16 hex digits>",
            where="source id",
            remedy="Copy it from `tenant-pipeline source list`.",
        )
    return SourceId(text)


def partition_key(tenant: TenantId, source: SourceId) -> str:
    """The Dagster partition key of a source: `tenant|source`."""
    return f"{tenant}{PARTITION_SEPARATOR}{source}"


def from_partition_key(key: str) -> tuple[TenantId, SourceId]:
    """The tenant and source of a partition key. Raises InputError for any other text."""
    tenant, separator, source = key.partition(PARTITION_SEPARATOR)
    if not separator:
        raise InputError("The partition key is not tenant|source", where="partition key")
    return tenant_id(tenant), source_id(source)
