"""Uploads: what has arrived stays, whatever breaks; and a set of them becomes one source."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import timedelta
from itertools import islice
from typing import Any, NoReturn

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenant_pipeline.api.routes import inspection
from tenant_pipeline.core.errors import InputError, StoreUnavailableError
from tenant_pipeline.core.stage import Stage
from tenant_pipeline.core.tenancy import SourceId
from tenant_pipeline.services import sources
from tenant_pipeline.services import uploads as service
from tenant_pipeline.services.lineage import every_record
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.sources import list_sources
from tenant_pipeline.storage.object_store import Zone
from tests.api.conftest import OTHER, OWN, Served

PLACE = f"/api/tenant/{OWN}/uploads"
TUS = {"Tus-Resumable": "1.0.0"}


def _begin(client: httpx.Client, path: str, length: int, place: str = PLACE) -> httpx.Response:
    metadata = f"relativePath {base64.b64encode(path.encode()).decode()}"
    return client.post(place, headers={**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata})


def _send(client: httpx.Client, place: str, offset: int, part: bytes, **more: str) -> httpx.Response:
    headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream", **more}
    return client.patch(place, headers=headers, content=part)


def _arrived(client: httpx.Client, place: str) -> int:
    return int(client.head(place, headers=TUS).headers["upload-offset"])


def _uploaded(client: httpx.Client, path: str, content: bytes) -> str:
    place = _begin(client, path, len(content)).headers["location"]
    if content:
        assert _send(client, place, 0, content).status_code == 204
    return place.rpartition("/")[2]


def _hand_in(client: httpx.Client, uploads: list[str], mode: str, **more: Any) -> httpx.Response:
    body = {"origin": "press", "unit_mode": mode, "title": "A source", "uploads": uploads, **more}
    return client.post(f"/api/tenant/{OWN}/source/upload", json=body)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.integers(min_value=0, max_value=300_000), min_size=1, max_size=6), seed=st.integers(0, 99))
def test_whatever_the_parts_the_file_is_the_file(served: Served, parts: list[int], seed: int) -> None:
    content = random.Random(seed).randbytes(sum(parts))
    with served.client("kanya") as kanya:
        place = _begin(kanya, f"{seed}.csv", len(content)).headers["location"]
        offset = 0
        for length in parts:
            if offset < len(content):
                answer = _send(kanya, place, offset, content[offset : offset + length])
                assert answer.status_code == 204
                offset += length
                assert int(answer.headers["upload-offset"]) == offset == _arrived(kanya, place)
    record = service.find_upload(served.runtime, OWN, place.rpartition("/")[2], "kanya")
    assert record.sha256 == hashlib.sha256(content).hexdigest()
    with served.runtime.raw_zone(OWN).open(record.sha256) as stream:
        assert stream.read() == content


def test_a_connection_that_breaks_costs_what_was_under_way_at_most(served: Served) -> None:
    content = os.urandom(20 * 1024 * 1024)
    with served.client("kanya") as kanya:
        place = _begin(kanya, "big.bin", len(content)).headers["location"]

        def broken() -> Any:
            yield content[: 12 * 1024 * 1024]
            raise ConnectionError

        with pytest.raises(ConnectionError):
            _send(kanya, place, 0, broken())  # type: ignore[arg-type]
        for _ in range(50):
            answer = kanya.head(place, headers=TUS)
            if answer.status_code == 200:
                break
        offset = int(answer.headers["upload-offset"])
        assert 8 * 1024 * 1024 <= offset <= 12 * 1024 * 1024
        assert _send(kanya, place, offset, content[offset:]).status_code == 204
    record = service.find_upload(served.runtime, OWN, place.rpartition("/")[2], "kanya")
    assert record.sha256 == hashlib.sha256(content).hexdigest()


def test_a_folder_of_uploads_becomes_a_source_that_walks_the_stages(served: Served) -> None:
    with served.client("kanya") as kanya:
        halls = _uploaded(kanya, "halls/list.csv", b"name_en,capacity\nHall A,100\nHall B,200\n")
        notes = _uploaded(kanya, "halls/notes/read me.txt", "อ่านก่อน".encode())
        answer = _hand_in(kanya, [halls, notes], "folder", title="Halls")
        assert answer.status_code == 201
        source = SourceId(answer.json()["id"])
        assert _hand_in(kanya, [halls, notes], "folder", title="Halls").status_code == 404
        for stage in (Stage.RECEIVE, Stage.IDENTIFY, Stage.EXTRACT):
            run_stage(served.runtime, OWN, source, stage)
        seen = kanya.get(f"/api/tenant/{OWN}/sources/{source}").json()
        assert [stage["stage"] for stage in seen["stages"]] == ["receive", "identify", "extract"]
        assert seen["stages"][0]["rows_out"] == 2
    found = next(each for each in list_sources(served.runtime, OWN) if each.id == source)
    assert len(every_record(served.runtime, found)) == 3
    files = [each["path"] for each in _unit(served, found.unit_digest)["files"]]
    assert files == ["list.csv", "notes/read me.txt"]


def _unit(served: Served, digest: str) -> dict[str, Any]:

    with served.runtime.raw_zone(OWN).open(digest) as stream:  # type: ignore[arg-type]
        found: dict[str, Any] = json.load(stream)
    return found


def test_an_upload_is_its_persons_alone(served: Served) -> None:
    with served.client("kanya") as kanya, served.client("anan") as anan, served.client("eve", OTHER) as eve:
        place = _begin(kanya, "mine.csv", 10).headers["location"]
        assert _send(kanya, place, 0, b"12345").status_code == 204
        assert anan.head(place, headers=TUS).status_code == 404
        assert _send(anan, place, 5, b"x").status_code == 404
        assert eve.head(place, headers=TUS).status_code == 404
        assert eve.head(place.replace(OWN, OTHER), headers=TUS).status_code == 404
        assert _send(eve, place.replace(OWN, OTHER), 5, b"x").status_code == 404
        assert anan.delete(place, headers=TUS).status_code == 404
        assert _arrived(kanya, place) == 5
        finished = _uploaded(kanya, "whole.csv", b"a\n1\n")
        assert _hand_in(anan, [finished], "single-file").status_code == 404
        assert _hand_in(kanya, [place.rpartition("/")[2]], "single-file").status_code == 409
    for person in ("nok2", "rin", "wei"):
        with served.client(person) as other:
            assert _begin(other, "x", 1).status_code in (403, 404)


def test_what_does_not_fit_is_refused_and_changes_nothing(served: Served) -> None:
    with served.client("kanya") as kanya:
        for length in ("-1", str(2**60), "x", ""):
            metadata = {"Upload-Metadata": f"filename {base64.b64encode(b'x').decode()}"}
            assert kanya.post(PLACE, headers={**TUS, **metadata, "Upload-Length": length}).status_code == 422
        unreadable = {**TUS, "Upload-Length": "1", "Upload-Metadata": "filename not-base64!"}
        assert kanya.post(PLACE, headers=unreadable).status_code == 409
        place = _begin(kanya, "a.csv", 10).headers["location"]
        assert _send(kanya, place, 3, b"x").status_code == 409
        assert _send(kanya, place, 0, b"12345678901").status_code == 413
        wrong = base64.b64encode(hashlib.sha256(b"else").digest()).decode()
        assert _send(kanya, place, 0, b"12345", **{"Upload-Checksum": f"sha256 {wrong}"}).status_code == 460
        assert _arrived(kanya, place) == 0
        right = base64.b64encode(hashlib.sha256(b"12345").digest()).decode()
        assert _send(kanya, place, 0, b"12345", **{"Upload-Checksum": f"sha256 {right}"}).status_code == 204
        assert _arrived(kanya, place) == 5
        assert kanya.delete(place, headers=TUS).status_code == 204
        assert kanya.head(place, headers=TUS).status_code == 410
        upload = _uploaded(kanya, "of a day to come.csv", b"a\n1\n")
        to_come = _hand_in(kanya, [upload], "single-file", title="To come", observed_at="2569-03-01T00:00:00+07:00")
        assert (to_come.status_code, to_come.json()["where"]) == (409, "observed_at")
        assert not any(each.title == "To come" for each in list_sources(served.runtime, OWN))
        for path in ("../x.csv", "/etc/passwd", "a/../../x", "a\\b.csv"):
            upload = _uploaded(kanya, path, b"a\n1\n")
            assert _hand_in(kanya, [upload], "single-file").status_code == 409


def test_a_file_may_have_any_space_in_its_name_and_nothing_that_is_more_than_one_line(served: Served) -> None:
    names = [f"ตาราง{space}halls.csv" for space in ("\u3000", "\u00a0", "\u202f", "\u200b")]
    with served.client("kanya") as kanya:
        uploads = [_uploaded(kanya, name, name.encode()) for name in names]
        assert _hand_in(kanya, uploads, "folder", title="Of any space").status_code == 201
        for name in ("a\nb.csv", "a\0b.csv", "a\u2028b.csv", "a\x85b.csv", "a\u202eb.csv", "a\u2067b.csv"):
            answer = _begin(kanya, name, 1)
            assert (answer.status_code, answer.json()["code"]) == (409, "metadata-invalid")
            assert "a control character or an end of line" in answer.json()["title"]


def test_an_ai_bundle_is_any_export_by_itself_or_a_folder_of_whatever_an_assistant_gives(served: Served) -> None:
    with served.client("kanya") as kanya:
        for path in ("Bay halls.md", "MyActivity.html", "Takeout/Gemini/a prompt without an ending"):
            upload = _uploaded(kanya, path, path.encode())
            assert _hand_in(kanya, [upload], "ai-bundle", title=path).status_code == 201
        answer = _hand_in(kanya, [_uploaded(kanya, "halls.csv", b"name\nHall A\n")], "ai-bundle")
        assert answer.status_code == 409
        assert "Markdown" in answer.json()["title"]


def test_of_two_that_go_on_with_one_upload_one_is_told_to_wait(served: Served) -> None:
    with served.client("kanya") as kanya:
        place = _begin(kanya, "twice.csv", 10).headers["location"]
        with service.going_on(served.runtime, OWN, place.rpartition("/")[2], "kanya") as (_, arriving):
            arriving.write(b"12345")
            assert _send(kanya, place, 0, b"1234567890").status_code == 423
        assert _send(kanya, place, 5, b"67890").status_code == 204


def test_an_upload_whose_last_step_failed_is_whole_when_it_is_asked_for_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> NoReturn:
        raise StoreUnavailableError("The object store does not answer")

    with served.client("kanya") as kanya:
        place = _begin(kanya, "late.csv", 12).headers["location"]
        assert _send(kanya, place, 0, b"name\nHall").status_code == 204
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(Zone, "put", away)
            assert _send(kanya, place, 9, b" A\n").status_code == 503
            assert kanya.head(place, headers=TUS).status_code == 503
        assert _arrived(kanya, place) == 12
        assert _hand_in(kanya, [place.rpartition("/")[2]], "single-file").status_code == 201


def test_many_uploads_at_once_do_not_get_in_each_others_way(served: Served) -> None:
    def upload(number: int) -> list[int]:
        with served.client("kanya") as kanya:
            places = [_begin(kanya, f"{number}-{each}.csv", 2000).headers["location"] for each in range(8)]
            return [_send(kanya, place, 0, os.urandom(2000)).status_code for place in places]

    with ThreadPoolExecutor(8) as pool:
        assert {status for statuses in pool.map(upload, range(8)) for status in statuses} == {204}


def test_an_upload_whose_time_is_over_is_gone(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "KEPT", timedelta(seconds=-1))
    with served.client("kanya") as kanya:
        place = _begin(kanya, "late.csv", 10).headers["location"]
        assert kanya.head(place, headers=TUS).status_code == 410
        assert _send(kanya, place, 0, b"1").status_code == 410


def test_what_a_file_was_called_is_forgotten_when_its_upload_ends(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def paths(name: str) -> list[str]:
        with served.runtime.database.tenant(OWN) as connection:
            rows = connection.execute("SELECT path FROM runtime.uploads WHERE path LIKE %s", (f"%{name}%",)).fetchall()
        return [row["path"] for row in rows]

    with served.client("kanya") as kanya:
        handed_in = _uploaded(kanya, "สมชาย ใจดี.csv", b"name_en,capacity\nHall A,100\n")
        given_up = _begin(kanya, "สมชาย มั่นคง.csv", 10).headers["location"]
        assert len(paths("สมชาย")) == 2
        assert _hand_in(kanya, [handed_in], "single-file", title="Halls of a person").status_code == 201
        assert kanya.delete(given_up, headers=TUS).status_code == 204
        assert paths("สมชาย") == []
        assert _send(kanya, _begin(kanya, "cut off.csv", 10).headers["location"], 0, b"1").status_code == 204
        monkeypatch.setattr(service, "KEPT", timedelta(seconds=-1))
        _begin(kanya, "สมชาย ทองสุข.csv", 10)
    arrived = list((served.runtime.objects.staging / OWN / "uploads").iterdir())
    for each in arrived:
        os.utime(each, (0, 0))
    assert service.forget_expired_uploads(served.runtime) > 0
    assert arrived
    assert not any(each.exists() for each in arrived), "nor is kept what has arrived, though nobody uploads again"
    assert paths("สมชาย") == []
    assert service.forget_expired_uploads(served.runtime) == 0


def test_a_file_is_inspected_before_it_is_handed_in(served: Served) -> None:
    with served.client("kanya") as kanya:
        answer = kanya.post(
            f"/api/tenant/{OWN}/inspection?filename=halls.csv&origin=partner-doc",
            content=b"name_en,capacity\nHall A,100\n",
            headers={"Content-Type": "application/octet-stream"},
        )
        (seen,) = answer.json()["objects"]
        assert (seen["path"], seen["media_type"], seen["refused"]) == ("halls.csv", "text/csv", "")
        assert seen["tables"][0]["rows"] == 1
    with served.client("rin") as rin:
        assert rin.post(f"/api/tenant/{OWN}/inspection?filename=x", content=b"").status_code == 403


def test_those_whose_files_are_inspected_or_whose_links_are_fetched_keep_nobody_else_waiting(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()

    def inspects(*_: object) -> list[Any]:
        let_go.wait(20)
        return []

    def fetches(*_: object, **__: object) -> NoReturn:
        let_go.wait(20)
        raise InputError("Nothing lies there")

    monkeypatch.setattr(inspection, "inspect_path", inspects)
    monkeypatch.setattr(sources, "add_source", fetches)

    def inspected(_: int) -> httpx.Response:
        with served.client("kanya") as kanya:
            return kanya.post(f"/api/tenant/{OWN}/inspection?filename=halls.csv", content=b"name\nHall A\n")

    def linked(_: int) -> httpx.Response:
        body = {"origin": "press", "unit_mode": "link", "title": "A link", "url": "https://halls.example/list.csv"}
        with served.client("kanya") as kanya:
            return kanya.post(f"/api/tenant/{OWN}/source/upload", json=body)

    def told(ask: Callable[[int], httpx.Response], most: int, code: str) -> set[int]:
        """What those with a place are told, after two more were sent away."""
        with ThreadPoolExecutor(most + 2) as pool:
            try:
                asked = [pool.submit(ask, number) for number in range(most + 2)]
                for refused in islice(as_completed(asked, timeout=10), 2):
                    answer = refused.result()
                    assert (answer.status_code, answer.json()["code"]) == (429, code)
                    assert answer.json()["remedy"]
                    assert int(answer.headers["retry-after"]) > 0
                with served.client("anan") as anan:
                    assert anan.get(f"/api/tenant/{OWN}/sources").status_code == 200
                assert sum(each.done() for each in asked) == 2
            finally:
                let_go.set()
            statuses = {each.result().status_code for each in asked} - {429}
        assert ask(0).status_code in statuses, "there is a place again"
        let_go.clear()
        return statuses

    assert told(inspected, 2, "too-many-inspections") == {200}
    assert told(linked, 8, "too-many-links") == {409}
