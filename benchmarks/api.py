"""Requests a second and p99 of the API, beside a bare FastAPI route with the same query: `make benchmark-api`.

Prints JSON. Both are served by uvicorn in a process of their own and asked by eight connections at once, for ten
seconds each; uploads are of 1 MiB. The tenant has 2,000 disputed items.
"""

from __future__ import annotations

import asyncio
import base64
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI, Request
from psycopg.types.json import Jsonb

from benchmarks.machine import print_found
from tenant_pipeline.api.authentication.local_issuer import LocalIssuer
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.conflicts.reading import page_of_matrix
from tenant_pipeline.services.coverage.reading import read_coverage, verdict_of_tenant
from tenant_pipeline.services.registry import register_tenant
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.services.runtime import Runtime, connect, open_runtime
from tenant_pipeline.settings import Settings

TENANT = TenantId("benchmark")
ITEMS, AT_ONCE, SECONDS, PAGE = 2_000, 8, 10, 50
BODY = os.urandom(1024 * 1024)
Ask = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


def bare() -> FastAPI:
    """The same queries with nothing around them: no token, no guard, no problem details, no ETag."""
    application = FastAPI()
    runtime = connect(Settings()).__enter__()

    @application.get("/coverage")
    def coverage() -> dict[str, Any]:
        found = [each.as_json() for each in read_coverage(runtime, TENANT, exact=False)]
        verdict = verdict_of_tenant(runtime, TENANT, exact=False)
        return {"dimensions": found, "green": verdict.green, "reasons": list(verdict.reasons)}

    @application.get("/conflicts")
    def conflicts() -> dict[str, Any]:
        page = page_of_matrix(runtime, TENANT, limit=PAGE)
        return {"items": page.items, "next": page.next}

    @application.post("/upload")
    async def upload(request: Request) -> dict[str, int]:
        size = 0
        with tempfile.TemporaryFile() as file:
            async for piece in request.stream():
                size += file.write(piece)
            os.fsync(file.fileno())
        return {"size": size}

    return application


async def measured(url: str, headers: dict[str, str], ask: Ask) -> dict[str, float]:
    """Requests a second, and milliseconds that 99 of 100 take at most."""
    took: list[float] = []
    until = time.perf_counter() + SECONDS

    async def one() -> None:
        async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=30) as client:
            while time.perf_counter() < until:
                began = time.perf_counter()
                answer = await ask(client)
                assert answer.is_success, answer.text
                took.append(time.perf_counter() - began)

    await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    took.sort()
    return {"requests_a_second": round(len(took) / SECONDS, 1), "p99_ms": round(took[int(len(took) * 0.99)] * 1000, 1)}


async def _upload(client: httpx.AsyncClient) -> httpx.Response:
    tus = {"Tus-Resumable": "1.0.0"}
    metadata = f"filename {base64.b64encode(b'a.bin').decode()}"
    begun = await client.post(
        f"/api/tenant/{TENANT}/uploads", headers={**tus, "Upload-Length": str(len(BODY)), "Upload-Metadata": metadata}
    )
    headers = {**tus, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    return await client.patch(begun.headers["location"], headers=headers, content=BODY)


def _fill(runtime: Runtime) -> None:
    name = {"th": "ทดสอบ", "en": "Benchmark", "zh": "测试"}
    register_tenant(runtime, TENANT, name=name, domain="benchmark.example", tier="pilot", actor="benchmark")
    grant_role(runtime, TENANT, person="anan", role="tenant-admin", granted_by="benchmark")
    candidates = [
        {"source_id": f"src-{number:016x}", "statement_id": f"st-{number}", "value": f"value {number}",
         "raw_value": f"value {number}", "authority_tier": 2, "locator": "a.csv#row=1", "lang": "",
         "relation": "agrees" if number == 0 else "differs", "observed_at": None}
        for number in range(2)
    ]  # fmt: skip
    with runtime.database.tenant(TENANT) as connection, connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO runtime.conflicts
                   (tenant_id, conflict_id, canonical_id, type, property, lang, verdict, rule, candidates,
                    candidates_digest, proposed_value, proposed_rule, explanation, needs_person, status,
                    updated_by_source)
            VALUES (%s, %s, %s, 'Place', 'postalCode', '', 'differs', 'codes', %s, %s, 'value 0', 'authority-tier', %s,
                    false, 'open', 'src-0000000000000001')
            """,
            [
                (TENANT, f"item-{number}", f"can-{number:06d}", Jsonb(candidates), "a" * 64, Jsonb(["They differ."]))
                for number in range(ITEMS)
            ],
        )


@contextmanager
def _served(home: Path, application: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "TENANT_RUNTIME_HOME": str(home), "TENANT_RUNTIME_REQUESTS_PER_MINUTE": "10000000"}
    command = [sys.executable, "-m", "uvicorn", application, "--factory", "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="api-") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "home"
        with open_runtime(Settings(home=home)) as runtime:
            _fill(runtime)
            token = {"Authorization": f"Bearer {LocalIssuer(runtime).access_token('anan', TENANT, timedelta(hours=1))}"}
            asked: dict[str, tuple[Ask, Ask]] = {
                "coverage": (lambda c: c.get(f"/api/tenant/{TENANT}/coverage"), lambda c: c.get("/coverage")),
                "conflicts": (
                    lambda c: c.get(f"/api/tenant/{TENANT}/conflicts?limit={PAGE}"),
                    lambda c: c.get("/conflicts"),
                ),
                "upload_1_mib": (_upload, lambda c: c.post("/upload", content=BODY)),
            }
            found: dict[str, Any] = {}
            for name, (ours, plain) in asked.items():
                with _served(home, "tenant_pipeline.api.server:application") as url:
                    api = asyncio.run(measured(url, token, ours))
                with _served(home, "benchmarks.api:bare") as url:
                    floor = asyncio.run(measured(url, {}, plain))
                ratio = round(api["requests_a_second"] / floor["requests_a_second"], 2)
                found[name] = {"api": api, "bare_route": floor, "ratio": ratio}
        found["peak_memory_mib"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        print_found(**found)


if __name__ == "__main__":
    main()
