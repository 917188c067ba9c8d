"""Instances as processes: brought up, rolled, adopted, confined, and taken away, whatever is killed in between."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.core.release import search_grams
from tenant_pipeline.core.standardise import names
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.local_process import backend as module
from tenant_pipeline.provisioning.local_process.backend import NERVE_CODE, LocalProcesses
from tenant_pipeline.provisioning.local_process.confinement import FIRST_VERSION_WITH_PORTS, landlock_version
from tenant_pipeline.provisioning.local_process.generation import Generation
from tenant_pipeline.provisioning.local_process.private_files import held
from tenant_pipeline.provisioning.local_process.processes import ProcessIdentity, processes_of
from tenant_pipeline.provisioning.local_process.uids import FIRST_UID, UIDS, free_uid
from tenant_pipeline.provisioning.provisioner import Action, InstanceSpecification, Phase, Plan, Secret

SCRIPT = Path(__file__).with_name("small_instance.py")
TENANT, NAMESPACE = TenantId("hall-north"), "tenant-hall-north"
OTHER, OTHER_NAMESPACE = TenantId("hall-south"), "tenant-hall-south"
SECONDS = 20.0

Make = Callable[..., LocalProcesses]


def specification(**changes: object) -> InstanceSpecification:
    made = InstanceSpecification(
        TENANT, NAMESPACE, "tenant_hall_north", "1.0.0", Secret("host=/nowhere password=first"), Secret("first token")
    )
    return replace(made, **changes)  # type: ignore[arg-type]


OTHERS = specification(
    tenant=OTHER,
    namespace=OTHER_NAMESPACE,
    database_schema="tenant_hall_south",
    connection=Secret("host=/nowhere password=south"),
    access_token=Secret("south token"),
)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tenant-runtime-test-") as made:
        Path(made).chmod(0o755)
        yield Path(made) / "instances"


@pytest.fixture
def make(folder: Path) -> Iterator[Make]:
    def made(*words: str, python: str = sys.executable, restarts: int = 2) -> LocalProcesses:
        return LocalProcesses(folder, command=[python, str(SCRIPT), *words], code=[SCRIPT], restarts=restarts)

    yield made
    for tenant, namespace in ((TENANT, NAMESPACE), (OTHER, OTHER_NAMESPACE)):
        made().deprovision(tenant, namespace, timeout=SECONDS)
    assert list(processes_of(folder)) == []
    assert [path for path in folder.rglob("*") if path.name not in (".locks", ".failed")] == []


def ask(backend: LocalProcesses, path: str, token: str = "first token") -> httpx.Response:
    endpoint = backend.status(TENANT, NAMESPACE).endpoint
    assert endpoint is not None
    return httpx.get(endpoint + path, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=SECONDS)


def process_of(backend: LocalProcesses) -> ProcessIdentity:
    return ProcessIdentity.of(ask(backend, "/about").json()["pid"])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def actions(plan: Plan) -> list[tuple[str, Action, tuple[str, ...]]]:
    return [(change.kind, change.action, change.differences) for change in plan.changes]


def test_a_plan_makes_nothing(make: Make, folder: Path) -> None:
    plan = make().plan(specification())
    assert actions(plan) == [("folder", Action.CREATE, ()), ("process-group", Action.CREATE, ())]
    assert not folder.exists()


def test_an_instance_is_brought_up_once_and_found_again(make: Make) -> None:
    backend = make()
    assert backend.status(TENANT, NAMESPACE).phase is Phase.ABSENT
    status = backend.apply(specification(), timeout=SECONDS)
    assert status.phase is Phase.HEALTHY
    first = process_of(backend)
    again = make()
    assert again.plan(specification()).changes_nothing
    assert again.apply(specification(), timeout=SECONDS) == status
    assert process_of(again) == first


def test_the_environment_and_the_arguments_hold_no_secret_and_nothing_of_ours(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENANT_RUNTIME_DATABASE_DSN", "host=secret-place")
    backend = make()
    backend.apply(specification(), timeout=SECONDS)
    about = ask(backend, "/about").json()
    told = json.dumps(about)
    for secret in ("secret-place", "password=first", "first token"):
        assert secret not in told
    assert {name for name in about["environment"] if name.startswith("NERVE")} == {
        "NERVE_TENANT",
        "NERVE_SCHEMA",
        "NERVE_DSN_FILE",
        "NERVE_TOKEN_FILE",
        "NERVE_HOST",
        "NERVE_PORT",
        "NERVE_PORT_FILE",
        "NERVE_CODE_VERSION",
    }
    assert re.fullmatch("[0-9a-f]{12}", about["environment"]["NERVE_CODE_VERSION"])
    supervisor = psutil.Process(about["session"])
    assert "secret-place" not in json.dumps([supervisor.environ(), supervisor.cmdline()])
    assert about["session"] not in (about["pid"], os.getsid(0))
    assert about["nice"] >= 5


def test_secrets_lie_in_private_files_of_a_private_folder(make: Make, folder: Path) -> None:
    make().apply(specification(), timeout=SECONDS)
    own = folder / NAMESPACE / "1"
    assert own.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in own.iterdir() if path.name != "port"} == {
        "dsn": 0o600,
        "token": 0o600,
    }
    connection, token = make().credentials(TENANT, NAMESPACE)
    assert (connection.value, token.value) == ("host=/nowhere password=first", "first token")
    assert "first" not in repr(connection) + repr(specification())


def test_a_change_shows_as_drift_and_is_rolled_without_a_moment_without_an_instance(make: Make) -> None:
    backend = make()
    before = backend.apply(specification(), timeout=SECONDS)
    first = process_of(backend)
    changed = specification(template_version="1.1.0", access_token=Secret("second token"))
    assert actions(backend.plan(changed)) == [
        ("folder", Action.KEEP, ()),
        ("process-group", Action.REPLACE, ("specification.template_version", "secrets")),
    ]
    after = backend.apply(changed, timeout=SECONDS)
    assert after.phase is Phase.HEALTHY
    assert after.endpoint != before.endpoint
    assert not first.is_alive()
    assert ask(backend, "/about", "first token").status_code == 401
    assert ask(backend, "/about", "second token").status_code == 200


def test_other_code_is_drift(make: Make, folder: Path, tmp_path: Path) -> None:
    make().apply(specification(), timeout=SECONDS)
    code = tmp_path / "other.py"
    code.write_text("pass")
    newer = LocalProcesses(folder, command=[sys.executable, str(SCRIPT)], code=[code])
    assert newer.plan(specification()).changes[1].differences == ("code",)


def test_the_code_of_an_instance_is_also_that_of_the_core_by_which_it_searches() -> None:
    assert {Path(search_grams.__file__), Path(names.__file__)} <= set(NERVE_CODE)


def test_what_cannot_become_healthy_leaves_what_ran(make: Make, folder: Path) -> None:
    make().apply(specification(), timeout=SECONDS)
    first = process_of(make())
    with pytest.raises(ProvisioningError, match="started 3 times and ended with exit code 3"):
        make("crash").apply(specification(), timeout=SECONDS)
    (folder / NAMESPACE / "1.log").touch()
    kept = make().log(TENANT, NAMESPACE)
    assert "cannot go on" in kept.read_text()
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    with pytest.raises(ProvisioningError, match="status 503"):
        make("deaf").apply(specification(), timeout=1.0)
    assert first.is_alive()
    assert make().status(TENANT, NAMESPACE).phase is Phase.HEALTHY
    assert {path.name for path in (folder / NAMESPACE).iterdir() if path.is_dir()} == {"1", "1.code"}
    make().apply(specification(), timeout=SECONDS)
    assert make().log(TENANT, NAMESPACE) == folder / NAMESPACE / "1.log"


def test_one_look_tells_what_is_there_and_what_was_not_applied_to_its_end(make: Make, folder: Path) -> None:
    assert make().standing() == {}
    make().apply(specification(), timeout=SECONDS)
    with pytest.raises(ProvisioningError):
        make("crash", restarts=0).apply(OTHERS, timeout=SECONDS)
    assert make().standing() == {NAMESPACE: True, OTHER_NAMESPACE: False}
    make().deprovision(TENANT, NAMESPACE, timeout=SECONDS)
    (folder / "a file").touch()
    assert make().standing() == {OTHER_NAMESPACE: False}
    (folder / "a file").unlink()
    make().deprovision(OTHER, OTHER_NAMESPACE, timeout=SECONDS)
    assert "cannot go on" in make().log(OTHER, OTHER_NAMESPACE).read_text(), "whoever takes it back is to see why"


def test_a_fallen_instance_is_started_again_and_too_many_falls_are_told(make: Make) -> None:
    backend = make()
    backend.apply(specification(), timeout=SECONDS)
    for number in (1, 2):
        with pytest.raises(httpx.HTTPError):
            ask(backend, "/die")
        until(lambda: backend.status(TENANT, NAMESPACE).phase is Phase.HEALTHY)
        assert backend.status(TENANT, NAMESPACE).detail == f"restarted {number} times"
    with pytest.raises(httpx.HTTPError):
        ask(backend, "/die")
    until(lambda: backend.status(TENANT, NAMESPACE).phase is Phase.UNHEALTHY and "gave up" in status_detail(backend))
    assert "It was started 3 times and ended with exit code 7." in status_detail(backend)
    assert actions(backend.plan(specification()))[1][1] is Action.REPLACE
    assert backend.apply(specification(), timeout=SECONDS).phase is Phase.HEALTHY


def status_detail(backend: LocalProcesses) -> str:
    return backend.status(TENANT, NAMESPACE).detail


def test_the_log_has_what_the_instance_said(make: Make) -> None:
    backend = make()
    backend.apply(specification(), timeout=SECONDS)
    assert backend.log(TENANT, NAMESPACE).read_text().rstrip().endswith("listening")
    with pytest.raises(ProvisioningError, match="no such instance"):
        backend.log(OTHER, OTHER_NAMESPACE)


def test_nothing_that_the_instance_started_outlives_it(make: Make) -> None:
    backend = make()
    backend.apply(specification(), timeout=SECONDS)
    stray = ProcessIdentity.of(ask(backend, "/stray").json()["pid"])
    assert stray.is_alive()
    backend.deprovision(TENANT, NAMESPACE, timeout=SECONDS)
    assert not stray.is_alive()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
def test_without_its_supervisor_an_instance_ends_and_is_told_as_unhealthy(make: Make, folder: Path) -> None:
    backend = make()
    backend.apply(specification(), timeout=SECONDS)
    instance = process_of(backend)
    supervisor = Generation(backend.log(TENANT, NAMESPACE).parent, 1).supervisor()
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    until(lambda: not instance.is_alive())
    status = backend.status(TENANT, NAMESPACE)
    assert (status.phase, status.endpoint) == (Phase.UNHEALTHY, None), "its port may be another's by now"
    until(lambda: make().standing() == {NAMESPACE: False})
    with held(folder / ".locks" / NAMESPACE):
        assert make().standing() == {NAMESPACE: True}, "somebody is bringing it back"
    assert backend.apply(specification(), timeout=SECONDS).phase is Phase.HEALTHY
    assert make().standing() == {NAMESPACE: True}


def test_a_pid_that_was_given_to_another_is_neither_adopted_nor_killed(make: Make, folder: Path) -> None:
    backend = make()
    backend.apply(specification(), timeout=SECONDS)
    state_file = folder / NAMESPACE / "1.state.json"
    state = json.loads(state_file.read_text())
    os.killpg(state["pid"], signal.SIGKILL)
    until(lambda: not Generation(folder / NAMESPACE, 1).is_supervised())
    bystander = subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)
    try:
        state_file.write_text(json.dumps({**state, "pid": bystander.pid}))
        assert backend.status(TENANT, NAMESPACE).phase is Phase.UNHEALTHY
        backend.apply(specification(), timeout=SECONDS)
        backend.deprovision(TENANT, NAMESPACE, timeout=SECONDS)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_another_tenants_namespace_and_a_strange_folder_are_refused(make: Make, folder: Path) -> None:
    backend = make()
    backend.apply(specification(), timeout=SECONDS)
    stolen = replace(OTHERS, namespace=NAMESPACE)
    for act in (
        lambda: backend.plan(stolen),
        lambda: backend.apply(stolen, timeout=SECONDS),
        lambda: backend.deprovision(OTHER, NAMESPACE, timeout=SECONDS),
        lambda: backend.status(OTHER, NAMESPACE),
    ):
        with pytest.raises(ProvisioningError, match="another tenant's"):
            act()
    strange = folder / OTHER_NAMESPACE
    strange.mkdir()
    (strange / "letters").write_text("keep")
    for act in (
        lambda: backend.apply(OTHERS, timeout=SECONDS),
        lambda: backend.deprovision(OTHER, OTHER_NAMESPACE, timeout=SECONDS),
    ):
        with pytest.raises(ProvisioningError, match="not made by this backend"):
            act()
    assert (strange / "letters").read_text() == "keep"
    (strange / "letters").unlink()
    strange.rmdir()
    for name in ("../escape", ".locks", ""):
        with pytest.raises(ProvisioningError, match="no folder's name"):
            backend.plan(specification(namespace=name))


@pytest.mark.skipif(not landlock_version() and os.geteuid() != 0, reason="nothing here can keep files apart")
@pytest.mark.parametrize("python", [sys.executable, "/usr/bin/python3"])
def test_an_instance_reads_its_own_files_and_no_others(make: Make, folder: Path, python: str) -> None:
    """With the system's Python a uid of its own keeps them apart as well, where that of the tests cannot be reached."""
    if not Path(python).exists():
        pytest.skip("there is no such Python")
    backend = make(python=python)
    assert backend.capabilities.isolates_files
    backend.apply(specification(), timeout=SECONDS)
    backend.apply(OTHERS, timeout=SECONDS)
    others = backend.files_of_others(NAMESPACE)
    assert {folder / OTHER_NAMESPACE / "1" / "dsn", folder / OTHER_NAMESPACE / "1" / "token"} <= set(others)
    assert backend.readable_by_instance(TENANT, NAMESPACE, others) == []
    assert ask(backend, f"/read{folder}/{NAMESPACE}/1/dsn").json() == {"read": "host=/nowhere password=first"}
    for path in others:
        assert ask(backend, f"/read{path}").json() == {"refused": "PermissionError"}


