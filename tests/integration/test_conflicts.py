"""The conflict matrix: what it shows, how it keeps up with its sources, and that a signature is never overwritten."""

from __future__ import annotations

from typing import Any, LiteralString

import pytest
from psycopg import errors

from tenant_pipeline.assets.stage_metadata import conflict_metadata
from tenant_pipeline.core.digest import Sha256
from tenant_pipeline.core.errors import InputError, NotFoundError
from tenant_pipeline.core.stage import StageCount
from tenant_pipeline.services.code_version import CONFLICT_MATRIX
from tenant_pipeline.services.conflicts import reading
from tenant_pipeline.services.conflicts.resolved_values import resolved_values
from tenant_pipeline.services.conflicts.signatures import Decision
from tenant_pipeline.services.conflicts.signing import Choice, resolve
from tenant_pipeline.services.conflicts.standings import standings_of
from tenant_pipeline.services.sources import get_source
from tenant_pipeline.services.stage_records import StageRecord
from tests.integration.conflict_statements import ANN, HALL, Sources, new_tenant
from tests.integration.conftest import ATTACKER, TwoTenants

CAPACITY = ("maximumAttendeeCapacity", "")


@pytest.fixture
def sources(tenants: TwoTenants) -> Sources:
    return new_tenant(tenants.runtime)


def capacity(value: str) -> tuple[str, str, str]:
    return (*CAPACITY, value)


def sign(sources: Sources, item: dict[str, Any], number: int = 1) -> dict[str, Any]:
    return resolve(
        sources.runtime, sources.tenant, item["conflict_id"], digest=item["candidates_digest"],
        choice=Choice(Decision.CANDIDATE, number), signer=ANN,
    )  # fmt: skip


def executes(sources: Sources, statement: LiteralString) -> None:
    with sources.runtime.database.tenant(sources.tenant) as connection:
        connection.execute(statement)


def open_counts(sources: Sources) -> dict[str, int]:
    rows = sources.rows("SELECT id, conflicts_count FROM runtime.tenant_sources ORDER BY id")
    return {row["id"]: row["conflicts_count"] for row in rows}


def test_a_row_has_a_cell_for_each_source_relative_to_the_proposal(sources: Sources) -> None:
    first = sources.say(1, capacity("2500"), ("name", "en", "Makham Hall"), tier=1)
    second = sources.say(2, capacity("2500"), tier=2)
    third = sources.say(3, capacity("3500"), tier=3)
    item = sources.item()
    assert (item["label"], item["property"], item["verdict"], item["status"]) == (
        "Makham Hall", "maximumAttendeeCapacity", "differs", "open",
    )  # fmt: skip
    assert {source: cell["relation"] for source, cell in item["cells"].items()} == {
        first: "agrees", second: "agrees", third: "differs",
    }  # fmt: skip
    cell = item["cells"][third]
    assert (cell["value"], cell["raw_value"], cell["authority_tier"], cell["locator"]) == (
        "3500", " 3500", 3, "halls.csv#row=2",
    )  # fmt: skip
    assert open_counts(sources) == {first: 1, second: 1, third: 1}


def test_the_matrix_is_filtered(sources: Sources) -> None:
    first = sources.say(1, capacity("2500"), ("name", "en", "Makham Hall"), ("telephone", "", "+6676000001"), tier=1)
    sources.say(2, capacity("3500"), ("name", "en", "Rawai Pavilion"), tier=1)
    sources.say(3, ("postalCode", "", "83000"), entity="can-other")
    sources.say(4, ("postalCode", "", "83100"), entity="can-other", tier=3)

    def found(**wanted: Any) -> list[str]:
        return [item["property"] for item in sources.items(**wanted)]

    assert found() == ["maximumAttendeeCapacity", "name", "postalCode"]
    assert found(source=first) == ["maximumAttendeeCapacity", "name"]
    assert found(property="name") == ["name"]
    assert found(type="EventVenue", needs_person=False) == ["postalCode"]
    assert found(needs_person=True) == ["maximumAttendeeCapacity", "name"]
    assert found(verdict="same") == []
    assert found(status="signed") == []
    with pytest.raises(InputError, match="no such value"):
        found(status="resolved")


