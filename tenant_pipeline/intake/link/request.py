"""One request: paced, within the time, its failures told apart into those that may pass and those that stay."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpcore
import httpx

from tenant_pipeline.intake.link.allowance import Allowance
from tenant_pipeline.intake.link.connection import PinnedBackend
from tenant_pipeline.intake.link.credential import Credential
from tenant_pipeline.intake.link.errors import LinkError, PassingError
from tenant_pipeline.intake.link.pace import Pace
from tenant_pipeline.intake.link.policy import USER_AGENT, LinkPolicy
from tenant_pipeline.intake.link.retries import retry_after
from tenant_pipeline.intake.link.surroundings import Surroundings
from tenant_pipeline.intake.link.transport import PinnedTransport

BUSY = (429, 502, 503, 504)
HEADERS = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}


class Requests:
    """Asks for addresses that were checked. Holds open connections until it is closed."""

    def __init__(
        self, policy: LinkPolicy, surroundings: Surroundings, allowance: Allowance, credential: Credential | None
    ) -> None:
        self._credential = credential
        self._surroundings = surroundings
        self._allowance = allowance
        self._quiet = policy.quiet_seconds
        self.pace = Pace(policy.request_interval_seconds, surroundings, allowance)
        backend = PinnedBackend(policy, surroundings.network, allowance)
        self._transport = PinnedTransport(backend, httpx.create_ssl_context(trust_env=False))

    def close(self) -> None:
        """Close what is open."""
        self._transport.close()

    def get(self, url: httpx.URL, headers: Mapping[str, str]) -> httpx.Response:
        """The answer, its body still to come; the caller closes it.

        Raises PassingError for a connection that fails and for a busy server, TooSlowError where the time ends, and
        LinkError for what will not pass.
        """
        self.pace.wait(url.host)
        timeout = httpx.Timeout(self._quiet).as_dict()
        secret = self._credential.headers(url) if self._credential else {}
        request = httpx.Request("GET", url, headers={**HEADERS, **headers, **secret}, extensions={"timeout": timeout})
        with passing_faults(self._allowance):
            answer = self._transport.handle_request(request)
        if answer.status_code in BUSY:
            answer.close()
            wanted = retry_after(answer.headers.get("retry-after", ""), self._surroundings.time_of_day())
            raise PassingError(f"The server answered with status {answer.status_code}", retry_after=wanted)
        return answer

    def chunks(self, answer: httpx.Response) -> Iterator[bytes]:
        """The body of an answer, counted. Raises as `get` does, and TooLargeError and LengthError."""
        declared = answer.headers.get("content-length", "")
        if declared.isascii() and declared.isdigit():
            self._allowance.expect(int(declared))
        with passing_faults(self._allowance):
            for chunk in answer.iter_raw():
                self._allowance.take(len(chunk))
                yield chunk


@contextmanager
def passing_faults(allowance: Allowance) -> Iterator[None]:
    """Network faults as PassingError, a certificate that is not the server's as LinkError.

    A wait that ended with the link's time is TooSlowError.
    """
    try:
        yield
    except httpcore.TimeoutException:
        allowance.seconds()
        raise _passing() from None
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        if any(isinstance(each, ssl.SSLCertVerificationError) for each in error.args):
            raise LinkError(
                "The server cannot prove that it is the one in the link", remedy="Check the address."
            ) from None
        raise _passing() from None


def _passing() -> PassingError:
    return PassingError("The link cannot be fetched: the connection failed or broke off")
