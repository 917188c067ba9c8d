"""What is promised about stage outputs: the same bytes for the same rows, whole or absent, flat in memory."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_pipeline.core.digest import Sha256, sha256_of_bytes
from tenant_pipeline.core.errors import IntegrityError, NotFoundError
from tenant_pipeline.core.stage import Disposition, Reject, StageCount
from tenant_pipeline.core.tables import BATCH_ROWS
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.storage import parquet_table
from tenant_pipeline.storage.object_store_folder import ObjectStore
from tenant_pipeline.storage.stage_store import StageOutput, StageStore

TENANT = TenantId("phuket")
INPUT = sha256_of_bytes(b"input")
COUNTS = (StageCount("row", 3, 2, 1, 0, 2, "record"),)
TEXT = pd.ArrowDtype(pa.string())
BYTES_OF_TEXT = 20


@pytest.fixture
def stages(tmp_path: Path) -> StageStore:
    return store_in(tmp_path / "objects")


def store_in(root: Path) -> StageStore:
    return StageStore(ObjectStore(root), TENANT, b"k" * 32)


def records(rows: int, start: int = 0) -> pd.DataFrame:
    numbers = range(start, start + rows)
    return pd.DataFrame(
        {
            "record": pd.array(numbers, dtype=pd.ArrowDtype(pa.int64())),
            "locator": pd.array([f"o00001#row={number + 2}" for number in numbers], dtype=TEXT),
            "f0000": pd.array([None if number % 3 == 0 else f"ภูเก็ต {number}" for number in numbers], dtype=TEXT),
        }
    )


def fill(out: StageOutput, splits: Sequence[int] = (3,)) -> None:
    with out.table("t00001", "records", fields=("ชื่อ",), about={"object": "o00001"}) as table:
        start = 0
        for rows in splits:
            table.write(records(rows, start))
            start += rows
    out.document("profile", {"objects": ["o00001"]})
    out.reject(Reject("o00001#row=9", "ragged", "The row has more cells than the header."))


def fail_within_a_table(out: StageOutput) -> None:
    with out.table("t00001", "records") as table:
        table.write(records(9))
        raise ZeroDivisionError


def written(stages: StageStore, splits: Sequence[int] = (3,), *, encrypted: bool = False) -> Sha256:
    with stages.write("extract", INPUT, "v1", encrypted=encrypted) as out:
        fill(out, splits)
        return out.commit(COUNTS)


def whole(stages: StageStore, digest: Sha256, columns: Sequence[str] | None = None) -> pd.DataFrame:
    (table,) = stages.read(digest).tables("records")
    return pd.concat(table.batches(columns), ignore_index=True)


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_stage_reads_what_was_written(stages: StageStore, encrypted: bool) -> None:
    stage = stages.read(written(stages, encrypted=encrypted))
    (table,) = stage.tables("records")
    assert (table.descriptor.name, table.descriptor.role) == ("t00001", "records")
    assert (table.descriptor.fields, dict(table.descriptor.about)) == (("ชื่อ",), {"object": "o00001"})
    assert table.rows == 3
    (frame,) = table.batches()
    pd.testing.assert_frame_equal(frame, records(3))
    assert all(isinstance(dtype, pd.ArrowDtype) for dtype in frame.dtypes)
    assert stage.document("profile") == {"objects": ["o00001"]}
    assert stage.counts == COUNTS
    (rejects,) = stage.rejects()
    assert rejects["code"].tolist() == ["ragged"]
    assert rejects["disposition"].tolist() == ["rejected"]


def test_encrypted_and_plain_outputs_have_the_same_digest(tmp_path: Path) -> None:
    plain, encrypted = tmp_path / "plain", tmp_path / "encrypted"
    assert written(store_in(plain)) == written(store_in(encrypted), encrypted=True)
    content = b"".join(path.read_bytes() for path in encrypted.rglob("*") if path.is_file())
    assert not any(trace in content for trace in (b"PAR1", b"o00001", "ภูเก็ต".encode(), "ชื่อ".encode()))
    assert {path.name for path in (encrypted / TENANT).iterdir()} == {"raw"}
    assert {path.name for path in (plain / TENANT).iterdir()} == {"stages"}


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    contents = []
    for name in ("first", "second"):
        written(store_in(tmp_path / name), (BATCH_ROWS + 5,))
        contents.append({path.name: path.read_bytes() for path in (tmp_path / name).rglob("*") if path.is_file()})
    assert contents[0] == contents[1]


def test_a_second_run_finds_what_is_there(stages: StageStore, tmp_path: Path) -> None:
    first = written(stages)
    before = {path: path.stat().st_ino for path in (tmp_path / "objects").rglob("*") if path.is_file()}
    assert written(stages) == first
    assert {path: path.stat().st_ino for path in (tmp_path / "objects").rglob("*") if path.is_file()} == before


@settings(max_examples=15, deadline=None)
@given(splits=st.lists(st.integers(0, 70_000), min_size=1, max_size=5))
def test_how_rows_are_handed_over_does_not_show(splits: list[int], tmp_path_factory: pytest.TempPathFactory) -> None:
    stages = store_in(tmp_path_factory.mktemp("stages"))
    together = written(stages, (sum(splits),))
    assert written(stages, splits) == together
    (table,) = stages.read(together).tables("records")
    lengths = [len(batch) for batch in table.batches()]
    assert sum(lengths) == sum(splits)
    assert all(0 < length <= BATCH_ROWS for length in lengths)


def test_long_texts_come_in_smaller_frames_however_they_are_handed_over(
    stages: StageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 10_000
    monkeypatch.setattr(parquet_table, "GROUP_TEXT_BYTES", most)
    texts = ["x" * (number * 37 % 900) for number in range(500)] + [None, "y" * 5 * most, "z"]
    frame = pd.DataFrame({"a": pd.array(texts, dtype=TEXT), "b": pd.array(texts[::-1], dtype=TEXT)})
    digests = set()
    for piece in (1, 7, 200, len(frame)):
        with stages.write("extract", INPUT, "v1", encrypted=False) as out:
            with out.table("t00001", "records") as table:
                for start in range(0, len(frame), piece):
                    table.write(frame[start : start + piece].reset_index(drop=True))
            digests.add(out.commit(()))
    (digest,) = digests
    (stored,) = stages.read(digest).tables("records")
    frames = list(stored.batches())
    pd.testing.assert_frame_equal(pd.concat(frames, ignore_index=True), frame)
    for each in frames:
        assert sum(map(len, each[:-1].fillna("").stack())) < most


def test_the_spelling_of_the_text_type_does_not_show(tmp_path: Path) -> None:
    digests = set()
    for type_ in (pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())):
        with store_in(tmp_path).write("map", INPUT, "v1", encrypted=False) as out:
            with out.table("t", "records") as table:
                table.write(pa.table({"f0000": pa.array(["a", None], type_)}).to_pandas(types_mapper=pd.ArrowDtype))
            digests.add(out.commit(()))
    assert len(digests) == 1


def test_a_column_may_begin_with_nothing_in_it(stages: StageStore) -> None:
    with stages.write("extract", INPUT, "v1", encrypted=False) as out:
        with out.table("t", "records") as table:
            table.write(pd.DataFrame({"f0000": pd.array([None], dtype=pd.ArrowDtype(pa.null()))}))
            table.write(pd.DataFrame({"f0000": pd.array(["later"], dtype=TEXT)}))
        digest = out.commit(())
    assert whole(stages, digest)["f0000"].fillna("nothing").tolist() == ["nothing", "later"]


def test_a_frame_with_other_columns_is_refused(stages: StageStore) -> None:
    with stages.write("map", INPUT, "v1", encrypted=False) as out, out.table("t", "records") as table:
        table.write(records(2))
        with pytest.raises(ValueError, match="names"):
            table.write(records(2).rename(columns={"f0000": "f0001"}))
        with pytest.raises(ValueError, match="parse"):
            table.write(records(2).assign(record=pd.array(["a", "b"], dtype=TEXT)))


def test_columns_are_chosen_and_ordered(stages: StageStore) -> None:
    digest = written(stages)
    assert whole(stages, digest, ("f0000", "record")).columns.tolist() == ["f0000", "record"]
    with pytest.raises(KeyError):
        whole(stages, digest, ("f0001",))


def test_tables_without_rows_keep_what_is_known_of_them(stages: StageStore) -> None:
    with stages.write("map", INPUT, "v1", encrypted=False) as out:
        with out.table("t00001", "statements", fields=("a",)) as table:
            table.write(records(0))
        with out.table("t00002", "statements"):
            pass
        digest = out.commit(())
    stage = stages.read(digest)
    empty, untouched = stage.tables("statements")
    assert (empty.rows, empty.columns, empty.descriptor.fields) == (0, ("record", "locator", "f0000"), ("a",))  # type: ignore[attr-defined]
    assert (untouched.rows, untouched.columns) == (0, ())  # type: ignore[attr-defined]
    assert list(empty.batches()) == list(untouched.batches()) == list(stage.rejects()) == []


def test_tables_come_in_the_order_of_their_names(stages: StageStore) -> None:
    with stages.write("map", INPUT, "v1", encrypted=False) as out:
        for name in ("t00002", "t00001"):
            with out.table(name, "statements") as table:
                table.write(records(1))
        with pytest.raises(ValueError, match="already"), out.table("t00001", "statements"):
            pass
        digest = out.commit(())
    assert [table.descriptor.name for table in stages.read(digest).tables("statements")] == ["t00001", "t00002"]


def test_rejects_are_counted_by_disposition_and_code_in_whatever_way_they_come(stages: StageStore) -> None:
    many = pd.DataFrame(
        {
            "locator": ["o00001#row=2", "o00001#row=3"],
            "code": ["pii", "pii"],
            "reason": ["withheld", "withheld"],
            "disposition": ["quarantined", "quarantined"],
        },
        dtype=TEXT,
    )
    with stages.write("screen", INPUT, "v1", encrypted=False) as out:
        for number in range(25_000):
            out.reject(Reject(f"o00001#row={number}", "ragged" if number % 2 else "empty", "a reason"))
        assert out.rejected(Disposition.REJECTED) == 25_000
        out.reject_many(many)
        out.reject_many(many.iloc[:0])
        out.reject(Reject("o00001#row=1", "pii", "withheld", Disposition.QUARANTINED))
        assert out.rejected(Disposition.QUARANTINED) == 3
        assert out.reject_codes == {"empty": 12_500, "pii": 3, "ragged": 12_500}
        with pytest.raises(ValueError, match="lost"):
            out.reject_many(many.assign(disposition="lost"))
        digest = out.commit(())
    stage = stages.read(digest)
    rejects = pd.concat(stage.rejects(), ignore_index=True)
    assert len(rejects) == 25_003
    assert rejects["locator"].tolist()[-3:] == ["o00001#row=2", "o00001#row=3", "o00001#row=1"]
    assert stage.manifest["rejected"]["dispositions"] == {"rejected": 25_000, "quarantined": 3}


@pytest.mark.parametrize("encrypted", [False, True])
def test_an_output_that_is_not_committed_leaves_no_trace(stages: StageStore, tmp_path: Path, encrypted: bool) -> None:
    with stages.write("extract", INPUT, "v1", encrypted=encrypted) as out:
        fill(out)
    with pytest.raises(ZeroDivisionError), stages.write("extract", INPUT, "v1", encrypted=encrypted) as out:
        fail_within_a_table(out)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() or ".draft-" in path.name]


def test_a_table_that_failed_is_given_up_and_can_be_begun_again(stages: StageStore) -> None:
    with stages.write("extract", INPUT, "v1", encrypted=True) as out:
        with pytest.raises(ZeroDivisionError):
            fail_within_a_table(out)
        fill(out)
        digest = out.commit(COUNTS)
    assert digest == written(stages, encrypted=True)


def test_an_output_is_not_committed_while_a_table_is_open(stages: StageStore) -> None:
    with (
        stages.write("map", INPUT, "v1", encrypted=False) as out,
        out.table("t", "records"),
        pytest.raises(ValueError, match="still being written"),
    ):
        out.commit(())


KILLED = """
import os, pathlib, signal, sys
sys.path.insert(0, sys.argv[2])
from test_stage_store import fill, store_in, INPUT
with store_in(pathlib.Path(sys.argv[1])).write("extract", INPUT, "v1", encrypted=True) as out:
    fill(out, (60_000,))
    with out.table("t00002", "records") as table:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_stage_leaves_only_what_the_next_one_sweeps_away(stages: StageStore, tmp_path: Path) -> None:
    here = Path(__file__)
    died = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "objects"), str(here.parent)],
        env={**os.environ, "PYTHONPATH": str(here.parents[3])},
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    found = [path for path in (tmp_path / "objects").rglob("*") if path.is_file()]
    assert found
    assert all(".draft-" in path.parent.name for path in found)
    digest = written(stages, encrypted=True)
    assert not list(tmp_path.rglob(".draft-*"))
    assert len(whole(stages, digest)) == 3


