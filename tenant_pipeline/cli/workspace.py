"""`workspace | sign-in | token`: serving the workspace and its API, and letting people and programs in."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from tenant_pipeline.cli.options import TenantOption
from tenant_pipeline.cli.shell import opened, operator
from tenant_pipeline.core.errors import SettingsError
from tenant_pipeline.core.garbage import loading_code
from tenant_pipeline.core.tenancy import TenantId, tenant_id
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.audit_log import AuditEntry


def workspace(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many server processes.")] = 1,
) -> None:
    """Serve the workspace and its API over the database that runs, until Ctrl-C or SIGTERM."""
    with loading_code():
        from tenant_pipeline.api.server import serve  # no other command pays for the web framework

    serve(host, port or Settings().workspace_port, workers)


def sign_in(
    person: Annotated[str, typer.Argument(help="Who is to come in.")],
    tenant: TenantOption,
) -> None:
    """Print a link that lets a person in: good once, for ten minutes. Whoever has it is that person."""
    with opened() as runtime:
        from tenant_pipeline.api.authentication.local_issuer import LocalIssuer
        from tenant_pipeline.api.served_address import served_address

        _require_local(runtime)
        code = LocalIssuer(runtime).sign_in_code(person, tenant_id(tenant))
        _audit(runtime, tenant_id(tenant), "session.invited", person)
        settings = runtime.settings
        served = settings.public_url or served_address(settings.home)
        typer.echo(f"{served or f'http://127.0.0.1:{settings.workspace_port}'}/#code={code}")


def token(
    person: Annotated[str, typer.Argument(help="In whose name the program acts.")],
    tenant: TenantOption,
    minutes: Annotated[int, typer.Option(min=1, max=720, help="For how long.")] = 60,
) -> None:
    """Print an access token for programs."""
    with opened() as runtime:
        from tenant_pipeline.api.authentication.local_issuer import LocalIssuer

        _require_local(runtime)
        printed = LocalIssuer(runtime).access_token(person, tenant_id(tenant), timedelta(minutes=minutes))
        _audit(runtime, tenant_id(tenant), "token.issued", person)
        typer.echo(printed)


def _require_local(runtime: Runtime) -> None:
    if runtime.settings.oidc_issuer:
        raise SettingsError(
            "Tokens come from the OpenID provider here", where="TENANT_RUNTIME_OIDC_ISSUER", remedy="Ask it for one."
        )


def _audit(runtime: Runtime, tenant: TenantId, action: str, person: str) -> None:
    with runtime.database.platform() as connection:
        entry = AuditEntry(actor=operator(), action=action, subject=person, details={})
        runtime.audit.append(connection, tenant, [entry])
