"""The objects of a source as people may see them: digests, sizes, and paths without personal data."""

from __future__ import annotations

from tenant_pipeline.core.origin import UnitMode
from tenant_pipeline.pii.findings import Place
from tenant_pipeline.services.pii_analyzer import analyzer
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.sources import Source
from tenant_pipeline.services.stage_records import Connection
from tenant_pipeline.storage.stage_store import StoredStage


def list_objects(connection: Connection, runtime: Runtime, source: Source, received: StoredStage) -> None:
    """Note what `receive` took in, and what a single file is called: its own name, or that of the archive around it.

    A file's name can hold a person's: it is screened like everything else.
    """
    # Loaded where a file is listed: it brings in Presidio and spaCy.
    from tenant_pipeline.pii.replacement import Replacer

    screened = Replacer(analyzer(), runtime.contracts.pii_policy, runtime.keys.digest_key(source.tenant))
    paths: dict[str, str] = {}
    with connection.cursor() as cursor:
        for table in received.tables("manifest"):
            for frame in table.batches(["object", "sha256", "size", "media_type", "path"]):
                paths = {
                    name: screened.text(path, Place("manifest", -1, "(path)"))
                    for name, path in zip(frame["object"], frame["path"], strict=True)
                }
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
                        (source.tenant, source.id, name, digest, size, media_type, paths[name])
                        for name, digest, size, media_type, _ in frame.itertuples(index=False, name=None)
                    ],
                )
    if source.unit_mode is UnitMode.SINGLE_FILE and paths:
        connection.execute(
            "UPDATE runtime.tenant_sources SET filename = %s WHERE tenant_id = %s AND id = %s",
            (next(iter(paths.values())).partition("!/")[0], source.tenant, source.id),
        )
