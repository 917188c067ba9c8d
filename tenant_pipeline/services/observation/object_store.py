"""Whether objects can be kept now: asked by what watches, and answered within seconds, whatever the store does."""

from __future__ import annotations

import os
import tempfile

from tenant_pipeline.services.runtime import object_store
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.object_store_bucket import BucketStore

PATIENCE_SECONDS = 3.0
"""So long a bucket may take for one answer, and so long it is asked again."""


def try_objects(settings: Settings) -> None:
    """Look into the bucket, or write a file of the folder.

    Raises SettingsError where the store is configured wrongly or closed to us, StoreUnavailableError where it does not
    answer, OSError where the folder cannot be written to.
    """
    patience = {"object_store_retry_seconds": PATIENCE_SECONDS, "object_store_request_seconds": PATIENCE_SECONDS}
    store = object_store(settings.model_copy(update=patience))
    if isinstance(store, BucketStore):
        store.check()
        return
    folder = store.staging
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".ready-") as probe:
        probe.write(b"ready")
        probe.flush()
        os.fsync(probe.fileno())
