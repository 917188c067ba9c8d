"""Keys: one master key an installation, and keys of its own for each tenant, wrapped with it.

Small files in one private folder: `master.key`, and `tenants/<tenant>/<purpose>`; digest keys of later versions are
`digest-2`, `digest-3`… Destroying a tenant's files is an erasure: what they encrypted cannot be read again. It is only
as good as the backups of this folder are short-lived.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tenant_pipeline.core.errors import InputError, IntegrityError, NotFoundError
from tenant_pipeline.core.keys import DigestKey
from tenant_pipeline.core.tenancy import TenantId, tenant_id
from tenant_pipeline.storage.private_folder import make_private_folder, sync

KEY_BYTES = 32
NONCE_BYTES = 12
KEY_ID_DIGITS = 8
_RAW_ZONE_FILE = "raw-zone"
_DIGEST_FILE = re.compile(r"digest(?:-([1-9][0-9]*))?")


class KeysDestroyedError(NotFoundError):
    """A tenant's keys were destroyed on purpose: what they encrypted is erased."""

    code = "keys-destroyed"


class KeyRing:
    """The keys in one folder. Keys are made when they are first asked for, by whichever process comes first."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def __repr__(self) -> str:
        return "KeyRing(…)"

    def raw_zone_key(self, tenant: TenantId) -> bytes:
        """The key (32 bytes) that encrypts a tenant's raw zone.

        Raises KeysDestroyedError when it was destroyed, IntegrityError when its file was changed.
        """
        return self._tenant_key(tenant, _RAW_ZONE_FILE)

    def digest_key(self, tenant: TenantId) -> DigestKey:
        """The key under which a tenant's personal data is digested now: the one of the highest version.

        Its id is derived from it and tells nothing of it. Raises KeysDestroyedError when the tenant's keys were
        destroyed, IntegrityError when its file was changed.
        """
        newest = max(self._digest_versions(tenant), default=1)
        return _digest_key(self._tenant_key(tenant, _digest_file(newest)))

    def digest_keys(self, tenant: TenantId) -> dict[int, DigestKey]:
        """Every digest key of a tenant that is kept, by version, the one in use last.

        Raises as `digest_key` does.
        """
        self.digest_key(tenant)
        kept = {}
        for version in sorted(self._digest_versions(tenant)):
            with suppress(FileNotFoundError):  # destroyed meanwhile: reading it must not make a new one
                wrapped = (self._folder(tenant) / _digest_file(version)).read_bytes()
                kept[version] = _digest_key(self._unwrapped(tenant, _digest_file(version), wrapped))
        return kept

    def make_digest_key(self, tenant: TenantId, version: int) -> DigestKey:
        """Make the digest key of that version, from then on the one in use; made already, it is the same one.

        Raises as `digest_key` does, and ValueError for a version that does not follow on the one in use.
        """
        newest = max(self._digest_versions(tenant), default=1)
        if version not in (newest, newest + 1):
            raise ValueError("the version does not follow on the one in use")
        return _digest_key(self._tenant_key(tenant, _digest_file(version)))

    def destroy_digest_key(self, tenant: TenantId, version: int) -> None:
        """Destroy one digest key for good: which value a pseudonym under it stands for can never be told again.

        Doing it twice is harmless. Raises ValueError for the one in use.
        """
        if version >= max(self._digest_versions(tenant), default=1):
            raise ValueError("the version is in use")
        (self._folder(tenant) / _digest_file(version)).unlink(missing_ok=True)
        sync(self._folder(tenant))

    def login_secret(self) -> bytes:
        """What the passwords of database roles are derived from (32 bytes)."""
        return self._derived("database logins")

    def audit_signing_key(self) -> Ed25519PrivateKey:
        """The key that signs audit checkpoints."""
        return Ed25519PrivateKey.from_private_bytes(self._derived("audit checkpoints"))

    def backup_signing_key(self) -> Ed25519PrivateKey:
        """The key that signs backups."""
        return Ed25519PrivateKey.from_private_bytes(self._derived("backups"))

    def token_signing_key(self, number: int) -> Ed25519PrivateKey:
        """The key of that number which signs access tokens."""
        return Ed25519PrivateKey.from_private_bytes(self._derived(f"access tokens {number}"))

    def master_key(self) -> bytes:
        """The master key itself, to be kept in escrow. Nothing else has use for it."""
        return self._master()

    def take_over_master_key(self, master: bytes) -> None:
        """Make this the master key of a folder that has none. Raises InputError where it has another."""
        if _create_once(self._directory / "master.key", master, self._directory) != master:
            raise InputError(
                "The keys folder has a master key of its own", where="master key", remedy="Restore into an empty home."
            )

    def keys_of(self, tenant: TenantId) -> dict[str, bytes]:
        """Every key of a tenant by the name of its file, to be kept in escrow; none where they were destroyed."""
        names = sorted(path.name for path in self._folder(tenant).glob("[a-z]*"))
        return {name: self._unwrapped(tenant, name, (self._folder(tenant) / name).read_bytes()) for name in names}

    def take_over(self, tenant: TenantId, keys: Mapping[str, bytes]) -> None:
        """Take keys out of escrow, wrapped anew.

        Raises KeysDestroyedError, InputError where there are others, IntegrityError for a name that no key has.
        """
        for name, key in keys.items():
            if name != _RAW_ZONE_FILE and not _DIGEST_FILE.fullmatch(name):
                raise IntegrityError(
                    "A key has a name that none is given",
                    where=f"keys of {tenant}",
                    remedy="Take the keys from another backup, and find out who wrote these into it.",
                )
            if self._tenant_key(tenant, name, key) != key:
                raise InputError("The tenant has other keys here", where=tenant, remedy="Restore into an empty home.")

    def destroyed(self) -> list[TenantId]:
        """The tenants whose keys were destroyed."""
        return sorted(tenant_id(path.stem) for path in self._tenants.glob("*.destroyed"))

    def destroy(self, tenant: TenantId) -> None:
        """Destroy a tenant's keys for good: its raw zone can never be read again. Doing it twice is harmless."""
        _create_once(self._tombstone(tenant), b"", self._directory)
        self._erase(tenant)

    def forget(self, tenant: TenantId) -> None:
        """Delete the keys of a tenant that never was in use here; unlike a destroyed one, it can still come."""
        self._erase(tenant)

    def require_not_destroyed(self, tenant: TenantId) -> None:
        """Raise KeysDestroyedError for a tenant whose keys were destroyed: of it nothing more is to be kept."""
        if self._tombstone(tenant).exists():
            raise KeysDestroyedError(
                "The tenant's keys were destroyed", where=tenant, remedy="What they encrypted is erased for good."
            )

    def _digest_versions(self, tenant: TenantId) -> list[int]:
        """The versions of which there is a file; the names of files half-written begin with a dot."""
        found = (_DIGEST_FILE.fullmatch(path.name) for path in self._folder(tenant).glob("digest*"))
        return [int(match[1] or 1) for match in found if match]

    def _derived(self, purpose: str) -> bytes:
        return hmac.digest(self._master(), purpose.encode(), "sha256")

    def _master(self) -> bytes:
        path = self._directory / "master.key"
        if not path.exists() and any(self._tenants.glob("*/*")):
            # A fresh master key here would pass for a working installation that can read nothing.
            raise IntegrityError(
                "The master key is missing, but tenants' keys that it wraps are there",
                where="master key",
                remedy="Restore the keys folder as a whole from its backup.",
            )
        master = _create_once(path, os.urandom(KEY_BYTES), self._directory)
        if len(master) != KEY_BYTES:
            raise _changed("master key")
        return master

    def _tenant_key(self, tenant: TenantId, purpose: str, key: bytes | None = None) -> bytes:
        self.require_not_destroyed(tenant)
        nonce = os.urandom(NONCE_BYTES)
        fresh = nonce + self._cipher().encrypt(nonce, key or os.urandom(KEY_BYTES), _bound_to(tenant, purpose))
        try:
            wrapped = _create_once(self._folder(tenant) / purpose, fresh, self._directory)
        except FileNotFoundError:  # the folder was destroyed while the key was being made
            self.require_not_destroyed(tenant)
            raise
        if self._tombstone(tenant).exists():
            self._erase(tenant)
            self.require_not_destroyed(tenant)
        return self._unwrapped(tenant, purpose, wrapped)

    def _cipher(self) -> AESGCM:
        return AESGCM(self._derived("wrapping of tenants' keys"))

    def _unwrapped(self, tenant: TenantId, purpose: str, wrapped: bytes) -> bytes:
        try:
            return self._cipher().decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _bound_to(tenant, purpose))
        except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
            raise _changed(f"keys of {tenant}") from None

    @property
    def _tenants(self) -> Path:
        return self._directory / "tenants"

    def _folder(self, tenant: TenantId) -> Path:
        return self._tenants / tenant_id(tenant)

    def _tombstone(self, tenant: TenantId) -> Path:
        return self._tenants / f"{tenant_id(tenant)}.destroyed"

    def _erase(self, tenant: TenantId) -> None:
        folder = self._folder(tenant)
        with suppress(FileNotFoundError):
            for path in folder.iterdir():
                path.unlink(missing_ok=True)
            sync(folder)
            folder.rmdir()


