"""A real Kubernetes control plane for the tests: etcd, API server and controller manager on loopback, and no node.

Built once by scripts/build_control_plane.sh. Any other cluster without nodes can be named by
TENANT_RUNTIME_TEST_KUBECONFIG instead.
"""

from __future__ import annotations

import os
import secrets
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.ports import free_port

KUBECONFIG = "TENANT_RUNTIME_TEST_KUBECONFIG"
HOW_TO_GET_ONE = f"no control plane: run `make test-kubernetes` once, or name one without nodes by {KUBECONFIG}"


def built_control_plane() -> Path | None:
    """The folder with the three programs, if they have been built on this machine."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "tenant-runtime" / "control-plane" / "current" / "bin"
    programs = ("etcd", "kube-apiserver", "kube-controller-manager")
    return folder if all((folder / program).is_file() for program in programs) else None


@contextmanager
def running_control_plane(programs: Path, folder: Path) -> Iterator[Path]:
    """Run the three from `programs`, with all they keep in `folder`. Yields the kubeconfig of an administrator."""
    etcd_port, peer_port, port = (free_port() for _ in range(3))
    token = secrets.token_urlsafe(32)
    (folder / "tokens.csv").write_text(f'{token},administrator,administrator,"system:masters"\n')
    (folder / "accounts.key").write_bytes(_private_key())
    kubeconfig = folder / "kubeconfig"
    with ExitStack() as stack:
        stack.enter_context(
            _running(
                folder,
                programs / "etcd",
                f"--data-dir={folder / 'etcd'}",
                f"--listen-client-urls=http://127.0.0.1:{etcd_port}",
                f"--advertise-client-urls=http://127.0.0.1:{etcd_port}",
                f"--listen-peer-urls=http://127.0.0.1:{peer_port}",
                f"--initial-advertise-peer-urls=http://127.0.0.1:{peer_port}",
                f"--initial-cluster=default=http://127.0.0.1:{peer_port}",
                "--unsafe-no-fsync",
            )
        )
        stack.enter_context(
            _running(
                folder,
                programs / "kube-apiserver",
                f"--etcd-servers=http://127.0.0.1:{etcd_port}",
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                f"--secure-port={port}",
                f"--cert-dir={folder / 'certificates'}",
                f"--token-auth-file={folder / 'tokens.csv'}",
                "--authorization-mode=RBAC",
                "--service-cluster-ip-range=10.222.0.0/16",
                "--service-account-issuer=https://tenant-runtime.example",
                f"--service-account-key-file={folder / 'accounts.key'}",
                f"--service-account-signing-key-file={folder / 'accounts.key'}",
            )
        )
        _write_kubeconfig(kubeconfig, port, folder / "certificates" / "apiserver.crt", token)
        _await_ready(port, folder / "certificates" / "apiserver.crt", folder)
        stack.enter_context(
            _running(
                folder,
                programs / "kube-controller-manager",
                f"--kubeconfig={kubeconfig}",
                f"--service-account-private-key-file={folder / 'accounts.key'}",
                f"--root-ca-file={folder / 'certificates' / 'apiserver.crt'}",
                "--leader-elect=false",
                "--kube-api-qps=200",
                "--kube-api-burst=400",
                "--concurrent-namespace-syncs=20",
                "--port=0",
                "--secure-port=0",
            )
        )
        yield kubeconfig


@contextmanager
def _running(folder: Path, program: Path, *arguments: str) -> Iterator[None]:
    """The program, until the block ends, or at the latest until this process does."""
    with (folder / f"{program.name}.log").open("wb") as log:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", str(program), *arguments], stdout=log, stderr=log, cwd=folder
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_ready(port: int, certificate: Path, folder: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            if certificate.is_file() and _get_ready(port, certificate) == 200:
                return
        except (httpx.TransportError, OSError):
            pass  # not listening yet
        time.sleep(0.2)
    log = (folder / "kube-apiserver.log").read_text(errors="replace")
    raise RuntimeError(f"The API server was not ready within 120 s:\n{log[-2000:]}")


def _get_ready(port: int, certificate: Path) -> int:
    with httpx.Client(verify=ssl.create_default_context(cafile=certificate), trust_env=False) as client:
        return client.get(f"https://127.0.0.1:{port}/readyz").status_code


def _write_kubeconfig(path: Path, port: int, certificate: Path, token: str) -> None:
    cluster = {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(certificate)}
    body = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "administrator", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "administrator"}}],
        "current-context": "test",
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(body))


def _private_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


if __name__ == "__main__":
    if named := os.environ.get(KUBECONFIG):
        print(f"Kubernetes contract suite: run against the cluster of {named}")
    elif built := built_control_plane():
        print(f"Kubernetes contract suite: run against {built.parent.resolve().name}")
    else:
        print(f"Kubernetes contract suite: NOT run ({HOW_TO_GET_ONE})")