def test_pages_follow_one_another_without_gap_or_repetition(sources: Sources) -> None:
    for number in range(5):
        sources.say(1 + 2 * number, capacity("100"), ("postalCode", "", "83000"), entity=f"can-{number}", tier=1)
        sources.say(2 + 2 * number, capacity("900"), ("postalCode", "", "83100"), entity=f"can-{number}", tier=1)
    seen, after = [], None
    while True:
        page = reading.page_of_matrix(sources.runtime, sources.tenant, limit=3, after=after)
        seen += [item["conflict_id"] for item in page.items]
        assert len(page.items) == (3 if page.next else 1)
        if page.next is None:
            break
        after = page.next
    assert seen == [item["conflict_id"] for item in sources.items()]
    assert len(seen) == len(set(seen)) == 10


@pytest.mark.parametrize("after", ["", "x", "bnVsbA==", "WzFd", "ไทย"])
def test_a_place_that_no_page_has_given_is_refused(sources: Sources, after: str) -> None:
    with pytest.raises(InputError, match="no place in the matrix"):
        reading.page_of_matrix(sources.runtime, sources.tenant, limit=3, after=after)


def test_the_form_shows_statement_source_and_rights_of_each_candidate(sources: Sources) -> None:
    first = sources.say(1, capacity("2500"), tier=1, title="The operator's list")
    sources.say(2, capacity("3500"), tier=2)
    form = sources.form(sources.item()["conflict_id"])
    shown = form["candidates"][0]
    assert (shown["number"], shown["source_id"], shown["value"]) == (1, first, "2500")
    assert (shown["source_title"], shown["source_rights"], shown["method"]) == (
        "The operator's list",
        "CC BY 4.0",
        "test",
    )
    assert shown["first_seen"] == shown["last_seen"]
    assert (form["proposal"]["value"], form["proposal"]["rule"]) == ("2500", "authority_tier")
    assert form["proposal"]["numbers"] == [1]
    assert [choice["decision"] for choice in form["choices"]] == ["candidate", "human-pin", "both-right", "link-wrong"]
    assert form["who_may_sign"] == {
        "gate": "gate-conflict-resolution",
        "roles": ["reviewer", "platform-governance"],
        "not": None,
    }
    assert form["signature"] is None


def test_of_a_statement_about_another_entity_by_now_the_form_tells_what_the_item_has_kept(sources: Sources) -> None:
    sources.say(1, capacity("2500"), tier=1, title="The operator's list")
    sources.say(2, capacity("3500"), tier=2)
    item = sources.item()
    executes(sources, "UPDATE runtime.tenant_sources SET assembled_at = now()")
    executes(sources, "UPDATE runtime.statements SET canonical_id = 'can-moved' WHERE value = '2500'")
    moved, stayed = sources.form(item["conflict_id"])["candidates"]
    assert (moved["value"], moved["source_title"], moved["source_rights"]) == (
        "2500",
        "The operator's list",
        "CC BY 4.0",
    )
    assert (moved["entity_id"], moved["method"], moved["first_seen"], moved["last_seen"]) == (None, None, None, None)
    assert stayed["last_seen"] is not None


@pytest.mark.parametrize(
    ("tiers", "values", "says"),
    [
        ((1, 2, 3), ("1", "2", "2"), ["Sources of the best authority tier come first. 1 of 2 values are left."]),
        ((2, 2, 2), ("1", "2", "2"), ["What more independent sources say comes first; copies count once, AI text not"
                                      " at all. 1 of 2 values are left."]),
        ((2, 2, 5), ("1", "2", "2"), ["Nothing tells the values apart; the first statement by its id stands. 1 of 2"
                                      " values are left.",
                                      "A person must decide: nothing tells the values apart but the order of their"
                                      " statements."]),
    ],
)  # fmt: skip
def test_the_proposal_is_explained(
    sources: Sources, tiers: tuple[int, ...], values: tuple[str, ...], says: list[str]
) -> None:
    for number, (tier, value) in enumerate(zip(tiers, values, strict=True), 1):
        sources.say(number, capacity(f"{value}000"), tier=tier)
    explanation = sources.form(sources.item()["conflict_id"])["proposal"]["explanation"]
    assert explanation == ["The numbers differ by more than the property's tolerance.", *says]


