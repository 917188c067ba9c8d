"""The address in a link: read in one way only, so that what is checked is what is requested."""

from __future__ import annotations

import ipaddress
import re
import unicodedata

import httpx
import idna

from tenant_pipeline.intake.link.addresses import is_public
from tenant_pipeline.intake.link.errors import LinkError, NotPublicError
from tenant_pipeline.intake.link.policy import PORTS, LinkPolicy

MOST_CHARACTERS = 2_000
"""Keeps a link short enough for an index key."""

LAST_PORT = 65_535

LOCAL_NAMES = (
    "localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa", "onion",
    "alt", "svc", "consul",
)  # fmt: skip
"""Names that are answered inside a network only: RFC 6761 and 6762, ICANN's `internal`, and what is usual."""

_AUTHORITY = re.compile(r"(https?)://([^/?#]+)", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_HOST_AND_PORT = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{1,5})?)?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)


def checked_url(text: str, policy: LinkPolicy) -> httpx.URL:
    """The address with its host in canonical form and without a fragment.

    An IP address is taken in its usual spelling only. Raises LinkError where the text is no http or https address,
    carries credentials or characters that programs read differently; NotPublicError for an address, a name or a port
    that no link may lead to.
    """
    if len(text) > MOST_CHARACTERS:
        raise LinkError("The link is too long", remedy=f"Give an address of at most {MOST_CHARACTERS} characters.")
    _check_characters(text)
    found = _AUTHORITY.match(text)
    if found is None:
        raise LinkError("Only http and https links are taken in", remedy="Give such an address.")
    authority = found[2]
    if "@" in authority:
        raise LinkError("The link carries credentials", remedy="Give a link that needs none.")
    parts = _HOST_AND_PORT.fullmatch(authority)
    if parts is None:
        raise _no_address()
    port = int(parts[2]) if parts[2] else None
    if port is not None and not 0 < port <= LAST_PORT:
        raise LinkError("There is no such port", remedy=f"A number from 1 to {LAST_PORT}.")
    host = _host(parts[1], policy)
    if port is not None and not policy.allow_loopback and port not in PORTS:
        raise NotPublicError("The link leads to a port that is not open to links")
    try:
        url = httpx.URL(text[: found.start(2)] + host + (f":{port}" if port is not None else "") + text[found.end(2) :])
        url = url.copy_with(fragment=None)
    except (httpx.InvalidURL, ValueError):
        raise _no_address() from None
    if url.raw_host.decode("ascii") != host.strip("[]") or url.userinfo or len(str(url)) > MOST_CHARACTERS:
        raise _no_address()
    return url


def checked_reference(base: httpx.URL, reference: str, policy: LinkPolicy) -> httpx.URL:
    """Where a server points to from `base`. Raises what `checked_url` raises."""
    _check_characters(reference)
    if reference.startswith("//"):
        return checked_url(f"{base.scheme}:{reference}", policy)
    if _SCHEME.match(reference):
        return checked_url(reference, policy)
    try:
        return checked_url(str(base.join(reference)), policy)
    except (httpx.InvalidURL, ValueError):
        raise _no_address() from None


def _check_characters(text: str) -> None:
    if "\\" in text or any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp") for each in text):
        raise _no_address()


def _host(text: str, policy: LinkPolicy) -> str:
    """A name in lower-case ASCII, or an IP address as it is usually written, IPv6 in brackets."""
    if text.startswith("["):
        try:
            address = ipaddress.IPv6Address(text[1:-1])
        except ValueError:
            raise _no_address() from None
        return f"[{_public(address, policy)}]"
    name = _ascii(text).removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _no_address()
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return _public(ipaddress.IPv4Address(name), policy)
        except ValueError:
            raise NotPublicError("The link spells an IP address in an unusual way") from None
    if policy.allow_loopback and name == "localhost":
        return name
    if len(labels) == 1 or any(name == local or name.endswith(f".{local}") for local in LOCAL_NAMES):
        raise NotPublicError("The link leads to a name that is not public")
    return name


def _ascii(text: str) -> str:
    """A name as it is asked for, full-width and other compatible characters mapped as browsers do (UTS 46)."""
    if text.isascii():
        return text.lower()
    try:
        return idna.encode(text, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise _no_address() from None


def _public(address: ipaddress.IPv4Address | ipaddress.IPv6Address, policy: LinkPolicy) -> str:
    if not is_public(str(address), allow_loopback=policy.allow_loopback):
        raise NotPublicError()
    return str(address)


def _no_address() -> LinkError:
    return LinkError("The link is not an address", remedy="Give a http or https address.")
