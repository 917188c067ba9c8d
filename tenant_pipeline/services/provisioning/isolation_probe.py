"""The new instance's own credentials, used against everybody else: every attempt must come to nothing.

An attempt on the database counts as repelled only when PostgreSQL says that the privilege is missing (SQLSTATE 42501):
an empty answer, or any other error, would mean that the door stands open. Where a statement is everybody's to ask
(statistics, sessions) it must show nobody else's. What others take down meanwhile is no door at all: an attempt on a
login that is gone does not count, and an instance that gives no answer, or a login that the server does not come to
judge, is told as not tried: without its name, since the tenant reads it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import httpx
import psycopg
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo

from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.provisioner import InstanceSpecification, Phase, Provisioner, Secret
from tenant_pipeline.services.provisioning.operations import Act, latest_operation
from tenant_pipeline.services.registry import list_tenants
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import instance_login_of, is_refused, role_exists

PATHS = ("/", "/openapi.json", "/version", "/search?q=a", "/entities", "/export.geojson")
REQUEST_SECONDS = 2.0

_RELATIONS = """
SELECT nspname AS space, relname AS name, relkind AS kind
  FROM pg_class JOIN pg_namespace AS space ON space.oid = relnamespace
 WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND nspname NOT LIKE 'pg\\_t%'
   AND relkind IN ('r', 'p', 'v', 'm', 'S')
 ORDER BY nspname, relname
"""
_ROUTINES = """
SELECT nspname AS space, proname AS name, pronargs AS arguments
  FROM pg_proc JOIN pg_namespace AS space ON space.oid = pronamespace
 WHERE nspname IN ('app', 'runtime') AND prorettype <> 'trigger'::regtype
 ORDER BY proname
"""
_SERVER = (
    "SELECT * FROM pg_authid",
    "SELECT * FROM pg_shadow",
    "SELECT * FROM pg_user_mapping",
    "SELECT * FROM pg_hba_file_rules",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('PG_VERSION')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_import('/etc/passwd')",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "CREATE ROLE intruder",
    "CREATE SCHEMA intruder",
    "CREATE TEMPORARY TABLE intruder (a int)",
    "CREATE TABLE public.intruder (a int)",
    "SET session_replication_role = replica",
)
_MUST_BE_EMPTY = (
    "SELECT 1 FROM pg_stats WHERE schemaname <> ALL(%(own)s)",
    "SELECT 1 FROM pg_stat_activity WHERE usename <> current_user AND query NOT IN ('', '<insufficient privilege>')",
    "SELECT 1 FROM information_schema.columns WHERE table_schema <> ALL(%(own)s)",
    "SELECT 1 FROM pg_largeobject_metadata",
)
_NO_SUCH_ROLE = (errors.UndefinedObject, errors.InvalidParameterValue)
"""What PostgreSQL says of a role that is not there: to granting and altering, and to `SET ROLE`."""


@runtime_checkable
class ShowsConfinement(Protocol):
    """A backend that can show what its instances hold and what they can reach."""

    def credentials(self, tenant: TenantId, namespace: str) -> tuple[Secret, Secret]: ...

    def files_of_others(self, namespace: str) -> list[Path]: ...

    def readable_by_instance(self, tenant: TenantId, namespace: str, paths: Sequence[Path]) -> list[Path]: ...


class IsolationBrokenError(ProvisioningError):
    """An attempt on somebody else's data came through."""

    code = "isolation-broken"


@dataclass
class Probe:
    """What was tried, by kind, what came through, and what could not be tried here."""

    attempts: dict[str, int] = field(default_factory=dict)
    came_through: list[str] = field(default_factory=list)
    not_tried: list[str] = field(default_factory=list)

    def note(self, kind: str, what: str, *, through: bool) -> None:
        """Count one attempt."""
        self.attempts[kind] = self.attempts.get(kind, 0) + 1
        if through:
            self.came_through.append(what)

    def as_json(self) -> dict[str, Any]:
        """The result as a step keeps it: names of things, never a value that was seen."""
        return {
            "attempts": self.attempts,
            "attempts_in_all": sum(self.attempts.values()),
            "came_through": self.came_through,
            "not_tried": self.not_tried,
        }


