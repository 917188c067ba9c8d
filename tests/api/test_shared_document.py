"""The shared document: several people edit it at once, each only what is theirs to write, and nothing is ever lost."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import psutil
import pytest
from pycrdt import Array, Doc, Map, Text
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tenant_pipeline.api.authentication.local_issuer import LocalIssuer
from tenant_pipeline.api.collaboration.frames import STEP_1, UPDATE, presence_frame, sync_frame
from tenant_pipeline.api.collaboration.update_format import state_vector
from tenant_pipeline.core.shared_state import Presence
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.access import revoke_tokens_of
from tenant_pipeline.services.erasure.whole_tenant import STEPS
from tenant_pipeline.services.presence import forget_presence
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.shared_state import (
    COMPACTED_AFTER,
    append_updates,
    compact_document,
    load_document,
    read_document,
    updates_after,
)
from tenant_pipeline.storage.keys import KeysDestroyedError
from tests.api.conftest import OTHER, OWN, Served, serving
from tests.api.windows import Window
from tests.registered import registered

ANSWERS, NOTES, DRAFTS, CHECKLIST = "wizard.answers", "upload.notes", "conflict.drafts", "handoff.checklist"


OpenWindow = Callable[..., Window]


@pytest.fixture
def window(served: Served) -> Iterator[OpenWindow]:
    """Opens windows, which are closed after the test."""
    opened: list[Window] = []

    def open_one(person: str, of: Served = served, tenant: TenantId = OWN) -> Window:
        opened.append(Window(of, person, tenant))
        return opened[-1]

    yield open_one
    for each in opened:
        each.go()


def test_what_one_writes_the_others_see_at_once(window: OpenWindow) -> None:
    anan, rin, nok = window("anan").come(), window("rin").come(), window("nok").come()
    anan.write(ANSWERS, "domain", "hall.example")
    for other in (rin, nok):
        other.see(ANSWERS, "domain", "hall.example")
    rin.write(DRAFTS, "item-1", {"decision": "both-right"})
    anan.see(DRAFTS, "item-1", {"decision": "both-right"})


def test_what_was_typed_without_a_connection_is_merged_on_return(window: OpenWindow) -> None:
    anan, kanya = window("anan").come(), window("kanya").come()
    anan.field(NOTES)["of the day out"] = Text("bring the map")
    anan.send()
    until = time.monotonic() + 60
    while "of the day out" not in kanya.field(NOTES):
        assert time.monotonic() < until
        kanya.read(0.2)
    kanya.go()
    kanya.field(NOTES)["of the day out"].insert(0, "please ")
    anan.field(NOTES)["of the day out"].insert(len("bring the map"), " and the list")
    anan.send()
    kanya.come()
    until = time.monotonic() + 60
    while {str(each.field(NOTES)["of the day out"]) for each in (anan, kanya)} != {"please bring the map and the list"}:
        assert time.monotonic() < until, [str(each.field(NOTES)["of the day out"]) for each in (anan, kanya)]
        anan.read(0.2)
        kanya.read(0.2)


def test_what_the_last_to_leave_wrote_is_there_for_the_next_to_come(window: OpenWindow) -> None:
    for number in range(5):
        last = window("anan").come()
        last.write(ANSWERS, f"key-{number}", number)
        last.go()
        time.sleep(0.05)
        nobody_else = window("rin").come()
        nobody_else.see(ANSWERS, f"key-{number}", number)
        nobody_else.go()


@pytest.mark.parametrize(
    ("person", "field", "value"),
    [
        ("nok", ANSWERS, "x"),
        ("rin", NOTES, "x"),
        ("kanya", DRAFTS, "x"),
        ("rin", CHECKLIST, {"by": "rin", "done": True}),
        ("anan", CHECKLIST, {"by": "mali", "done": True}),
        ("anan", CHECKLIST, True),
        ("anan", "signatures", "x"),
    ],
)
def test_what_is_not_ones_to_write_is_refused_and_not_spread(
    window: OpenWindow, person: str, field: str, value: Any
) -> None:
    witness, intruder = window("mali").come(), window(person).come()
    key = f"key-of-{person}"
    intruder.write(field, key, value)
    code, reason = intruder.closed()
    assert code == 4403
    assert reason
    witness.read(0.3)
    assert key not in witness.field(field)
    assert key not in window("anan").come().field(field)


GC, ONE = 0, 1


def _nothing_of(client: int, clock: int) -> bytes:
    """An edit of one struct that is there and says nothing: a collected one."""
    return b"\x01\x01" + _number(client) + _number(clock) + bytes([GC, ONE]) + b"\x00"


def _number(number: int) -> bytes:
    return (bytes([number & 0x7F | 0x80]) + _number(number >> 7)) if number > 0x7F else bytes([number])


@pytest.mark.parametrize("person", ["nok", "kanya"])
def test_nobody_takes_the_next_turn_of_anothers_window(window: OpenWindow, person: str) -> None:
    witness, anan, intruder = window("mali").come(), window("anan").come(), window(person).come()
    anan.says(panel="panel-wizard")
    intruder.hears(anan, panel="panel-wizard")
    anan.write(ANSWERS, "turns", 1)
    witness.see(ANSWERS, "turns", 1)
    clock = state_vector(witness.document.get_state())[anan.document.client_id]
    assert intruder.socket is not None
    intruder.socket.send(sync_frame(UPDATE, _nothing_of(anan.document.client_id, clock)))
    assert intruder.closed()[0] == 4403
    anan.write(ANSWERS, "turns", 2)
    witness.see(ANSWERS, "turns", 2)


def test_whoever_writes_nothing_leaves_nothing_behind_and_speaks_for_no_window_that_wrote(window: OpenWindow) -> None:
    anan = window("anan").come()
    anan.write(ANSWERS, "absent", 1)
    anan.go()
    nok = window("nok").come()
    nok.see(ANSWERS, "absent", 1)
    witness = window("mali").come()
    assert nok.socket is not None
    nok.socket.send(presence_frame([Presence(anan.document.client_id, 9, {"person": "nok"})]))
    nok.says(panel="panel-upload")
    witness.hears(nok, panel="panel-upload")
    assert anan.document.client_id not in witness.others
    anan.field(ANSWERS)["absent"] = 2
    anan.come()
    witness.see(ANSWERS, "absent", 2)
    nok.socket.send(sync_frame(UPDATE, _nothing_of(nok.document.client_id, 0)))
    assert nok.closed() == (4403, "your roles write nothing here")


def test_what_lies_in_a_field_under_no_key_is_refused(window: OpenWindow) -> None:
    kanya = window("kanya").come()
    under_no_key: Doc[Any] = Doc()
    under_no_key.get(ANSWERS, type=Array).append("x" * 1000)
    assert kanya.socket is not None
    kanya.socket.send(sync_frame(UPDATE, under_no_key.get_update()))
    assert kanya.closed()[0] == 4400


def test_a_text_that_two_begin_without_knowing_of_each_other_is_one(window: OpenWindow) -> None:
    anan, kanya = window("anan").come(), window("kanya").come()
    for each in (anan, kanya):
        each.go()
        each.begin(NOTES, "of two")
    anan.field(NOTES)["of two"].insert(0, "the map ")
    kanya.field(NOTES)["of two"].insert(0, "the list ")
    for each in (anan, kanya):
        each.come()
    both = {"the map the list ", "the list the map "}
    until = time.monotonic() + 60
    while len(seen := {str(each.field(NOTES)["of two"]) for each in (anan, kanya)} | both) != 2:
        assert time.monotonic() < until, seen
        anan.read(0.2)
        kanya.read(0.2)
    nok = window("nok").come()
    nok.begin(NOTES, "of a reader")
    nok.send()
    assert nok.closed()[0] == 4403


def test_an_edit_that_builds_on_what_is_not_there_is_refused(window: OpenWindow) -> None:
    held_back, intruder = window("nok"), window("anan").come()
    held_back.field(DRAFTS)["one"] = 1
    held_back.field(DRAFTS)["two"] = 2
    assert intruder.socket is not None
    intruder.socket.send(sync_frame(UPDATE, held_back._unsent[1]))
    assert intruder.closed()[0] == 4400


def test_ones_own_word_is_nobody_elses_to_take_away(window: OpenWindow) -> None:
    anan, mali = window("anan").come(), window("mali").come()
    mali.write(CHECKLIST, "checkCoverage", {"by": "mali", "done": True})
    anan.see(CHECKLIST, "checkCoverage", {"by": "mali", "done": True})
    del anan.field(CHECKLIST)["checkCoverage"]
    anan.send()
    assert anan.closed()[0] == 4403
    fresh = window("anan").come()
    assert fresh.field(CHECKLIST)["checkCoverage"] == {"by": "mali", "done": True}


def test_nobody_else_comes_in(served: Served, window: OpenWindow) -> None:
    window("anan").come().write(ANSWERS, "secret", "of the hall")
    url = f"{served.url.replace('http', 'ws')}/api/tenant/{OWN}/document"
    attempts: list[tuple[dict[str, str], int]] = [
        ({}, 4403),
        ({"Origin": served.url}, 4401),
        ({"Authorization": "Bearer abc"}, 4401),
        ({"Authorization": f"Bearer {served.token('eve', OTHER)}"}, 4404),
        ({"Authorization": f"Bearer {served.token('stranger')}"}, 4404),
    ]
    session = LocalIssuer(served.runtime).access_token("anan", OWN, timedelta(hours=1))
    attempts.append(({"Origin": "https://evil.example", "Cookie": f"session={session}"}, 4403))
    for headers, code in attempts:
        with connect(url, additional_headers=headers, proxy=None) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(10)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == code, headers
    eve = window("eve", tenant=OTHER).come()
    assert "secret" not in eve.field(ANSWERS)


def test_a_page_of_ours_comes_in_with_its_session(served: Served, window: OpenWindow) -> None:
    url = f"{served.url.replace('http', 'ws')}/api/tenant/{OWN}/document"
    headers = {"Origin": served.url, "Cookie": f"session={served.token('anan')}"}
    with connect(url, additional_headers=headers, proxy=None) as socket:
        assert isinstance(socket.recv(10), bytes)


def test_two_server_processes_serve_one_document(served: Served, window: OpenWindow) -> None:
    with serving(served.runtime) as url:
        here, there = window("anan").come(), window("rin", Served(served.runtime, url)).come()
        here.write(ANSWERS, "a", 1)
        there.see(ANSWERS, "a", 1)
        there.write(ANSWERS, "b", 2)
        here.see(ANSWERS, "b", 2)
        for number in range(30):
            here.write(ANSWERS, "h", number)
            there.write(ANSWERS, "t", number)
        here.see(ANSWERS, "t", 29)
        there.see(ANSWERS, "h", 29)
        here.go()
        there.go()


def test_who_is_at_one_server_process_is_seen_at_the_other(served: Served, window: OpenWindow) -> None:
    with serving(served.runtime) as url:
        elsewhere = Served(served.runtime, url)
        here, there = window("anan").come(), window("rin", elsewhere).come()
        here.says(panel="panel-conflict")
        there.hears(here, panel="panel-conflict")
        there.says(panel="panel-upload")
        here.hears(there, panel="panel-upload")
        later, stranger = window("kanya", elsewhere).come(), window("eve", elsewhere, OTHER).come()
        later.hears(here, panel="panel-conflict")
        stranger.read(0.5)
        assert stranger.others == {}
        here.go()
        there.hears(here)
        here.move(elsewhere)
        here.come().says(panel="panel-wizard")
        there.hears(here, panel="panel-wizard")
        for each in (there, later, stranger, here):
            each.go()


def test_who_was_where_is_forgotten_after_a_minute(served: Served, window: OpenWindow) -> None:
    anan = window("anan").come()
    anan.says(panel="panel-conflict")
    until = time.monotonic() + 60
    while not _kept_presence(served):
        assert time.monotonic() < until
    forget_presence(served.runtime)
    assert _kept_presence(served) > 0
    with served.runtime.database.tenant(OWN) as connection:
        connection.execute("UPDATE runtime.workspace_presence SET at = at - interval '2 minutes'")
    forget_presence(served.runtime)
    assert _kept_presence(served) == 0


def _kept_presence(served: Served) -> int:
    with served.runtime.database.tenant(OWN) as connection:
        return len(connection.execute("SELECT FROM runtime.workspace_presence").fetchall())


def test_a_window_elsewhere_is_not_spoken_for_by_another_person(served: Served, window: OpenWindow) -> None:
    with serving(served.runtime) as url:
        anan, rin = window("anan").come(), window("rin", Served(served.runtime, url)).come()
        witness = window("wei").come()
        anan.says(panel="panel-conflict")
        rin.hears(anan, panel="panel-conflict")
        assert rin.socket is not None
        rin.socket.send(presence_frame([Presence(anan.document.client_id, 99, {"person": "rin"})]))
        rin.says(panel="panel-upload")
        witness.hears(rin, panel="panel-upload")
        witness.hears(anan, panel="panel-conflict")
        rin.go()


@pytest.mark.parametrize("said", [float("nan"), float("inf"), "half of it: \\ud80"])
def test_what_the_others_could_not_read_is_not_passed_on(window: OpenWindow, said: object) -> None:
    witness, rin = window("anan").come(), window("rin").come()
    frame = presence_frame([Presence(7, 1, {"person": "rin", "x": said})])
    assert rin.socket is not None
    rin.socket.send(frame.replace(rb"\\ud80", rb"\ud800"))
    assert rin.closed()[0] == 4400
    witness.read(0.3)
    assert 7 not in witness.others
    window("wei").come()


def test_an_edit_that_is_made_elsewhere_while_one_looks_is_not_missed(
    served: Served, window: OpenWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    anan = window("anan").come()
    document: Doc[Any] = Doc()
    updates: list[bytes] = []
    watch = document.observe(lambda event: updates.append(event.update))
    for number in (1, 2):
        document.get(ANSWERS, type=Map)[f"elsewhere-{number}"] = number
    looked = 0

    def looking(runtime: Runtime, tenant: TenantId, after: int) -> object:
        nonlocal looked
        looked += 1
        found = updates_after(runtime, tenant, after)
        if looked == 1:
            append_updates(runtime, tenant, [("rin", updates[1])])
            time.sleep(1)  # its notification arrives before this look has ended
        return found

    monkeypatch.setattr("tenant_pipeline.api.collaboration.room.updates_after", looking)
    append_updates(served.runtime, OWN, [("rin", updates[0])])
    anan.see(ANSWERS, "elsewhere-2", 2, seconds=20)
    del watch


def test_what_comes_from_elsewhere_while_it_is_compacted_is_not_lost(runtime: Runtime) -> None:
    document: Doc[Any] = Doc()
    updates: list[bytes] = []
    watch = document.observe(lambda event: updates.append(event.update))
    field = document.get(ANSWERS, type=Map)
    for number in range(3 * COMPACTED_AFTER):
        field["key"] = "x" * 50 + str(number)
    append_updates(runtime, OTHER, [("anan", update) for update in updates])
    before = sum(map(len, load_document(runtime, OTHER).updates))
    size = compact_document(runtime, OTHER)
    assert size < before / 100
    field["after"] = 1
    append_updates(runtime, OTHER, [("anan", updates[-1])])
    kept = load_document(runtime, OTHER)
    again: Doc[Any] = Doc()
    for update in kept.updates:
        again.apply_update(update)
    assert again.get(ANSWERS, type=Map).to_py() == field.to_py()
    del watch


def test_twenty_come_at_once_and_none_hangs(window: OpenWindow) -> None:
    people = ["anan", "rin", "wei", "mali", "kanya"] * 4
    for _ in range(3):
        with ThreadPoolExecutor(20) as pool:
            windows = list(pool.map(lambda person: window(person).come(), people))
        for each in windows:
            each.go()


def test_frames_of_nonsense_end_their_sender_and_nobody_else(
    window: OpenWindow, caplog: pytest.LogCaptureFixture
) -> None:
    generator = random.Random(20261123)
    witness = window("anan").come()
    real = sync_frame(UPDATE, window("anan").document.get_update())
    for number in range(150):
        attacker = window("rin").come()
        assert attacker.socket is not None
        try:
            for _ in range(8):
                size = generator.choice([0, 1, 2, 3, 5, 20, 200])
                data = bytearray(generator.choice([b"\x00\x00", b"\x00\x01", b"\x00\x02", b"\x01", b""]))
                data += generator.randbytes(size) if generator.random() < 0.7 else real
                attacker.socket.send(bytes(data) if generator.random() < 0.95 else "text")
        except ConnectionClosed:
            pass
        attacker.go()
        if number % 50 == 0:
            witness.write(ANSWERS, "still", number)
    fresh = window("mali").come()
    fresh.see(ANSWERS, "still", 100)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_who_is_sent_away_is_out_of_the_document_too(
    served: Served, window: OpenWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenant_pipeline.api.collaboration.connection.LOOK_AGAIN_SECONDS", 0.2)
    rin = window("rin").come()
    revoke_tokens_of(served.runtime, OWN, "rin", revoked_by="anan")
    assert rin.closed()[0] == 4401


def test_no_window_brings_back_what_was_erased(
    served: Served, window: OpenWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenant_pipeline.api.collaboration.connection.LOOK_AGAIN_SECONDS", 0.2)
    runtime = served.runtime
    erased = registered(runtime, "closed-court")
    grant_role(runtime, erased, person="anan", role="tenant-admin", granted_by="test")
    anan, stays = (window("anan", tenant=erased).come() for _ in range(2))
    anan.write(ANSWERS, "domain", "hall.example")
    stays.see(ANSWERS, "domain", "hall.example")
    anan.go()
    for step in ("keys", "rows"):
        STEPS[step](runtime, erased, "gail")
    assert stays.closed()[0] == 4401
    with pytest.raises(ConnectionClosed) as closed:
        anan.come()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4404
    with pytest.raises(KeysDestroyedError):
        append_updates(runtime, erased, [("anan", anan.document.get_update())])
    assert read_document(runtime, erased) == {}


def test_six_bytes_do_not_take_the_memory_of_the_server(window: OpenWindow) -> None:
    rin = window("rin").come()
    assert rin.socket is not None
    claims_to_have_very_many_clients = b"\xff\xff\xff\x7f\x01\x01"
    before = psutil.Process().memory_info().rss
    rin.socket.send(sync_frame(STEP_1, claims_to_have_very_many_clients))
    assert rin.closed()[0] == 4400
    assert psutil.Process().memory_info().rss - before < 100 * 1024 * 1024


def test_who_asks_for_the_document_over_and_over_and_takes_none_is_sent_away(
    window: OpenWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenant_pipeline.api.collaboration.connection.BYTES_IN_LINE", 1_000_000)
    anan, rin = window("anan").come(), window("rin").come()
    anan.write(ANSWERS, "long", "x" * 100_000)
    rin.see(ANSWERS, "long", "x" * 100_000)
    assert rin.socket is not None
    with suppress(ConnectionClosed):
        for _ in range(250):
            rin.socket.send(sync_frame(STEP_1, Doc().get_state()))
    assert rin.closed()[0] == 1013
    anan.write(ANSWERS, "long", "")


def test_no_more_waits_to_be_kept_than_a_server_can_hold(monkeypatch: pytest.MonkeyPatch, window: OpenWindow) -> None:
    ends = threading.Event()

    def away(*_: Any) -> int:
        ends.wait(60)
        raise RuntimeError

    monkeypatch.setattr("tenant_pipeline.api.collaboration.room.append_updates", away)
    monkeypatch.setattr("tenant_pipeline.api.collaboration.room.BYTES_WAITING", 500_000)
    window("rin").come()
    anan = window("anan").come()
    with suppress(ConnectionClosed):
        for number in range(5):
            anan.write(ANSWERS, f"long-{number}", "x" * 200_000)
    try:
        assert anan.closed() == (1013, "too much waits to be kept")
    finally:
        ends.set()


def test_what_could_not_be_kept_is_sent_again_by_who_wrote_it(
    window: OpenWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness, anan = window("rin").come(), window("anan").come()
    with monkeypatch.context() as patch:
        patch.setattr("tenant_pipeline.api.collaboration.room.append_updates", _broken)
        anan.write(ANSWERS, "not kept at first", 1)
        assert anan.closed()[0] == 1013
    witness.read(0.3)
    assert "not kept at first" not in witness.field(ANSWERS)
    anan.come()
    witness.see(ANSWERS, "not kept at first", 1)


def _broken(*_: Any) -> int:
    raise RuntimeError