def test_any_damaged_file_of_an_output_is_noticed(stages: StageStore, tmp_path: Path) -> None:
    for encrypted in (False, True):
        digest = written(stages, encrypted=encrypted)
        zone = tmp_path / "objects" / TENANT / ("raw" if encrypted else "stages")
        for path in [path for path in zone.rglob("*") if path.is_file()]:
            original = path.read_bytes()
            path.write_bytes(original[:-20] + bytes([original[-20] ^ 1]) + original[-19:])
            with pytest.raises(IntegrityError):
                _read_everything(stages, digest)
            path.write_bytes(original)
        _read_everything(stages, digest)
        for path in [path for path in zone.rglob("*") if path.is_file()]:
            path.unlink()


def _read_everything(stages: StageStore, digest: Sha256) -> None:
    stage = stages.read(digest)
    stage.document("profile")
    for table in (*stage.tables("records"), *stage.tables("rejects")):
        list(table.batches())


def test_what_was_not_written_is_not_found(stages: StageStore) -> None:
    digest = written(stages)
    (table,) = stages.read(digest).tables("records")
    with pytest.raises(NotFoundError):
        stages.read(sha256_of_bytes(b"never written"))
    with pytest.raises(NotFoundError):
        stages.read(digest).document("mapping")
    with pytest.raises(NotFoundError):
        stages.read(table.entry["sha256"])  # type: ignore[attr-defined]
    assert stages.read(digest).tables("statements") == []


