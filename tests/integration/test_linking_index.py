"""Linking into a real database: in bulk, one source at a time, all or nothing, and never another tenant's."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import psycopg
import pyarrow as pa
import pytest

from tenant_pipeline.core import entity_parts
from tenant_pipeline.core.errors import InputError
from tenant_pipeline.core.statement import STATEMENT_COLUMNS
from tenant_pipeline.core.tenancy import SourceId, TenantId
from tenant_pipeline.linking import link as link_stage
from tenant_pipeline.linking.blocking import packed_keys, unpacked_keys
from tenant_pipeline.linking.entity_index import Home, Member, Said
from tenant_pipeline.linking.features import Features
from tenant_pipeline.linking.link import link
from tenant_pipeline.linking.matching import Batch
from tenant_pipeline.linking.score import Match
from tenant_pipeline.services import blocking_key_rows, parallel_map, roles
from tenant_pipeline.services.entity_additions import EntityAdditions
from tenant_pipeline.services.entity_index import PostgresEntityIndex
from tenant_pipeline.services.identity import homes_of
from tenant_pipeline.services.judgements import judge, list_pairs, reverse
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.storage.database import Connection
from tests.integration.conftest import ATTACKER, VICTIM, TwoTenants
from tests.registered import registered
from tests.unit.linking.memory_index import TENANT, VOCABULARY, MemoryIndex, linked
from tests.unit.pii.memory_stage import MemoryStage

HALL = {"name@en": "Makham Bay Convention Centre", "geo": "7.831200,98.407100", "postalCode": "83000"}
NEARLY = {**HALL, "name@en": "Makham Bay Convention Center", "geo": "7.831900,98.407900"}
OTHER = {"name@en": "Sarasin Pavilion", "identifier": "PKT-7"}
TABLES = ("entities", "entity_members", "entity_keys", "entity_blocking_keys", "entity_features", "judgements")


@pytest.fixture(scope="module")
def runtime(tenants: TwoTenants) -> Runtime:
    return tenants.runtime


@pytest.fixture
def tenant(runtime: Runtime) -> TenantId:
    return registered(runtime, f"t{uuid.uuid4().hex[:12]}")


def _stage(
    source: str, entities: Sequence[Mapping[str, str]], ids: Sequence[str] = (), tables: Sequence[str] = ()
) -> MemoryStage:
    rows: dict[str, list[dict[str, str]]] = {}
    for number, entity in enumerate(entities):
        for key, value in entity.items():
            property_, _, lang = key.partition("@")
            said = dict.fromkeys(STATEMENT_COLUMNS, "")
            name = ids[number] if ids else f"ent-{source}-{number}"
            said |= {"entity_id": name, "type": "EventVenue", "property": property_}
            table = tables[number] if tables else "t00001"
            rows.setdefault(table, []).append(said | {"value": value, "lang": lang})
    stage = MemoryStage()
    for table, said_there in rows.items():
        with stage.table(table, "statements") as writer:
            writer.write(pa.Table.from_pylist(said_there).to_pandas(types_mapper=pd.ArrowDtype))
    return stage


def _link(
    connection: Connection, tenant: TenantId, source: str, *entities: Mapping[str, str], tables: Sequence[str] = ()
) -> dict[str, Any]:
    out = MemoryStage()
    with PostgresEntityIndex(connection, tenant, SourceId(source)) as index:
        link(_stage(source, entities, tables=tables), out, vocabulary=VOCABULARY, index=index, tenant=tenant)
    (table,) = out.tables("links")
    return {row["entity_id"]: row for frame in table.batches() for row in frame.to_dict("records")}


def _everything(runtime: Runtime, tenant: TenantId) -> dict[str, list[dict[str, Any]]]:
    with runtime.database.tenant(tenant) as connection:
        return {
            table: sorted(connection.execute(f"SELECT * FROM runtime.{table}").fetchall(), key=str) for table in TABLES
        }


@pytest.mark.parametrize("batch", [1, 5_000])
def test_the_database_finds_what_memory_finds(
    runtime: Runtime, tenant: TenantId, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(link_stage, "ENTITIES_A_BATCH", batch)
    index = MemoryIndex()
    sources = {"a": (HALL, OTHER), "b": (NEARLY, HALL, {"name@en": "Hall 9", "identifier": "PKT-7"}), "c": (NEARLY,)}
    for source, entities in sources.items():
        expected = linked(index, source, *entities)
        with runtime.database.tenant(tenant) as connection:
            found = _link(connection, tenant, source, *entities)
        grouped = [_grouping(links) for links in (expected, found)]
        assert grouped[0] == grouped[1]
        assert [row["method"] for row in found.values()] == [row["method"] for row in expected.values()]
    assert len(_everything(runtime, tenant)["judgements"]) == len(index.proposals)


@pytest.mark.parametrize("batch", [1, 5_000])
def test_the_database_hands_on_what_memory_hands_on(
    runtime: Runtime, tenant: TenantId, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(link_stage, "ENTITIES_A_BATCH", batch)
    assembly, shore = {"name@en": "Assembly Hall"}, {"name@en": "Shore Hall", "postalCode": "83000"}
    tables = frozenset({"t00001"})
    versions = (
        {"ent-01": assembly, "ent-02": shore, "ent-03": HALL, "ent-04": HALL, "ent-05": OTHER},
        {"ent-11": shore, "ent-02": shore, "ent-13": HALL, "ent-15": OTHER, "ent-16": assembly},
        {"ent-21": shore, "ent-22": {**shore, "name@en": "Shore"}, "ent-26": assembly},
        {"ent-02": shore, "ent-01": assembly, "ent-31": shore},
    )
    index = MemoryIndex()
    found = _versions_linked(runtime, tenant, index, versions, keyless=tables, by_content=tables)
    assert found[1]["ent-16"] == found[2]["ent-26"] == found[3]["ent-01"] == found[0]["ent-01"]
    kept = _everything(runtime, tenant)
    assert len(kept["entities"]) == len(index.homes)
    assert len(kept["judgements"]) == len(index.proposals)


@pytest.mark.parametrize("batch", [1, 5_000])
def test_a_row_keeps_others_of_its_table_out_only_as_long_as_its_source_has_it(
    runtime: Runtime, tenant: TenantId, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(link_stage, "ENTITIES_A_BATCH", batch)
    versions = ({"ent-05": HALL}, {"ent-04": HALL, "ent-05": HALL}, {"ent-04": HALL, "ent-06": HALL})
    index = MemoryIndex()
    first, grown, replaced = _versions_linked(runtime, tenant, index, versions)
    canonical, _ = first["ent-05"]
    assert grown["ent-05"] == first["ent-05"]
    assert grown["ent-04"][0] != canonical
    assert replaced == {"ent-04": grown["ent-04"], "ent-06": (canonical, "score")}
    assert len(_everything(runtime, tenant)["judgements"]) == len(index.proposals) == 0


def test_a_row_that_comes_back_to_what_another_has_by_then_is_put_to_people(runtime: Runtime, tenant: TenantId) -> None:
    versions = ({"ent-1": HALL}, {"ent-2": HALL}, {"ent-1": HALL, "ent-2": HALL})
    index = MemoryIndex()
    first, replaced, both = _versions_linked(runtime, tenant, index, versions)
    canonical, _ = first["ent-1"]
    assert replaced["ent-2"] == (canonical, "score")
    assert {name for name, _ in both.values()} == {canonical}
    _say_all(runtime, tenant)
    (pair,) = list_pairs(runtime, tenant)
    assert pair["left_canonical_id"] == pair["right_canonical_id"] == canonical
    assert (pair["left_id"], pair["right_id"]) in index.proposals
    assert pair["explanation"]["says"] == "Two rows of one table were given to it at different times."
    judged = judge(runtime, tenant, pair["left_id"], pair["right_id"], Match.DIFFERENT, **_word(runtime, tenant))
    assert [each.change for each in judged.changes] == ["split"]


def _versions_linked(
    runtime: Runtime,
    tenant: TenantId,
    index: MemoryIndex,
    versions: Sequence[Mapping[str, dict[str, str]]],
    **tables: Any,
) -> list[dict[str, tuple[str, str]]]:
    """The canonical id and the method of each entity in each version of a source: what memory finds is what the
    database does."""
    found, expected = [], []
    for version in versions:
        links = linked(index, "a", *version.values(), ids=list(version), **tables)
        expected.append({name: (row["canonical_id"], row["method"]) for name, row in links.items()})
        out = MemoryStage()
        with (
            runtime.database.tenant(tenant) as connection,
            PostgresEntityIndex(connection, tenant, SourceId("a")) as database,
        ):
            stage = _stage("a", list(version.values()), list(version))
            link(stage, out, vocabulary=VOCABULARY, index=database, tenant=TENANT, **tables)
        (table,) = out.tables("links")
        rows = [row for frame in table.batches() for row in frame.to_dict("records")]
        found.append({row["entity_id"]: (row["canonical_id"], row["method"]) for row in rows})
    assert found == expected
    return found


@pytest.mark.parametrize("batch", [3, 5_000])
def test_leaving_out_what_a_table_has_to_itself_changes_no_link(
    runtime: Runtime, tenant: TenantId, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(link_stage, "ENTITIES_A_BATCH", batch)
    of_source = {source: _noisy_halls(source) for source in ("a", "b", "c")}
    rounds = [("a", of_source["a"]), ("b", of_source["b"][:25]), ("c", of_source["c"]), ("b", of_source["b"])]

    def all_linked() -> list[Any]:
        found: list[Any] = []
        for source, halls in rounds:
            with runtime.database.tenant(tenant) as connection:
                found.append(_link(connection, tenant, source, *halls))
        for rows in _everything(runtime, tenant).values():
            found.append([{name: value for name, value in row.items() if name != "born_at"} for row in rows])
        _forget(runtime, tenant)
        return found

    quick = all_linked()
    monkeypatch.setattr(link_stage, "Batch", lambda *given: Batch(*given[:4], alone=False))
    assert all_linked() == quick
    methods = {row["method"] for links in quick[: len(rounds)] for row in links.values()}
    assert methods == {"new", "score", "identifier:identifier"}


def _forget(runtime: Runtime, tenant: TenantId) -> None:
    with runtime.database.administration() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")  # homes are never deleted otherwise
        for table in reversed(TABLES):
            connection.execute(f"DELETE FROM runtime.{table} WHERE tenant_id = %s", (tenant,))


def _noisy_halls(source: str) -> list[dict[str, str]]:
    """Forty halls that each source names in its own way, some with an identifier, some so alike that rows compete."""
    chance = random.Random(source)
    halls = []
    for number in range(40):
        of_all = random.Random(number // 2)
        word = "".join(of_all.choice(("mak", "ham", "sar", "sin", "lan", "ta")) for _ in range(3)).title()
        place = [of_all.uniform(7.7, 8.0) + chance.gauss(0, 3e-4), of_all.uniform(98.2, 98.4)]
        hall = {"name@en": f"{word} {chance.choice(('Hall', 'Centre'))}", "postalCode": "83000"}
        hall |= {"geo": f"{place[0]:.6f},{place[1]:.6f}"} if chance.random() < 0.9 else {}
        hall |= {"identifier": f"PKT-{number}"} if number % 5 == 0 and chance.random() < 0.8 else {}
        halls.append(hall)
    return halls


def _grouping(links: Mapping[str, Mapping[str, Any]]) -> set[frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for entity, row in links.items():
        groups.setdefault(row["canonical_id"], set()).add(entity)
    return {frozenset(group) for group in groups.values()}


def test_the_canonical_home_is_the_oldest_of_its_entity_so_that_no_judgement_elsewhere_moves_it(
    runtime: Runtime, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_stage, "ENTITIES_A_BATCH", 1)
    for source, entities in {"a": (NEARLY, OTHER), "b": (NEARLY, HALL), "c": (HALL, NEARLY)}.items():
        with runtime.database.tenant(tenant) as connection:
            _link(connection, tenant, source, *entities)
    with runtime.database.tenant(tenant) as connection:
        every = [row["canonical_id"] for row in connection.execute("SELECT canonical_id FROM runtime.entities")]
        homes = homes_of(connection, tenant, every)
    assert len(set(homes.canonical.values())) < len(homes.canonical)
    assert homes.partition().canonical == homes.canonical


SITE = {"email": "hall@makham.example", "url": "https://makham.example/hall"}
WITH_SITE = {**HALL, **SITE}
LESS_SURE = {name: value for name, value in WITH_SITE.items() if name != "postalCode"}
IN_THAI = {"name@th": "ศูนย์ประชุมอ่าวมะขาม", **SITE}


@pytest.mark.parametrize(
    ("rows", "tables", "together"),
    [
        ((LESS_SURE, WITH_SITE), ("t1", "t1"), {frozenset({1}), frozenset({0})}),
        (
            ({**LESS_SURE, "alternateName@th": IN_THAI["name@th"]}, IN_THAI, HALL),
            ("t1", "t2", "t1"),
            {frozenset({2}), frozenset({0, 1})},
        ),
    ],
    ids=["which let another in itself", "which let another in"],
)
def test_what_was_found_by_a_row_that_gives_way_is_matched_again_without_it(
    runtime: Runtime,
    tenant: TenantId,
    monkeypatch: pytest.MonkeyPatch,
    rows: tuple[dict[str, str], ...],
    tables: tuple[str, ...],
    together: set[frozenset[int]],
) -> None:
    monkeypatch.setattr(link_stage, "ENTITIES_A_BATCH", 1)
    index = MemoryIndex()
    linked(index, "a", HALL)
    expected = linked(index, "b", *rows, tables=tables)
    with runtime.database.tenant(tenant) as connection:
        (known,) = _link(connection, tenant, "a", HALL).values()
    with runtime.database.tenant(tenant) as connection:
        found = _link(connection, tenant, "b", *rows, tables=tables)
    last = f"ent-b-{len(rows) - 1}"
    assert _grouping(found) == {frozenset(f"ent-b-{number}" for number in group) for group in together}
    assert found[last]["canonical_id"] == known["canonical_id"]
    assert sorted(row["method"] for row in found.values()) == sorted(row["method"] for row in expected.values())
    assert _grouping(found) == _grouping(expected)
    kept = _everything(runtime, tenant)
    assert len(kept["judgements"]) == len(index.proposals)
    with runtime.database.tenant(tenant) as connection:
        homes = homes_of(connection, tenant, [home["canonical_id"] for home in kept["entities"]])
    assert homes.partition().canonical == homes.canonical

    judge(runtime, tenant, known["canonical_id"], last, Match.DIFFERENT, **_word(runtime, tenant))
    was, is_now = (
        {member["entity_id"]: member["canonical_id"] for member in each["entity_members"]}
        for each in (kept, _everything(runtime, tenant))
    )
    assert is_now == {**was, last: is_now[last]}
    assert is_now[last] not in was.values()


def test_a_pair_whose_judgement_was_taken_back_goes_to_people_when_linking_asks(
    runtime: Runtime, tenant: TenantId
) -> None:
    ends = set()
    for source, identifier in (("a", "PKT-1"), ("b", "PKT-2")):
        with runtime.database.tenant(tenant) as connection:
            (row,) = _link(connection, tenant, source, {"name@en": "Hall", "identifier": identifier}).values()
        ends.add(row["canonical_id"])
    _say_all(runtime, tenant)
    judged = judge(runtime, tenant, *ends, Match.SAME, **_word(runtime, tenant))
    reverse(runtime, tenant, judged.sequence, **_word(runtime, tenant))
    assert list_pairs(runtime, tenant) == []
    both = {"name@en": "Hall", "identifier@x": "PKT-1", "identifier@y": "PKT-2"}
    with runtime.database.tenant(tenant) as connection:
        _link(connection, tenant, "c", both, both)
    (pair,) = list_pairs(runtime, tenant)
    assert ({pair["left_id"], pair["right_id"]}, pair["score"]) == (ends, 0.5)


def test_what_one_identifier_joined_is_taken_apart_in_the_source_and_by_no_judgement(
    runtime: Runtime, tenant: TenantId
) -> None:
    canonical = []
    for source, identifier in (("a", "PKT-1"), ("b", "PKT-1"), ("b anew", "PKT-2")):
        with runtime.database.tenant(tenant) as connection:
            (row,) = _link(connection, tenant, source, {**HALL, "identifier": identifier}).values()
        canonical.append(row["canonical_id"])
    with pytest.raises(InputError, match="withdraw the source that has it wrong, and hand it in anew") as refused:
        judge(runtime, tenant, canonical[0], "ent-b-0", Match.DIFFERENT, **_word(runtime, tenant))
    assert "leave out those that the other home has by now" in refused.value.remedy
    assert canonical[0] == canonical[1] != canonical[2]


def _say_all(runtime: Runtime, tenant: TenantId) -> None:
    """Have something said of all that was linked, as it is once it is assembled: people are asked of nothing else."""
    with runtime.database.administration() as connection:
        connection.execute(
            """
            INSERT INTO runtime.statements
                   (tenant_id, source_id, statement_id, entity_id, canonical_id, type, property, value, raw_value, lang,
                    datatype, locator, method, valid_from, valid_to, first_seen, last_seen)
            SELECT tenant_id, 'another', 'st-' || canonical_id, canonical_id, canonical_id, type, 'name', 'Hall',
                   'Hall', 'en', 'name', '', 'test', '', '', now(), now()
              FROM runtime.entities WHERE tenant_id = %s AND merged_into IS NULL
            """,
            (tenant,),
        )


def _word(runtime: Runtime, tenant: TenantId) -> dict[str, Any]:
    word = {"person": "ann@city.example", "role": "reviewer", "reason": "I have been to both"}
    roles.grant_role(runtime, tenant, person=word["person"], role=word["role"], granted_by="test")
    return word


def test_linking_a_source_twice_changes_no_row(runtime: Runtime, tenant: TenantId) -> None:
    for source in ("a", "b"):
        with runtime.database.tenant(tenant) as connection:
            _link(connection, tenant, source, HALL, OTHER)
    before = _everything(runtime, tenant)
    with runtime.database.tenant(tenant) as connection:
        _link(connection, tenant, "b", HALL, OTHER)
    assert _everything(runtime, tenant) == before


def test_killed_in_the_middle_nothing_is_left(
    runtime: Runtime, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_stage, "ENTITIES_A_BATCH", 1)
    write, calls = EntityAdditions.write, []

    def killed_the_second_time(self: EntityAdditions, *given: Any) -> None:
        calls.append(given)
        if len(calls) == 2:
            raise ZeroDivisionError
        write(self, *given)

    monkeypatch.setattr(EntityAdditions, "write", killed_the_second_time)
    with pytest.raises(ZeroDivisionError), runtime.database.tenant(tenant) as connection:
        _link(connection, tenant, "a", HALL, OTHER)
    assert len(calls) == 2
    assert all(rows == [] for rows in _everything(runtime, tenant).values())


def test_two_sources_at_once_take_turns_and_the_second_sees_what_the_first_made(
    runtime: Runtime, tenant: TenantId
) -> None:
    found: dict[str, Any] = {}
    started = threading.Event()

    def second() -> None:
        with runtime.database.tenant(tenant) as connection:
            started.set()
            found["b"] = _link(connection, tenant, "b", HALL)

    thread = threading.Thread(target=second)
    with runtime.database.tenant(tenant) as connection:
        found["a"] = _link(connection, tenant, "a", HALL)
        thread.start()
        assert started.wait(10)
        thread.join(0.3)
        assert "b" not in found
    thread.join(30)
    assert found["b"]["ent-b-0"]["canonical_id"] == found["a"]["ent-a-0"]["canonical_id"]


def test_another_tenant_finds_and_writes_nothing(runtime: Runtime, tenant: TenantId) -> None:
    for source, entity in {"a": {**HALL, "identifier": "PKT-1"}, "b": HALL}.items():
        with runtime.database.tenant(tenant) as connection:
            (linked_now,) = _link(connection, tenant, source, entity).values()
    canonical = linked_now["canonical_id"]
    with runtime.database.tenant(tenant) as connection:
        connection.execute(
            """
            INSERT INTO runtime.judgements (tenant_id, id, left_id, right_id, judgement, explanation, status)
            VALUES (%s, 'jud-1', %s, 'can-zz', 'different', '{}', 'decided')
            """,
            (tenant, canonical),
        )
    before = _everything(runtime, tenant)
    (member,) = [each for each in before["entity_members"] if each["source_id"] == "b"]
    home = member["home_id"]
    assert home != canonical
    (kept,) = [each["features"] for each in before["entity_features"] if each["canonical_id"] == home]
    hall = Features.from_json("ent-b-9", kept)
    hall.table = member["source_table"]
    reads: tuple[Callable[[PostgresEntityIndex], Sized], ...] = (
        lambda index: index.members(["ent-b-0"]),
        lambda index: _heir_of(index, Said("ent-b-9", "", hall)),
        lambda index: index.by_identifier("EventVenue", [("identifier", "PKT-1")]),
        lambda index: index.features([canonical]),
        lambda index: index.holders([canonical]),
        lambda index: index.judged([canonical]),
        lambda index: index.release([home]),
        lambda index: index.by_blocking_key(unpacked_keys(packed_keys("Place", hall))),
        lambda index: list(index.linked()),
    )
    for reader in (tenant, ATTACKER):
        with runtime.database.tenant(reader) as connection, _index_of_another(connection, reader, tenant) as index:
            connection.execute("INSERT INTO pg_temp.linked_now VALUES ('ent-b-0', false)")
            found = []
            for read in reads:
                with connection.transaction(force_rollback=True):
                    found.append(len(read(index)) > 0)
        assert found == [reader == tenant] * len(reads)
    new = Member("ent-x", "can-x", "EventVenue", "new", 1.0, {}, "can-x", "t1", "")
    new_home = Home(Features("ent-x", "EventVenue"), "Place", "can-x")
    for victim in (tenant, VICTIM):
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
            runtime.database.tenant(ATTACKER) as connection,
            _index_of_another(connection, ATTACKER, victim) as index,
        ):
            index.add([], {}, [new], {"can-x": new_home}, [])
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege, match="lock a tenant"),
            runtime.database.tenant(ATTACKER) as connection,
        ):
            PostgresEntityIndex(connection, victim, SourceId("b"))
    assert _everything(runtime, tenant) == before


def _heir_of(index: PostgresEntityIndex, said: Said) -> Sized:
    index.hand_on([[said]])
    return index.members([said.entity_id])


def _index_of_another(connection: Connection, reader: TenantId, tenant: TenantId) -> PostgresEntityIndex:
    """The index that a reader opens for itself, asking for a tenant's rows: only the database is in the way."""
    index = PostgresEntityIndex(connection, reader, SourceId("b"))
    parameters = {"tenant": tenant, "source": SourceId("b")}
    index._tenant = index._keys._tenant = tenant
    index._parameters = index._additions._parameters = parameters
    index._first = index._keys._empty = index.source_is_new = False
    index._any_judged = True
    return index


