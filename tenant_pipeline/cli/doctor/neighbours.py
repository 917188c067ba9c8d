"""Other people's services that this installation leans on."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from tenant_pipeline.cli.doctor.finding import Finding, Patient, fine, wrong
from tenant_pipeline.intake.malware import ClamAV


def openid_provider(patient: Patient) -> Finding:
    """The OpenID provider answers, names itself as we do, and has keys."""
    issuer = patient.settings.oidc_issuer
    if not issuer:
        return fine("tokens are our own issuer's")
    parts = urlsplit(issuer)
    if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        return wrong(
            "TENANT_RUNTIME_OIDC_ISSUER is not https", "Give the provider's https address: its keys come from there."
        )
    if not patient.settings.oidc_audience:
        return wrong(
            "TENANT_RUNTIME_OIDC_AUDIENCE is empty", "Give the audience that the provider puts into its tokens."
        )
    from tenant_pipeline.api.authentication.key_sets import ProvidersKeys

    ProvidersKeys(issuer)("a key that nobody has")  # raises where the provider does not answer as it should
    return fine("the OpenID provider answers")


def malware_scanner(patient: Patient) -> Finding:
    """The malware scanner answers, where there is one: without its answer nothing is taken in."""
    address = patient.settings.clamav
    if not address:
        return fine("no malware scanner is set")
    ClamAV(address)
    parts = urlsplit(address)
    try:
        with _connected(parts.scheme, parts.hostname, parts.port, parts.path) as connection:
            connection.sendall(b"zPING\0")
            answer = connection.recv(16)
    except OSError:
        answer = b""
    if answer.rstrip(b"\0\n") != b"PONG":
        return wrong("the malware scanner does not answer", "Start clamd, or correct TENANT_RUNTIME_CLAMAV.")
    return fine("the malware scanner answers")


def _connected(scheme: str, host: str | None, port: int | None, path: str) -> socket.socket:
    if scheme == "tcp":
        return socket.create_connection((host, port), 5)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(5)
    connection.connect(path)
    return connection
