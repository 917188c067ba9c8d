"""Read a whole backup folder with the recovery key, and say what in it is not what it should be."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.services.backup.layout import CHECKPOINTS, CREDENTIALS, KEYS, BackupFolder
from tenant_pipeline.services.backup.signing import SIGNATURE, require_signer
from tenant_pipeline.storage.sealed_file import READ_BYTES, Opener


@dataclass(frozen=True)
class Damage:
    """A file of the backup that a restore of these snapshots would miss, and what is wrong with it."""

    file: str
    snapshots: tuple[str, ...]
    what: str


def verify_backup(root: Path, opener: Opener, signed_by: str | None = None) -> Iterator[Damage | None]:
    """Open every part of every snapshot, and every object that one names, once; for each, None or its damage.

    What is not as it was signed is damaged; with `signed_by`, so is what another than this installation took.
    What was taken by another form of the code is not read: IntegrityError and InputError as `BackupFolder.manifest`
    raises them for the manifest, without which nothing of a snapshot is known. Raises NotFoundError for no such folder.
    """
    folder = BackupFolder(root).existing()
    needed: dict[str, list[str]] = {}
    for identifier in folder.snapshots():
        manifest = folder.manifest(opener, identifier)
        tables = [*manifest["tables"], *(entry for served in manifest["served"].values() for entry in served)]
        parts = [(entry["path"], entry["sha256"]) for entry in tables]
        whole = True
        for part, sha256 in [*parts, *((name, None) for name in (KEYS, CREDENTIALS, CHECKPOINTS))]:
            place, name = folder.snapshot(identifier) / part, f"{identifier}/{part}"
            damage = _damage(opener, place, name, sha256, (identifier,))
            whole = whole and damage is None
            yield damage
        try:
            for name in folder.object_names(opener, identifier):
                needed.setdefault(name, []).append(identifier)
        except IntegrityError as error:
            whole = False
            yield Damage(error.where, (identifier,), error.what)
        if whole:
            yield _signature(folder, opener, identifier, signed_by)
    erased = folder.erased()
    for name, snapshots in needed.items():
        if name.partition("/")[0] not in erased:
            yield _damage(opener, folder.object(name), name, name.rpartition("/")[2], tuple(snapshots))


def _signature(folder: BackupFolder, opener: Opener, identifier: str, signed_by: str | None) -> Damage | None:
    try:
        require_signer(folder, opener, identifier, signed_by)
    except IntegrityError as error:
        return Damage(f"{identifier}/{SIGNATURE}", (identifier,), error.what)
    return None


def _damage(opener: Opener, place: Path, name: str, sha256: str | None, snapshots: tuple[str, ...]) -> Damage | None:
    found = hashlib.sha256()
    try:
        with opener.open(place, name) as stream:
            while data := stream.read(READ_BYTES):
                found.update(data)
    except IntegrityError as error:
        return Damage(name, snapshots, error.what)
    if sha256 is not None and found.hexdigest() != sha256:
        return Damage(name, snapshots, "It holds something else than what was taken")
    return None