@pytest.mark.skipif(landlock_version() < FIRST_VERSION_WITH_PORTS, reason="nothing here can keep ports apart")
def test_an_instance_connects_to_its_database_and_to_nothing_else_on_this_machine(make: Make) -> None:
    backend = make()
    with socket.create_server(("127.0.0.1", 0)) as database, socket.create_server(("127.0.0.1", 0)) as dagster:
        port, other = (each.getsockname()[1] for each in (database, dagster))
        backend.apply(specification(connection=Secret(f"host=127.0.0.1 port={port}")), timeout=SECONDS)
        assert ask(backend, f"/connect/{port}").status_code == 200
        assert ask(backend, f"/connect/{other}").json() == {"refused": "PermissionError"}
        backend.apply(specification(), timeout=SECONDS)
        assert ask(backend, f"/connect/{port}").json() == {"refused": "PermissionError"}


def test_the_attempt_to_read_as_the_instance_can_succeed(make: Make) -> None:
    backend = make()
    backend.apply(specification(), timeout=SECONDS)
    assert backend.readable_by_instance(TENANT, NAMESPACE, [Path("/etc/passwd")]) == [Path("/etc/passwd")]


@pytest.mark.skipif(sys.platform != "linux", reason="limits are Linux's")
def test_an_instance_gets_the_memory_that_was_specified_and_no_more(make: Make) -> None:
    backend = make()
    backend.apply(specification(memory_mebibytes=128), timeout=SECONDS)
    assert ask(backend, f"/keep/{256 << 20}").status_code == 507
    assert ask(backend, f"/keep/{32 << 20}").status_code == 200


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.provisioning.test_local_processes import NAMESPACE, SECONDS, SCRIPT, TENANT, specification
from tenant_pipeline.provisioning.local_process.backend import LocalProcesses
from tenant_pipeline.provisioning.provisioner import Secret