def test_an_identifier_is_looked_up_without_reading_the_others(
    runtime: Runtime, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_stage, "ENTITIES_A_BATCH", 100)
    entities = [{"identifier": f"PKT-{number}"} for number in range(600)]
    with runtime.database.tenant(tenant) as connection:
        _link(connection, tenant, "src-1", *entities)
        read = connection.execute(
            "SELECT idx_tup_fetch AS rows FROM pg_stat_xact_user_tables WHERE relname = 'entity_keys'"
        ).fetchone()
    assert read is not None
    assert read["rows"] <= 2 * len(entities)


def _reads_ahead(process: psutil.Process) -> bool:
    try:
        return "loky.backend.popen_loky_posix" in process.cmdline()
    except psutil.NoSuchProcess:  # it has ended meanwhile, and perhaps nobody has asked for its exit code yet
        return False


def test_a_source_that_processes_read_ahead_is_linked_as_one_that_is_read_here(
    runtime: Runtime, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entity_parts, "ROWS_A_PART", 30)
    monkeypatch.setattr(parallel_map, "WORTH_ROWS", 1)
    halls = [*_noisy_halls("a"), OTHER]
    found = []
    working_at_the_end = []
    all_linked = PostgresEntityIndex.linked

    def watched(index: PostgresEntityIndex) -> Iterator[pa.Table]:
        below = psutil.Process().children(recursive=True)
        working_at_the_end.append([each.pid for each in below if _reads_ahead(each)])
        return all_linked(index)

    monkeypatch.setattr(PostgresEntityIndex, "linked", watched)
    for processes in (1, 2):
        out = MemoryStage()
        with (
            runtime.database.tenant(tenant) as connection,
            PostgresEntityIndex(connection, tenant, SourceId("a")) as index,
        ):
            link(
                _stage("a", halls), out, vocabulary=VOCABULARY, tenant=tenant, index=index,
                processes=partial(parallel_map.parallel_map, 2, len(halls), where="here") if processes > 1 else None,
            )  # fmt: skip
        (table,) = out.tables("links")
        kept = _everything(runtime, tenant)
        for home in kept["entities"]:
            del home["born_at"]
        found.append(([frame.to_dict("records") for frame in table.batches()], kept))
        _forget(runtime, tenant)
    assert found[0] == found[1]
    assert len(found[0][1]["entity_members"]) == len(halls)
    assert working_at_the_end == [[], []]  # what they held is room for the keys


