"""The backend that this installation's instances run on, as its settings have it."""

from __future__ import annotations

import yaml

from tenant_pipeline.core.errors import SettingsError
from tenant_pipeline.provisioning.local_process.backend import LocalProcesses
from tenant_pipeline.provisioning.provisioner import Provisioner
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.embedded_postgres import INSTANCES_GID


def backend_of(runtime: Runtime) -> Provisioner:
    """Local processes, or a Kubernetes cluster where the settings name one. Raises SettingsError."""
    if runtime.settings.kubernetes_configuration is None:
        return local_processes(runtime)
    # Loaded only where a cluster is meant: the client takes a second to load.
    from tenant_pipeline.provisioning.kubernetes.backend import KubernetesProvisioner
    from tenant_pipeline.provisioning.kubernetes.settings import KubernetesSettings

    path = runtime.settings.kubernetes_configuration
    try:
        return KubernetesProvisioner(KubernetesSettings(**yaml.safe_load(path.read_text(encoding="utf-8"))))
    except (OSError, TypeError, ValueError, yaml.YAMLError) as error:
        raise SettingsError(
            f"The configuration of the cluster cannot be read ({type(error).__name__})",
            where=str(path),
            remedy="See `docs/operate/kubernetes.md` for what it holds.",
        ) from None


def local_processes(runtime: Runtime) -> LocalProcesses:
    """Instances as processes of this machine, below the installation's home."""
    return LocalProcesses(runtime.settings.instances_directory, group=INSTANCES_GID)
