"""Templates as they are published: each version once, and never changed."""

from __future__ import annotations

from typing import Any

from psycopg.types.json import Jsonb

from tenant_pipeline.core.errors import ContractError, InputError, NotFoundError
from tenant_pipeline.core.template.change import changes_between, least_version
from tenant_pipeline.core.template.template import Template, TypeRules, parsed_version, template_from, template_of
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import Connection

CONTRACT = "contract"
"""Who publishes what the contract ships."""


def publish_template(runtime: Runtime, given: object, *, published_by: str, where: str = "template") -> Template:
    """Publish a version of the template; the same again changes nothing.

    Raises InputError for a template that is none, for another content under a version that is published, and for a
    version lower than its changes ask for, naming them; ContractError as `keep_shipped` does.
    """
    template = template_from(given, runtime.contracts.vocabulary, where)
    with runtime.database.platform() as connection:
        connection.execute("SELECT app.lock('templates', '')")
        keep_shipped(runtime, connection)
        known = published(runtime, connection)
        for each in known:
            if each.version == template.version:
                if each.digest() != template.digest():
                    raise InputError(
                        f"Version {template.version} is published and says something else",
                        where=where,
                        remedy="A published template never changes: give it a higher version.",
                    )
                return each
        newest = known[-1]
        least = least_version(newest, template)
        if template.version < least:
            changes = "; ".join(
                f"{each.type} {each.property} {each.change}".replace("  ", " ")
                for each in changes_between(newest, template)
            )
            raise InputError(
                f"After {newest.version} this is at least version {least}: {changes or 'nothing has changed'}",
                where=where,
                remedy=f"Publish it as {least}.",
            )
        _insert(connection, template, published_by)
    return template


def keep_shipped(runtime: Runtime, connection: Connection) -> None:
    """Publish the contract's own template, in the transaction that pins a tenant to it or publishes another.

    From then on it says what it says, whatever contracts are put in. Raises ContractError where another template is
    published under its version.
    """
    own = shipped(runtime)
    kept = _kept(connection, str(own.version))
    if kept is None:
        connection.execute("SELECT app.lock('templates', '')")
        _insert(connection, own, CONTRACT)
        kept = _kept(connection, str(own.version))
    if kept is None or kept.digest() != own.digest():
        raise ContractError(
            f"Template {own.version} is published and says something else than this contract",
            where="living_city.json#/tenant_replication",
            remedy="A published template never changes: give tenant_replication a higher template_version.",
        )


def keep_what_is_pinned(runtime: Runtime) -> None:
    """Publish the contract's own template where tenants are pinned to it since before it was kept.

    Raises ContractError as `keep_shipped` does.
    """
    with runtime.database.platform() as connection:
        row = connection.execute(
            """
            SELECT EXISTS (SELECT FROM runtime.templates WHERE version = %(version)s)
                OR EXISTS (SELECT FROM runtime.tenants WHERE template_version = %(version)s) AS in_use
            """,
            {"version": runtime.contracts.template_version},
        ).fetchone()
        if row is not None and row["in_use"]:
            keep_shipped(runtime, connection)


def published(runtime: Runtime, connection: Connection) -> list[Template]:
    """Every version, the lowest first, with the one that the contract ships."""
    kept = [template_of(row["content"]) for row in connection.execute("SELECT content FROM runtime.templates")]
    own = shipped(runtime)
    others = [] if any(each.version == own.version for each in kept) else [own]
    return sorted([*kept, *others], key=lambda each: each.version)


def shipped(runtime: Runtime) -> Template:
    """The contract's own template: its checklist of types, each with the properties that are expected of it."""
    vocabulary = runtime.contracts.vocabulary
    types = {
        name: TypeRules(frozenset(), frozenset(vocabulary.types[name].expected))
        for name in runtime.contracts.template_types
    }
    return Template(parsed_version(runtime.contracts.template_version), types)


def template_of_version(runtime: Runtime, connection: Connection, version: str) -> Template:
    """The template of a version. Raises InputError for no version, NotFoundError for one that is not published."""
    wanted = parsed_version(version)
    kept = _kept(connection, str(wanted))
    if kept is not None:
        return kept
    if str(wanted) == runtime.contracts.template_version:
        return shipped(runtime)
    raise NotFoundError(
        f"No template is published as {wanted}", where="template", remedy="`tenant-pipeline template list` shows them."
    )


def types_asked_for(runtime: Runtime, connection: Connection, tenant: TenantId) -> tuple[str, ...]:
    """The types that the tenant's own template asks for."""
    row = connection.execute("SELECT template_version FROM runtime.tenants WHERE id = %s", (tenant,)).fetchone()
    if row is None:
        return runtime.contracts.template_types
    return tuple(sorted(template_of_version(runtime, connection, row["template_version"]).types))


def list_templates(runtime: Runtime) -> list[dict[str, Any]]:
    """Every version with its digest, and how many tenants are pinned to it."""
    with runtime.database.platform() as connection:
        pinned = {
            row["template_version"]: row["tenants"]
            for row in connection.execute(
                "SELECT template_version, count(*) AS tenants FROM runtime.tenants GROUP BY template_version"
            )
        }
        return [
            {**each.as_json(), "digest": each.digest(), "tenants": pinned.get(str(each.version), 0)}
            for each in published(runtime, connection)
        ]


def _kept(connection: Connection, version: str) -> Template | None:
    row = connection.execute("SELECT content FROM runtime.templates WHERE version = %s", (version,)).fetchone()
    return template_of(row["content"]) if row else None


def _insert(connection: Connection, template: Template, published_by: str) -> None:
    connection.execute(
        """
        INSERT INTO runtime.templates (version, content, digest, published_by) VALUES (%s, %s, %s, %s)
        ON CONFLICT DO NOTHING
        """,
        (str(template.version), Jsonb(template.as_json()), template.digest(), published_by),
    )
