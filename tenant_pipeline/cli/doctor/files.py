"""What lies in the home: keys, objects, checkpoints."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from pathlib import Path

from tenant_pipeline.cli.doctor.finding import Finding, NotExaminedError, Patient, advice, fine, wrong
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.observation.object_store import try_objects
from tenant_pipeline.services.runtime import object_store
from tenant_pipeline.storage.keys import KeyRing, KeysDestroyedError
from tenant_pipeline.storage.object_store_bucket import BucketStore


def home(patient: Patient) -> Finding:
    """The home can be written to."""
    folder = patient.settings.home
    if folder.exists() and not folder.is_dir():
        return wrong(f"{folder} is no folder", "Set TENANT_RUNTIME_HOME to a folder.")
    place = next(each for each in (folder, *folder.parents) if each.exists())
    if not os.access(place, os.W_OK | os.X_OK):
        return wrong(f"{place} cannot be written to", f"chown it to the user that runs this (uid {os.geteuid()}).")
    return fine(f"the home is {folder}")


def keys_private(patient: Patient) -> Finding:
    """Nobody else may read the keys."""
    folder = patient.settings.keys_directory
    if not folder.exists():
        return fine("no keys yet")
    loose = [path for path in (folder, *folder.rglob("*")) if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if loose:
        return wrong(f"{len(loose)} key files or folders are open to other users", f"chmod -R go= {folder}")
    return fine("keys are private")


def keys_whole(patient: Patient) -> Finding:
    """Every tenant that is registered has its keys, and the master key opens them."""
    folder = patient.settings.keys_directory
    remedy = "Restore the keys folder as a whole from its backup: what they encrypt cannot be read without them."
    if not (folder / "master.key").exists():
        return wrong("the master key is missing", remedy) if any(folder.glob("tenants/*")) else fine("no keys yet")
    with patient.platform_connection() as connection:
        tenants = [TenantId(row["id"]) for row in connection.execute("SELECT id FROM runtime.tenants ORDER BY id")]
    ring = KeyRing(folder)
    ring.login_secret()
    missing = []
    for tenant in tenants:
        if not (folder / "tenants" / tenant / "raw-zone").exists() and not _destroyed(folder, tenant):
            missing.append(tenant)  # asking the ring would make a new key
            continue
        try:
            ring.raw_zone_key(tenant)
        except KeysDestroyedError:
            continue
    if missing:
        return wrong(f"the keys of {_few(missing)} are missing", remedy)
    return fine(f"the keys of {len(tenants)} tenants are there")


def objects(patient: Patient) -> Finding:
    """The object store is there: a folder that can be written to, or a bucket that lets us in."""
    store = object_store(patient.settings)
    if isinstance(store, BucketStore):
        try_objects(patient.settings)
        return fine("the bucket lets us in")
    folder = store.staging
    if not folder.exists():
        return fine("no objects yet")
    if not os.access(folder, os.W_OK | os.X_OK) or not folder.is_dir():
        return wrong(f"{folder} cannot be written to", f"chown -R it to the user that runs this (uid {os.geteuid()}).")
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as probe:
        probe.write(b"x")
        probe.flush()
        os.fsync(probe.fileno())
    return fine("objects can be written")


def checkpoints_there(patient: Patient) -> Finding:
    """What is in the audit log is sealed outside the database."""
    path = patient.settings.checkpoints_file
    if patient.settings.object_store_url.startswith("s3:"):
        raise NotExaminedError("checkpoints are in the bucket; the audit log is examined with them")
    with patient.platform_connection() as connection:
        row = connection.execute("SELECT count(*) AS entries FROM runtime.audit_log").fetchone() or {"entries": 0}
        runs = connection.execute("SELECT EXISTS (SELECT FROM runtime.coverage_scores) AS any").fetchone() or {}
    if not path.exists():
        if runs.get("any"):  # every run seals the log as it ends
            return wrong(
                f"{row['entries']} audit entries, and the file of checkpoints is missing",
                f"Restore {path} from write-once storage; if it is nowhere, the log can have been written anew.",
            )
        return fine("nothing was sealed yet")
    try:
        count = sum(1 for line in path.read_bytes().splitlines() if json.loads(line))
    except ValueError:
        return wrong("the file of checkpoints was damaged", f"Restore {path} from write-once storage.")
    return fine(f"{count} checkpoints")


def checkpoints_apart(patient: Patient) -> Finding:
    """The checkpoints lie where who can rewrite the database cannot write."""
    path, postgres = patient.settings.checkpoints_file, patient.settings.postgres_directory
    if not path.exists() or not postgres.exists():
        raise NotExaminedError("there are no checkpoints beside an embedded database")
    if path.stat().st_dev == postgres.stat().st_dev:
        return advice(
            "the checkpoints are on the database's own disk", f"Copy {path} to write-once storage, regularly."
        )
    return fine("the checkpoints are on another disk than the database")


def _destroyed(folder: Path, tenant: str) -> bool:
    return (folder / "tenants" / f"{tenant}.destroyed").exists()


def _few(names: list[TenantId]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
