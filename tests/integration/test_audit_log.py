"""`audit verify` catches what a person with the superuser's password could do to the log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tenant_pipeline.core.audit_chain import FIRST_PREVIOUS_HASH, ChainEntry, MerkleTree, entry_hash
from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.storage.audit_log import AuditEntry, AuditLog, AuditReport
from tenant_pipeline.storage.audit_verification import MOST_TOLD
from tenant_pipeline.storage.checkpoints import CheckpointFile
from tests.integration.conftest import TwoTenants
from tests.registered import registered

NOW = datetime(2026, 5, 1, tzinfo=UTC)
ENTRIES = 40


class Log:
    """A tenant's log of its own, with a file of checkpoints of its own."""

    def __init__(self, tenants: TwoTenants, tenant: TenantId, checkpoints: Path) -> None:
        self.tenants, self.tenant = tenants, tenant
        self.log = AuditLog(CheckpointFile(checkpoints), tenants.runtime.keys.audit_signing_key())
        self.checkpoints = checkpoints

    def append(self, count: int) -> None:
        with self.tenants.runtime.database.tenant(self.tenant) as connection:
            entries = [
                AuditEntry("ann", "source.add", f"thing {number}", {"number": number}) for number in range(count)
            ]
            self.log.append(connection, self.tenant, entries)

    def seal(self) -> None:
        with self.tenants.runtime.database.tenant(self.tenant) as connection:
            self.log.checkpoint(connection, self.tenant, NOW)

    def verify(self) -> AuditReport:
        with self.tenants.runtime.database.tenant(self.tenant) as connection:
            return self.log.verify(connection, self.tenant)

    @contextmanager
    def unguarded(self) -> Iterator[psycopg.Connection]:
        """Without the triggers and the bound, which are back afterwards: nobody would see it in the catalogue."""
        guards, bound = ("append_only", "never_emptied"), "audit_log_at_within_the_calendar"
        with self.tenants.superuser() as connection:
            (definition,) = connection.execute(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", (bound,)
            ).fetchone() or ("",)
            for guard in guards:
                connection.execute(f"ALTER TABLE runtime.audit_log DISABLE TRIGGER {guard}")
            connection.execute(f"ALTER TABLE runtime.audit_log DROP CONSTRAINT {bound}")
            yield connection
            connection.execute(f"ALTER TABLE runtime.audit_log ADD CONSTRAINT {bound} {definition}")
            for guard in guards:
                connection.execute(f"ALTER TABLE runtime.audit_log ENABLE ALWAYS TRIGGER {guard}")

    def as_superuser(self, *statements: str) -> None:
        with self.unguarded() as connection:
            for statement in statements:
                connection.execute(statement.replace("TENANT", f"tenant_id = '{self.tenant}'"))

    def rewrite_the_chain(self, change: Callable[[dict[str, Any]], None]) -> None:
        """What a superuser who knows the code would do: change an entry and compute every hash anew."""
        with self.unguarded() as connection:
            names = ("sequence", "at", "actor", "action", "subject", "details")
            rows = connection.execute(
                f"SELECT {', '.join(names)} FROM runtime.audit_log WHERE tenant_id = %s ORDER BY sequence",
                (self.tenant,),
            ).fetchall()
            previous = FIRST_PREVIOUS_HASH
            for values in rows:
                row: dict[str, Any] = dict(zip(names, values, strict=True))
                change(row)
                entry = ChainEntry(
                    self.tenant, row["sequence"], row["at"].astimezone(UTC).isoformat(), row["actor"], row["action"],
                    row["subject"], row["details"],
                )  # fmt: skip
                digest = entry_hash(entry, previous)
                connection.execute(
                    "UPDATE runtime.audit_log SET actor = %s, details = %s, previous_hash = %s, hash = %s"
                    " WHERE tenant_id = %s AND sequence = %s",
                    (row["actor"], Jsonb(row["details"]), previous, digest, self.tenant, row["sequence"]),
                )
                previous = digest