def probe_isolation(runtime: Runtime, backend: Provisioner, specification: InstanceSpecification) -> Probe:
    """Attack everybody else with the instance's credentials and return what came of it.

    Raises IsolationBrokenError when anything came through, ProvisioningError when the credentials do not even open what
    is the instance's own: then repelling them would prove nothing.
    """
    probe = Probe()
    connection, token = specification.connection, specification.access_token
    if isinstance(backend, ShowsConfinement):
        connection, token = backend.credentials(specification.tenant, specification.namespace)
    else:
        probe.not_tried.append("credentials as the instance holds them: the backend does not show them")
    _attack_database(runtime, specification, connection, probe)
    _attack_logins(runtime, connection, probe)
    _attack_files(runtime, backend, specification, probe)
    _attack_instances(runtime, backend, specification, token, probe)
    if probe.came_through:
        raise IsolationBrokenError(
            f"{len(probe.came_through)} of {sum(probe.attempts.values())} attempts came through:"
            f" {'; '.join(probe.came_through[:10])}",
            where=specification.namespace,
            remedy="The instance was taken down. Revoke what lets it through, then provision again.",
        )
    return probe


def _attack_database(runtime: Runtime, specification: InstanceSpecification, credentials: Secret, probe: Probe) -> None:
    own = specification.database_schema
    attempts = list(_attempts(runtime, specification))
    try:
        instance = psycopg.connect(credentials.value, autocommit=True)
    except psycopg.OperationalError:
        raise ProvisioningError(
            "The instance's login does not open the database", where=specification.namespace
        ) from None
    with instance:
        for attempt in attempts:
            try:
                with instance.transaction(force_rollback=True):
                    instance.execute(attempt.statement)
                through = True
            except psycopg.Error as error:
                if isinstance(error, _NO_SUCH_ROLE) and attempt.role and _is_gone(runtime, attempt.role):
                    continue
                through = not isinstance(error, errors.InsufficientPrivilege)
            probe.note(attempt.kind, attempt.statement.as_string(instance), through=through)
        schemas = [own, "pg_catalog", "information_schema"]
        for question in _MUST_BE_EMPTY:
            found = instance.execute(question, {"own": schemas}).fetchone()
            probe.note("questions to the catalogue", question, through=found is not None)
        readable = instance.execute(
            sql.SQL("SELECT count(*) FROM {}.live_documents").format(sql.Identifier(own))
        ).fetchone()
        assert readable is not None


class _Attempt(NamedTuple):
    """One statement, of which kind, and as whom it would act, where it is somebody else."""

    kind: str
    statement: sql.Composed
    role: str = ""


def _attempts(runtime: Runtime, specification: InstanceSpecification) -> Iterator[_Attempt]:
    own, itself = specification.database_schema, instance_login_of(specification.tenant)
    with runtime.database.administration() as connection:
        relations = connection.execute(_RELATIONS).fetchall()
        routines = connection.execute(_ROUTINES).fetchall()
        roles = [row["rolname"] for row in connection.execute("SELECT rolname FROM pg_roles ORDER BY 1").fetchall()]
    for row in relations:
        place = sql.Identifier(row["space"], row["name"])
        if row["space"] != own:
            yield _Attempt("reading", sql.SQL("SELECT count(*) FROM {}").format(place))
        if row["kind"] == "S":
            yield _Attempt(
                "writing", sql.SQL("SELECT nextval({})").format(sql.Literal(f'"{row["space"]}"."{row["name"]}"'))
            )
        elif row["kind"] in ("r", "p"):
            yield _Attempt("writing", sql.SQL("INSERT INTO {} DEFAULT VALUES").format(place))
            yield _Attempt("writing", sql.SQL("DELETE FROM {}").format(place))
            yield _Attempt("writing", sql.SQL("TRUNCATE {}").format(place))
            yield _Attempt("changing tables", sql.SQL("ALTER TABLE {} DISABLE ROW LEVEL SECURITY").format(place))
    for space in sorted({row["space"] for row in relations} | {"app", "public"}):
        yield _Attempt("changing tables", sql.SQL("CREATE TABLE {} (a int)").format(sql.Identifier(space, "intruder")))
    for row in routines:
        nothing = sql.SQL(", ").join([sql.NULL] * row["arguments"])
        yield _Attempt("calling", sql.SQL("SELECT {}({})").format(sql.Identifier(row["space"], row["name"]), nothing))
    for role in roles:
        if role == itself:
            continue
        yield _Attempt("becoming", sql.SQL("SET ROLE {}").format(sql.Identifier(role)), role)
        yield _Attempt("becoming", sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(role)), role)
        if not role.startswith("pg_"):  # their names are refused before anybody's privileges are looked at
            yield _Attempt("becoming", sql.SQL("ALTER ROLE {} PASSWORD 'known'").format(sql.Identifier(role)), role)
        if role != "pg_database_owner":  # which cannot be granted to anybody
            yield _Attempt("becoming", sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)), role)
    for statement in _SERVER:
        yield _Attempt("reaching the server", sql.SQL(statement).format())


