"""Who took a snapshot. To seal takes a public key only; so the installation signs what it sealed, part by part.

The manifest names the digest of each table, the list of objects that of each object: with these signed, nothing of a
snapshot can be somebody else's. A restore into an empty home has no key to compare with, for the master key comes with
the snapshot: so whoever restores names the signer that they know from when it was taken.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tenant_pipeline.core.digest import canonical_json
from tenant_pipeline.core.errors import InputError, IntegrityError
from tenant_pipeline.services.backup.layout import CHECKPOINTS, CREDENTIALS, KEYS, MANIFEST, OBJECTS, BackupFolder
from tenant_pipeline.storage.sealed_file import READ_BYTES, Opener

SIGNATURE = "signature"
DOMAIN = "tenant-runtime/backup/v1"
SIGNED = (KEYS, CREDENTIALS, CHECKPOINTS, OBJECTS, MANIFEST)


def signed(key: Ed25519PrivateKey, identifier: str, parts: Mapping[str, str]) -> dict[str, Any]:
    """The signature over the SHA-256 of each part of a snapshot, with the key that verifies it."""
    public = key.public_key().public_bytes_raw()
    return {"parts": dict(parts), "key": public.hex(), "signature": key.sign(_bytes(identifier, parts)).hex()}


def signer(key: Ed25519PublicKey) -> str:
    """By what a signer is known: the SHA-256 of their public key."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()


def verified_signer(folder: BackupFolder, opener: Opener, identifier: str) -> str | None:
    """Who signed a snapshot; None for one from before they were signed.

    Raises IntegrityError where the signature is not over exactly these parts, and NotFoundError for no such snapshot.
    """
    if not (folder.snapshot(identifier) / SIGNATURE).exists():
        return None
    said = folder.part(opener, identifier, SIGNATURE)
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(said["key"]))
        key.verify(bytes.fromhex(said["signature"]), _bytes(identifier, said["parts"]))
        whole = set(said["parts"]) == set(SIGNED)
    except (InvalidSignature, KeyError, TypeError, ValueError):
        whole = False
    if not whole:
        raise _changed(f"{identifier}/{SIGNATURE}")
    for name in SIGNED:
        found = hashlib.sha256()
        with opener.open(folder.snapshot(identifier) / name, f"{identifier}/{name}") as stream:
            while data := stream.read(READ_BYTES):
                found.update(data)
        if found.hexdigest() != said["parts"][name]:
            raise _changed(f"{identifier}/{name}")
    return signer(key)


def named_signer(text: str) -> str:
    """The signer that somebody names. Raises InputError for what names none."""
    named = text.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", named):
        raise InputError(
            "That names no installation",
            where="--signed-by",
            remedy="Give the 64 characters that `backup take` printed as `signed_by`.",
        )
    return named


def require_signer(folder: BackupFolder, opener: Opener, identifier: str, wanted: str | None) -> str | None:
    """Who signed it; wanted is None where it may be anybody, or nobody. Raises IntegrityError where it is another."""
    found = verified_signer(folder, opener, identifier)
    if wanted is not None and found != wanted:
        raise IntegrityError(
            "The snapshot was not taken by that installation",
            where=identifier,
            remedy="`backup take` printed who signed it. Find out who wrote this into the folder.",
        )
    return found


def _bytes(identifier: str, parts: Mapping[str, str]) -> bytes:
    return canonical_json({"for": DOMAIN, "snapshot": identifier, "parts": dict(parts)})


def _changed(where: str) -> IntegrityError:
    return IntegrityError(
        "The snapshot is not what its installation signed", where=where, remedy="Restore another, and guard the folder."
    )