def test_an_item_for_a_person_says_why(sources: Sources) -> None:
    sources.say(1, capacity("100"), tier=1)
    sources.say(2, capacity("900"), tier=1)
    item = sources.item()
    assert item["needs_person"]
    assert item["explanation"][-1] == "A person must decide: sources of tier 1 contradict each other."


def test_only_the_entities_that_a_source_speaks_of_are_compared_again(sources: Sources) -> None:
    sources.say(1, capacity("100"), entity="can-a")
    sources.say(2, capacity("900"), entity="can-a")
    sources.say(3, capacity("100"), entity="can-b", compare=False)
    fourth = sources.say(4, capacity("900"), entity="can-b", compare=False)
    assert [item["canonical_id"] for item in sources.items()] == ["can-a"]
    assert sources.compare(fourth).candidates == 2
    assert [item["canonical_id"] for item in sources.items()] == ["can-a", "can-b"]


def test_comparing_again_what_has_not_changed_writes_nothing(sources: Sources) -> None:
    sources.say(1, capacity("100"))
    second = sources.say(2, capacity("900"))
    written = "SELECT xmin::text, ctid::text FROM runtime.{} ORDER BY 2"
    tables = ("conflicts", "conflict_sources", "conflict_versions", "tenant_sources")
    before = [sources.rows(written.format(table)) for table in tables]
    kept = sources.compare(second).kept
    assert (kept.stale, kept.voided) == (0, 0)
    # A row lock that wrote nothing leaves xmin and ctid as they were.
    assert [sources.rows(written.format(table)) for table in tables] == before


def test_an_item_whose_sources_agree_again_becomes_stale_and_its_history_stays(sources: Sources) -> None:
    first = sources.say(1, capacity("100"))
    second = sources.say(2, capacity("900"))
    item = sources.item()
    sources.say(2, capacity("100"))
    # Each writes a space before the value, so that the raw values agree too.
    assert sources.items() == []
    assert sources.item(status="stale")["conflict_id"] == item["conflict_id"]
    form = sources.form(item["conflict_id"])
    assert [version["candidates_digest"] for version in form["versions"]] == [item["candidates_digest"]]
    assert [one["value"] for one in form["versions"][0]["candidates"]] == ["100", "900"]
    assert open_counts(sources) == {first: 0, second: 0}
    assert resolved_values(sources.runtime, sources.tenant) == []


def test_an_item_ends_when_its_source_no_longer_speaks_of_it(sources: Sources) -> None:
    sources.say(1, capacity("100"))
    sources.say(2, capacity("900"))
    sources.say(2)
    assert sources.items() == []
    assert len(sources.items(status="stale")) == 1


def test_a_source_that_falls_silent_leaves_the_item_to_the_others(sources: Sources) -> None:
    first = sources.say(1, capacity("100"))
    second = sources.say(2, capacity("900"))
    third = sources.say(3, capacity("500"))
    sources.say(3, ("postalCode", "", "83000"))
    assert set(sources.item()["cells"]) == {first, second}
    assert sources.items(source=third) == []
    assert open_counts(sources) == {first: 1, second: 1, third: 0}


def test_an_entity_that_the_source_is_no_longer_linked_to_is_compared_again(sources: Sources) -> None:
    sources.say(1, capacity("100"))
    second = sources.say(2, capacity("900"))
    with sources.runtime.database.tenant(sources.tenant) as connection:
        connection.execute("UPDATE runtime.statements SET canonical_id = 'can-other' WHERE source_id = %s", (second,))
    sources.compare(second)
    assert sources.items() == []


def test_a_stale_item_comes_back_when_its_sources_disagree_again(sources: Sources) -> None:
    sources.say(1, capacity("100"))
    sources.say(2, capacity("900"))
    sources.say(2, capacity("100"))
    sources.say(2, capacity("900"))
    assert sources.item()["status"] == "open"


