"""Web addresses."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, quote, unquote_to_bytes, urlsplit, urlunsplit

import idna

from tenant_pipeline.core.standardise.characters import clean
from tenant_pipeline.core.standardise.reading import Context, Standardised, Unreadable

_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_HOST_AND_PORT = re.compile(r"^[^\s/:@?#]+\.[^\s/:@?#.]{2,}(?::[0-9]{1,5})?(?:[/?#]|$)")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_TRACKING = re.compile(
    r"^(?:utm_[a-z0-9_]*|gclid|gbraid|wbraid|dclid|fbclid|msclkid|yclid|twclid|ttclid|igshid|mc_cid|mc_eid|_ga|_gl)$",
    re.IGNORECASE,
)
"""Query parameters that say how a visitor came, not what is addressed."""

_UNRESERVED_AND_DELIMITERS = "-._~!$&'()*+,;=:@/%"
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

_PLAIN_LABEL = r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN_HOST = re.compile(rf"(?=.{{1,253}}\Z)(?:{_PLAIN_LABEL}\.)+{_PLAIN_LABEL}\Z")
"""Names that IDNA leaves as they are, which most are: to ask it takes thirty times as long."""


def standardise_url(value: str, context: Context) -> Standardised:
    """An http or https address in the normal form of RFC 3986, section 6.2.

    Scheme and host in lower case, the host in IDNA, no default port, escapes in upper case, dot segments resolved;
    the fragment and tracking parameters are dropped. A bare `www.example.org/x` is read as https. Raises Unreadable
    for any other scheme (`javascript:`, `data:`), for credentials in the address and for hosts that cannot exist.
    """
    text = clean(value)
    rule = "url"
    if not re.match(r"^[a-z][a-z0-9+.-]*://", text, re.IGNORECASE) and _HOST_AND_PORT.match(text):
        text, rule = f"https://{text}", "url-scheme-assumed"
    scheme = _SCHEME.match(text)
    if not scheme:
        raise Unreadable("url-unreadable", "The value is not a web address.")
    if scheme[1].lower() not in _DEFAULT_PORTS:
        raise Unreadable("url-scheme-refused", "Only http and https addresses are taken.")
    if " " in text or "\\" in text:
        raise Unreadable("url-unreadable", "A web address has neither spaces nor backslashes.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise Unreadable("url-unreadable", "The value is not a web address.") from None
    if "@" in parts.netloc:
        raise Unreadable("url-with-credentials", "The web address carries a user name or password.")
    return Standardised(_assemble(parts, port), rule)


def host_name(host: str) -> str:
    """A domain name in lower-case ASCII (IDNA 2008 with UTS 46 mapping). Raises Unreadable when none can be made."""
    if _PLAIN_HOST.match(host):
        return host
    try:
        ascii_host = idna.encode(host.rstrip("."), uts46=True).decode().lower()
    except (idna.IDNAError, UnicodeError, ValueError, IndexError):
        raise Unreadable("host-unreadable", "The host is not a domain name.") from None
    if "." not in ascii_host:
        raise Unreadable("host-unreadable", "The host has no domain.")
    return ascii_host


def _assemble(parts: SplitResult, port: int | None) -> str:
    host = _host(parts.hostname or "")
    scheme = parts.scheme.lower()
    shown_port = "" if port is None or port == _DEFAULT_PORTS[scheme] else f":{port}"
    kept = [pair for pair in parts.query.split("&") if pair and not _TRACKING.match(pair.split("=", 1)[0])]
    query = "&".join(_escaped(pair, "/?") for pair in kept)
    return urlunsplit((scheme, host + shown_port, _without_dot_segments(_escaped(parts.path, "")) or "/", query, ""))


def _host(host: str) -> str:
    if not (host[-1:].isdigit() or ":" in host):  # no address: to ask for one takes longer than all the rest
        return host_name(host)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host_name(host)
    return f"[{address.compressed}]" if address.version == 6 else address.compressed


def _escaped(text: str, also: str) -> str:
    """`text` with exactly what must be escaped escaped, in upper case; a stray percent sign is escaped too."""

    def normal(match: re.Match[str]) -> str:
        octets = unquote_to_bytes(match[0])
        return "".join(chr(octet) if octet in _UNRESERVED else f"%{octet:02X}" for octet in octets)

    return _ESCAPE.sub(normal, quote(_PERCENT.sub("%25", text), safe=_UNRESERVED_AND_DELIMITERS + also))


def _without_dot_segments(path: str) -> str:
    """RFC 3986, section 5.2.4, for an absolute path."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for position, segment in enumerate(segments):
        last = position == len(segments) - 1
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
            continue
        if last:
            kept.append("")
    return "/" + "/".join(kept)
