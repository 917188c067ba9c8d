"""Dagster's webserver, for pages of its own only: `python -m tenant_pipeline.cli.dagster_ui`, with its own arguments.

It has no login, and takes changes from any page that the operator's browser has open: a form of another site can start,
end and delete runs. So what comes from another site's page is refused, by what browsers add to each request and no
page can forge; and so is a name for this machine that is not ours, by which a site could pass for it (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from tenant_pipeline.core.garbage import loading_code

with loading_code():
    from dagster_webserver import cli
    from starlette.requests import HTTPConnection
    from starlette.responses import PlainTextResponse
    from starlette.types import ASGIApp, Receive, Scope, Send

    from tenant_pipeline.settings import Settings

REFUSAL = (
    "This comes from another site's page, or asks for a host that is not known here. "
    "If it is the address of this Dagster UI, name it in TENANT_RUNTIME_DAGSTER_URL."
)
CREATES_APPLICATION = "create_app_from_workspace_process_context"
FOREIGN = ("cross-site", "same-site")
"""Values of Sec-Fetch-Site that say that another site's page is behind a request."""


class OwnPagesOnly:
    """Lets through what a page of this server asks for, and what no page asks for: people's addresses, programs."""

    def __init__(self, application: ASGIApp, url: str = "") -> None:
        self._application = application
        self._own = urlsplit(url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 to anything else; a WebSocket is not opened."""
        if scope["type"] not in ("http", "websocket") or self._lets_in(HTTPConnection(scope)):
            await self._application(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4403})
        else:
            await PlainTextResponse(REFUSAL, 403)(scope, receive, send)

    def _lets_in(self, asked: HTTPConnection) -> bool:
        host = asked.headers.get("host", "")
        origin = asked.headers.get("origin")
        if not self._is_ours(host):
            return False
        if origin is not None:
            shown = urlsplit(origin)
            return shown.netloc == host or (shown.scheme, shown.netloc) == (self._own.scheme, self._own.netloc)
        follows_a_link = asked.headers.get("sec-fetch-mode") == "navigate" and not _changes(asked)
        return asked.headers.get("sec-fetch-site", "") not in FOREIGN or follows_a_link

    def _is_ours(self, host: str) -> bool:
        name = urlsplit(f"//{host}").hostname or ""
        return name in ("localhost", self._own.hostname) or _is_address(name)


def _changes(asked: HTTPConnection) -> bool:
    """Whether it can change anything: Dagster takes changes at this address by GET as well."""
    return asked.scope.get("method") != "GET" or asked.scope["path"].endswith("/graphql")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def main() -> None:
    """Run it as `dagster-webserver` does, with the guard around its application."""
    create = vars(cli)[CREATES_APPLICATION]

    def guarded(*arguments: Any, **options: Any) -> OwnPagesOnly:
        return OwnPagesOnly(create(*arguments, **options), Settings().dagster_url)

    vars(cli)[CREATES_APPLICATION] = guarded  # it has no place of its own for what stands around its routes
    cli.main()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