def digest_key_ids(keys: Mapping[str, bytes]) -> dict[int, str]:
    """The ids of the digest keys among a tenant's keys out of escrow, by version."""
    found = ((_DIGEST_FILE.fullmatch(name), key) for name, key in keys.items())
    return {int(match[1] or 1): _digest_key(key).key_id for match, key in found if match}


def _digest_key(secret: bytes) -> DigestKey:
    return DigestKey(f"k{hmac.digest(secret, b'key id', 'sha256').hex()[:KEY_ID_DIGITS]}", secret)


def _bound_to(tenant: TenantId, purpose: str) -> bytes:
    return f"{tenant}:{purpose}".encode()


def _digest_file(version: int) -> str:
    return "digest" if version == 1 else f"digest-{version}"


def _changed(where: str) -> IntegrityError:
    return IntegrityError(
        "A key file was changed, or belongs to another master key",
        where=where,
        remedy="Restore the keys folder as a whole from its backup.",
    )


def _create_once(path: Path, content: bytes, root: Path) -> bytes:
    """What the file holds, after making it with `content` unless it is there. Of several processes, one makes it."""
    with suppress(FileNotFoundError):
        return path.read_bytes()
    make_private_folder(path.parent, root)
    waiting = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(waiting, path)  # unlike a rename, a link never replaces what is there
    finally:
        waiting.unlink(missing_ok=True)
    sync(path.parent)
    return path.read_bytes()
