"""The backends of this installation, as its settings have them."""

from __future__ import annotations

from tenant_pipeline.provisioning.local_process.backend import LocalProcesses
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.embedded_postgres import INSTANCES_GID


def local_processes(runtime: Runtime) -> LocalProcesses:
    """Instances as processes of this machine, below the installation's home."""
    return LocalProcesses(runtime.settings.instances_directory, group=INSTANCES_GID)
