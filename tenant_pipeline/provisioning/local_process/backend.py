"""The local-process backend: plan, apply, status and deprovision over the generations of an instance."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

from tenant_pipeline.core.digest import sha256_of_bytes, sha256_of_json
from tenant_pipeline.core.errors import ProvisioningError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.provisioning.local_process.confinement import (
    Confinement,
    can_be_reached_by_others,
    landlock_version,
)
from tenant_pipeline.provisioning.local_process.generation import PACKAGE, Generation, Orders, generations
from tenant_pipeline.provisioning.local_process.private_files import held, is_held, read_json, write_json
from tenant_pipeline.provisioning.local_process.processes import kill_strays
from tenant_pipeline.provisioning.local_process.uids import free_uid
from tenant_pipeline.provisioning.provisioner import (
    Action,
    Capabilities,
    InstanceSpecification,
    InstanceStatus,
    Phase,
    Plan,
    PlannedChange,
    Secret,
)

NERVE_COMMAND = (sys.executable, "-m", "tenant_pipeline.nerve")
NERVE_CODE = (
    PACKAGE / "nerve",
    PACKAGE / "core" / "release" / "search_grams.py",
    PACKAGE / "core" / "standardise" / "names.py",
)
"""What answers: beside Nerve's own code, that of the core by which it searches."""
POLL_SECONDS = 0.05
RESTARTS = 5
RECORD = "record.json"
LOCKS, UIDS, FAILED = ".locks", ".uids", ".failed"
PROBE_MEBIBYTES = 64
OPEN_EACH = 'while IFS= read -r path; do if ( : < "$path" ) 2>/dev/null; then printf "%s\\n" "$path"; fi; done'