@pytest.fixture
def log(tenants: TwoTenants, tmp_path: Path, request: pytest.FixtureRequest) -> Log:
    tenant = registered(tenants.runtime, f"audit-{abs(hash(request.node.name)) % 10**9}")
    made = Log(tenants, tenant, tmp_path / "checkpoints.jsonl")
    made.append(ENTRIES)
    made.seal()
    made.append(3)
    return made


def test_an_untouched_log_is_intact(log: Log) -> None:
    report = log.verify()
    assert report.intact, report
    assert report.entries == ENTRIES + 4  # the registration is the first
    assert report.checkpoints == 1


def test_an_edit_is_found(log: Log) -> None:
    log.as_superuser("UPDATE runtime.audit_log SET actor = 'bob' WHERE TENANT AND sequence = 7")
    assert log.verify().problem == "entry 7 was changed"


def test_an_edit_of_the_details_is_found(log: Log) -> None:
    log.as_superuser("""UPDATE runtime.audit_log SET details = '{"number": 99}' WHERE TENANT AND sequence = 9""")
    assert log.verify().problem == "entry 9 was changed"


def test_every_entry_that_was_changed_is_told(log: Log) -> None:
    log.as_superuser(
        "UPDATE runtime.audit_log SET actor = 'bob' WHERE TENANT AND sequence IN (7, 30)",
        f"UPDATE runtime.audit_log SET subject = 'another' WHERE TENANT AND sequence = {ENTRIES + 3}",
    )
    assert log.verify().problem == f"entry 7 was changed; entry 30 was changed; entry {ENTRIES + 3} was changed"
    assert log.verify().entries == ENTRIES + 4


def test_of_very_many_that_were_changed_the_first_are_told_and_how_many_more(log: Log) -> None:
    log.as_superuser("UPDATE runtime.audit_log SET actor = 'bob' WHERE TENANT")
    told = log.verify().problem
    assert told.startswith("entry 1 was changed; entry 2 was changed; ")
    assert told.endswith(f"; and {ENTRIES + 4 - MOST_TOLD} more")


def test_what_was_rewritten_after_an_entry_that_was_changed_is_found_by_the_checkpoint(log: Log) -> None:
    def change(row: dict[str, Any]) -> None:
        if row["sequence"] == 20:
            row["actor"] = "somebody else"

    log.rewrite_the_chain(change)
    log.as_superuser("UPDATE runtime.audit_log SET actor = 'bob' WHERE TENANT AND sequence = 7")
    assert log.verify().problem == (
        f"entry 7 was changed; the first {ENTRIES + 1} entries are not those that were sealed"
    )


@pytest.mark.parametrize(
    "change",
    [
        "hash = 'no hash'", "previous_hash = ''", "at = 'infinity'", "at = '4000-01-01 BC'", "details = '[1]'",
        "details = ('{\"number\": 1e6000}')::jsonb", "details = (repeat('[', 3000) || repeat(']', 3000))::jsonb",
    ],
)  # fmt: skip
def test_no_change_keeps_the_check_from_telling_it(log: Log, change: str) -> None:
    log.as_superuser(f"UPDATE runtime.audit_log SET {change} WHERE TENANT AND sequence = 9")
    assert log.verify().problem.startswith("entry 9 ")


def test_what_is_no_hash_keeps_nothing_from_being_sealed(log: Log) -> None:
    log.as_superuser(f"UPDATE runtime.audit_log SET hash = 'no hash' WHERE TENANT AND sequence = {ENTRIES + 2}")
    log.seal()
    report = log.verify()
    assert report.checkpoints == 2
    assert report.problem == (f"entry {ENTRIES + 2} was changed; entry {ENTRIES + 3} does not follow the one before it")


def test_a_deletion_is_found(log: Log) -> None:
    log.as_superuser("DELETE FROM runtime.audit_log WHERE TENANT AND sequence = 12")
    assert log.verify().problem == "entry 12 is missing"


def test_a_new_order_is_found(log: Log) -> None:
    log.as_superuser(
        "UPDATE runtime.audit_log SET sequence = 1000 WHERE TENANT AND sequence = 5",
        "UPDATE runtime.audit_log SET sequence = 5 WHERE TENANT AND sequence = 6",
        "UPDATE runtime.audit_log SET sequence = 6 WHERE TENANT AND sequence = 1000",
    )
    told = log.verify().problem
    assert all(f"entry {number} does not follow the one before it" in told for number in (5, 6, 7))