def test_a_signature_stands_while_its_candidates_are_the_same(sources: Sources) -> None:
    sources.say(1, capacity("100"))
    second = sources.say(2, capacity("900"))
    signed = sign(sources, sources.item())
    assert signed["status"] == "signed"
    sources.say(2, capacity("900"))
    sources.say(3, ("postalCode", "", "83000"))
    item = sources.item()
    assert (item["status"], item["candidates_digest"]) == ("signed", signed["candidates_digest"])
    assert sources.form(item["conflict_id"])["signature"]["person"] == "ann"
    assert open_counts(sources)[second] == 0


def test_a_signed_item_reopens_when_its_candidates_change(sources: Sources) -> None:
    sources.say(1, capacity("100"))
    second = sources.say(2, capacity("900"))
    before = sources.item()
    sign(sources, before)
    sources.say(3, capacity("500"))
    item = sources.item()
    assert (item["status"], item["reopened"]) == ("open", True)
    assert item["candidates_digest"] != before["candidates_digest"]
    form = sources.form(item["conflict_id"])
    assert form["signature"] is None
    assert [(each["decision"], each["person"], each["candidates_digest"]) for each in form["signatures"]] == [
        ("candidate", "ann", before["candidates_digest"]),
        ("void", "pipeline", before["candidates_digest"]),
    ]
    assert form["signatures"][1]["reason"] == "Its candidates or their rules changed."
    assert [version["candidates_digest"] for version in form["versions"]] == [before["candidates_digest"]]
    (resolved,) = resolved_values(sources.runtime, sources.tenant)
    assert (resolved["signed"], resolved["decision"]) == (False, "proposal")
    assert open_counts(sources)[second] == 1


def test_a_signed_item_whose_sources_agree_again_keeps_its_signature_as_history_only(sources: Sources) -> None:
    sources.say(1, capacity("100"))
    sources.say(2, capacity("900"))
    signed = sign(sources, sources.item())
    sources.say(2, capacity("100"))
    form = sources.form(signed["conflict_id"])
    assert (form["status"], form["signature"]) == ("stale", None)
    assert [each["decision"] for each in form["signatures"]] == ["candidate", "void"]
    sources.say(2, capacity("900"))
    item = sources.item()
    assert (item["status"], item["reopened"]) == ("open", True), "void is void, also for the same candidates"


def test_the_database_refuses_a_signed_item_without_a_signature_on_these_candidates(
    sources: Sources, tenants: TwoTenants
) -> None:
    sources.say(1, capacity("100"))
    sources.say(2, capacity("900"))
    sign(sources, sources.item())
    for forgery, refusal in (
        ("UPDATE runtime.conflicts SET candidates_digest = repeat('b', 64)", errors.ForeignKeyViolation),
        ("UPDATE runtime.conflicts SET signature_number = 7", errors.ForeignKeyViolation),
        ("UPDATE runtime.conflicts SET signature_number = NULL", errors.CheckViolation),
        ("UPDATE runtime.conflict_signatures SET value = '1'", errors.InsufficientPrivilege),
        ("DELETE FROM runtime.conflict_signatures", errors.InsufficientPrivilege),
    ):
        with tenants.login(sources.tenant) as connection, pytest.raises(refusal):
            connection.execute(forgery)  # type: ignore[call-overload]


def test_another_tenant_sees_and_decides_nothing(sources: Sources, tenants: TwoTenants) -> None:
    sources.say(1, capacity("100"))
    sources.say(2, capacity("900"))
    item = sources.item()
    runtime = tenants.runtime
    others = Sources(runtime, ATTACKER)
    assert others.items() == []
    assert reading.counts_of_matrix(runtime, ATTACKER) == []
    assert resolved_values(runtime, ATTACKER, canonical_id=HALL) == []
    with pytest.raises(NotFoundError):
        others.form(item["conflict_id"])
    with pytest.raises(NotFoundError):
        sign(others, item)
    with tenants.login(ATTACKER) as connection:
        for table in ("conflicts", "conflict_sources", "conflict_signatures", "conflict_versions", "resolved_values"):
            seen = connection.execute(f"SELECT count(*) FROM runtime.{table}").fetchone()  # type: ignore[arg-type]
            assert seen == (0,), table


