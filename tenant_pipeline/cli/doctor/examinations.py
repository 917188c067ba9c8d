"""Every examination, in the order in which they are made: what others rest on comes first."""

from __future__ import annotations

from collections.abc import Mapping

from tenant_pipeline.cli.doctor import configuration, database, files, machine, neighbours, work
from tenant_pipeline.cli.doctor.finding import Examination

EXAMINATIONS: Mapping[str, Examination] = {
    "python": machine.python,
    "disk": machine.disk,
    "inodes": machine.inodes,
    "temporary files": machine.temporary_files,
    "file descriptors": machine.descriptors,
    "parser sandbox": machine.sandbox,
    "ports": machine.ports,
    "home": files.home,
    "environment": configuration.environment,
    "Dagster storage": configuration.dagster_dsn,
    "public address": configuration.public_url,
    "metrics token": configuration.metrics_token,
    "traces": configuration.traces,
    "loopback links": configuration.loopback_links,
    "contracts": configuration.contracts,
    "price table": configuration.price_table,
    "PII configuration": configuration.pii_configuration,
    "business calendar": configuration.calendar,
    "OpenID provider": neighbours.openid_provider,
    "malware scanner": neighbours.malware_scanner,
    "Kubernetes": configuration.kubernetes_configuration,
    "database": database.answers,
    "database version": database.version,
    "encoding": database.encoding,
    "database rights": database.rights,
    "database connections": database.connections,
    "server messages": database.messages,
    "durability": database.durability,
    "pooler": database.pooler,
    "clock": machine.clock,
    "key permissions": files.keys_private,
    "keys": files.keys_whole,
    "logins": database.logins,
    "runtime roles": database.runtime_roles,
    "row-level security": database.row_level_security,
    "policies": database.policies,
    "penetration test": work.penetration_test,
    "objects": files.objects,
    "checkpoints": files.checkpoints_there,
    "checkpoints apart": files.checkpoints_apart,
    "audit log": work.audit_log,
    "daemon": work.daemon,
    "line": work.line,
    "stopped sources": work.stopped_sources,
    "failures": work.failed_runs,
    "feeds": work.feeds,
    "approvals": work.approvals,
    "instances": work.instances,
}
