"""What the operator has set."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tenant_pipeline.cli.doctor.finding import Finding, NotExaminedError, Patient, advice, fine, wrong
from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.business_calendar import holidays_of
from tenant_pipeline.core.cost.price import prices_from
from tenant_pipeline.core.errors import TenantRuntimeError

if TYPE_CHECKING:
    from tenant_pipeline.provisioning.kubernetes.settings import KubernetesSettings

CLUSTER_SECONDS = 2.0
LEAST_TOKEN = 24
LEAST_HOLIDAYS = 10


def environment(patient: Patient) -> Finding:
    """Dagster's own variables are left to us, or to its chart, which sets them for its code servers."""
    if "DAGSTER_CURRENT_IMAGE" in os.environ:
        return fine("DAGSTER_HOME is that of Dagster's chart")
    elsewhere = os.environ.get("DAGSTER_HOME")
    if elsewhere is None or Path(elsewhere).resolve() == patient.settings.dagster_home.resolve():
        return fine("DAGSTER_HOME is ours")
    return wrong(f"DAGSTER_HOME points to {elsewhere}", "Unset DAGSTER_HOME: the commands set it for themselves.")


def dagster_dsn(patient: Patient) -> Finding:
    """The URL of Dagster's storage names its driver."""
    given = patient.settings.dagster_dsn
    if given is None:
        return fine("Dagster's storage is a database of its own on the same server")
    scheme = given.get_secret_value().partition("://")[0]
    if scheme != "postgresql+psycopg2":
        return wrong(
            f"TENANT_RUNTIME_DAGSTER_DSN begins with {scheme if len(scheme) < 30 else 'something else'}://",
            "Begin it with postgresql+psycopg2://: with another driver Dagster does not hear what happens.",
        )
    return fine("the URL of Dagster's storage names its driver")


def public_url(patient: Patient) -> Finding:
    """The public address is one, and over https unless it is this machine."""
    given = patient.settings.public_url
    if not given:
        return fine("no public address: people come in by loopback")
    no_address = wrong(
        "TENANT_RUNTIME_PUBLIC_URL is no address of a site", "Give scheme and host alone: https://city.example"
    )
    try:
        parts = urlsplit(given)
    except ValueError:
        return no_address
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
        return no_address
    if parts.path:
        return wrong("TENANT_RUNTIME_PUBLIC_URL ends with a slash", "Leave it out: origins are compared as they are.")
    if parts.scheme == "http" and not _is_this_machine(parts.hostname):
        return wrong(
            "TENANT_RUNTIME_PUBLIC_URL is not https: sessions would go over the network unencrypted",
            "Put a proxy with a certificate in front, and give its https address.",
        )
    return fine(f"people come in by {parts.scheme}://{parts.hostname}")


def metrics_token(patient: Patient) -> Finding:
    """Whoever may read the metrics shows a token that nobody guesses."""
    token = patient.settings.metrics_token
    if token is None:
        return fine("there is no /metrics: no token is set")
    if len(token.get_secret_value()) < LEAST_TOKEN:
        return wrong(
            f"TENANT_RUNTIME_METRICS_TOKEN is shorter than {LEAST_TOKEN} characters",
            "`python3 -c 'import secrets; print(secrets.token_urlsafe())'` prints a good one.",
        )
    return fine("/metrics asks for its token")


def loopback_links(patient: Patient) -> Finding:
    """Links lead to the public network alone."""
    if patient.settings.loopback_links:
        return wrong(
            "links and feeds may lead to this machine itself", "Unset TENANT_RUNTIME_LOOPBACK_LINKS: it is for trials."
        )
    return fine("links lead to the public network alone")


def contracts(patient: Patient) -> Finding:
    """What was agreed can be read, says nothing that the code does otherwise, and is confirmed."""
    folder = patient.settings.contracts
    whose = f"of {folder}" if folder else "of the package"
    awaiting = load_contracts(folder).awaiting_review
    if not awaiting:
        return fine(f"eight contracts {whose}, valid, with labels at parity, and confirmed")
    notes = " ".join(f"{name}: {note}" for name, note in awaiting.items())
    return advice(
        f"{len(awaiting)} of the eight contracts {whose} await a person's review. {notes}",
        "Confirm them, or put others in: docs/extend/contract.md.",
    )


