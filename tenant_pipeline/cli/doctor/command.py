"""`doctor`: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated

import psycopg
import typer
from pydantic import ValidationError

from tenant_pipeline.cli.doctor.examinations import EXAMINATIONS
from tenant_pipeline.cli.doctor.finding import (
    CONNECT_SECONDS,
    Examination,
    Finding,
    NotExaminedError,
    Patient,
    Verdict,
    wrong,
)
from tenant_pipeline.cli.options import JsonOption
from tenant_pipeline.cli.shell import ExitCode, print_rows
from tenant_pipeline.core.errors import TenantRuntimeError
from tenant_pipeline.services.runtime import administration_dsn
from tenant_pipeline.settings import Settings
from tenant_pipeline.storage.embedded_postgres import EmbeddedPostgres


def doctor(
    as_json: JsonOption = False,
    all_of_it: Annotated[bool, typer.Option("--all", help="Show what is fine too.")] = False,
) -> None:
    """Examine the installation: machine, files, settings, database, isolation, and whether the work goes on.

    Nothing is changed and nothing migrated; a database that does not answer keeps the rest from nothing. The embedded
    one is started for as long as this lasts, where there is one that does not run.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        names = ", ".join(f"TENANT_RUNTIME_{'_'.join(map(str, each['loc'])).upper()}" for each in error.errors())
        findings = {
            "settings": wrong(f"settings that cannot be used: {names}", "docs/operate/running.md lists them all.")
        }
    else:
        with examined(settings) as patient:
            findings = {name: examine(examination, patient) for name, examination in EXAMINATIONS.items()}
    rows = [
        {
            "examination": name,
            "fine": finding.verdict is not Verdict.WRONG,
            "verdict": str(finding.verdict),
            "says": finding.says,
            "remedy": finding.remedy,
        }
        for name, finding in findings.items()
    ]
    shown = [row for row in rows if as_json or all_of_it or row["verdict"] != Verdict.FINE]
    counted = Counter(finding.verdict for finding in findings.values())
    title = "Doctor: " + ", ".join(f"{counted[verdict]} {verdict}" for verdict in Verdict if counted[verdict])
    print_rows(title, shown, ("examination", "verdict", "says", "remedy"), as_json=as_json)
    if any(finding.verdict is Verdict.WRONG for finding in findings.values()):
        raise typer.Exit(ExitCode.FAULT)


def examine(examination: Examination, patient: Patient) -> Finding:
    """What an examination finds. What it raises is a finding too; a driver's own words are left out, for the secrets in
    them."""
    try:
        return examination(patient)
    except NotExaminedError as why:
        return Finding(Verdict.NOT_EXAMINED, str(why))
    except TenantRuntimeError as error:
        return wrong(f"{error.what} [{error.where}]", error.remedy)
    except psycopg.Error as error:
        return wrong(f"PostgreSQL refused to tell ({type(error).__name__})", "The server's own log says why.")
    except OSError as error:
        return wrong(f"the system refused ({type(error).__name__})", "Check permissions and space.")
    except Exception as error:
        return wrong(
            f"it cannot be examined ({type(error).__name__})", "Look at the setting that this examination names."
        )


@contextmanager
def examined(settings: Settings) -> Iterator[Patient]:
    """The installation for as long as it is examined, with the database if it can be had."""
    with ExitStack() as stack:
        found = _reachable(administration_dsn(settings))
        lives = found is not None
        cluster = settings.database_dsn is None and settings.postgres_directory.exists()
        if found is None and cluster:
            try:
                stack.enter_context(EmbeddedPostgres(settings.postgres_directory))
            except (TenantRuntimeError, OSError):
                found = None  # an examination tells it
            else:
                found = _reachable(administration_dsn(settings))
        yield Patient(settings, found, lives=lives)


def _reachable(dsn: str | None) -> str | None:
    if dsn is None:
        return None
    try:
        psycopg.connect(dsn, connect_timeout=CONNECT_SECONDS).close()
    except psycopg.Error:
        return None
    return dsn
