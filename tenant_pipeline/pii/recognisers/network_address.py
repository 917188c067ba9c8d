"""Addresses of devices: IP (personal data where a person can be found behind it) and MAC."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from tenant_pipeline.pii.recognisers.folded import Candidate, FoldedRecogniser, valid_matches

_IPV4 = re.compile(r"(?<![0-9A-Za-z.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9A-Za-z])(?!\.[0-9])")
_IPV6 = re.compile(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![0-9A-Za-z:])")
_MAC = re.compile(r"(?<![0-9A-Za-z:-])[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}(?![0-9A-Za-z:-])")


def _valid(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not address.is_unspecified and not address.is_loopback


class IpAddressRecogniser(FoldedRecogniser):
    """Dotted quads with a number above 9 in them (1.2.3.4 is a version or a section), and IPv6."""

    entity = "IP_ADDRESS"
    prefilter = r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|::|(?:[0-9A-Fa-f]{1,4}:){4}"
    context_words = ("ip", "ip address", "ipv4", "ipv6", "ไอพี", "หมายเลขไอพี")

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Valid addresses."""
        for match in valid_matches(_IPV4, folded, _valid):
            version_like = max(int(part) for part in match[0].split(".")) < 10
            yield Candidate(match.start(), match.end(), 0.3 if version_like else 0.6)
        for match in valid_matches(_IPV6, folded, _valid):
            yield Candidate(match.start(), match.end(), 0.6 if len(match[0]) > 6 else 0.3)


class MacAddressRecogniser(FoldedRecogniser):
    """Six pairs of hexadecimal digits with one kind of separator."""

    entity = "MAC_ADDRESS"
    prefilter = r"[0-9A-Fa-f]{2}[:-][0-9A-Fa-f]{2}[:-][0-9A-Fa-f]{2}[:-]"
    context_words = ("mac", "mac address")

    def candidates(self, folded: str) -> Iterator[Candidate]:
        """Addresses of that form."""
        for match in _MAC.finditer(folded):
            yield Candidate(match.start(), match.end(), 0.7)
