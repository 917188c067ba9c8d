"""Reports pods as ready that no node has ever run: on a control plane without nodes someone must.

The deployment and replica set controllers are real and draw their own conclusions from it. Nothing is proven by it of
what happens inside a pod.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from tenant_pipeline.provisioning.kubernetes.client.connection import ApiConnection, ApiError
from tenant_pipeline.provisioning.kubernetes.client.deadline import Deadline
from tenant_pipeline.provisioning.kubernetes.ownership import MANAGED_BY


def report(api: ApiConnection, pod: dict[str, Any], status: dict[str, Any]) -> None:
    """Write a pod's status, as a kubelet does."""
    metadata = pod["metadata"]
    api.request(
        "PATCH",
        f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status",
        place="status of a pod",
        deadline=Deadline(10),
        body={"status": status},
        content_type="application/merge-patch+json",
    )


class KubeletStandIn:
    """Reports every pod of ours as ready, a moment after it is there, from `start` to `stop`."""

    def __init__(self, api: ApiConnection) -> None:
        self._api = api
        self._stopped = threading.Event()
        self._reporting = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Meanwhile no pod is reported ready."""
        with self._reporting:
            yield

    def _run(self) -> None:
        while not self._stopped.wait(0.1):
            with self._reporting:
                self._report_all()

    def _report_all(self) -> None:
        path = f"/api/v1/pods?labelSelector={quote(f'{MANAGED_BY}=tenant-runtime')}"
        try:
            pods = self._api.request("GET", path, place="all pods", deadline=Deadline(10))["items"]
            for pod in pods:
                if pod["status"].get("phase") != "Running" and "deletionTimestamp" not in pod["metadata"]:
                    report(self._api, pod, {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]})
        except ApiError:
            pass  # the pod is gone again, or the server is busy: the next round looks anew
