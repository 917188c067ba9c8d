"""What every object store promises, tried on both: a folder of this machine, and a bucket of a real server process."""

from __future__ import annotations

import hashlib
import io
import os
import resource
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import IntegrityError, NotFoundError, SettingsError, StoreUnavailableError
from tenant_pipeline.core.stage import StageCount
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.storage.checkpoints import BLOCK_BYTES, CheckpointFile, CheckpointObjects, Checkpoints
from tenant_pipeline.storage.encrypted_file import CHUNK_BYTES
from tenant_pipeline.storage.object_store import Objects, RawZone, Zone
from tenant_pipeline.storage.object_store_bucket import PART_BYTES, BucketStore
from tenant_pipeline.storage.object_store_folder import ObjectStore
from tenant_pipeline.storage.object_store_url import open_object_store
from tenant_pipeline.storage.stage_store import StageStore
from tests.bucket_server import SECRET_KEY, BucketServer, Misbehaviour, bucket_server, its_environment

PHUKET, PHUKET_2 = TenantId("phuket"), TenantId("phuket-2")
KEY = b"k" * 32
CONTENT = b"somchai 081-234-5678\n" * 20_000
DIGEST = Sha256(hashlib.sha256(CONTENT).hexdigest())


@dataclass(frozen=True)
class Place:
    """A store, and how one sees the files that lie in it."""

    objects: Objects
    files: Callable[[], list[Path]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BucketServer]:
    with bucket_server(tmp_path_factory.mktemp("s3")) as server, its_environment(server):
        yield server


def _bucket(server: BucketServer, staging: Path, name: str, retry_seconds: float = 20) -> BucketStore:
    store = open_object_store(
        f"{server.url}/{name}", folder=staging, staging=staging / "staging", retry_seconds=retry_seconds
    )
    assert isinstance(store, BucketStore)
    return store


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        root = tmp_path / "objects"
        return Place(ObjectStore(root), lambda: [path for path in root.rglob("*") if path.is_file()])
    server: BucketServer = request.getfixturevalue("server")
    name = tmp_path.name
    return Place(
        _bucket(server, tmp_path, name),
        lambda: [
            path for path in server.files() if path.is_relative_to(server.folder / "bucket/an/installation" / name)
        ],
    )


