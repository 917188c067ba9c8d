"""What of a source was last taken into the knowledge base, and how often that was something else than before.

A record tells what a stage makes of its input. `link` and `assemble` also change what stands in the knowledge base, and
their record of an earlier time does not tell that it stands there still: a decision that was taken back, content that
came back and settings that were switched back lead to inputs that are known already. So both take the number of the
taking as a parameter: it is the last one's where that took in the same by the same code, and the next one otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping

from tenant_pipeline.contracts.contracts import Contracts
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import DecidedMeanwhileError
from tenant_pipeline.core.stage import Stage
from tenant_pipeline.core.tenancy import partition_key
from tenant_pipeline.services.code_version import code_version
from tenant_pipeline.services.sources import Source
from tenant_pipeline.services.stage_records import StageRecord
from tenant_pipeline.storage.database import Connection

STAGES_THAT_TAKE_IN = (Stage.LINK, Stage.ASSEMBLE)


def taking_of(contracts: Contracts, source: Source, behind: Mapping[Stage, StageRecord]) -> int:
    """The number of the taking, from 1, in which what `behind` leads to is taken in."""
    if Stage.VALIDATE not in behind:
        return source.taking + 1
    stands = source.taken_in == _told(contracts, behind[Stage.VALIDATE].output_digest)
    return source.taking if stands else source.taking + 1


def note_taking(connection: Connection, contracts: Contracts, source: Source, validated: Sha256, taking: int) -> None:
    """Note that the taking of that number has begun: from here on nothing that was taken in before stands for sure."""
    connection.execute(
        """
        UPDATE runtime.tenant_sources SET taken_in = %s, taking = greatest(taking, %s)
         WHERE tenant_id = %s AND id = %s
        """,
        (_told(contracts, validated), taking, source.tenant, source.id),
    )


def require_taking(
    connection: Connection, contracts: Contracts, source: Source, validated: Sha256, taking: int
) -> None:
    """Return when the taking of that number is the last that has begun: under the lock of linking, where it stays so.

    Raises DecidedMeanwhileError when another run has begun to take in something else.
    """
    mine = connection.execute(
        "SELECT (taken_in, taking) = (%s, %s) AS mine FROM runtime.tenant_sources WHERE tenant_id = %s AND id = %s",
        (_told(contracts, validated), taking, source.tenant, source.id),
    ).fetchone()
    if mine is None or not mine["mine"]:
        raise DecidedMeanwhileError(
            "Another run takes something else of this source in",
            where=partition_key(source.tenant, source.id),
            remedy="It is in line again.",
        )


def _told(contracts: Contracts, validated: Sha256) -> str:
    """What is taken in: the statements, and the code that links and assembles them."""
    return " ".join((validated, *(code_version(stage, contracts) for stage in STAGES_THAT_TAKE_IN)))
