"""One document behind an address: redirects followed, faults outlasted, its bytes in the raw zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Self, cast

import httpx

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.tables import RawObjects
from tenant_pipeline.intake.link.allowance import Allowance
from tenant_pipeline.intake.link.body import Body
from tenant_pipeline.intake.link.credential import Credential
from tenant_pipeline.intake.link.errors import LengthError, LinkError, PassingError, RobotsError
from tenant_pipeline.intake.link.policy import LinkPolicy
from tenant_pipeline.intake.link.request import Requests
from tenant_pipeline.intake.link.retries import Retries
from tenant_pipeline.intake.link.robots import MOST_BYTES, Robots
from tenant_pipeline.intake.link.surroundings import Surroundings
from tenant_pipeline.intake.link.target import checked_reference
from tenant_pipeline.intake.link.validators import Validators

REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Document:
    """What was fetched: the address that answered, the headers of the answer, and the body in the raw zone."""

    url: httpx.URL
    headers: httpx.Headers
    sha256: Sha256
    size: int

    @property
    def validators(self) -> Validators:
        """What tells the server that we have this version."""
        return Validators.of(self.headers, str(self.url))


@dataclass(frozen=True)
class NotModified:
    """The document is still the one whose validators were sent; its body was not fetched."""


class Fetch:
    """Fetches the documents of one link; robots.txt, pace, time and bytes hold over all of them."""

    def __init__(
        self,
        raw: RawObjects,
        policy: LinkPolicy,
        surroundings: Surroundings,
        credential: Credential | None = None,
    ) -> None:
        self._raw = raw
        self._policy = policy
        self._sleep = surroundings.sleep
        self._allowance = Allowance(policy, surroundings.clock)
        self._requests = Requests(policy, surroundings, self._allowance, credential)
        self._robots: dict[str, Robots] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._requests.close()

    def document(self, url: httpx.URL, known: Validators) -> Document | NotModified:
        """Fetch a checked address into the raw zone, unless it has not changed since `known`.

        Raises LinkError, or the kind of it that fits, for whatever keeps the document from coming whole.
        """
        retries = self._new_retries()
        while True:  # ended by `retries`: a body is begun again only after a fault, which they count
            place, answer = self._follow(url, known, retries, obey_robots=True)
            try:
                if answer.status_code == 304 and known.conditions(str(place)):
                    return NotModified()
                _check(answer)
                digest, size = self._raw.put(cast(BinaryIO, Body(self._body(place, answer, retries))))
                return Document(place, answer.headers, digest, size)
            except _BeginAgain:
                continue
            finally:
                answer.close()

    def _new_retries(self) -> Retries:
        return Retries(self._policy, self._allowance, self._sleep)

    def _follow(
        self, url: httpx.URL, known: Validators, retries: Retries, *, obey_robots: bool
    ) -> tuple[httpx.URL, httpx.Response]:
        """The address where the redirects end, and its answer. Each address on the way is checked anew."""
        for _ in range(self._policy.max_redirects + 1):
            if obey_robots:
                self._ask_robots(url)
            answer = retries.attempts()(self._requests.get, url, known.conditions(str(url)))
            place = answer.headers.get("location")
            if answer.status_code not in REDIRECTS or place is None:
                return url, answer
            answer.close()
            following = checked_reference(url, place, self._policy)
            if url.scheme == "https" and following.scheme != "https":
                raise LinkError("The link is redirected to an unencrypted address", remedy="Hand that address in.")
            url = following
        raise LinkError("The link is redirected too often", remedy="Give the address it ends at.")

    def _body(self, url: httpx.URL, first: httpx.Response, retries: Retries) -> Iterator[bytes]:
        """The body, taken up again where it breaks off. Raises _BeginAgain where it can only be begun again."""
        came = 0
        answer: httpx.Response | None = first
        for attempt in retries.attempts():
            with attempt:
                if answer is None:
                    answer = self._rest(url, first, came)
                try:
                    for chunk in self._requests.chunks(answer):
                        came += len(chunk)
                        yield chunk
                finally:
                    answer.close()
                    answer = None
        if first.headers.get("content-length", str(came)) != str(came):
            raise LengthError

    def _rest(self, url: httpx.URL, first: httpx.Response, came: int) -> httpx.Response:
        """The answer with the rest of the same version of a body (RFC 9110, section 14)."""
        condition = Validators.of(first.headers, str(url)).range_condition()
        if not came or not condition or first.headers.get("accept-ranges", "").lower() == "none":
            raise _BeginAgain
        answer = self._requests.get(url, {"Range": f"bytes={came}-", "If-Range": condition})
        same = first.headers.get("etag") == answer.headers.get("etag", first.headers.get("etag"))
        begins = answer.headers.get("content-range", "").startswith(f"bytes {came}-")
        if answer.status_code == 206 and same and begins:
            return answer
        answer.close()
        raise _BeginAgain

    def _ask_robots(self, url: httpx.URL) -> None:
        address = url.copy_with(raw_path=b"/robots.txt")
        if url == address or not self._policy.obey_robots:
            return
        site = str(address)
        if site not in self._robots:
            self._robots[site] = self._read_robots(address)
            self._requests.pace.slow_down(url.host, self._robots[site].interval())
        if not self._robots[site].allow(url):
            raise RobotsError(
                "The site's robots.txt asks programs not to fetch this address",
                remedy="Ask the site's owner, or download the document yourself and hand in the file.",
            )

    def _read_robots(self, address: httpx.URL) -> Robots:
        """A site's rules: none where it has none (4xx), and no way in where it cannot say (RFC 9309, 2.3.1)."""
        retries = self._new_retries()
        try:
            return retries.attempts()(self._robots_once, address, retries)
        except (PassingError, LengthError):
            raise _no_robots() from None

    def _robots_once(self, address: httpx.URL, retries: Retries) -> Robots:
        _, answer = self._follow(address, Validators(), retries, obey_robots=False)
        try:
            if 400 <= answer.status_code < 500:
                return Robots.parse(b"")
            if not answer.is_success:
                raise _no_robots()
            body = b""
            for chunk in self._requests.chunks(answer):
                body += chunk
                if len(body) >= MOST_BYTES:
                    break
            return Robots.parse(body)
        finally:
            answer.close()


class _BeginAgain(Exception):
    """The rest of a body cannot be had."""


def _check(answer: httpx.Response) -> None:
    if answer.status_code != 200:
        raise LinkError(
            f"The server answered with status {answer.status_code}",
            remedy="Open the link in a browser to see whether it still leads to the document.",
        )
    if answer.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise LinkError(
            "The server packs its answer though it was asked not to", remedy="Download it and hand in the file."
        )


def _no_robots() -> RobotsError:
    return RobotsError("The site's robots.txt cannot be read at the moment", remedy="Try again later.")