def test_what_is_put_is_found_whole_and_at_any_position(place: Place) -> None:
    raw = RawZone(place.objects, PHUKET, KEY)
    for content in (b"", b"x", CONTENT, os.urandom(3 * CHUNK_BYTES)):
        digest, size = raw.put(io.BytesIO(content))
        assert (digest, size) == (hashlib.sha256(content).hexdigest(), len(content))
        assert digest in raw
        with raw.open(digest) as stream:
            assert stream.read() == content
            stream.seek(size // 2)
            assert stream.read(100) == content[size // 2 : size // 2 + 100]
            stream.seek(-1, io.SEEK_END) if size else None
            assert stream.read() == content[-1:]
    with pytest.raises(NotFoundError):
        raw.open(Sha256("0" * 64))


def test_nothing_readable_lies_in_a_raw_zone(place: Place) -> None:
    RawZone(place.objects, PHUKET, KEY).put(io.BytesIO(CONTENT))
    assert [b"somchai" in path.read_bytes() for path in place.files()] == [False]


def test_a_damaged_file_is_noticed_and_mended_by_putting_it_again(place: Place, tmp_path: Path) -> None:
    raw = RawZone(place.objects, PHUKET, KEY)
    raw.put(io.BytesIO(CONTENT))
    (path,) = place.files()
    whole = path.read_bytes()
    ((name, _),) = place.objects.listed(PHUKET)
    for damaged in (whole[:-1], b"", whole[:100_000] + b"?" + whole[100_001:]):
        (tmp_path / "damaged").write_bytes(damaged)
        place.objects.publish([(name, tmp_path / "damaged")])
        with pytest.raises(IntegrityError), raw.open(DIGEST) as stream:
            stream.read()
        raw.put(io.BytesIO(CONTENT))
        with raw.open(DIGEST) as stream:
            assert stream.read() == CONTENT


def test_a_tenant_has_no_file_of_another(place: Place) -> None:
    RawZone(place.objects, PHUKET, KEY).put(io.BytesIO(CONTENT))
    with pytest.raises(NotFoundError):
        RawZone(place.objects, PHUKET_2, KEY).open(DIGEST)
    with pytest.raises(IntegrityError):
        RawZone(place.objects, PHUKET, b"j" * 32).open(DIGEST)


def test_what_is_not_published_leaves_no_trace(place: Place) -> None:
    with RawZone(place.objects, PHUKET, KEY).draft() as draft, draft.new_file() as file:
        file.write(CONTENT)
        file.finish()
    assert not place.files()
    assert not [path for path in place.objects.staging.rglob("*") if path.is_file()]


def test_an_interrupted_upload_goes_on_where_it_stopped(place: Place) -> None:
    raw = RawZone(place.objects, PHUKET, KEY)
    with raw.upload("halls") as upload:
        upload.write(CONTENT[:200_000])
    assert DIGEST not in raw
    assert raw.put_resumably(io.BytesIO(CONTENT), "halls") == (DIGEST, len(CONTENT))
    with raw.open(DIGEST) as stream:
        assert stream.read() == CONTENT
    assert len(place.files()) == 1
    assert not [path for path in place.objects.staging.rglob("*.part") if path.is_file()]


def test_a_stage_output_is_read_as_it_was_written(place: Place) -> None:
    store = StageStore(place.objects, PHUKET, KEY)
    counts = (StageCount("row", 1, 1, 0, 0, 1, "record"),)
    for encrypted in (True, False):
        with store.write("map", DIGEST, "v1", encrypted=encrypted) as out:
            out.document("profile", {"hall": "หอประชุม", "encrypted": encrypted})
            digest = out.commit(counts)
        assert store.read(digest).document("profile") == {"hall": "หอประชุม", "encrypted": encrypted}
    assert place.objects.private == any(b"\xe0\xb8\xab" in path.read_bytes() for path in place.files())


def test_deleting_a_tenant_leaves_nothing_of_it_and_all_of_the_others(place: Place) -> None:
    for tenant in (PHUKET, PHUKET_2):
        zone = RawZone(place.objects, tenant, KEY)
        zone.put(io.BytesIO(CONTENT))
        with zone.upload("half") as upload:
            upload.write(b"half")
    assert sum(size for _, size in place.objects.listed(PHUKET)) >= len(CONTENT)
    assert place.objects.delete(PHUKET) == 2
    assert list(place.objects.listed(PHUKET)) == []
    assert not [path for path in (place.objects.staging / PHUKET).rglob("*") if path.is_file()]
    assert any("raw" in name for name, _ in place.objects.listed(PHUKET_2))
    assert place.objects.delete(PHUKET) == 0


@pytest.mark.slow
def test_a_large_file_goes_through_in_parts_and_bounded_memory(server: BucketServer, tmp_path: Path) -> None:
    zone = Zone(_bucket(server, tmp_path, "large"), PHUKET, "raw", KEY)
    size = 12 * PART_BYTES
    with (tmp_path / "large").open("wb") as file:
        file.truncate(size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with (tmp_path / "large").open("rb") as file:
        digest, _ = zone.put(file)
    sha256 = hashlib.sha256()
    with zone.open(digest) as stream:
        while data := stream.read(1024 * 1024):
            sha256.update(data)
    assert sha256.hexdigest() == digest
    assert any("partNumber" in path for _, path in server.requests)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < size


def test_the_last_file_of_a_draft_is_sent_last(server: BucketServer, tmp_path: Path) -> None:
    zone = Zone(_bucket(server, tmp_path, "order"), PHUKET, "raw", KEY)
    server.requests.clear()
    with zone.draft() as draft:
        for content in (b"one", b"two", b"three", b"names the others"):
            with draft.new_file() as file:
                file.write(content)
                last = file.finish()
        draft.publish()
    sent = [path for method, path in server.requests if method == "PUT"]
    assert len(sent) == 4
    assert sent[-1].partition("?")[0].endswith(last)


@pytest.mark.parametrize("status", [500, 503, Misbehaviour.CUT], ids=str)
def test_failed_requests_are_tried_again(server: BucketServer, tmp_path: Path, status: int | Misbehaviour) -> None:
    raw = RawZone(_bucket(server, tmp_path, f"faulty-{status}"), PHUKET, KEY)
    server.requests.clear()
    server.fault = lambda method, path, number: status if number % 2 else None
    try:
        raw.put(io.BytesIO(CONTENT))
        with raw.open(DIGEST) as stream:
            assert stream.read() == CONTENT
    finally:
        server.fault = None


def test_a_store_that_goes_on_failing_is_told_and_nothing_is_half_there(server: BucketServer, tmp_path: Path) -> None:
    raw = RawZone(_bucket(server, tmp_path, "down", retry_seconds=0.5), PHUKET, KEY)
    server.fault = lambda method, path, number: 503 if method == "PUT" else None
    try:
        with pytest.raises(StoreUnavailableError) as caught:
            raw.put(io.BytesIO(CONTENT))
    finally:
        server.fault = None
    assert SECRET_KEY not in repr(caught.value) + str(caught.value)
    assert caught.value.__cause__ is None
    assert DIGEST not in raw
    raw.put(io.BytesIO(CONTENT))
    assert DIGEST in raw


@pytest.mark.parametrize(
    ("changed", "url"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong-secret"}, "bucket/x"),
        ({"AWS_ACCESS_KEY_ID": "nobody"}, "bucket/x"),
        ({}, "no/x"),
    ],
)
def test_wrong_credentials_and_a_missing_bucket_are_told_without_secrets(
    server: BucketServer, tmp_path: Path, changed: dict[str, str], url: str
) -> None:
    with its_environment(server, **changed):
        store = open_object_store(f"s3://{url}", folder=tmp_path, staging=tmp_path, retry_seconds=1)
    raw = RawZone(store, PHUKET, KEY)
    for act in (
        lambda: raw.put(io.BytesIO(b"x")), lambda: raw.open(DIGEST), lambda: store.delete(PHUKET),
        lambda: list(store.listed(PHUKET)),
    ):  # fmt: skip
        with pytest.raises(SettingsError) as caught:
            act()
        said = str(caught.value)
        assert caught.value.remedy
        assert ("no such bucket" in said) if not changed else ("credentials" in said)
        assert not any(secret in said for secret in (SECRET_KEY, "wrong-secret", "nobody", "Signature"))


@pytest.mark.parametrize(
    "url", ["http://x/y", "s3://", "s3://key:secret@bucket/x", "bucket", "file://host/x", "file:relative", "gs://b/x"]
)
def test_a_url_that_names_no_store_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        open_object_store(url, folder=tmp_path, staging=tmp_path, retry_seconds=1)
    assert "secret" not in str(caught.value)


def test_a_file_url_is_a_folder(tmp_path: Path) -> None:
    store = open_object_store(f"file://{tmp_path}/a%20b", folder=tmp_path, staging=tmp_path, retry_seconds=1)
    RawZone(store, PHUKET, KEY).put(io.BytesIO(CONTENT))
    assert list((tmp_path / "a b").iterdir())


def _seal(checkpoints: Checkpoints, tenant: TenantId, size: int) -> None:
    checkpoints.add(
        tenant,
        checkpoints.last(tenant, size),
        lambda last: {"tenant": tenant, "size": size, "previous": last["size"] if last else 0, "at": str(size)},
    )


def test_a_checkpoint_is_written_once(server: BucketServer, tmp_path: Path) -> None:
    checkpoints = CheckpointObjects(_bucket(server, tmp_path, "audit"))
    for size in (3, 12):
        _seal(checkpoints, PHUKET, size)
    assert [(each["size"], each["previous"]) for each in checkpoints.chain(PHUKET)] == [(3, 0), (12, 3)]
    assert checkpoints.chain(PHUKET_2) == []
    with pytest.raises(IntegrityError):
        checkpoints.add(PHUKET, None, lambda last: {"size": 3, "root": "another"})
    assert checkpoints.chain(PHUKET)[0]["previous"] == 0


@pytest.fixture(params=["file", "bucket"])
def checkpoints(request: pytest.FixtureRequest, tmp_path: Path) -> Checkpoints:
    if request.param == "file":
        return CheckpointFile(tmp_path / "audit" / "checkpoints.jsonl")
    return CheckpointObjects(_bucket(request.getfixturevalue("server"), tmp_path, tmp_path.name))


def test_the_last_checkpoint_is_found_wherever_it_lies(checkpoints: Checkpoints) -> None:
    assert checkpoints.last(PHUKET, 0) is None
    assert checkpoints.last(PHUKET, 100_000) is None
    for size in (3, 60, 70, 5_000):
        _seal(checkpoints, PHUKET, size)
    _seal(checkpoints, PHUKET_2, 4)
    log_sizes = (0, 1, 69, 70, 5_000, 5_001, 5_064, 9_999, 10_000_000)  # one that was cut off is shorter
    assert [(checkpoints.last(PHUKET, size) or {})["size"] for size in log_sizes] == [5_000] * len(log_sizes)
    assert (checkpoints.last(PHUKET_2, 4) or {})["size"] == 4


def test_sealing_reads_as_much_of_a_bucket_after_fifty_checkpoints_as_after_two(
    server: BucketServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints = CheckpointObjects(_bucket(server, tmp_path, "many"))
    listed, names = BucketStore.listed, []
    monkeypatch.setattr(
        BucketStore, "listed", lambda *given, **named: (names.append(each) or each for each in listed(*given, **named))
    )
    taken = []
    for number in range(1, 51):
        server.requests.clear()
        names.clear()
        _seal(checkpoints, PHUKET, 40 * number)
        taken.append(([method for method, _ in server.requests], len(names)))
    assert taken[2:] == [(["GET", "GET", "HEAD", "PUT", "PUT"], 1)] * 48  # a listing, the last one, and the new one
    assert [each["previous"] for each in checkpoints.chain(PHUKET)] == [40 * number for number in range(50)]


def test_sealing_reads_the_end_of_a_file_and_not_what_lies_before_it(tmp_path: Path) -> None:
    checkpoints = CheckpointFile(tmp_path / "checkpoints.jsonl")
    _seal(checkpoints, PHUKET_2, 1)
    with (tmp_path / "checkpoints.jsonl").open("ab") as file:
        for size in range(2, 10_000):
            file.write(b'{"at":"1","previous":0,"size":%d,"tenant":"phuket"}\n' % size)
    _seal(checkpoints, PHUKET, 10_000)
    before = _bytes_read()
    _seal(checkpoints, PHUKET, 10_001)
    assert _bytes_read() - before < 4 * BLOCK_BYTES < (tmp_path / "checkpoints.jsonl").stat().st_size
    assert [each["size"] for each in checkpoints.chain(PHUKET)] == [1, *range(2, 10_002)]
    assert (checkpoints.last(PHUKET_2, 1) or {})["size"] == 1
    assert checkpoints.chain(PHUKET)[-1]["previous"] == 10_000


def _bytes_read() -> int:
    """What this thread has read of files so far."""
    return int(Path("/proc/thread-self/io").read_text().split()[1])


def test_of_two_that_write_the_same_checkpoint_at_once_the_store_takes_one(
    server: BucketServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = _bucket(server, tmp_path, "race")
    monkeypatch.setattr(BucketStore, "holds", lambda self, name: False)
    assert [bucket.create("a", content) for content in (b"first", b"second")] == [True, False]
    assert bucket.read("a") == b"first"