folder, act, fatal = sys.argv[1:]

def on_progress(moment):
    if moment == fatal:
        os.kill(os.getpid(), signal.SIGKILL)

backend = LocalProcesses(Path(folder), command=[sys.executable, str(SCRIPT)], code=[SCRIPT], on_progress=on_progress)
if act == "apply":
    backend.apply(specification(access_token=Secret("second token")), timeout=SECONDS)
else:
    backend.deprovision(TENANT, NAMESPACE, timeout=SECONDS)
"""


def killed(folder: Path, act: str, moment: str) -> None:
    root = str(Path(__file__).parents[2])
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder), act, moment], cwd=root, check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("running", [False, True])
@pytest.mark.parametrize("moment", ["recorded", "made", "started", "healthy"])
def test_killed_while_applying_it_is_finished_by_the_next_call(
    make: Make, folder: Path, moment: str, running: bool
) -> None:
    if running:
        make().apply(specification(), timeout=SECONDS)
    killed(folder, "apply", moment)
    wanted = specification(access_token=Secret("second token"))
    assert make().apply(wanted, timeout=SECONDS).phase is Phase.HEALTHY
    assert ask(make(), "/about", "second token").status_code == 200
    assert make().plan(wanted).changes_nothing
    assert len(list(processes_of(folder))) == 2, "the supervisor and its instance"


@pytest.mark.parametrize("moment", ["recorded", "made", "started", "healthy"])
def test_killed_while_applying_it_can_be_taken_away(make: Make, folder: Path, moment: str) -> None:
    killed(folder, "apply", moment)
    make().deprovision(TENANT, NAMESPACE, timeout=SECONDS)
    assert make().status(TENANT, NAMESPACE).phase is Phase.ABSENT


@pytest.mark.parametrize("moment", ["terminating", "removed", "unrecorded"])
def test_killed_while_taking_away_it_is_finished_or_brought_back_by_the_next_call(
    make: Make, folder: Path, moment: str
) -> None:
    make().apply(specification(), timeout=SECONDS)
    killed(folder, "deprovision", moment)
    expected = Phase.ABSENT if moment == "unrecorded" else Phase.TERMINATING
    assert make().status(TENANT, NAMESPACE).phase is expected
    assert make().apply(specification(), timeout=SECONDS).phase is Phase.HEALTHY
    killed(folder, "deprovision", moment)
    make().deprovision(TENANT, NAMESPACE, timeout=SECONDS)
    make().deprovision(TENANT, NAMESPACE, timeout=SECONDS)
    assert make().status(TENANT, NAMESPACE).phase is Phase.ABSENT


def test_two_who_apply_at_once_make_one_instance(make: Make, folder: Path) -> None:
    root = str(Path(__file__).parents[2])
    both = [subprocess.Popen([sys.executable, "-c", KILLED, str(folder), "apply", "never"], cwd=root) for _ in range(2)]
    assert [each.wait(SECONDS) for each in both] == [0, 0]
    assert len(list(processes_of(folder))) == 2


@pytest.mark.skipif(os.geteuid() != 0 or not Path("/usr/bin/python3").exists(), reason="only root can give uids")
def test_two_tenants_at_once_get_two_uids(make: Make, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2)

    def found_by_both(installation: str, taken: Collection[int | None]) -> int:
        uid = free_uid(installation, taken)
        with suppress(threading.BrokenBarrierError):
            both.wait(0.5)
        return uid

    def no_further(moment: str) -> None:
        raise InterruptedError(moment)

    monkeypatch.setattr(module, "free_uid", found_by_both)
    command = ["/usr/bin/python3", str(SCRIPT)]
    backend = LocalProcesses(folder, command=command, code=[SCRIPT], on_progress=no_further)
    with ThreadPoolExecutor(2) as pool:
        applied = [pool.submit(backend.apply, each, timeout=SECONDS) for each in (specification(), OTHERS)]
    assert [str(each.exception()) for each in applied] == ["recorded", "recorded"]
    uids = [json.loads((folder / each / "record.json").read_text())["uid"] for each in (NAMESPACE, OTHER_NAMESPACE)]
    if uids == [None, None]:
        pytest.skip("other uids cannot come to the tests' files here")
    assert len(set(uids)) == 2


def test_who_gets_no_uid_is_told_how_many_there_are_and_what_to_do() -> None:
    with pytest.raises(ProvisioningError) as refused:
        free_uid("here", range(FIRST_UID, FIRST_UID + UIDS))
    assert "At most 600 instances" in refused.value.remedy
    assert "Kubernetes" in refused.value.remedy


def test_instances_cannot_lie_among_programs() -> None:
    with pytest.raises(ProvisioningError, match="folder of programs"):
        LocalProcesses(Path(sys.prefix) / "instances")
