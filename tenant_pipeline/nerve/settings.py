"""What an instance is told when it starts: whose it is, where it reads, and who may ask it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class InstanceSettingsError(Exception):
    """The instance was not told what it needs. The message names the variable, never a secret."""


@dataclass(frozen=True)
class InstanceSettings:
    """The settings of one instance. The two secrets are read from files, so that no process list shows them."""

    tenant: str
    schema: str
    dsn: str = field(repr=False)
    access_token: str = field(repr=False)
    host: str
    port: int
    port_file: Path | None
    code_version: str


def read_settings(environment: Mapping[str, str]) -> InstanceSettings:
    """The settings that the environment names. Raises InstanceSettingsError."""

    def required(name: str) -> str:
        value = environment.get(name, "").strip()
        if not value:
            raise InstanceSettingsError(f"{name} is not set")
        return value

    def secret(name: str) -> str:
        try:
            value = Path(required(name)).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise InstanceSettingsError(f"the file that {name} names cannot be read ({type(error).__name__})") from None
        if not value:
            raise InstanceSettingsError(f"the file that {name} names is empty")
        return value

    port = environment.get("NERVE_PORT", "0")
    if not port.isdigit() or int(port) > 65535:
        raise InstanceSettingsError("NERVE_PORT is no port")
    port_file = environment.get("NERVE_PORT_FILE")
    return InstanceSettings(
        tenant=required("NERVE_TENANT"),
        schema=required("NERVE_SCHEMA"),
        dsn=secret("NERVE_DSN_FILE"),
        access_token=secret("NERVE_TOKEN_FILE"),
        host=environment.get("NERVE_HOST", "127.0.0.1"),
        port=int(port),
        port_file=Path(port_file) if port_file else None,
        code_version=environment.get("NERVE_CODE_VERSION", ""),
    )
