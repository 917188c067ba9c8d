"""The two secrets of an instance, and the checksum by which its pods are replaced once one of them is another."""

from __future__ import annotations

import base64

from tenant_pipeline.core.digest import sha256_of_json
from tenant_pipeline.provisioning.kubernetes import naming
from tenant_pipeline.provisioning.kubernetes.objects.identity import Identity, KubernetesObject
from tenant_pipeline.provisioning.provisioner import InstanceSpecification

CONNECTION = "dsn"
TOKEN = "token"


def secret(identity: Identity, specification: InstanceSpecification) -> KubernetesObject:
    """The connection and the access token, which the pods mount as files."""
    return identity.new("v1", "Secret", naming.INSTANCE) | {
        "type": "Opaque",
        "data": {
            CONNECTION: base64.b64encode(specification.connection.value.encode()).decode(),
            TOKEN: base64.b64encode(specification.access_token.value.encode()).decode(),
        },
    }


def checksum(specification: InstanceSpecification) -> str:
    """Changes with either secret. It is of both together, so that neither can be guessed by it alone."""
    return sha256_of_json([specification.connection.value, specification.access_token.value])
