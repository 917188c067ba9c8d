"""Templates as they are published: each version once, and never changed."""

from __future__ import annotations

from typing import Any

from psycopg.types.json import Jsonb

from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.template.change import changes_between, least_version
from tenant_pipeline.core.template.template import Template, TypeRules, parsed_version, template_from
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.stage_records import Connection


def publish_template(runtime: Runtime, given: object, *, published_by: str, where: str = "template") -> Template:
    """Publish a version of the template; the same again changes nothing.

    Raises InputError for a template that is none, for another content under a version that is published, and for a
    version lower than its changes ask for, naming them.
    """
    template = template_from(given, runtime.contracts.vocabulary, where)
    with runtime.database.platform() as connection:
        connection.execute("SELECT app.lock('templates', '')")
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
        connection.execute(
            "INSERT INTO runtime.templates (version, content, digest, published_by) VALUES (%s, %s, %s, %s)",
            (str(template.version), Jsonb(template.as_json()), template.digest(), published_by),
        )
    return template


def published(runtime: Runtime, connection: Connection) -> list[Template]:
    """Every version, the lowest first. The first is the one that the contract ships."""
    rows = connection.execute("SELECT content FROM runtime.templates").fetchall()
    others = [template_from(row["content"], runtime.contracts.vocabulary, "runtime.templates") for row in rows]
    return sorted([shipped(runtime), *others], key=lambda each: each.version)


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
    for each in published(runtime, connection):
        if each.version == wanted:
            return each
    raise NotFoundError(
        f"No template is published as {wanted}", where="template", remedy="`tenant-pipeline template list` shows them."
    )


def types_asked_for(runtime: Runtime, connection: Connection, tenant: TenantId) -> tuple[str, ...]:
    """The types that the tenant's own template asks for."""
    row = connection.execute("SELECT template_version FROM runtime.tenants WHERE id = %s", (tenant,)).fetchone()
    if row is None or row["template_version"] == runtime.contracts.template_version:
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
