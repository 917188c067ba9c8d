"""What a source has said, retired as a whole: its rows stay, and are in force no longer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg

from tenant_pipeline.core.tenancy import SourceId, TenantId

# Not before it was last seen, which is when the source was last assembled, although the clock was set back since.
_RETIRE = """
UPDATE runtime.statements AS known
   SET retired_at = greatest(%(at)s, source.assembled_at + interval '1 microsecond'),
       last_seen = greatest(known.last_seen, source.assembled_at)
  FROM runtime.tenant_sources AS source
 WHERE source.tenant_id = %(tenant)s AND source.id = %(source)s
   AND known.tenant_id = %(tenant)s AND known.source_id = %(source)s AND known.retired_at IS NULL
"""


def retire_statements(connection: psycopg.Connection[Any], tenant: TenantId, source: SourceId, at: datetime) -> int:
    """Retire all that a source says, in the caller's transaction, and return how many statements that were.

    The caller holds the tenant's lock of linking, so that nothing is assembled meanwhile.
    """
    return connection.execute(_RETIRE, {"tenant": tenant, "source": source, "at": at}).rowcount