def _is_gone(runtime: Runtime, role: str) -> bool:
    """Whether a role that was there has been dropped meanwhile."""
    with runtime.database.administration() as connection:
        return not role_exists(connection, role)


def _attack_logins(runtime: Runtime, credentials: Secret, probe: Probe) -> None:
    """Every other login with the instance's password, and our other databases with its login."""
    with runtime.database.administration() as connection:
        own = psycopg.conninfo.conninfo_to_dict(credentials.value)["user"]
        roles = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname <> %s ORDER BY 1", (own,)
        ).fetchall()
        databases = connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'tenant\\_runtime%' AND datname <> current_database()"
        ).fetchall()
    unjudged: Counter[str] = Counter()
    for kind, target, changed in (
        *(("logging in", row["rolname"], {"user": row["rolname"]}) for row in roles),
        *(("other databases", row["datname"], {"dbname": row["datname"]}) for row in databases),
    ):
        try:
            psycopg.connect(make_conninfo(credentials.value, connect_timeout=5, **changed)).close()
            through = True
        except psycopg.OperationalError as error:
            if not is_refused(error):
                unjudged[kind] += 1
                continue
            through = False
        probe.note(kind, f"{kind}: {target}", through=through)
    probe.not_tried += [f"{kind}: {count} that the server did not come to judge" for kind, count in unjudged.items()]


def _attack_files(runtime: Runtime, backend: Provisioner, specification: InstanceSpecification, probe: Probe) -> None:
    if not isinstance(backend, ShowsConfinement):
        probe.not_tried.append("files: the backend does not show what its instances can reach")
        return
    if not backend.capabilities.isolates_files:
        probe.not_tried.append("files: this backend does not keep them apart here, and says so")
        return
    settings = runtime.settings
    folders = (settings.home, settings.keys_directory, settings.objects_directory, settings.postgres_directory)
    paths = [*backend.files_of_others(specification.namespace), settings.checkpoints_file]
    paths += [path for folder in folders if folder.is_dir() for path in (folder, *sorted(folder.iterdir()))]
    paths += [path for path in settings.keys_directory.rglob("*") if path.is_file()]
    wanted = [path for path in dict.fromkeys(paths) if path.exists()]
    opened = set(backend.readable_by_instance(specification.tenant, specification.namespace, wanted))
    for path in wanted:
        probe.note("files", f"opening {path.name} of {path.parent.name}", through=path in opened)


def _attack_instances(
    runtime: Runtime, backend: Provisioner, specification: InstanceSpecification, token: Secret, probe: Probe
) -> None:
    header = {"Authorization": f"Bearer {token.value}"}
    for tenant in list_tenants(runtime):
        other = TenantId(tenant["id"])
        if other == specification.tenant:
            continue
        with runtime.database.platform() as connection:
            last = latest_operation(connection, other)
        if last is None or last.act is not Act.PROVISION or last.backend != backend.name:
            continue
        status = backend.status(other, last.namespace)
        if status.phase is not Phase.HEALTHY or status.endpoint is None:
            continue
        for path in PATHS:
            try:
                answer = httpx.get(status.endpoint + path, headers=header, timeout=REQUEST_SECONDS, trust_env=False)
            except httpx.HTTPError:
                probe.not_tried.append(f"other instances: one gave no answer to {path}")
                break
            probe.note("other instances", f"{path} of another instance", through=answer.status_code < 400)