class LocalProcesses:
    """Instances as process groups under `folder`, each with its supervisor.

    `command` is what is run, made of the files and folders of `code` (a change there is drift). `group` is the gid that
    instances get when we are root: the one that may come to the database's socket.
    """

    name = "local-process"
    apply_seconds = 60.0

    def __init__(
        self,
        folder: Path,
        *,
        command: Sequence[str] = NERVE_COMMAND,
        code: Sequence[Path] = NERVE_CODE,
        group: int | None = None,
        restarts: int = RESTARTS,
        on_progress: Callable[[str], None] = lambda moment: None,
    ) -> None:
        self._folder = folder.resolve()
        self._command = tuple(command)
        self._code = tuple(code)
        self._restarts = restarts
        self._on_progress = on_progress
        self._readable = tuple(
            dict.fromkeys(path.resolve() for path in (Path(sys.prefix), Path(sys.base_prefix), PACKAGE, *code))
        )
        for readable in self._readable:
            if self._folder.is_relative_to(readable):
                raise ProvisioningError(
                    "Instances cannot be kept apart in a folder of programs",
                    where=str(self._folder),
                    remedy="Set TENANT_RUNTIME_HOME to a folder outside the Python installation and the package.",
                )
        programs = (Path(command[0]), *(path for path in code if path.exists()))
        self._own_uids = os.geteuid() == 0 and can_be_reached_by_others(programs) and _can_be_entered(self._folder)
        self._group = group if os.geteuid() == 0 else None
        self.capabilities = Capabilities(
            isolates_network=False,
            isolates_files=self._own_uids or landlock_version() > 0,
            limits_memory=sys.platform == "linux",
            limits_cpu=False,
            survives_this_machine=False,
        )

    def plan(self, specification: InstanceSpecification) -> Plan:
        """What `apply` would change. Raises ProvisioningError where the namespace is another tenant's or not ours."""
        place = self._place(specification.namespace)
        record = self._record(specification.tenant, specification.namespace)
        current = self._current(place, record)
        stands = current.wanted() if current is not None else None
        folder = PlannedChange("folder", specification.namespace, Action.KEEP if record else Action.CREATE)
        if current is None or stands is None:
            process = PlannedChange("process-group", specification.namespace, Action.CREATE)
        else:
            differences = list(_differences(stands, self._wanted(specification)))
            phase, detail = current.health()
            if phase is Phase.UNHEALTHY:
                differences.append(f"health: {detail}")
            action = Action.REPLACE if differences else Action.KEEP
            process = PlannedChange("process-group", specification.namespace, action, tuple(differences))
        return Plan(specification.tenant, (folder, process))

    def apply(self, specification: InstanceSpecification, *, timeout: float) -> InstanceStatus:
        """Bring the instance to what is specified: the next generation is healthy before the one before it is stopped.

        Raises ProvisioningError where it is not healthy in `timeout` seconds (what ran before goes on), or where the
        namespace is another tenant's or not ours.
        """
        tenant, namespace = specification.tenant, specification.namespace
        deadline = time.monotonic() + timeout
        with self._locked(namespace):
            record = self._record(tenant, namespace) or self._new_record(tenant, namespace)
            place = self._place(namespace)
            record["terminating"] = False
            write_json(place / RECORD, record)
            self._on_progress("recorded")
            wanted = self._wanted(specification)
            fitting = [each for each in generations(place) if each.wanted() == wanted and _may_do(each)]
            if fitting:
                chosen = fitting[-1]
            else:
                chosen = Generation(place, 1 + max((each.number for each in generations(place)), default=0))
                chosen.make(self._orders(record["uid"], wanted), specification)
                self._on_progress("made")
                chosen.start()
                self._on_progress("started")
            self._wait_until_healthy(chosen, deadline, keep=bool(fitting))
            self._on_progress("healthy")
            record["current"] = chosen.number
            write_json(place / RECORD, record)
            for other in generations(place):
                if other != chosen:
                    other.remove()
            self._kept_log(namespace).unlink(missing_ok=True)
        return self.status(tenant, namespace)

    def status(self, tenant: TenantId, namespace: str) -> InstanceStatus:
        """How the tenant's instance stands. Raises ProvisioningError where the namespace is another tenant's."""
        record = self._record(tenant, namespace)
        if record is None:
            return InstanceStatus(tenant, Phase.ABSENT)
        if record.get("terminating"):
            return InstanceStatus(tenant, Phase.TERMINATING, detail="Taking it down was begun.")
        current = self._current(self._place(namespace), record)
        if current is None:
            return InstanceStatus(tenant, Phase.STARTING, detail="It has not been healthy yet.")
        phase, detail = current.health()
        endpoint = current.endpoint() if phase is Phase.HEALTHY else None
        return InstanceStatus(tenant, phase, endpoint, self._with_confinement(detail))

    def standing(self) -> dict[str, bool]:
        """See Provisioner.standing. Where nobody watches over an instance any more, it does not stand."""
        places = sorted(self._folder.iterdir()) if self._folder.exists() else []
        return {
            place.name: self._stands(place, record)
            for place in places
            if place.is_dir() and (record := read_json(place / RECORD)) is not None
        }

    def deprovision(self, tenant: TenantId, namespace: str, *, timeout: float) -> None:
        """Stop the instance's processes and take its folder away. Raises ProvisioningError where it is not ours.

        What one has said that never became healthy is kept: whoever takes it back is still to be told why. It goes with
        the next call, and with an instance that was healthy.
        """
        place = self._place(namespace)
        if not place.exists():
            self._kept_log(namespace).unlink(missing_ok=True)
            return
        with self._locked(namespace):
            record = self._record(tenant, namespace)
            if not place.exists():
                return
            if record is not None:
                write_json(place / RECORD, {**record, "terminating": True})
            self._on_progress("terminating")
            for generation in generations(place):
                generation.remove()
                self._on_progress("removed")
            kill_strays(place, record["uid"] if record else None, seconds=timeout)
            for left in place.iterdir():
                if left.name != RECORD:
                    left.unlink() if not left.is_dir() else shutil.rmtree(left)
            if self._current(place, record) is not None:
                self._kept_log(namespace).unlink(missing_ok=True)
            (place / RECORD).unlink(missing_ok=True)
            self._on_progress("unrecorded")
            place.rmdir()

    def credentials(self, tenant: TenantId, namespace: str) -> tuple[Secret, Secret]:
        """The DSN and the token as the running instance has them. Raises ProvisioningError where there is none."""
        return self._standing(tenant, namespace).credentials()

    def log(self, tenant: TenantId, namespace: str) -> Path:
        """The file with what the running instance has said, or one since that could not become healthy.

        Raises ProvisioningError where there is neither.
        """
        self._record(tenant, namespace)
        kept = self._kept_log(namespace)
        if kept.exists():
            return kept
        return self._standing(tenant, namespace).log

    def files_of_others(self, namespace: str) -> list[Path]:
        """Every file of every other instance, and what lies beside this one's own folder: orders, states and logs."""
        return [
            path
            for place in (sorted(self._folder.iterdir()) if self._folder.exists() else [])
            if not place.name.startswith(".")
            for path in sorted(place.rglob("*"))
            if path.is_file() and (place.name != namespace or path.parent == place)
        ]

    def readable_by_instance(self, tenant: TenantId, namespace: str, paths: Sequence[Path]) -> list[Path]:
        """Those of `paths` that a process kept to what the instance is kept to can open.

        Raises ProvisioningError where there is no instance, or where it could not even open its own DSN: then the
        attempt would prove nothing.
        """
        standing = self._standing(tenant, namespace)
        own = standing.folder / "dsn"
        record = self._record(tenant, namespace) or {}
        confinement = Confinement(record.get("uid"), self._group, PROBE_MEBIBYTES, self._readable, standing.folder)
        tried = subprocess.run(
            ["/bin/sh", "-c", OPEN_EACH],
            input="".join(f"{path}\n" for path in (own, *paths)),
            capture_output=True,
            text=True,
            env={"PATH": os.defpath},
            cwd=standing.folder,
            preexec_fn=confinement.apply,
            check=False,
        )
        opened = [Path(line) for line in tried.stdout.splitlines()]
        if own not in opened:
            raise ProvisioningError("The attempt to open files as the instance did not work", where=namespace)
        return [path for path in opened if path != own]

    def _standing(self, tenant: TenantId, namespace: str) -> Generation:
        current = self._current(self._place(namespace), self._record(tenant, namespace))
        if current is None:
            raise ProvisioningError("There is no such instance", where=namespace, remedy="Provision it first.")
        return current

    def _stands(self, place: Path, record: Mapping[str, Any]) -> bool:
        """Whether its supervisor lives, or somebody is at it who sees to that."""
        current = self._current(place, record)
        if current is None or record.get("terminating"):
            return False
        return current.is_supervised() or is_held(self._folder / LOCKS / place.name)

    def _kept_log(self, namespace: str) -> Path:
        return self._folder / FAILED / namespace

    def _place(self, namespace: str) -> Path:
        if not namespace or namespace.startswith(".") or "/" in namespace or "\0" in namespace:
            raise ProvisioningError("The namespace is no folder's name", where="namespace")
        return self._folder / namespace

    def _locked(self, namespace: str) -> AbstractContextManager[None]:
        locks = self._folder / LOCKS
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._own_uids:
            self._folder.chmod(0o711)
        locks.mkdir(mode=0o700, exist_ok=True)
        return held(locks / namespace)

    def _record(self, tenant: TenantId, namespace: str) -> dict[str, Any] | None:
        """The instance's record; None where there is none yet. Raises ProvisioningError for what is not ours."""
        place = self._place(namespace)
        record = read_json(place / RECORD)
        if record is None and place.exists() and any(not each.name.startswith(".") for each in place.iterdir()):
            raise ProvisioningError(
                "The folder was not made by this backend",
                where=str(place),
                remedy="Move it away, or give the tenant another namespace.",
            )
        if record is not None and record["tenant"] != tenant:
            raise ProvisioningError("The namespace is another tenant's", where=namespace)
        return record

    def _new_record(self, tenant: TenantId, namespace: str) -> dict[str, Any]:
        """The record of an instance that is to be; with a uid, it is in place before anybody looks for another."""
        place = self._place(namespace)
        place.mkdir(mode=0o700, exist_ok=True)
        record: dict[str, Any] = {
            "tenant": tenant, "namespace": namespace, "uid": None, "current": None, "terminating": False,
        }  # fmt: skip
        if self._own_uids:
            place.chmod(0o711)
            with held(self._folder / LOCKS / UIDS):
                others = [each for each in self._folder.iterdir() if not each.name.startswith(".")]
                records = [read_json(each / RECORD) for each in others]
                record["uid"] = free_uid(str(self._folder), {each["uid"] for each in records if each})
                write_json(place / RECORD, record)
        return record

    def _current(self, place: Path, record: Mapping[str, Any] | None) -> Generation | None:
        return Generation(place, record["current"]) if record and record["current"] else None

    def _orders(self, uid: int | None, wanted: Mapping[str, Any]) -> Orders:
        return Orders(self._command, uid, self._group, self._readable, self._restarts, wanted)

    def _wanted(self, specification: InstanceSpecification) -> dict[str, Any]:
        secrets = f"{specification.connection.value}\0{specification.access_token.value}"
        return {
            "specification": specification.as_json(),
            "secrets": sha256_of_bytes(secrets.encode()),
            "command": sha256_of_json(list(self._command)),
            "code": _digest_of(self._code),
        }

    def _wait_until_healthy(self, generation: Generation, deadline: float, *, keep: bool) -> None:
        phase, detail = generation.health()
        while phase is not Phase.HEALTHY and not generation.has_given_up() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            phase, detail = generation.health()
        if phase is not Phase.HEALTHY:
            if not keep:
                kept = self._kept_log(generation.place.name)
                kept.parent.mkdir(mode=0o700, exist_ok=True)
                with suppress(FileNotFoundError):
                    generation.log.replace(kept)
                generation.remove()
            raise ProvisioningError(
                f"The instance did not become healthy. {detail}".rstrip(),
                where=generation.place.name,
                remedy="`tenant-pipeline instance logs` shows what it said; mend that and provision again.",
            )

    def _with_confinement(self, detail: str) -> str:
        if self.capabilities.isolates_files:
            return detail
        return f"{detail} Its files are not kept apart from other processes' of the same user.".lstrip()


def _can_be_entered(folder: Path) -> bool:
    return all(not each.exists() or each.stat().st_mode & 0o001 for each in folder.parents)


def _may_do(generation: Generation) -> bool:
    return generation.health()[0] is not Phase.UNHEALTHY


def _differences(stands: Mapping[str, Any], wanted: Mapping[str, Any]) -> Sequence[str]:
    before, after = stands["specification"], wanted["specification"]
    fields = [f"specification.{name}" for name in sorted(after) if before.get(name) != after[name]]
    return fields + [name for name in ("secrets", "command", "code") if stands[name] != wanted[name]]


def _digest_of(code: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in code:
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path] if path.exists() else []:
            digest.update(sha256_of_bytes(file.read_bytes()).encode())
            digest.update(file.name.encode())
    return digest.hexdigest()
