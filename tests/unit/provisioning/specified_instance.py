"""An instance as it is specified for a cluster."""

from __future__ import annotations

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.kubernetes.objects.identity import Identity
from tenant_pipeline.provisioning.kubernetes.ownership import owner_uid
from tenant_pipeline.provisioning.kubernetes.settings import KubernetesSettings
from tenant_pipeline.provisioning.provisioner import InstanceSpecification, Secret

SPECIFICATION = InstanceSpecification(
    tenant=TenantId("phuket-mice"),
    namespace="tenant-phuket-mice",
    database_schema="tenant_phuket_mice",
    template_version="1.2.0",
    connection=Secret("host=db.example user=nerve_phuket_mice password=p4ss"),
    access_token=Secret("t0ken"),
    memory_mebibytes=256,
    cpu_millicores=500,
    flags={"search.typos": "true"},
)
SETTINGS = KubernetesSettings(
    installation="one", image="registry.example/nerve@sha256:" + "0" * 64, database_cidr="10.9.0.0/24"
)
OWNER = owner_uid("one", SPECIFICATION.tenant, SPECIFICATION.namespace)
IDENTITY = Identity(SPECIFICATION.tenant, SPECIFICATION.namespace, OWNER)