def test_the_digest_tells_stage_input_and_code_apart(stages: StageStore) -> None:
    digests = set()
    for stage, input_digest, version in (
        ("map", INPUT, "v1"), ("link", INPUT, "v1"), ("map", sha256_of_bytes(b"x"), "v1"), ("map", INPUT, "v2"),
    ):  # fmt: skip
        with stages.write(stage, input_digest, version, encrypted=False) as out:
            digests.add(out.commit(()))
    assert len(digests) == 4


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(stages: StageStore) -> None:
    def walk(batches: int) -> None:
        with stages.write("extract", INPUT, "v1", encrypted=True) as out:
            with out.table("t00001", "records") as table:
                for number in range(batches):
                    table.write(records(BATCH_ROWS, number * BATCH_ROWS))
            digest = out.commit(())
        (stored,) = stages.read(digest).tables("records")
        assert sum(len(batch) for batch in stored.batches()) == batches * BATCH_ROWS

    walk(4)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    walk(40)
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_mib < 60


def test_what_was_read_of_a_table_is_let_go(stages: StageStore) -> None:
    group, groups = BATCH_ROWS, 16
    with stages.write("extract", INPUT, "v1", encrypted=True) as out:
        with out.table("t00001", "records") as table:
            for _ in range(groups):
                table.write(pd.DataFrame({"f0000": pd.array(_incompressible(group), dtype=TEXT)}))
        digest = out.commit(())
    (stored,) = stages.read(digest).tables("records")
    tracemalloc.start()
    try:
        rows = sum(len(batch) for batch in stored.batches())
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows == group * groups
    assert most < 5 * group * BYTES_OF_TEXT


def _incompressible(texts: int) -> list[str]:
    drawn = os.urandom(texts * BYTES_OF_TEXT // 2).hex()
    return [drawn[first : first + BYTES_OF_TEXT] for first in range(0, len(drawn), BYTES_OF_TEXT)]