def price_table(patient: Patient) -> Finding:
    """The price table can be read."""
    path = patient.settings.price_table
    if path is None:
        return fine("prices are the shipped example's")
    try:
        prices_from(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        return wrong(
            f"the price table cannot be read ({type(error).__name__})",
            f"Check TENANT_RUNTIME_PRICE_TABLE, a file in UTF-8: {path}",
        )
    return fine("the price table is valid")


def pii_configuration(patient: Patient) -> Finding:
    """The operator's own models and recognisers can be loaded."""
    path = patient.settings.pii_configuration
    if path is None:
        return fine("the recognisers for personal data are the shipped ones")
    from tenant_pipeline.pii.configuration import configured_analyzer  # it takes a second to load

    configured_analyzer(path)
    return fine("the recognisers of the PII configuration can be loaded")


def calendar(patient: Patient) -> Finding:
    """The public holidays of this year and the next are known: SLAs go by working days."""
    year = patient.now().year
    unknown = [each for each in (year, year + 1) if holidays_of(each) < LEAST_HOLIDAYS]
    if unknown:
        return wrong(
            f"the public holidays of {' and '.join(map(str, unknown))} are not known",
            "Upgrade the package `holidays`; until then SLAs count those days as working days.",
        )
    return fine(f"the public holidays of {year} and {year + 1} are known")


def traces(patient: Patient) -> Finding:
    """Where traces go is an address, if they go anywhere."""
    from tenant_pipeline.telemetry.traces import ENDPOINTS, traces_are_on

    if not traces_are_on():
        return fine("traces are off")
    for name in ENDPOINTS:
        given = os.environ.get(name)
        if given and (urlsplit(given).scheme not in ("http", "https") or not urlsplit(given).hostname):
            return wrong(f"{name} is no http address", "Give OTLP over HTTP, such as http://collector:4318")
    if "grpc" in os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", ""):
        return wrong("OTEL_EXPORTER_OTLP_PROTOCOL asks for grpc", "Only http/protobuf is spoken: give its port, 4318.")
    return fine("traces go to a collector")


def kubernetes_configuration(patient: Patient) -> Finding:
    """The configuration of the cluster can be read, its API server answers, and our account there has its rights."""
    path = patient.settings.kubernetes_configuration
    if path is None:
        raise NotExaminedError("instances are processes of this machine")
    import yaml

    from tenant_pipeline.provisioning.kubernetes.settings import KubernetesSettings

    try:
        settings = KubernetesSettings(**yaml.safe_load(path.read_text(encoding="utf-8")))
    except TenantRuntimeError as error:
        return wrong(f"{error.what} [{error.where}]", error.remedy)
    except (OSError, TypeError, ValueError, yaml.YAMLError) as error:
        return wrong(
            f"the configuration of the cluster cannot be read ({type(error).__name__})",
            f"See docs/operate/kubernetes.md for what {path} holds.",
        )
    return _api_server(settings)


def _api_server(settings: KubernetesSettings) -> Finding:
    from tenant_pipeline.provisioning.kubernetes.backend import KubernetesProvisioner
    from tenant_pipeline.provisioning.kubernetes.client.connection import (
        ApiError,
        is_pod_without_account,
        open_connection,
    )
    from tenant_pipeline.provisioning.kubernetes.client.deadline import Deadline

    if is_pod_without_account(settings.kubeconfig):
        raise NotExaminedError("this pod has no account in the cluster: ask in a pod of the code server, which has")
    try:
        connection = open_connection(settings.kubeconfig, settings.context)
        found = connection.request("GET", "/version", place="Kubernetes API", deadline=Deadline(CLUSTER_SECONDS))
    except Exception as error:
        return wrong(
            f"the Kubernetes API does not answer ({type(error).__name__})",
            "Check kubeconfig and context in TENANT_RUNTIME_KUBERNETES_CONFIGURATION, and that the API server runs.",
        )
    try:
        standing = KubernetesProvisioner(settings, connection).standing()
    except ApiError as error:
        return wrong(f"Kubernetes {found.get('gitVersion')} does not tell what stands: {error.what}", error.remedy)
    return fine(f"Kubernetes {found.get('gitVersion')} answers; {len(standing)} instances are there")


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
