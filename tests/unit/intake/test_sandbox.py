"""A parser that goes wrong ends alone, with a reason; whoever asked for it goes on."""

from __future__ import annotations

import io
import json
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tenant_pipeline.intake.readers.item import UnreadableError
from tenant_pipeline.intake.sandbox.limits import ParserLimits
from tenant_pipeline.intake.sandbox.parsers import batch_of, profile, records

ROWS = b"name,capacity\n" + b"Hall,10\n" * 300_000


def _servers() -> list[psutil.Process]:
    servers = []
    for each in psutil.Process().children():
        with suppress(psutil.Error):  # one that has ended, and was not waited for yet
            servers += [each] if "sandbox.server" in " ".join(each.cmdline()) else []
    return servers


def test_a_file_that_takes_too_much_memory_is_refused_and_the_next_one_is_read() -> None:
    deep = json.dumps({"text": "x" * 60_000_000}).encode()
    with pytest.raises(UnreadableError) as refused:
        profile(io.BytesIO(deep), "large.json", limits=ParserLimits(memory_bytes=32 * 1024**2))
    assert refused.value.code in ("parser-memory", "parser-crashed")  # a C library may not survive the refusal
    assert profile(io.BytesIO(b"a,b\n1,2\n"), "a.csv")["tables"][0]["rows"] == 1


@pytest.mark.parametrize(("memory_mib", "is_read"), [(16, False), (600, True)])
def test_the_limit_on_memory_is_what_decides(memory_mib: int, is_read: bool) -> None:
    large = io.BytesIO(json.dumps({"text": "x" * 60_000_000}).encode())
    limits = ParserLimits(memory_bytes=memory_mib * 1024**2)
    if is_read:
        assert profile(large, "large.json", limits=limits)["tables"][0]["rows"] == 1
    else:
        with pytest.raises(UnreadableError):
            profile(large, "large.json", limits=limits)


def test_a_file_that_takes_too_long_is_refused() -> None:
    with pytest.raises(UnreadableError) as refused:
        profile(io.BytesIO(ROWS * 4), "long.csv", limits=ParserLimits(cpu_seconds=1, bytes_a_second=1024**3))
    assert refused.value.code == "parser-time"


def test_a_file_nested_without_end_is_refused() -> None:
    with pytest.raises(UnreadableError):
        profile(io.BytesIO(b'{"a":' * 200_000), "deep.json")


def test_what_is_known_of_a_file_is_what_its_records_bring() -> None:
    found = profile(io.BytesIO(ROWS), "rows.csv", samples=2)
    (table,) = found["tables"]
    assert (table["fields"], table["rows"]) == (["name", "capacity"], 300_000)
    assert table["samples"] == [
        {"#": "row=2", "name": "Hall", "capacity": "10"},
        {"#": "row=3", "name": "Hall", "capacity": "10"},
    ]
    batches = list(records(io.BytesIO(ROWS), reader="csv", encoding="utf-8", tables=found["tables"]))
    assert sum(batch.num_rows for _, batch in batches) == 300_000  # type: ignore[misc]


LONG = "x" * 50_000


@pytest.mark.parametrize(
    ("name", "large", "rows", "mib"),
    [
        ("press.csv", b"title,text\n" + f"A,{LONG}\n".encode() * 1_000, 1_000, 200),
        (
            "wiki.json",
            json.dumps({f"table{number}": [{"text": LONG}] * 20 for number in range(150)}).encode(),
            3_000,
            80,
        ),
    ],
    ids=["one table", "many tables"],
)
def test_what_waits_to_be_sent_is_bounded_by_its_text_and_not_by_its_rows_alone(
    name: str, large: bytes, rows: int, mib: int
) -> None:
    limits = ParserLimits(memory_bytes=mib * 1024**2)
    found = profile(io.BytesIO(large), name, limits=limits)
    read = records(
        io.BytesIO(large), reader=found["reader"], encoding=found["encoding"], tables=found["tables"], limits=limits
    )
    assert sum(batch.num_rows for _, batch in read) == rows  # type: ignore[misc]


