"""Who has the document open at the other server processes: they are told who is here, and say who is there."""

from __future__ import annotations

import time
from functools import partial

from anyio import to_thread

from tenant_pipeline.core.shared_state import Presence
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.presence import FRESH_SECONDS, note_presence, presence_elsewhere
from tenant_pipeline.services.runtime import Runtime


class Neighbours:
    """One tenant's windows at the other server processes."""

    def __init__(self, runtime: Runtime, tenant: TenantId, server: str) -> None:
        self._runtime = runtime
        self._tenant = tenant
        self._server = server
        self._to_tell: dict[int, Presence] = {}
        self._to_hear = True
        self._there: dict[int, tuple[Presence, float]] = {}

    @property
    def waiting(self) -> bool:
        """Whether there is something to tell or to hear."""
        return bool(self._to_tell) or self._to_hear

    def tell(self, presences: list[Presence]) -> None:
        """Put in line what they are to be told; of each window, the newest counts."""
        self._to_tell |= {each.client: each for each in presences}

    def listen(self) -> None:
        """They may have something to say."""
        self._to_hear = True

    def present(self) -> list[Presence]:
        """The windows that are there, of which something was heard lately."""
        oldest = time.monotonic() - FRESH_SECONDS
        return [each for each, heard in self._there.values() if each.state is not None and heard > oldest]

    async def exchange(self) -> list[Presence]:
        """Tell and hear what waits; return what is new. Raises what the database raises, and has lost nothing then."""
        if self._to_tell:
            telling, self._to_tell = self._to_tell, {}
            try:
                note = partial(note_presence, self._runtime, self._tenant, self._server, telling.values())
                await to_thread.run_sync(note)
            except Exception:
                self._to_tell = telling | self._to_tell
                raise
        if not self._to_hear:
            return []
        self._to_hear = False  # before listening: what is said meanwhile is listened to again
        try:
            said = await to_thread.run_sync(partial(presence_elsewhere, self._runtime, self._tenant, self._server))
        except Exception:
            self._to_hear = True
            raise
        new = [each for each in said if each.client not in self._there or self._there[each.client][0] != each]
        self._there = {each.client: self._there[each.client] for each in said if each not in new}
        self._there |= {each.client: (each, time.monotonic()) for each in new}
        return new
