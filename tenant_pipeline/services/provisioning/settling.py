"""Instances follow the states of their tenants.

Whoever changes a state changes the instance with it. What is left of that, because they were killed or the backend was
out of their reach, is done here, again and again until it is done; so is what was deleted or ended behind our back.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from tenant_pipeline.core.errors import TenantRuntimeError
from tenant_pipeline.core.lifecycle import SERVING
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.provisioner import Phase, Provisioner
from tenant_pipeline.services.penetration_tests import UNDER_TEST
from tenant_pipeline.services.provisioning.standing import bring_back_instance, rest_instance
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import Connection

REST_SECONDS, STAND_SECONDS = 5.0, 25.0
"""The longest that `settle` waits for one instance to be gone, which goes on without us, or to be healthy."""

_SQL = files("tenant_pipeline.services.provisioning").joinpath("instances.sql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Settled:
    """What `settle` did about a tenant's instance: it was to stand or to rest, and does, but for a hindrance."""

    tenant: TenantId
    stands: bool
    hindrance: str | None = None


def settle(runtime: Runtime, backend: Provisioner, *, seconds: float, actor: str) -> list[Settled]:
    """Have instances rest whose tenant is not served, and stand whose tenant is, where they do not: what was done.

    One whose isolation was found broken rests, too, where whoever took it down was killed.

    However many tenants there are, the backend is looked at once, and nothing more is begun after `seconds`: what is
    left is for the next call. Those that should rest come first, and among themselves by chance, so that none waits for
    ever behind those that are held up. Raises ProvisioningError where the backend does not let itself be looked at.
    """
    deadline = time.monotonic() + seconds
    with runtime.database.platform() as connection:
        asked = _with_an_instance(connection)
    if not asked:
        return []
    there = backend.standing()
    to_rest = [each for each in asked if not each.served and (each.namespace in there or each.backend != backend.name)]
    to_stand = [each for each in asked if each.is_down(there)]
    found = []
    for each in [*random.sample(to_rest, len(to_rest)), *random.sample(to_stand, len(to_stand))]:
        if time.monotonic() > deadline:
            break
        try:
            if not each.served:
                if rest_instance(runtime, each.tenant, backend, timeout=REST_SECONDS, actor=actor):
                    found.append(Settled(each.tenant, stands=False))
            elif status := bring_back_instance(runtime, each.tenant, backend, timeout=STAND_SECONDS, actor=actor):
                hindrance = None if status.phase is Phase.HEALTHY else status.detail
                found.append(Settled(each.tenant, stands=True, hindrance=hindrance))
        except TenantRuntimeError as error:
            found.append(Settled(each.tenant, each.served, error.what))
    return found


def without_their_instance(connection: Connection, backend: Provisioner) -> list[TenantId]:
    """The tenants whose instance is to stand on this backend, and does not. Asked as the platform.

    Raises ProvisioningError where the backend does not let itself be looked at.
    """
    asked = [each for each in _with_an_instance(connection) if each.backend == backend.name]
    there = backend.standing() if asked else {}
    return [each.tenant for each in asked if each.is_down(there)]


@dataclass(frozen=True)
class _Instance:
    """Whether a tenant's instance is to be served, and whether it was last to be brought up, and where."""

    tenant: TenantId
    served: bool
    wanted: bool
    namespace: str
    backend: str

    def is_down(self, standing: Mapping[str, bool]) -> bool:
        """Whether it is to stand, and does not."""
        return self.served and self.wanted and not standing.get(self.namespace)


def _with_an_instance(connection: Connection) -> list[_Instance]:
    """Every tenant of which an instance may stand, or is to stand."""
    rows = connection.execute(
        _SQL, {"serving": [str(state) for state in SERVING], "under_test": list(UNDER_TEST)}
    ).fetchall()
    return [_Instance(TenantId(row["id"]), row["served"], row["wanted"], row["namespace"], row["backend"])
            for row in rows]  # fmt: skip