def test_the_assets_metadata_shows_the_matrix_of_the_source(sources: Sources) -> None:
    first = sources.say(1, capacity("100"), ("name", "en", "Hall"))
    second = sources.say(2, capacity("900"), ("name", "en", "Hall "))
    sources.say(3, ("postalCode", "", "83000"), entity="can-other")
    fourth = sources.say(4, ("postalCode", "", "83100"), entity="can-other")
    count = StageCount("candidate statement", 4, 4, 0, 0, 2, "compared item")
    record = StageRecord(CONFLICT_MATRIX, Sha256("a"), "v", Sha256("b"), (count,), {}, 0.1)
    with sources.runtime.database.tenant(sources.tenant) as connection:
        shown = get_source(connection, sources.tenant, second)
    metadata = conflict_metadata(sources.runtime, shown, record)
    assert metadata["matrix"].value.splitlines() == [
        "| source | maximumAttendeeCapacity | name |",
        "|---|---|---|",
        f"| {second} (this one) | 1 of 1 | 0 of 1 |",
        f"| {first} | 1 of 1 | 0 of 1 |",
    ]
    assert metadata["conflicts"] == 1
    assert f"conflict draw --tenant {sources.tenant} --source {second}" in metadata["drawing"].value
    assert fourth not in metadata["matrix"].value


def test_the_record_of_a_tenants_sources_weighs_where_no_authority_decides(sources: Sources) -> None:
    """Thirty halls that two sources agree on and a third gets wrong, and one that only the good and the bad know."""
    for number in range(30):
        for source, postcode in ((1, "83000"), (2, "83000"), (3, f"9{number:04d}")):
            sources.say(source, ("postalCode", "", postcode), entity=f"can-{number:02d}", compare=False)
    sources.say(1, capacity("2500"), compare=False)
    bad_source = sources.say(3, capacity("9999"), compare=False)
    with sources.runtime.database.tenant(sources.tenant) as connection:
        one_tenant = (sources.tenant,)
        connection.execute("UPDATE runtime.statements SET retired_at = NULL WHERE tenant_id = %s", one_tenant)
        connection.execute(
            """
            INSERT INTO runtime.entities (tenant_id, canonical_id, type, created_by_source)
            SELECT DISTINCT tenant_id, canonical_id, type, 'test' FROM runtime.statements WHERE tenant_id = %s
            """,
            one_tenant,
        )
        connection.execute(
            """
            INSERT INTO runtime.entity_members
                   (tenant_id, source_id, entity_id, canonical_id, home_id, method, score, explanation)
            SELECT DISTINCT tenant_id, source_id, entity_id, canonical_id, canonical_id, 'new', 1, '{}'::jsonb
              FROM runtime.statements WHERE tenant_id = %s
            """,
            one_tenant,
        )
        standings = standings_of(connection, sources.tenant, sources.runtime.contracts.vocabulary)
    good, _, bad = (standings[f"src-{number:016x}"].trust for number in (1, 2, 3))
    assert good > 0.9 > 0.3 > bad
    sources.compare(bad_source)
    item = sources.item(property="maximumAttendeeCapacity")
    assert (item["proposed_value"], item["proposed_rule"]) == ("2500", "trust_decayed_by_age")
    assert not item["needs_person"]


def test_the_record_is_estimated_anew_when_more_than_one_in_twenty_sources_are_new(sources: Sources) -> None:
    def found_of() -> int:
        (row,) = sources.rows("SELECT sources FROM runtime.source_standings")
        return int(row["sources"])

    for number in range(1, 41):
        sources.say(number, capacity("2500"), compare=number == 40)
    assert found_of() == 40
    for number, expected in ((41, 40), (42, 40), (43, 43)):
        sources.say(number, capacity("2500"))
        assert found_of() == expected
    (before,) = sources.rows("SELECT up_to FROM runtime.source_standings")
    for number in (1, 2, 3):  # assembled again: as good as new
        sources.say(number, capacity("3000"))
    (after,) = sources.rows("SELECT up_to FROM runtime.source_standings")
    assert after["up_to"] > before["up_to"]
