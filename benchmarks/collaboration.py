"""The shared document under load: `make benchmark-collaboration`. Prints JSON.

`convergence`: 50 people × 10 edits a second for a minute, beside a bare relay that checks and keeps nothing.
`connects`: 100 first connections at once, twenty times. `kills`: the server killed 100 times under edits. `frames`:
10,000 malformed frames. `memory`: a document with a year of edits, before and after it is compacted. The parts to
measure are the arguments; all if none.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from pycrdt import Doc, Map
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidMessage

from benchmarks.machine import print_found
from tenant_pipeline.api.authentication.local_issuer import LocalIssuer
from tenant_pipeline.api.collaboration.frames import STEP_1, STEP_2, UPDATE, SyncFrame, read_frame, sync_frame
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.registry import register_tenant
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.services.runtime import Runtime, open_runtime
from tenant_pipeline.services.shared_state import append_updates, compact_document, load_document
from tenant_pipeline.settings import Settings

TENANT = TenantId("benchmark")
FIELD = "wizard.answers"
PEOPLE, EDITS_A_SECOND, SECONDS = 50, 10, 60
SEED = 20261123


class Window:
    """One person's window."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token
        self.document: Doc[Any] = Doc()
        self.field = self.document.get(FIELD, type=Map)
        self.made: list[bytes] = []
        self.watch = self.document.observe(lambda event: self.made.append(event.update))

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[ClientConnection]:
        """A connection on which what either side lacks was exchanged."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with connect(self.url, additional_headers=headers, proxy=None, open_timeout=20, max_size=None) as socket:
            await socket.send(sync_frame(STEP_1, self.document.get_state()))
            waits = {STEP_1, STEP_2}
            while waits:
                waits.discard(await self.take(socket, await asyncio.wait_for(socket.recv(), 20)))
            yield socket

    async def take(self, socket: ClientConnection, data: str | bytes) -> int:
        """Take a frame in; return its step, -1 for none."""
        frame = read_frame(data if isinstance(data, bytes) else data.encode())
        if not isinstance(frame, SyncFrame):
            return -1
        if frame.step == STEP_1:
            await socket.send(sync_frame(STEP_2, self.document.get_update(frame.payload)))
        else:
            before = len(self.made)
            self.document.apply_update(frame.payload)
            del self.made[before:]
        return frame.step

    async def write(self, socket: ClientConnection, key: str, value: Any) -> None:
        """Edit and send."""
        self.field[key] = value
        while self.made:
            await socket.send(sync_frame(UPDATE, self.made.pop(0)))


async def convergence(url: str, tokens: list[str]) -> dict[str, Any]:
    """How long an edit takes to the others, and how long until all have all after the last.

    Five windows take each edit in as it comes, and the delays are theirs; the others only receive, and take all in at
    the end, so that fifty browsers' work in one process does not hide what the server does.
    """
    generator = random.Random(SEED)
    windows = [Window(url, token) for token in tokens]
    waiting: list[list[bytes]] = [[] for _ in windows]
    sent: dict[str, float] = {}
    delays: list[float] = []
    received = [0] * len(windows)
    ended = asyncio.Event()

    async def person(number: int, window: Window) -> None:
        watched = number < 5

        def note(event: Any) -> None:
            now = time.perf_counter()
            values = (change.get("newValue") for change in event.keys.values())
            delays.extend(now - sent[value] for value in values if value in sent and not value.startswith(f"{number}:"))

        watching = window.field.observe(note) if watched else None
        async with window.connected() as socket:

            async def listen() -> None:
                async for data in socket:
                    frame = read_frame(data if isinstance(data, bytes) else data.encode())
                    if isinstance(frame, SyncFrame) and frame.step == UPDATE:
                        received[number] += 1
                        if not watched:
                            waiting[number].append(frame.payload)
                            continue
                    await window.take(socket, data)

            listening = asyncio.create_task(listen())
            await asyncio.sleep(generator.random() / EDITS_A_SECOND)
            until = time.perf_counter() + SECONDS
            count = 0
            while time.perf_counter() < until:
                value = f"{number}:{count}"
                sent[value] = began = time.perf_counter()
                await window.write(socket, f"key {generator.randrange(200)}", value)
                count += 1
                await asyncio.sleep(max(0.0, began + 1 / EDITS_A_SECOND - time.perf_counter()))
            await ended.wait()
            listening.cancel()
        del watching

    tasks = [asyncio.create_task(person(*pair)) for pair in enumerate(windows)]
    await asyncio.sleep(SECONDS + 0.3)
    last = max(sent.values())
    own = [sum(value.startswith(f"{number}:") for value in sent) for number in range(len(windows))]
    while (
        any(got + made < len(sent) for got, made in zip(received, own, strict=True)) and time.perf_counter() < last + 60
    ):
        await asyncio.sleep(0.01)
    converged = time.perf_counter() - last
    ended.set()
    await asyncio.gather(*tasks)
    for window, updates in zip(windows, waiting, strict=True):
        for update in updates:
            window.document.apply_update(update)
    states = {window.document.get_update(Doc().get_state()) for window in windows}
    contents = {json.dumps(window.field.to_py(), sort_keys=True) for window in windows}
    delays.sort()
    return {
        "people": len(windows),
        "edits": len(sent),
        "equal": len(contents) == 1,
        "byte_equal_states": len(states),
        "converged_seconds_after_the_last_edit": round(converged, 3),
        "edit_to_others_p50_ms": round(statistics.median(delays) * 1000, 1),
        "edit_to_others_p95_ms": round(delays[int(len(delays) * 0.95)] * 1000, 1),
    }


async def relayed(tokens: list[str]) -> dict[str, Any]:
    """The same people and edits over a relay that only passes frames on: the floor of this machine and client."""
    clients: set[ServerConnection] = set()

    async def relay(connection: ServerConnection) -> None:
        clients.add(connection)
        await connection.send(sync_frame(STEP_1, Doc().get_state()))
        with suppress(ConnectionClosed):
            async for data in connection:
                frame = read_frame(bytes(data, "utf-8") if isinstance(data, str) else data)
                if isinstance(frame, SyncFrame) and frame.step == STEP_1:
                    await connection.send(sync_frame(STEP_2, b"\x00\x00"))
                elif isinstance(frame, SyncFrame) and frame.step == UPDATE:
                    await asyncio.gather(*(other.send(data) for other in clients if other is not connection))
        clients.discard(connection)

    async with serve(relay, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        return await convergence(f"ws://127.0.0.1:{port}", tokens)


async def connects(url: str, tokens: list[str]) -> dict[str, Any]:
    """First connections, all at once."""
    slowest, hung = 0.0, 0
    for _ in range(20):

        async def come(token: str) -> float:
            began = time.perf_counter()
            async with Window(url, token).connected():
                return time.perf_counter() - began

        came = await asyncio.gather(*(come(token) for token in (tokens * 2)[:100]), return_exceptions=True)
        hung += sum(isinstance(each, BaseException) for each in came)
        slowest = max([slowest, *(each for each in came if isinstance(each, float))])
    return {"at_once": 100, "times": 20, "hung": hung, "slowest_seconds": round(slowest, 2)}


async def kills(runtime: Runtime, tokens: list[str], times: int = 100) -> dict[str, Any]:
    """The server is killed under edits, and begun anew; what a peer has seen must be there in the end."""
    seen: set[str] = set()
    written = 0
    for turn in range(times):
        with _server(runtime) as (url, process):
            one, other = Window(url, tokens[0]), Window(url, tokens[1])
            try:
                async with one.connected() as here, other.connected() as there:

                    async def listen(there: ClientConnection = there, other: Window = other) -> None:
                        async for data in there:
                            await other.take(there, data)

                    listening = asyncio.create_task(listen())
                    before = set(other.field.keys())
                    killer = asyncio.get_running_loop().call_later(0.15, process.send_signal, signal.SIGKILL)
                    for count in range(200):
                        await one.write(here, f"{turn}-{count}", count)
                        written += 1
                        await asyncio.sleep(0.002)
                    killer.cancel()
            except (ConnectionClosed, OSError):
                pass
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            seen |= set(other.field.keys()) - before
    kept: Doc[Any] = Doc()
    for update in load_document(runtime, TENANT).updates:
        kept.apply_update(update)
    lost = seen - set(kept.get(FIELD, type=Map).keys())
    return {"killed": times, "written": written, "seen_by_a_peer": len(seen), "lost": len(lost)}


async def frames(url: str, tokens: list[str], count: int = 10_000) -> dict[str, Any]:
    """Malformed frames, while two others go on editing."""
    generator = random.Random(SEED)
    one, other = Window(url, tokens[0]), Window(url, tokens[1])
    sent = connections = 0
    async with one.connected() as here, other.connected() as there:
        while sent < count:
            connections += 1
            with suppress(ConnectionClosed, InvalidMessage):
                async with Window(url, tokens[2]).connected() as attacker:
                    for _ in range(20):
                        head = generator.choice([b"", b"\x00\x00", b"\x00\x01", b"\x00\x02", b"\x01", b"\x07"])
                        sent += 1
                        await attacker.send(head + generator.randbytes(generator.choice([0, 1, 3, 30, 3000])))
        await one.write(here, "after all", True)
        until = time.perf_counter() + 10
        while "after all" not in other.field and time.perf_counter() < until:
            await other.take(there, await asyncio.wait_for(there.recv(), 10))
    return {"frames": sent, "connections": connections, "others_go_on": "after all" in other.field}


def memory(runtime: Runtime) -> dict[str, Any]:
    """A year of edits: 200 a working day, over and over the same 40 answers."""
    document: Doc[Any] = Doc()
    field = document.get(FIELD, type=Map)
    made: list[bytes] = []
    watch = document.observe(lambda event: made.append(event.update))
    generator = random.Random(SEED)
    for day in range(250):
        for _ in range(200):
            field[f"answer {generator.randrange(40)}"] = f"on day {day}: {generator.random()}"
        append_updates(runtime, TENANT, [("anan", update) for update in made])
        made.clear()
    del watch
    before = sum(map(len, load_document(runtime, TENANT).updates))
    after = compact_document(runtime, TENANT)
    return {"edits": 250 * 200, "bytes_before": before, "bytes_after": after}


@contextmanager
def _server(runtime: Runtime) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "TENANT_RUNTIME_HOME": str(runtime.settings.home)}
    command = [sys.executable, "-m", "tenant_pipeline", "workspace", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield f"ws://127.0.0.1:{port}/api/tenant/{TENANT}/document", process
    finally:
        process.kill()
        process.wait()


PARTS = ("convergence", "connects", "frames", "kills", "memory")


def main() -> None:
    """Measure what is asked for, and print."""
    wanted = sys.argv[1:] or PARTS
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="collaboration-") as folder:
        Path(folder).chmod(0o755)
        with open_runtime(Settings(home=Path(folder) / "home")) as runtime:
            name = {"th": "ทดสอบ", "en": "Benchmark", "zh": "测试"}
            register_tenant(runtime, TENANT, name=name, domain="benchmark.example", tier="pilot", actor="benchmark")
            people = [f"person-{number}" for number in range(PEOPLE)]
            for person in people:
                grant_role(runtime, TENANT, person=person, role="tenant-admin", granted_by="benchmark")
            tokens = [LocalIssuer(runtime).access_token(person, TENANT, timedelta(hours=2)) for person in people]
            for part in wanted:
                if part == "memory":
                    found[part] = memory(runtime)
                elif part == "kills":
                    found[part] = asyncio.run(kills(runtime, tokens))
                else:
                    with _server(runtime) as (url, _):
                        measured = {"convergence": convergence, "connects": connects, "frames": frames}[part]
                        found[part] = asyncio.run(measured(url, tokens))
                    if part == "convergence":
                        floor = asyncio.run(relayed(tokens))
                        ratio = found[part]["edit_to_others_p95_ms"] / floor["edit_to_others_p95_ms"]
                        found[part] |= {"bare_relay": floor, "p95_ratio_to_relay": round(ratio, 2)}
    found["peak_memory_mib"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print_found(**found)


if __name__ == "__main__":
    main()
