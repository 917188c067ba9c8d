"""A link handed in as a unit: fetched from a public address, within limits, straight into the raw zone."""

from __future__ import annotations

import io
import socket
import time
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import unquote

import httpcore
import httpx

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.origin import Unit, UnitFile, UnitMode
from tenant_pipeline.core.tables import RawObjects
from tenant_pipeline.intake.addresses import is_public

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

USER_AGENT = "tenant-runtime"
REDIRECTS = (301, 302, 303, 307, 308)
NAME_CHARACTERS = 120


class LinkError(InputError):
    """A link cannot be taken in: its address, its size, its time or its answer."""

    code = "link-refused"


@dataclass(frozen=True)
class LinkPolicy:
    """What a link may cost and where it may lead.

    `max_bytes` counts the bytes that really arrive, unpacked; `timeout_seconds` the whole fetch, redirects included.
    `allow_loopback` opens this machine's own addresses, for a runtime that is tried out against a local server.
    """

    max_bytes: int = 200 * 1024 * 1024
    timeout_seconds: float = 60.0
    max_redirects: int = 5
    allow_loopback: bool = False


def unit_from_link(url: str, raw: RawObjects, policy: LinkPolicy) -> Unit:
    """Fetch `url` into the raw zone and describe it as a unit of one file.

    Names are resolved once for each connection and every address is checked before the connection is made to that
    very address, so that a name cannot be pointed elsewhere in between. Redirects are checked anew.

    Raises LinkError for any other scheme than http and https, an address that is not public, too many redirects, an
    answer that is not 200, more bytes or time than the policy allows, and a connection that fails.
    """
    deadline = time.monotonic() + policy.timeout_seconds
    current = _checked(url)
    pool = httpcore.ConnectionPool(
        ssl_context=httpx.create_ssl_context(trust_env=False), network_backend=_PublicBackend(policy, deadline)
    )
    with httpx.Client(transport=_Transport(pool), trust_env=False, follow_redirects=False) as client:
        for _ in range(policy.max_redirects + 1):
            following, unit = _fetch(client, current, raw, policy, deadline)
            if unit is not None:
                return unit
            current = following
    raise LinkError("The link is redirected too often", where="link", remedy="Give the address it ends at.")


def _fetch(
    client: httpx.Client, url: httpx.URL, raw: RawObjects, policy: LinkPolicy, deadline: float
) -> tuple[httpx.URL, Unit | None]:
    """Where the link leads next, and the unit once it has been fetched."""
    left = max(deadline - time.monotonic(), 0.001)
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    try:
        with client.stream("GET", url, timeout=left, headers=headers) as response:
            if response.status_code in REDIRECTS and "location" in response.headers:
                return _checked(str(url.join(response.headers["location"]))), None
            if response.status_code != 200:
                raise LinkError(
                    f"The server answered with status {response.status_code}",
                    where="link",
                    remedy="Open the link in a browser to see whether it still leads to the document.",
                )
            body = _Body(response.iter_bytes(), policy.max_bytes, deadline)
            digest, size = raw.put(cast(BinaryIO, body))
            name = _file_name(url, response.headers.get("content-type", ""))
            return url, Unit(UnitMode.LINK, (UnitFile(name, digest, size),))
    except (httpx.TimeoutException, httpcore.TimeoutException):
        raise _too_slow() from None
    except (httpx.HTTPError, httpcore.ConnectError, httpcore.NetworkError, httpcore.ProtocolError, httpx.InvalidURL):
        raise LinkError("The link cannot be fetched", where="link", remedy="Check the address and try again.") from None


def _checked(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError, TypeError):
        raise LinkError("The link is not an address", where="link", remedy="Give a http or https address.") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise LinkError("Only http and https links are taken in", where="link", remedy="Give such an address.")
    if url.userinfo:
        raise LinkError("The link carries credentials", where="link", remedy="Give a link that needs none.")
    return url


def _too_slow() -> LinkError:
    return LinkError("The link took too long", where="link", remedy="Download the document and hand in the file.")


def _file_name(url: httpx.URL, content_type: str) -> str:
    name = unicodedata.normalize("NFC", unquote(url.path.rsplit("/", 1)[-1], errors="replace")).strip()
    name = "".join(character for character in name if character.isprintable() and character not in "/\\")
    if name in ("", ".", ".."):
        kind = content_type.partition(";")[0].strip().lower()
        return {"application/json": "document.json", "text/csv": "document.csv"}.get(kind, "document.html")
    return name[-NAME_CHARACTERS:]


class _Body(io.RawIOBase):
    """The bytes of an answer as a stream that ends in a LinkError where it is too long or too slow."""

    def __init__(self, chunks: Iterator[bytes], max_bytes: int, deadline: float) -> None:
        super().__init__()
        self._chunks = chunks
        self._left = max_bytes
        self._deadline = deadline
        self._held = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        while not self._held:
            chunk = next(self._chunks, None)
            if time.monotonic() > self._deadline:
                raise _too_slow()
            if chunk is None:
                return 0
            self._left -= len(chunk)
            if self._left < 0:
                raise LinkError(
                    "The document behind the link is too large",
                    where="link",
                    remedy="Download it, and hand in the part that matters.",
                )
            self._held = chunk
        count = min(len(view), len(self._held))
        view[:count] = self._held[:count]
        self._held = self._held[count:]
        return count


class _PublicBackend(httpcore.NetworkBackend):
    """Connects to public addresses only: what was checked is what is connected to."""

    def __init__(self, policy: LinkPolicy, deadline: float) -> None:
        self._policy = policy
        self._deadline = deadline
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise LinkError("The name in the link is not known", where="link", remedy="Check the address.") from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not addresses or not all(is_public(each, allow_loopback=self._policy.allow_loopback) for each in addresses):
            raise LinkError(
                "The link leads to an address that is not public",
                where="link",
                remedy="Download the document inside that network and hand in the file.",
            )
        if time.monotonic() > self._deadline:
            raise _too_slow()
        return self._backend.connect_tcp(addresses[0], port, timeout, local_address, socket_options)


class _Transport(httpx.BaseTransport):
    """Carries requests of an httpx client over a httpcore pool of ours."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Answer(answer))

    def close(self) -> None:
        self._pool.close()


class _Answer(httpx.SyncByteStream):
    """The body of a httpcore answer as httpx reads it."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()
