"""Uids that no account has, one for each instance."""

from __future__ import annotations

import hashlib
import pwd
from collections.abc import Collection

import psutil

from tenant_pipeline.core.errors import ProvisioningError

FIRST_UID, UIDS = 64_900, 600
"""Below 65,534 (nobody), so that they exist in a container's user namespace too."""


def free_uid(installation: str, taken: Collection[int | None]) -> int:
    """A uid that is not in `taken`, no account's, and under which nothing runs. Raises ProvisioningError for none.

    The search begins at a place that depends on the installation, so that two on one machine seldom meet.
    """
    running: set[int] = set()
    for process in psutil.process_iter(["uids"]):
        uids = process.info["uids"]
        if uids is not None:
            running.add(uids.real)
    accounts = {entry.pw_uid for entry in pwd.getpwall()}
    offset = int.from_bytes(hashlib.sha256(installation.encode()).digest()[:4]) % UIDS
    for number in range(UIDS):
        uid = FIRST_UID + (offset + number) % UIDS
        if uid not in taken and uid not in running and uid not in accounts:
            return uid
    raise ProvisioningError(
        "There is no uid left for another instance",
        where=installation,
        remedy=f"At most {UIDS} instances have uids of their own here: use the Kubernetes backend, or another machine.",
    )
