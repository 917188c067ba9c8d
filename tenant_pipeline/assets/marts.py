"""The governance marts as Dagster assets: a dbt model each, its tests as asset checks.

They are a code location of their own (`tenant_pipeline.marts_definitions`): importing dbt takes time that no other run
should have to pay.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, dbt_assets
from packaging.version import Version, parse

from tenant_pipeline.resources.runtime import RuntimeResource
from tenant_pipeline.services.marts.building import building
from tenant_pipeline.services.marts.project import dbt_executable, manifest_file, project_folder
from tenant_pipeline.settings import Settings

GOVERNANCE_MARTS = "governance_marts"
SCHEMA = "governance"


class MartsDbt(DbtCliResource):  # type: ignore[misc, unused-ignore]
    """dbt over the project, as dagster-dbt runs it."""

    @property
    def _cli_version(self) -> Version:
        # Asked with `dbt --version`, dbt would look on the network for a newer one.
        return parse(version("dbt-core"))


class InSchema(DagsterDbtTranslator):
    """Marts stand under the schema's name, in one group; sources are the assets that write them."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """`governance/coverage` for the mart `coverage`."""
        key: dg.AssetKey = super().get_asset_key(dbt_resource_props)
        return key.with_prefix(SCHEMA) if dbt_resource_props["resource_type"] == "model" else key

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """All in one."""
        return SCHEMA


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Ours with these added: dagster-dbt hands its own environment on to dbt, and takes no other."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


_settings = Settings()
_project = project_folder(_settings)


@dbt_assets(manifest=manifest_file(_settings), name=GOVERNANCE_MARTS, dagster_dbt_translator=InSchema())
def governance_marts(context: dg.AssetExecutionContext, runtime: RuntimeResource) -> Iterator[Any]:
    """What is known of every tenant, counted, in tables that governance alone may read.

    Raises Failure where a test does not hold, when every mart is built.
    """
    opened = runtime.open()
    with building(opened) as environment, _environment(environment):
        dbt = MartsDbt(project_dir=str(_project), profiles_dir=str(_project), dbt_executable=str(dbt_executable()))
        failed = []
        for event in dbt.cli(["build"], context=context, target_path=opened.settings.dbt_directory.resolve()).stream():
            if isinstance(event, dg.AssetCheckResult) and not event.passed:
                failed.append(str(event.check_name))
                yield event._replace(severity=dg.AssetCheckSeverity.ERROR)
            else:
                yield event
    if failed:
        raise dg.Failure(f"Tests do not hold: {', '.join(failed)}", allow_retries=False)