def test_a_cut_off_end_is_found_by_the_checkpoint(log: Log) -> None:
    log.as_superuser(f"DELETE FROM runtime.audit_log WHERE TENANT AND sequence > {ENTRIES - 10}")
    assert "were sealed" in log.verify().problem


def test_a_superuser_who_rewrote_the_whole_chain_is_found_by_the_checkpoint(log: Log) -> None:
    def change(row: dict[str, Any]) -> None:
        if row["sequence"] == 3:
            row["actor"] = "somebody else"

    log.rewrite_the_chain(change)
    assert "not those that were sealed" in log.verify().problem
    log.checkpoints.unlink()
    assert log.verify().intact, "without the checkpoint nothing in the database shows it"


def test_a_later_checkpoint_does_not_seal_what_was_rewritten_before_it(log: Log) -> None:
    def change(row: dict[str, Any]) -> None:
        if row["sequence"] == 3:
            row["actor"] = "somebody else"

    log.rewrite_the_chain(change)
    log.append(5)
    log.seal()
    assert "not those that were sealed" in log.verify().problem
    last = json.loads(log.checkpoints.read_text().splitlines()[-1])
    rewritten = MerkleTree()
    with log.tenants.superuser() as connection:
        query = "SELECT hash FROM runtime.audit_log WHERE tenant_id = %s ORDER BY sequence"
        for (digest,) in connection.execute(query, (log.tenant,)):
            rewritten.add(digest)
    assert last["size"] == rewritten.size
    assert last["root"] != rewritten.root()


def test_a_forged_checkpoint_is_found(log: Log) -> None:
    head = json.loads(log.checkpoints.read_text())
    head["root"] = "0" * 64
    log.checkpoints.write_text(json.dumps(head) + "\n")
    assert "not signed" in log.verify().problem
    head["signature"] = "no signature"
    log.checkpoints.write_text(json.dumps(head) + "\n")
    assert "not signed" in log.verify().problem


def test_a_last_checkpoint_that_was_forged_is_found_after_others_were_sealed_upon_it(log: Log) -> None:
    log.seal()
    *before, last = log.checkpoints.read_text().splitlines()
    forged = json.loads(last) | {"root": "0" * 64}
    log.checkpoints.write_text("\n".join([*before, json.dumps(forged), ""]))
    for _ in range(2):
        log.append(5)
        log.seal()
    assert log.verify().problem == (
        "checkpoint 2 is not signed by this installation's key;"
        f" the first {ENTRIES + 4} entries are not those that were sealed"
    )
    lines = log.checkpoints.read_text().splitlines()
    log.checkpoints.write_text("\n".join([*before, *lines[2:], ""]))
    assert log.verify().problem == "checkpoint 2 does not follow the one before it"


def test_a_file_of_checkpoints_that_ends_in_the_middle_of_a_line_is_neither_read_nor_added_to(log: Log) -> None:
    log.seal()
    whole = log.checkpoints.read_bytes()
    log.checkpoints.write_bytes(whole[:-30])
    for act in (log.seal, log.verify):
        with pytest.raises(IntegrityError, match="whole"):
            act()
    assert log.checkpoints.read_bytes() == whole[:-30]
    log.checkpoints.write_bytes(whole)
    assert log.verify().intact


def test_sealing_again_without_news_writes_nothing(log: Log) -> None:
    log.seal()
    before = log.checkpoints.read_bytes()
    log.seal()
    assert log.checkpoints.read_bytes() == before
    assert log.verify().checkpoints == 2


def test_the_order_of_keys_and_other_scripts_do_not_break_the_chain(log: Log) -> None:
    with log.tenants.runtime.database.tenant(log.tenant) as connection:
        details = {"z": 1, "a": [1.5, None, True], "ชื่อ": "ภูเก็ต 普吉", "nested": {"b": 1, "a": "\\u0000-like"}}
        log.log.append(connection, log.tenant, [AuditEntry("แอน", "source.add", "สิ่ง", details)])
    assert log.verify().intact
