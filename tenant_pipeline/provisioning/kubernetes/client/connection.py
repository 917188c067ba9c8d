"""Requests to the API server: sent again where that helps, and with errors that show neither body nor header.

A lost connection, 408, 409 (Conflict), 429 and 5xx are sent again, after the server's `Retry-After` (RFC 9110, 10.2.3)
or, without one, with exponential back-off and full jitter. Everything may be sent twice: server-side apply and deletion
by UID come to the same, and a namespace that the lost first request has created is found to be ours.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from kubernetes import config
from kubernetes.client import ApiClient, Configuration
from kubernetes.config import ConfigException
from kubernetes.config.incluster_config import SERVICE_TOKEN_FILENAME
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential
from urllib3 import Timeout
from urllib3.exceptions import HTTPError

from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.provisioning.kubernetes.client.deadline import Deadline

_LONGEST_REQUEST = 30.0
_MOST_CONFLICTS = 6
_BACK_OFF = wait_random_exponential(multiplier=0.2, max=5.0)
_WORD = re.compile(r"[A-Za-z]{1,40}", re.ASCII)
_FIELD = re.compile(r"[A-Za-z0-9_.\-\[\]]{1,200}", re.ASCII)


class ApiError(ProvisioningError):
    """The API server refused a request, or was not to be reached.

    `status` is the HTTP status, 0 without an answer; `reason` the server's one word for it (AlreadyExists, Invalid);
    `fields` the paths that it found wrong. The server's own message is left out: it may quote what was sent.
    """

    def __init__(self, place: str, status: int, reason: str = "", fields: tuple[str, ...] = ()) -> None:
        self.status, self.reason, self.fields = status, reason, fields
        told = " ".join(part for part in (str(status) if status else "no answer", reason) if part)
        super().__init__(
            f"The Kubernetes API did not do what was asked ({told})",
            where=f"{place}: {', '.join(fields)}" if fields else place,
            remedy=_REMEDIES.get(status, "See the API server's own log."),
        )


_REMEDIES = {
    0: "Check that the API server runs and that kubeconfig and context name the right one.",
    401: "Renew the credentials in the kubeconfig.",
    403: "Give the runtime's account the rights of docs/operate/kubernetes.md, or raise the cluster's quota.",
    409: "Someone else is changing it: run this again.",
    422: "The server holds the object to be invalid: compare its version with those supported.",
    429: "The API server is busy: run this again later.",
    503: "The API server is not ready: run this again later.",
}


class _Passing(Exception):
    """A failure that may be over by the next attempt. Knows nothing of what was sent."""

    def __init__(self, status: int, reason: str, retry_after: float) -> None:
        super().__init__(status)
        self.status, self.reason, self.retry_after = status, reason, retry_after


class ApiConnection:
    """A connection to one cluster. `inside` is true where this process itself runs in it."""

    def __init__(self, client: ApiClient, *, inside: bool = False) -> None:
        client.configuration.retries = False  # here it is decided what is sent again
        self._client = ApiClient(client.configuration)
        self.inside = inside

    def request(
        self,
        method: str,
        path: str,
        *,
        place: str,
        deadline: Deadline,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        """The answer's JSON. `place` names the object in errors.

        Raises ApiError for what the server refuses, and for what does not pass before the deadline.
        """
        attempts = Retrying(
            retry=retry_if_exception_type(_Passing),
            wait=_wait,
            stop=lambda state: state.upcoming_sleep >= deadline.remaining or _conflicts(state),
            reraise=True,
        )
        url = path + ("?" + urlencode(query) if query else "")
        failure: _Passing | None = None
        try:
            status, answer = attempts(self._once, method, url, body, content_type, deadline)
        except _Passing as last:
            failure = last
        if failure is not None:
            raise ApiError(place, failure.status, failure.reason)
        if 200 <= status < 300:
            return answer
        raise ApiError(place, status, _reason(answer), _fields(answer))

    def _once(
        self, method: str, url: str, body: object, content_type: str, deadline: Deadline
    ) -> tuple[int, dict[str, Any]]:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        self._client.update_params_for_auth(headers, [], ["BearerToken"])
        failed = ""
        try:
            # The pool itself, since the client above it may write answers, and so secrets, to its log.
            response = self._client.rest_client.pool_manager.request(
                method,
                self._client.configuration.host + url,
                headers=headers,
                body=None if body is None else json.dumps(body),
                timeout=Timeout(total=min(_LONGEST_REQUEST, max(1.0, deadline.remaining))),
            )
            status, data, told = response.status, response.data, response.headers.get("Retry-After", "")
        except (HTTPError, OSError) as error:
            failed = type(error).__name__
        if failed:
            raise _Passing(0, failed, 0.0)
        answer = _parsed(data)
        if status in {408, 429} or status >= 500 or (status == 409 and _reason(answer) == "Conflict"):
            raise _Passing(status, _reason(answer), float(told) if told.isdecimal() else 0.0)
        return status, answer


def is_pod_without_account(kubeconfig: Path | None) -> bool:
    """Whether this process runs in a cluster whose API server it was given no way to talk to, as the API's pods are."""
    inside = kubeconfig is None and "KUBERNETES_SERVICE_HOST" in os.environ
    return inside and not Path(SERVICE_TOKEN_FILENAME).exists()


def open_connection(kubeconfig: Path | None, context: str | None) -> ApiConnection:
    """Connect as the kubeconfig says; without one, as this pod's own account, or else as the user's kubeconfig says.

    Raises ProvisioningError where there is nothing to go by.
    """
    if is_pod_without_account(kubeconfig):
        raise ProvisioningError(
            "This pod has no account in the cluster",
            where="its service account's token",
            remedy="The code server and the pods of runs have one: see docs/operate/kubernetes.md.",
        )
    configuration = Configuration()
    inside = kubeconfig is None and "KUBERNETES_SERVICE_HOST" in os.environ
    wrong = False
    try:
        if inside:
            config.load_incluster_config(configuration)
        else:
            config.load_kube_config(
                str(kubeconfig) if kubeconfig else None,
                context=context,
                client_configuration=configuration,
                persist_config=False,
            )
    except (ConfigException, OSError):
        wrong = True
    if wrong:
        raise ProvisioningError(
            "There is no usable way to a Kubernetes cluster",
            where="kubeconfig and context of the Kubernetes settings",
            remedy="Name a kubeconfig file that exists and a context that is in it.",
        )
    return ApiConnection(ApiClient(configuration), inside=inside)


def _wait(state: RetryCallState) -> float:
    failure = state.outcome.exception() if state.outcome else None
    told = failure.retry_after if isinstance(failure, _Passing) else 0.0
    return max(told, _BACK_OFF(state))


def _conflicts(state: RetryCallState) -> bool:
    """A conflict that stays is no race: the object has become another one."""
    failure = state.outcome.exception() if state.outcome else None
    return isinstance(failure, _Passing) and failure.status == 409 and state.attempt_number >= _MOST_CONFLICTS


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(data)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _reason(answer: Mapping[str, Any]) -> str:
    reason = answer.get("reason")
    return reason if isinstance(reason, str) and _WORD.fullmatch(reason) else ""


def _fields(answer: Mapping[str, Any]) -> tuple[str, ...]:
    causes = (answer.get("details") or {}).get("causes") or []
    named = {cause.get("field") for cause in causes if isinstance(cause, dict)}
    return tuple(sorted(field for field in named if isinstance(field, str) and _FIELD.fullmatch(field)))
