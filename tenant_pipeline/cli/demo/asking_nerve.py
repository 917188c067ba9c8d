"""Questions to the running instance, as a client of the tenant's asks them: over HTTP, with its token."""

from __future__ import annotations

from typing import Any

import httpx
from rich.table import Table
from rich.text import Text

from tenant_pipeline.cli.demo.people import PILOT
from tenant_pipeline.cli.shell import console
from tenant_pipeline.core.errors import TenantRuntimeError
from tenant_pipeline.services.conflicts.signatures import Decision
from tenant_pipeline.services.provisioning.backends import backend_of
from tenant_pipeline.services.provisioning.reading import instance_status
from tenant_pipeline.services.runtime import Runtime

SECONDS = 10.0
SIGNED = (Decision.CANDIDATE, Decision.HUMAN_PIN, Decision.BOTH_RIGHT)


def draw_search(runtime: Runtime, query: str, property_: str) -> None:
    """Search for a name, and draw a property of what is found first, with who says so."""
    with _client(runtime) as client:
        answer = _get(client, "/search", q=query)
        if not answer["results"]:
            console.print(f"Nerve {answer['version']} knows nothing of “{query}”.", highlight=False)
            return
        found = answer["results"][0]
        entity = _get(client, f"/entities/{found['id']}")
    table = Table(
        title=f"Nerve {answer['version']}: “{query}” → {found['label']} ({found['type']}, score {found['score']:.2f})",
        title_justify="left",
    )
    for column in ("property", "value", "chosen by", "says", "where in it", "as of"):
        table.add_column(column, overflow="fold")
    for value in entity["values"]:
        if value["property"] in ("name", property_):
            for number, source in enumerate(value["sources"]):
                named = value["property"] + (f"@{value['lang']}" if value["lang"] else "")
                chosen_by = "a person, signed" if value["rule"] in SIGNED else value["rule"]
                first = (named, value["value"], chosen_by) if not number else ("", "", "")
                observed = (source["observed_at"] or "")[:10]
                row = (
                    *first,
                    f"{source['source_title']}, tier {source['authority_tier']}",
                    source["locator"],
                    observed,
                )
                table.add_row(*map(Text, row))
    console.print(table)


def served_version(runtime: Runtime) -> str:
    """The version that the instance serves now."""
    with _client(runtime) as client:
        return str(_get(client, "/version")["version"])


def _client(runtime: Runtime) -> httpx.Client:
    status = instance_status(runtime, PILOT, backend_of(runtime))
    if status["endpoint"] is None:
        raise TenantRuntimeError(
            f"The instance does not stand: it is {status['phase']}",
            where=PILOT,
            remedy="`tenant-pipeline instance status` tells more.",
        )
    token = runtime.database.instance_token(PILOT)
    return httpx.Client(
        base_url=status["endpoint"], headers={"Authorization": f"Bearer {token}"}, timeout=SECONDS, trust_env=False
    )


def _get(client: httpx.Client, path: str, **parameters: str) -> Any:
    response = client.get(path, params=parameters)
    if response.is_error:
        raise TenantRuntimeError(f"The instance answers with status {response.status_code}", where=path)
    return response.json()
