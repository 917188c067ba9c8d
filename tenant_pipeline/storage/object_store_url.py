"""Where objects are kept, by URL: a folder of this machine, or a bucket of an S3-compatible store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from tenant_pipeline.core.errors import SettingsError
from tenant_pipeline.storage.object_store import Objects
from tenant_pipeline.storage.object_store_bucket import SETTING, BucketStore
from tenant_pipeline.storage.object_store_folder import ObjectStore


def open_object_store(
    url: str, *, folder: Path, staging: Path, retry_seconds: float, request_seconds: float = 60
) -> Objects:
    """The store of that URL: `s3://bucket/prefix`, `file:///folder`, or `folder` where it is empty.

    `staging` is where files for a bucket are made. Raises SettingsError for any other URL. No request is sent yet.
    """
    parts = urlsplit(url)
    if not url:
        return ObjectStore(folder)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return ObjectStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.hostname and not (parts.username or parts.query or parts.fragment):
        return BucketStore(url, staging, retry_seconds, request_seconds)
    raise SettingsError(
        "That is no object store",
        where=SETTING,
        remedy="Name a bucket (s3://bucket/prefix) or a folder (file:///var/lib/objects); credentials go in the AWS_"
        " variables.",
    )