@pytest.mark.parametrize("batch", [3, 5_000])
def test_keys_that_wait_on_disk_are_those_that_wait_in_memory(
    runtime: Runtime, tenant: TenantId, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, batch: int
) -> None:
    monkeypatch.setattr(link_stage, "ENTITIES_A_BATCH", batch)
    sources = {source: [*_noisy_halls(source), HALL, NEARLY] for source in ("a", "b")}
    found = []
    for in_memory, at_once in ((blocking_key_rows.ROWS_IN_MEMORY, blocking_key_rows.ROWS_AT_ONCE), (1, 1), (7, 20)):
        monkeypatch.setattr(blocking_key_rows, "ROWS_IN_MEMORY", in_memory)
        monkeypatch.setattr(blocking_key_rows, "ROWS_AT_ONCE", at_once)
        for source, halls in sources.items():
            with (
                runtime.database.tenant(tenant) as connection,
                PostgresEntityIndex(connection, tenant, SourceId(source), tmp_path) as index,
            ):
                link(_stage(source, halls), MemoryStage(), vocabulary=VOCABULARY, index=index, tenant=tenant)
            assert not list(tmp_path.iterdir())
        kept = _everything(runtime, tenant)
        for home in kept["entities"]:
            del home["born_at"]
        found.append(kept)
        _forget(runtime, tenant)
    assert found[0] == found[1] == found[2]
    assert found[0]["entity_blocking_keys"]


def test_keys_wait_on_disk_no_longer_than_the_index_is_open(
    runtime: Runtime, tenant: TenantId, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(blocking_key_rows, "ROWS_IN_MEMORY", 1)
    hall = Features("ent-a-0", "EventVenue")
    hall.add("name", HALL["name@en"], "en", identifying=False)

    def breaks_off() -> None:
        with (
            runtime.database.tenant(tenant) as connection,
            PostgresEntityIndex(connection, tenant, SourceId("a"), tmp_path) as index,
        ):
            index.add([], {}, [], {"can-a": Home(hall, "Place", "can-a")}, [])
            index.features(["can-a"])
            assert list(tmp_path.glob("keys-*/*.arrow"))
            raise InterruptedError

    with pytest.raises(InterruptedError):
        breaks_off()
    assert not list(tmp_path.iterdir())
    assert not _everything(runtime, tenant)["entity_blocking_keys"]
