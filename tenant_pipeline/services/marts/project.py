"""The dbt project: where it lies, the environment that dbt runs in, and its manifest.

A manifest is made without a network and without a database, once for each state of the project's files, and kept beside
them; where nothing can be written there, in the installation's home.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

import tenant_pipeline
from tenant_pipeline.core.digest import sha256_of_json
from tenant_pipeline.core.errors import SettingsError, TenantRuntimeError
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.settings import Settings

FOLDER = "dbt_project"
PARSE_SECONDS = 300
_PARTS = ("models", "tests")
_TLS = {"sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}
_NO_SERVER = {
    "DBT_MARTS_HOST": "none",
    "DBT_MARTS_PORT": "1",
    "DBT_MARTS_DATABASE": "none",
    "DBT_ENV_SECRET_MARTS_PASSWORD": "none",
}
QUIET = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1", "DBT_USE_COLORS": "false"}


class MartsError(TenantRuntimeError):
    """dbt could not do what it was asked."""

    code = "marts-not-built"


def project_folder(settings: Settings) -> Path:
    """The folder of the dbt project: the one in the settings, inside the package, or beside it in a clone.

    Raises SettingsError where there is none.
    """
    package = Path(tenant_pipeline.__file__).parent
    places = [settings.dbt_project] if settings.dbt_project else [package / FOLDER, package.parent / FOLDER]
    for place in places:
        if (place / "dbt_project.yml").is_file():
            return place.resolve()
    raise SettingsError(
        "There is no dbt project",
        where=", ".join(map(str, places)),
        remedy="Set TENANT_RUNTIME_DBT_PROJECT to the folder with dbt_project.yml.",
    )


def dbt_executable() -> Path:
    """The dbt of this environment. Raises SettingsError where there is none."""
    beside = Path(sys.executable).with_name("dbt")
    found = str(beside) if beside.exists() else shutil.which("dbt")
    if found is None:
        raise SettingsError("dbt is not installed", where=str(beside), remedy="Install dbt-core and dbt-postgres.")
    return Path(found)


def environment_of_dbt(runtime: Runtime) -> Mapping[str, str]:
    """What dbt's environment holds beside ours: the server, the builder's login, and where it may write. A secret."""
    server = conninfo_to_dict(runtime.database.marts_conninfo())
    folder = runtime.settings.dbt_directory
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {
        **QUIET,
        "DBT_MARTS_HOST": str(server.get("host", "localhost")),
        "DBT_MARTS_PORT": str(server.get("port", "5432")),
        "DBT_MARTS_DATABASE": str(server.get("dbname", "postgres")),
        "DBT_MARTS_SSLMODE": str(server.get("sslmode", "prefer")),
        "DBT_ENV_SECRET_MARTS_PASSWORD": str(server["password"]),
        "DBT_TARGET_PATH": str(folder.resolve()),
        "DBT_LOG_PATH": str(folder.resolve()),
        **{variable: str(server[name]) for name, variable in _TLS.items() if name in server},
    }


def manifest_file(settings: Settings) -> Path:
    """The manifest of the project as it is now; made if it is not there. Raises SettingsError, MartsError."""
    project = project_folder(settings)
    name = f"manifest-{_digest_of(project)[:16]}.json"
    beside, at_home = project / "target" / name, settings.dbt_directory / name
    for known in (beside, at_home):
        if known.is_file():
            return known
    target = beside if os.access(project, os.W_OK) else at_home
    target.parent.mkdir(parents=True, exist_ok=True)
    _parse(project, target)
    return target


def _digest_of(project: Path) -> str:
    files = {str(path.relative_to(project)): path.read_text(encoding="utf-8") for path in _files(project)}
    return sha256_of_json([version("dbt-core"), version("dbt-postgres"), files])


def _files(project: Path) -> Iterator[Path]:
    yield from sorted(project.glob("*.yml"))
    for part in _PARTS:
        yield from sorted(path for path in (project / part).rglob("*") if path.is_file())


def _parse(project: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="parsing-") as folder:
        done = subprocess.run(
            [str(dbt_executable()), "parse", "--project-dir", str(project), "--profiles-dir", str(project)],
            env={**os.environ, **QUIET, **_NO_SERVER, "DBT_TARGET_PATH": folder, "DBT_LOG_PATH": folder},
            cwd=project,
            capture_output=True,
            text=True,
            timeout=PARSE_SECONDS,
            check=False,
        )
        made = Path(folder) / "manifest.json"
        if done.returncode or not made.is_file():
            raise MartsError("dbt cannot read its project", where=str(project), remedy=done.stdout[-2000:])
        made.replace(target)