@pytest.mark.parametrize(
    "content",
    [
        b"name,note\n" + b"Hall,10\n" * 40_000 + b"Ha\0ll,1\n",
        b'{"\\ud83d":{"a":1},"b\\u0000":{"c":2}}',
        b'<html><script type="application/ld+json">'
        b'{"@type":"Ho\\ud83dtel","name":"A \\ud83d","k\\ud83d":"v\\u0000"}</script></html>',
    ],
    ids=["csv", "json", "json-ld"],
)
def test_what_no_store_can_hold_is_replaced(content: bytes) -> None:
    found = profile(io.BytesIO(content), "a")
    read = records(io.BytesIO(content), reader=found["reader"], encoding=found["encoding"], tables=found["tables"])
    last = [(found["tables"][number], batch) for number, batch in read][-1]  # type: ignore[misc]
    texts = [each for column in last[1].columns for each in column.to_pylist()[-1:]]
    assert None not in texts[:2]
    for text in (*texts, last[0]["name"], *last[0]["fields"]):
        assert (text or "").encode() == (text or "").replace("\0", "").encode()


def test_a_number_longer_than_python_makes_by_itself_is_read() -> None:
    for content in (b'[{"a":%s}]' % (b"9" * 6_000), b'{"a":[{"b":%s}]}' % (b"9" * 6_000)):
        ((table,),) = (profile(io.BytesIO(content), "a.json", samples=1)["tables"],)
        assert "9" * 6_000 in table["samples"][0].values()


def test_records_that_are_none_are_a_refusal_and_no_fault() -> None:
    tables = [{"name": "", "shape": "records", "fields": ["a"]}]
    for payload in (b"", b"\0\0\0\0no arrow", b"\0\0\0\7"):
        with pytest.raises(UnreadableError) as refused:
            batch_of(payload, tables)
        assert refused.value.code == "parser-crashed"


def test_reading_goes_on_after_the_server_was_killed() -> None:
    profile(io.BytesIO(b"a,b\n1,2\n"), "a.csv")
    for server in _servers():
        server.kill()
        server.wait()
    assert profile(io.BytesIO(b"a,b\n1,2\n"), "a.csv")["reader"] == "csv"


def test_whoever_stops_listening_leaves_no_parser_behind() -> None:
    tables = [{"name": "", "shape": "records", "fields": ["name", "capacity"]}]
    begun = records(io.BytesIO(ROWS), reader="csv", encoding="utf-8", tables=tables)
    next(begun)
    begun.close()  # type: ignore[attr-defined]
    for server in _servers():
        _, alive = psutil.wait_procs(server.children(recursive=True), timeout=20)
        assert not alive


@pytest.mark.parametrize(
    ("deed", "raised"),
    [
        ("import tempfile, os; os.write(tempfile.mkstemp()[0], b'x')", "OSError"),
        ("[open('/dev/null') for _ in range(500)]", "OSError"),
        ("bytearray(200 * 1024**2)", "MemoryError"),
    ],
)
def test_a_confined_process_cannot(deed: str, raised: str) -> None:
    script = (
        "from tenant_pipeline.intake.sandbox.limits import ParserLimits, address_space, confine\n"
        "confine(ParserLimits(memory_bytes=64 * 1024**2), 0, address_space())\n"
        f"try:\n    {deed}\nexcept ({raised},):\n    print('refused')\n"
    )
    assert _run(script) == "refused\n"


def test_the_server_knows_nothing_of_the_environment_it_was_started_from(monkeypatch: pytest.MonkeyPatch) -> None:
    for server in _servers():
        server.kill()
        server.wait()
    monkeypatch.setenv("TENANT_RUNTIME_SECRET", "never-to-be-seen")
    profile(io.BytesIO(b"a,b\n1,2\n"), "a.csv")
    (server,) = _servers()
    assert "TENANT_RUNTIME_SECRET" not in server.environ()


@pytest.mark.parametrize(
    ("deed", "given_up"),
    [
        ("open('/etc/passwd').read()", "files"),
        ("__import__('os').listdir('/root' if __import__('os').getuid() == 0 else '/home')", "files"),
        ("__import__('tempfile').mkstemp()", "files"),
        ("__import__('socket').create_connection(('127.0.0.1', PORT), 5)", "tcp"),
    ],
)
def test_the_server_can_reach_neither_files_nor_the_network(deed: str, given_up: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        script = (
            "from pathlib import Path\nimport tenant_pipeline\n"
            "from tenant_pipeline.intake.sandbox.isolation import isolate\n"
            "gone = isolate(Path(tenant_pipeline.__file__).parent)\n"
            f"try:\n    {deed.replace('PORT', str(listening.getsockname()[1]))}\n    print('done', *gone)\n"
            "except OSError:\n    print('refused', *gone)\n"
        )
        answer = _run(script).split()
    if given_up not in answer:
        pytest.skip(f"this kernel does not let a process give up {given_up}")
    assert answer[0] == "refused"


def _run(script: str) -> str:
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
