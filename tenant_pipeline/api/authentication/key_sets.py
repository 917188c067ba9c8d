"""Where the keys that verify tokens come from: the local issuer, or an OpenID provider's JWKS, fetched and kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt

from tenant_pipeline.core.errors import SettingsError

FRESH_SECONDS = 600.0
UNKNOWN_KEY_SECONDS = 30.0
TIMEOUT_SECONDS = 5.0
LARGEST_ANSWER = 256 * 1024

KeySet = Callable[[str], jwt.PyJWK | None]
"""The key of that id, or None."""


def key_set_of(document: dict[str, Any]) -> KeySet:
    """Keys that are known beforehand."""
    keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(document).keys}
    return keys.get


class ProvidersKeys:
    """An OpenID provider's keys, and what else it says of itself (OpenID Connect Discovery 1.0).

    Both are fetched when first asked for, again after ten minutes, and when a key is unknown.

    An unknown key has the set fetched at most every thirty seconds, so that forged key ids do not become a flood of
    requests. While the provider does not answer, the keys that were fetched last go on being used.
    """

    def __init__(self, issuer: str, client: httpx.Client | None = None) -> None:
        self._issuer = issuer.rstrip("/")
        self._client = client or httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False)
        self._lock = threading.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._described: dict[str, Any] = {}
        self._fetched = -FRESH_SECONDS

    def __call__(self, key_id: str) -> jwt.PyJWK | None:
        """The key of that id, or None when the provider has no such key. Raises SettingsError when it has none yet."""
        with self._lock:
            age = time.monotonic() - self._fetched
            if age > FRESH_SECONDS or (key_id not in self._keys and age > UNKNOWN_KEY_SECONDS):
                self._fetch()
            return self._keys.get(key_id)

    def described(self) -> dict[str, Any]:
        """The provider's description of itself. Raises SettingsError when it cannot be had."""
        with self._lock:
            if time.monotonic() - self._fetched > FRESH_SECONDS:
                self._fetch()
            return self._described

    def _fetch(self) -> None:
        self._fetched = time.monotonic()
        try:
            described = self._document(f"{self._issuer}/.well-known/openid-configuration")
            if described.get("issuer", "").rstrip("/") != self._issuer:
                raise ValueError("it calls itself otherwise")
            keys = str(described["jwks_uri"])
            if urlsplit(keys).scheme != urlsplit(self._issuer).scheme:  # never less protected than the provider itself
                raise ValueError("its keys lie elsewhere")
            found = jwt.PyJWKSet.from_dict(self._document(keys))
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError):
            if self._keys:
                return
            self._fetched = -FRESH_SECONDS
            raise SettingsError(
                "The OpenID provider's keys cannot be fetched",
                where="TENANT_RUNTIME_OIDC_ISSUER",
                remedy="Its /.well-known/openid-configuration must answer, name itself, and name its jwks_uri, by"
                " https as itself.",
            ) from None
        self._keys = {key.key_id: key for key in found.keys if key.key_id}
        self._described = described

    def _document(self, url: str) -> dict[str, Any]:
        return document_of(self._client.get(url))


def document_of(answer: httpx.Response) -> dict[str, Any]:
    """The JSON object that a provider answered. Raises httpx.HTTPError or ValueError for anything else."""
    answer.raise_for_status()
    if len(answer.content) > LARGEST_ANSWER:
        raise ValueError("too large")
    document = answer.json()
    if not isinstance(document, dict):
        raise ValueError("not an object")
    return document
