"""The units that were handed in, as the raw zone keeps them: the list of a unit's files, under the unit's digest."""

from __future__ import annotations

import io
import json

from tenant_pipeline.core.digest import Sha256, canonical_json
from tenant_pipeline.core.origin import Unit
from tenant_pipeline.storage.object_store import RawZone


def keep_unit(raw: RawZone, unit: Unit) -> None:
    """Keep the list of a unit's files, which are in the raw zone already."""
    raw.put(io.BytesIO(canonical_json(unit.as_json())))


def kept_unit(raw: RawZone, digest: Sha256) -> Unit:
    """The unit that is kept under the digest. Raises NotFoundError where it is there no longer."""
    with raw.open(digest) as stream:
        return Unit.from_json(json.load(stream))
