"""What is promised about assembling: nothing doubled, lost, overwritten or touched without need, and nobody else's."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
import pyarrow as pa
import pytest

from tenant_pipeline.core import entity_parts
from tenant_pipeline.core.conflict.find import find_conflicts
from tenant_pipeline.core.digest import sha256_of_bytes, short_id
from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.core.statement import STATEMENT_COLUMNS, Datatype
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.core.vocabulary import PropertyDefinition, Vocabulary
from tenant_pipeline.storage import statements
from tenant_pipeline.storage.assemble import AssembleCount, assemble, statement_ids
from tenant_pipeline.storage.database import Database
from tenant_pipeline.storage.embedded_postgres import EmbeddedPostgres, running_dsn
from tenant_pipeline.storage.migrations import migrate
from tenant_pipeline.storage.object_store_folder import ObjectStore
from tenant_pipeline.storage.stage_store import StageStore, StoredStage
from tenant_pipeline.storage.statements import candidates_for_source, statements_of

TEXT = pd.ArrowDtype(pa.string())
SEEN = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
LATER = SEEN + timedelta(days=1)

NASTY = [
    "a\tb", "a\nb", "a\r\nb", "\\", "\\N", "\\.", "x\n\\.\ny", "", '"', "','", "'); DROP TABLE x; --", "%s", "\x01",
    "ภูเก็ต", "普吉", "⟦PERSON:k1:00⟧", "👋🏽", "e\u0301", " leading and trailing ",
]  # fmt: skip


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    # Not pytest's own folder: PostgreSQL does not run as root, and a uid of its own could not enter it.
    home = Path(tempfile.mkdtemp(prefix="assemble-"))
    home.chmod(0o711)
    try:
        with EmbeddedPostgres(home / "postgres"):
            dsn = running_dsn(home / "postgres")
            assert dsn is not None
            opened = Database(dsn, b"login secret of the test")
            migrate(opened)
            yield opened
            opened.close()
    finally:
        shutil.rmtree(home)


@dataclass
class Tenant:
    """A fresh tenant, with stage outputs made by hand."""

    id: TenantId
    database: Database
    stages: StageStore

    def add_source(self, number: int = 1, *, rank: int = 2, origin: str = "partner-doc") -> SourceId:
        source = SourceId(f"src-{number:016x}")
        with self.database.tenant(self.id) as connection:
            connection.execute(
                """
                INSERT INTO runtime.tenant_sources
                       (tenant_id, id, origin, unit_mode, title, unit_digest, ingest_status, authority_rank,
                        received_by)
                VALUES (%s, %s, %s, 'single-file', 'a source', %s, 'running', %s, 'tester')
                """,
                (self.id, source, origin, sha256_of_bytes(b"unit"), rank),
            )
        return source

    def stage(self, role: str, *frames: pd.DataFrame) -> StoredStage:
        with self.stages.write(role, sha256_of_bytes(b"input"), "v1", encrypted=False) as out:
            with out.table("t00001", role) as table:
                for frame in frames:
                    table.write(frame)
            return self.stages.read(out.commit(()))

    def assemble(
        self, source: SourceId, said: pd.DataFrame, *, linked: dict[str, str] | None = None, at: datetime = SEEN
    ) -> AssembleCount:
        entities = dict.fromkeys(said["entity_id"])
        canonical = {entity: f"can-{entity}" for entity in entities} if linked is None else linked
        links = links_of(canonical)
        with self.database.tenant(self.id) as connection:
            return assemble(connection, self.id, source, self.stage("links", links), self.stage("statements", said), at)

    def rows(self, columns: str = "*") -> list[dict[str, Any]]:
        with self.database.tenant(self.id) as connection:
            return connection.execute(
                f"SELECT {columns} FROM runtime.statements ORDER BY source_id, statement_id"  # type: ignore[arg-type]
            ).fetchall()


@pytest.fixture
def tenant(database: Database, tmp_path: Path) -> Tenant:
    return new_tenant(database, tmp_path)


def new_tenant(database: Database, folder: Path) -> Tenant:
    name = TenantId(f"t{uuid.uuid4().hex[:12]}")
    login = database.create_tenant_login(name)
    with database.administration() as connection:
        connection.execute(
            """
            INSERT INTO runtime.tenants
                   (id, name, domain, tier, status, db_schema_name, k8s_namespace, template_version)
            VALUES (%s, '{"th": "ก", "en": "a", "zh": "普"}', 'test.example', 'standard', 'draft', %s, %s, '1.0.0')
            """,
            (name, login, f"tenant-{name}"),
        )
    return Tenant(name, database, StageStore(ObjectStore(folder / "objects"), name, b"k" * 32))


def said(*rows: tuple[str, str, str], **columns: str) -> pd.DataFrame:
    """Statements of (entity, property, value); `columns` replace what would be filled in."""
    filled = [
        {
            **dict.fromkeys(STATEMENT_COLUMNS, ""),
            "entity_id": entity,
            "type": "Place",
            "property": property_,
            "value": value,
            "raw_value": value,
            "lang": "en",
            "datatype": "text",
            "locator": f"o00001#row={number + 2}",
            "method": "mapping:test@1.0.0",
            **columns,
        }
        for number, (entity, property_, value) in enumerate(rows)
    ]
    return pd.DataFrame(filled, columns=list(STATEMENT_COLUMNS), dtype=TEXT)


def links_of(canonical: dict[str, str]) -> pd.DataFrame:
    pairs = list(canonical.items())
    return pd.DataFrame(
        {"entity_id": [pair[0] for pair in pairs], "canonical_id": [pair[1] for pair in pairs]}, dtype=TEXT
    )


def test_statement_ids_are_framed_digests() -> None:
    frame = said(
        ("ent-1", "name", "ab"),
        ("ent-1", "namea", "b"),
        ("ent-1", "name", ""),
        *(("ent-2", "name", value) for value in NASTY),
    )
    expected = [
        short_id("st-", (row.entity_id, row.property, row.value, row.lang)) for row in frame.itertuples(index=False)
    ]
    assert statement_ids(pa.Table.from_pandas(frame)) == expected, "as they were before periods were part of some"
    assert len(set(expected)) == len(expected)
    periods = [("2019", ""), ("", "2019"), ("20", "19"), ("2019", "2020")]
    frame = said(*(("ent-1", "name", "a") for _ in periods))
    frame["valid_from"], frame["valid_to"] = (pd.array(column, dtype=TEXT) for column in zip(*periods, strict=True))
    ids = statement_ids(pa.Table.from_pandas(frame))
    assert ids == [short_id("st-", ("ent-1", "name", "a", "en", *each)) for each in periods]
    assert len({*ids, short_id("st-", ("ent-1", "name", "a", "en"))}) == len(periods) + 1


def test_every_column_arrives_as_it_was_said(tenant: Tenant) -> None:
    source = tenant.add_source()
    frame = said(*(("ent-1", f"p{number}", value) for number, value in enumerate(NASTY)))
    for column in ("raw_value", "locator", "method", "valid_from", "valid_to", "datatype", "type"):
        frame[column] = pd.array([f"{column}:{value}" for value in NASTY], dtype=TEXT)
    count = tenant.assemble(source, frame)
    assert count == AssembleCount(inserted=len(NASTY), already_present=0, duplicates=0, retired=0)
    kept = {row["property"]: row for row in tenant.rows()}
    for number, (expected, identifier) in enumerate(
        zip(frame.to_dict("records"), statement_ids(pa.Table.from_pandas(frame)), strict=True)
    ):
        row = kept[f"p{number}"]
        assert {name: row[name] for name in STATEMENT_COLUMNS} == expected
        assert (row["tenant_id"], row["source_id"], row["statement_id"]) == (tenant.id, source, identifier)
        assert (row["canonical_id"], row["first_seen"], row["last_seen"]) == ("can-ent-1", SEEN, SEEN)


def test_a_second_identical_run_touches_no_row(tenant: Tenant) -> None:
    source = tenant.add_source()
    frame = said(("e1", "name", "a"), ("e1", "geo", "b"), ("e2", "name", "c"))
    tenant.assemble(source, frame)
    before = tenant.rows("statement_id, ctid, xmin, xmax, first_seen, last_seen")
    assert tenant.assemble(source, frame) == AssembleCount(0, 3, 0, 0)
    assert tenant.rows("statement_id, ctid, xmin, xmax, first_seen, last_seen") == before


def test_a_statement_said_twice_is_kept_once_where_it_stood_first(tenant: Tenant) -> None:
    source = tenant.add_source()
    frame = said(("e1", "name", "a"), ("e1", "name", "b"), ("e1", "name", "a"), ("e1", "name", "a"))
    count = tenant.assemble(source, frame)
    assert count == AssembleCount(inserted=2, already_present=0, duplicates=2, retired=0)
    assert {(row["value"], row["locator"]) for row in tenant.rows()} == {
        ("a", "o00001#row=2"),
        ("b", "o00001#row=3"),
    }
    again = tenant.assemble(source, frame)
    assert again.inserted + again.already_present + again.duplicates == len(frame)


def test_of_what_an_ai_and_another_say_alike_the_other_is_kept(tenant: Tenant) -> None:
    source = tenant.add_source(rank=2)
    by_ai, by_other = said(("e1", "name", "a"), ("e1", "geo", "b")), said(("e1", "name", "a"))
    by_ai["method"], by_ai["locator"] = "ai;map:test@1.0.0", "o00001#message=1"
    count = tenant.assemble(source, pd.concat([by_ai, by_other], ignore_index=True))
    assert count == AssembleCount(inserted=2, already_present=0, duplicates=1, retired=0)
    with tenant.database.tenant(tenant.id) as connection:
        rows = statements_of(connection, tenant.id)
    assert [(row["property"], row["locator"], row["authority_tier"]) for row in rows] == [
        ("geo", "o00001#message=1", 5),
        ("name", "o00001#row=2", 2),
    ]
    (frame,) = candidates(tenant, source)
    assert list(zip(frame["property"], frame["authority_tier"], strict=True)) == [("geo", 5), ("name", 2)]


@pytest.mark.parametrize("rank", [1, 5])
def test_what_turns_out_to_be_an_ais_word_loses_its_authority(tenant: Tenant, rank: int) -> None:
    source = tenant.add_source(rank=rank)
    frame = said(("e1", "name", "a"))
    tenant.assemble(source, frame)
    frame["method"], frame["locator"] = "ai;map:test@1.0.0", "o00001#message=1"
    assert tenant.assemble(source, frame) == AssembleCount(0, 1, 0, 0)
    with tenant.database.tenant(tenant.id) as connection:
        (row,) = statements_of(connection, tenant.id)
    assert (row["locator"], row["method"], row["authority_tier"]) == ("o00001#message=1", "ai;map:test@1.0.0", 5)


def test_a_corrected_type_reaches_what_was_said_before(tenant: Tenant) -> None:
    source = tenant.add_source()
    frame = said(("e1", "name", "a"))
    tenant.assemble(source, frame)
    frame["type"], frame["datatype"] = "Hotel", "name"
    assert tenant.assemble(source, frame) == AssembleCount(0, 1, 0, 0)
    (before,) = tenant.rows("type, datatype, first_seen, ctid, xmin")
    assert (before["type"], before["datatype"], before["first_seen"]) == ("Hotel", "name", SEEN)
    tenant.assemble(source, frame)
    assert tenant.rows("type, datatype, first_seen, ctid, xmin") == [before]


def test_a_value_that_holds_for_another_time_than_before_is_another_statement(tenant: Tenant) -> None:
    source = tenant.add_source()
    before = said(("e1", "name", "a"), ("e1", "name", "b"))
    tenant.assemble(source, before)
    untouched = {row["value"]: row["ctid"] for row in tenant.rows("value, ctid")}["b"]
    after = said(("e1", "name", "a"), ("e1", "name", "b"))
    after.loc[0, ["valid_from", "valid_to", "locator"]] = ["2001", "2019-06-30", "o00001#row=7"]
    assert tenant.assemble(source, after, at=LATER) == AssembleCount(
        inserted=1, already_present=1, duplicates=0, retired=1
    )
    kept = {(row["value"], row["valid_from"], row["valid_to"]): row for row in tenant.rows()}
    assert (kept["a", "", ""]["first_seen"], kept["a", "", ""]["retired_at"]) == (SEEN, LATER)
    new = kept["a", "2001", "2019-06-30"]
    assert (new["locator"], new["first_seen"], new["retired_at"]) == ("o00001#row=7", LATER, None)
    assert {row["value"]: row["ctid"] for row in tenant.rows("value, ctid")}["b"] == untouched
    (frame,) = candidates(tenant, source)
    assert dict(zip(frame["value"], frame["valid_to"], strict=True)) == {"a": "2019-06-30", "b": ""}
    tenant.assemble(source, before, at=LATER + timedelta(days=1))
    in_force = [row for row in tenant.rows() if row["retired_at"] is None]
    assert {(row["valid_from"], row["valid_to"]) for row in in_force} == {("", "")}, "and no more once it is gone"


def test_a_period_from_before_ids_told_of_it_does_not_outlive_its_being_said(tenant: Tenant) -> None:
    source = tenant.add_source()
    tenant.assemble(source, said(("e1", "name", "a"), ("e1", "name", "b")))
    with tenant.database.tenant(tenant.id) as connection:
        connection.execute("UPDATE runtime.statements SET valid_from = '2001'")
    after = said(("e1", "name", "a"), ("e1", "name", "b"))
    after.loc[0, "valid_from"] = "2001"
    assert tenant.assemble(source, after, at=LATER) == AssembleCount(1, 1, 0, 1)
    in_force = {(row["value"], row["valid_from"]) for row in tenant.rows() if row["retired_at"] is None}
    assert in_force == {("a", "2001"), ("b", "")}
    tenant.assemble(source, said(("e1", "name", "a")), at=LATER + timedelta(days=1))
    assert [(row["value"], row["valid_from"]) for row in tenant.rows() if row["retired_at"] is None] == [("a", "")]


def test_a_value_that_holds_for_two_periods_is_two_statements(tenant: Tenant) -> None:
    source = tenant.add_source()
    frame = said(("e1", "name", "a"), ("e1", "name", "a"), ("e1", "name", "a"))
    frame["valid_from"] = pd.array(["2001", "2010", "2010"], dtype=TEXT)
    assert tenant.assemble(source, frame) == AssembleCount(inserted=2, already_present=0, duplicates=1, retired=0)
    assert tenant.assemble(source, frame, at=LATER) == AssembleCount(0, 2, 1, 0)
    (found,) = candidates(tenant, source)
    assert sorted(found["valid_from"]) == ["2001", "2010"]


def test_the_same_value_in_another_language_is_another_statement(tenant: Tenant) -> None:
    source = tenant.add_source()
    frame = pd.concat([said(("e1", "name", "a")), said(("e1", "name", "a"), lang="th")], ignore_index=True)
    assert tenant.assemble(source, frame).inserted == 2


def test_a_later_run_sees_again_adds_and_retires_but_deletes_nothing(tenant: Tenant) -> None:
    source = tenant.add_source()
    tenant.assemble(source, said(("e1", "name", "a"), ("e1", "name", "b")))
    count = tenant.assemble(source, said(("e1", "name", "b"), ("e1", "name", "c")), at=LATER)
    assert count == AssembleCount(inserted=1, already_present=1, duplicates=0, retired=1)
    assert {row["value"]: (row["first_seen"], row["last_seen"], row["retired_at"]) for row in tenant.rows()} == {
        "a": (SEEN, SEEN, LATER),
        "b": (SEEN, SEEN, None),
        "c": (LATER, LATER, None),
    }


def test_what_is_said_again_is_in_force_again_and_its_absence_stays_tellable(tenant: Tenant) -> None:
    source = tenant.add_source()
    days = [SEEN + timedelta(days=number) for number in range(5)]
    with_a, without = said(("e1", "name", "a"), ("e1", "name", "b")), said(("e1", "name", "b"))
    counts = []
    for day, frame in zip(days, (with_a, without, with_a, without, with_a), strict=True):
        counts.append(tenant.assemble(source, frame, at=day))
        assert tenant.assemble(source, frame, at=day + timedelta(hours=1)).retired == 0
    assert [(count.inserted, count.already_present, count.retired) for count in counts] == [
        (2, 0, 0), (0, 1, 1), (0, 2, 0), (0, 1, 1), (0, 2, 0),
    ]  # fmt: skip
    a, b = sorted(tenant.rows(), key=lambda row: str(row["value"]))
    assert (a["retired_at"], a["first_seen"], a["last_seen"]) == (None, days[0], days[4])
    assert [(each.lower, each.upper) for each in a["absent"]] == [(days[1], days[2]), (days[3], days[4])]
    assert (b["last_seen"], list(b["absent"])) == (SEEN, [])


def test_a_retired_statement_was_last_seen_by_the_version_before(tenant: Tenant) -> None:
    source = tenant.add_source()
    frame = said(("e1", "name", "a"), ("e1", "name", "b"))
    for number in range(3):
        at = SEEN + timedelta(days=number)
        tenant.assemble(source, frame if number < 2 else frame[1:], at=at)
        with tenant.database.tenant(tenant.id) as connection:
            connection.execute("UPDATE runtime.tenant_sources SET assembled_at = %s WHERE id = %s", (at, source))
    a, b = sorted(tenant.rows(), key=lambda row: str(row["value"]))
    assert (a["last_seen"], a["retired_at"]) == (LATER, at)
    with tenant.database.tenant(tenant.id) as connection:
        (in_force,) = statements_of(connection, tenant.id)
    assert (in_force["value"], in_force["first_seen"], in_force["last_seen"]) == ("b", SEEN, at)
    assert b["last_seen"] == SEEN, "and its row was not written"


def test_an_earlier_run_repeated_late_does_not_turn_time_back(tenant: Tenant) -> None:
    source = tenant.add_source()
    tenant.assemble(source, said(("e1", "name", "a")), at=LATER)
    tenant.assemble(source, said(("e1", "name", "a")), at=SEEN)
    assert [(row["first_seen"], row["last_seen"]) for row in tenant.rows()] == [(LATER, LATER)]


def test_a_new_link_is_followed_and_only_that(tenant: Tenant) -> None:
    source = tenant.add_source()
    frame = said(("e1", "name", "a"), ("e2", "name", "b"))
    tenant.assemble(source, frame, linked={"e1": "can-1", "e2": "can-2"})
    before = {row["entity_id"]: row["ctid"] for row in tenant.rows("entity_id, ctid")}
    assert tenant.assemble(source, frame, linked={"e1": "can-1", "e2": "can-9"}).inserted == 0
    after = {row["entity_id"]: row for row in tenant.rows("entity_id, ctid, canonical_id, value")}
    assert (after["e1"]["canonical_id"], after["e2"]["canonical_id"]) == ("can-1", "can-9")
    assert after["e1"]["ctid"] == before["e1"]
    assert after["e2"]["value"] == "b"


@pytest.mark.parametrize(
    ("linked", "expected"), [({"e1": "can-1"}, "not linked"), ({}, "not linked")], ids=["one missing", "none"]
)
def test_statements_about_unlinked_entities_stop_the_run(tenant: Tenant, linked: dict[str, str], expected: str) -> None:
    source = tenant.add_source()
    with pytest.raises(IntegrityError, match=expected):
        tenant.assemble(source, said(("e1", "name", "a"), ("e2", "name", "b")), linked=linked)
    assert tenant.rows() == []


def test_an_entity_linked_twice_stops_the_run(tenant: Tenant) -> None:
    source = tenant.add_source()
    twice = pd.concat([links_of({"e1": "can-1"}), links_of({"e1": "can-2"})], ignore_index=True)
    with (
        pytest.raises(IntegrityError, match="twice"),
        tenant.database.tenant(tenant.id) as connection,
    ):
        assemble(
            connection,
            tenant.id,
            source,
            tenant.stage("links", twice),
            tenant.stage("statements", said(("e1", "name", "a"))),
            SEEN,
        )


@pytest.mark.parametrize("value", ["a\0b", None])
def test_a_text_that_no_database_holds_stops_the_run_without_being_quoted(tenant: Tenant, value: str | None) -> None:
    source = tenant.add_source()
    frame = said(("e1", "name", "a"))
    frame["raw_value"] = pd.array([value], dtype=TEXT)
    with pytest.raises(IntegrityError) as caught:
        tenant.assemble(source, frame)
    assert "a\0b" not in str(caught.value)


def test_a_source_without_statements_assembles_to_nothing(tenant: Tenant) -> None:
    source = tenant.add_source()
    assert tenant.assemble(source, said()) == AssembleCount(0, 0, 0, 0)
    with tenant.database.tenant(tenant.id) as connection:
        assert list(candidates_for_source(connection, tenant.id, source)) == []


def test_two_sources_may_be_assembled_in_one_transaction(tenant: Tenant) -> None:
    first, second = tenant.add_source(1), tenant.add_source(2)
    frame = said(("e1", "name", "a"))
    links, stage = tenant.stage("links", links_of({"e1": "can-1"})), tenant.stage("statements", frame)
    with tenant.database.tenant(tenant.id) as connection:
        counts = [assemble(connection, tenant.id, source, links, stage, SEEN) for source in (first, second)]
    assert [count.inserted for count in counts] == [1, 1]


def test_a_run_that_is_rolled_back_leaves_nothing(tenant: Tenant) -> None:
    source = tenant.add_source()
    links, stage = tenant.stage("links", links_of({"e1": "c"})), tenant.stage("statements", said(("e1", "name", "a")))

    def stopped_before_the_end() -> None:
        with tenant.database.tenant(tenant.id) as connection:
            assemble(connection, tenant.id, source, links, stage, SEEN)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stopped_before_the_end()
    assert tenant.rows() == []


def test_a_tenant_cannot_assemble_into_another(tenant: Tenant, tmp_path: Path) -> None:
    source = tenant.add_source()
    other = new_tenant(tenant.database, tmp_path / "other")
    links, stage = other.stage("links", links_of({"e1": "c"})), other.stage("statements", said(("e1", "name", "a")))
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        tenant.database.tenant(other.id) as connection,
    ):
        assemble(connection, tenant.id, source, links, stage, SEEN)
    assert tenant.rows() == other.rows() == []


def test_statements_are_read_with_what_is_constant_for_their_source(tenant: Tenant) -> None:
    regulator, press = tenant.add_source(1, rank=1, origin="regulator"), tenant.add_source(2, rank=3, origin="press")
    for source in (press, regulator):
        tenant.assemble(source, said(("e1", "name", "a"), ("e1", "geo", "b"), ("e2", "name", "c")))
    with tenant.database.tenant(tenant.id) as connection:
        found = statements_of(connection, tenant.id, canonical_id="can-e1", property_="name")
        assert [(row["source_id"], row["authority_tier"]) for row in found] == [(regulator, 1), (press, 3)]
        assert len(statements_of(connection, tenant.id, source=press)) == 3
        everything = statements_of(connection, tenant.id)
        assert statements_of(connection, tenant.id, limit=4) == everything[:4]
        assert len(everything) == 6


def candidates(tenant: Tenant, source: SourceId) -> list[pd.DataFrame]:
    with tenant.database.tenant(tenant.id) as connection:
        return list(candidates_for_source(connection, tenant.id, source))


def test_candidates_are_what_all_sources_say_of_the_same_entities(tenant: Tenant) -> None:
    regulator, press = tenant.add_source(1, rank=1, origin="regulator"), tenant.add_source(2, rank=3, origin="press")
    tenant.assemble(press, said(("e1", "name", "a"), ("e1", "geo", "b")), linked={"e1": "can-1"})
    tenant.assemble(regulator, said(("x1", "name", "A"), ("x2", "name", "B")), linked={"x1": "can-1", "x2": "can-2"})
    (of_press,) = candidates(tenant, press)
    assert list(zip(of_press["property"], of_press["source_id"], of_press["authority_tier"], strict=True)) == [
        ("geo", press, 3),
        ("name", regulator, 1),
        ("name", press, 3),
    ]
    assert of_press["origin"].tolist() == ["press", "regulator", "press"]
    assert set(of_press["canonical_id"]) == {"can-1"}
    (of_regulator,) = candidates(tenant, regulator)
    assert set(of_regulator["canonical_id"]) == {"can-1", "can-2"}
    assert all(isinstance(dtype, pd.ArrowDtype) for dtype in of_press.dtypes)
    assert not of_press.isna().any(axis=None)


def test_candidates_are_what_the_conflict_matrix_compares(tenant: Tenant) -> None:
    vocabulary = Vocabulary("1.0.0", {}, {"name": PropertyDefinition("name", Datatype.NAME, per_language=True)})
    regulator, press = tenant.add_source(1, rank=1, origin="regulator"), tenant.add_source(2, rank=3, origin="press")
    with tenant.database.tenant(tenant.id) as connection:
        connection.execute(
            "UPDATE runtime.tenant_sources SET observed_at = %s WHERE tenant_id = %s AND id = %s",
            (LATER.astimezone(timezone(timedelta(hours=7))), tenant.id, regulator),
        )
    tenant.assemble(press, said(("e1", "name", "Phuket Town")), linked={"e1": "can-1"})
    tenant.assemble(regulator, said(("x1", "name", "Talat Yai")), linked={"x1": "can-1"})
    (frame,) = candidates(tenant, press)
    (item,) = find_conflicts(frame, vocabulary)
    assert [(one.source_id, one.value, one.observed_at) for one in item.candidates] == [
        (regulator, "Talat Yai", "2026-11-24T06:00:00Z"),
        (press, "Phuket Town", ""),
    ]


@pytest.mark.parametrize("largest", [(), (30,)])
def test_candidate_groups_are_never_split(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, largest: tuple[int, ...]
) -> None:
    monkeypatch.setattr(statements, "BATCH_ROWS", 10)
    source = tenant.add_source()
    sizes = [1, 2, 3, 4, 5, *largest, 1, 1, 5, 5, 2]
    tenant.assemble(
        source, said(*((f"e{group:02d}", "name", f"v{n}") for group, size in enumerate(sizes) for n in range(size)))
    )
    frames = candidates(tenant, source)
    groups = [set(frame["canonical_id"]) for frame in frames]
    assert sum(map(len, groups)) == len(set().union(*groups)) == len(sizes)
    assert sum(map(len, frames)) == sum(sizes)
    assert all(len(frame) <= 10 + sum(largest) for frame in frames)
    together = pd.concat(frames)
    assert together["canonical_id"].tolist() == sorted(together["canonical_id"])


def test_the_connection_is_free_between_candidate_frames(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "BATCH_ROWS", 4)
    source = tenant.add_source()
    tenant.assemble(source, said(*((f"e{number}", "name", "v") for number in range(9))))
    with tenant.database.tenant(tenant.id) as connection:
        seen = 0
        for frame in candidates_for_source(connection, tenant.id, source):
            seen += len(frame)
            connection.execute("SELECT count(*) FROM runtime.statements")
    assert seen == 9


def test_a_large_source_is_assembled_part_by_part_as_it_would_be_whole(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, entities = (
        new_tenant(tenant.database, tmp_path / "whole"),
        [f"ent-{n * 37 % 40 * 400_000:06x}" for n in range(120)],
    )
    first = said(*((entity, f"p{n % 2}", f"ค่า {n % 20}") for n, entity in enumerate(entities)))
    later = said(*((entity, "p0", f"ค่า {n % 60}") for n, entity in enumerate(reversed(entities))))
    kept = []
    for one, rows_a_part in ((tenant, 7), (whole, 10_000)):
        monkeypatch.setattr(entity_parts, "ROWS_A_PART", rows_a_part)
        source = one.add_source()
        counts = [one.assemble(source, first), one.assemble(source, later, at=LATER), one.assemble(source, later)]
        kept.append((counts, [{**row, "tenant_id": ""} for row in one.rows()]))
    assert kept[0] == kept[1]
    assert kept[0][0][0].duplicates
    assert kept[0][0][1].retired


@pytest.mark.slow
def test_many_batches_are_assembled_whole(tenant: Tenant) -> None:
    source = tenant.add_source()
    rows = 120_000
    frame = said(*((f"e{number // 8}", f"p{number % 8}", f"ค่า {number}") for number in range(rows)))
    assert tenant.assemble(source, frame).inserted == rows
    assert tenant.assemble(source, frame) == AssembleCount(0, rows, 0, 0)
    assert sum(map(len, candidates(tenant, source))) == rows
