"""The flags through OpenFeature: whoever asks names the flag and the tenant, and never where the value lies.

A tenant's values are read again after REMEMBERED seconds, so that what was set is effective everywhere within those.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import FlagNotFoundError, TargetingKeyMissingError, TypeMismatchError
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider import AbstractProvider, Metadata

from tenant_pipeline.core.tenancy import TenantId, tenant_id
from tenant_pipeline.services.feature_flags.overrides import values_of
from tenant_pipeline.services.feature_flags.registry import FlagValue, flags
from tenant_pipeline.services.runtime import Runtime

REMEMBERED = 2.0


class TenantFlags(AbstractProvider):
    """An OpenFeature provider whose targeting key is the tenant's id."""

    def __init__(self, runtime: Runtime, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._runtime = runtime
        self._clock = clock
        self._known: dict[TenantId, tuple[float, Mapping[str, FlagValue]]] = {}

    def get_metadata(self) -> Metadata:
        """The provider's name."""
        return Metadata(name="tenant-flags")

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        """A boolean flag as it holds for the tenant."""
        return self._resolve(flag_key, "boolean", evaluation_context, bool)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """A string flag as it holds for the tenant."""
        return self._resolve(flag_key, "string", evaluation_context, str)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """A number flag as it holds for the tenant, as an integer."""
        return self._resolve(flag_key, "number", evaluation_context, int)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """A number flag as it holds for the tenant."""
        return self._resolve(flag_key, "number", evaluation_context, float)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[Any] | Mapping[str, Any],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[Any] | Mapping[str, Any]]:
        """No flag here is an object."""
        raise TypeMismatchError("no flag here is an object")

    def _resolve(
        self, name: str, type_: str, context: EvaluationContext | None, as_type: Callable[[Any], Any]
    ) -> FlagResolutionDetails[Any]:
        flag = flags().get(name)
        if flag is None:
            raise FlagNotFoundError(f"there is no flag {name}")
        if flag.type != type_:
            raise TypeMismatchError(f"the flag {name} is a {flag.type}")
        if context is None or not context.targeting_key:
            raise TargetingKeyMissingError("the targeting key is the tenant's id")
        value = self._values(tenant_id(context.targeting_key))[name]
        reason = Reason.DEFAULT if value == flag.default else Reason.TARGETING_MATCH
        return FlagResolutionDetails(value=as_type(value), reason=reason)

    def _values(self, tenant: TenantId) -> Mapping[str, FlagValue]:
        known = self._known.get(tenant)
        now = self._clock()
        if known is None or now - known[0] > REMEMBERED:
            with self._runtime.database.tenant(tenant) as connection:
                known = (now, values_of(connection, tenant, self._runtime.now()))
            self._known[tenant] = known
        return known[1]


def is_on(runtime: Runtime, tenant: TenantId, name: str) -> bool:
    """Whether a boolean flag is on for the tenant; where it cannot be read, its default holds."""
    default = flags()[name].default
    return client_of(runtime).get_boolean_value(name, bool(default), EvaluationContext(targeting_key=tenant))


def client_of(runtime: Runtime) -> OpenFeatureClient:
    """An OpenFeature client over this installation's flags, the same for each asker of the process."""
    domain = f"tenant-runtime:{runtime.settings.home}:{id(runtime.database)}"
    if domain not in _domains:
        api.set_provider_and_wait(TenantFlags(runtime), domain)
        _domains.add(domain)
    return api.get_client(domain)


_domains: set[str] = set()
