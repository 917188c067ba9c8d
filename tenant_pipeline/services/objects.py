"""The objects of a source as people may see them: digests, sizes, and paths and fields without personal data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tenant_pipeline.core.origin import UnitMode
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.pii_analyzer import replacer
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source
from tenant_pipeline.storage.database import Connection
from tenant_pipeline.storage.stage_store import StoredStage


def screened_paths(runtime: Runtime, tenant: TenantId, paths: Iterable[str], among: Iterable[str]) -> dict[str, str]:
    """How each of these paths is shown. A file's name can hold a person's: it is screened like everything else.

    `among` are all paths of the source: where many of them name persons, each does.
    """
    # Loaded where a path is shown: it brings in Presidio and spaCy.
    from tenant_pipeline.pii.findings import Place
    from tenant_pipeline.pii.paths import names_in_paths, screened_path

    screened, persons = replacer(runtime, tenant), names_in_paths(among)
    return {path: screened_path(path, screened, Place("manifest", -1, "(path)"), persons) for path in paths}


def screened_fields(runtime: Runtime, tenant: TenantId, fields: Sequence[str]) -> tuple[str, ...]:
    """How the fields of a table are shown: screened as a column would be, since persons may be what they name."""
    from tenant_pipeline.pii.findings import Place
    from tenant_pipeline.pii.screen import field_names

    return field_names(fields, replacer(runtime, tenant), Place("(table)", -1, "(field name)"))


def list_objects(connection: Connection, runtime: Runtime, source: Source, received: StoredStage) -> None:
    """Note what `receive` took in, and what a single file is called: its own name, or that of the archive around it."""
    paths: dict[str, str] = {}
    with connection.cursor() as cursor:
        for table in received.tables("manifest"):
            for frame in table.batches(["object", "sha256", "size", "media_type", "path"]):
                paths = screened_paths(runtime, source.tenant, frame["path"], _paths(received))
                cursor.executemany(
                    """
                    INSERT INTO runtime.objects
                           (tenant_id, source_id, object, sha256, size, media_type, display_path)
                    VALUES (%s, %s, %s, %s, %s, %s, %s)
                    ON CONFLICT (tenant_id, source_id, object) DO UPDATE
                       SET sha256 = excluded.sha256, size = excluded.size, media_type = excluded.media_type,
                           display_path = excluded.display_path
                    """,
                    [
                        (source.tenant, source.id, name, digest, size, media_type, paths[path])
                        for name, digest, size, media_type, path in frame.itertuples(index=False, name=None)
                    ],
                )
    if source.unit_mode is UnitMode.SINGLE_FILE and paths:
        connection.execute(
            "UPDATE runtime.tenant_sources SET filename = %s WHERE tenant_id = %s AND id = %s",
            (next(iter(paths.values())).partition("!/")[0], source.tenant, source.id),
        )


def _paths(received: StoredStage) -> Iterator[str]:
    frames = (frame for table in received.tables("manifest") for frame in table.batches(["path"]))
    return (path for frame in frames for path in frame["path"])
