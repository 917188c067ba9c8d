"""A person's word makes one entity of two or two of one, all that hangs on them follows, and it can be taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tenant_pipeline.cli import link as link_command
from tenant_pipeline.cli import shell
from tenant_pipeline.core.errors import InputError, NotAllowedError, NotFoundError
from tenant_pipeline.core.stage import Stage
from tenant_pipeline.linking.score import Match
from tenant_pipeline.services import judgements
from tenant_pipeline.services.conflicts.authority import Signer
from tenant_pipeline.services.conflicts.matrix import update_conflicts
from tenant_pipeline.services.conflicts.reading import Filter, list_conflicts, page_of_matrix
from tenant_pipeline.services.conflicts.signatures import Decision
from tenant_pipeline.services.conflicts.signing import Choice, resolve
from tenant_pipeline.services.coverage.scoring import update_coverage
from tenant_pipeline.services.judgements import count_proposed_pairs, judge, judged_pairs, list_pairs, reverse
from tenant_pipeline.services.lineage import every_record
from tenant_pipeline.services.link_explanations import show_entity, show_pair
from tenant_pipeline.services.normalisation import run_stage
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.withdrawals import withdraw_source
from tenant_pipeline.storage.assemble import assemble
from tests.integration.conftest import ATTACKER, TwoTenants
from tests.integration.judgement_steps import CAPACITY, WORD, Tenant


@pytest.fixture(scope="module")
def runtime(tenants: TwoTenants) -> Runtime:
    return tenants.runtime


@pytest.fixture
def tenant(runtime: Runtime, tmp_path: Path) -> Tenant:
    return Tenant(runtime, tmp_path)


def test_same_makes_one_of_two_the_older_id_stays_and_reversing_puts_everything_back(tenant: Tenant) -> None:
    first, second = tenant.add("a", "Assembly Hall,100,,,"), tenant.add("b", "Assembly Hall,200,,,")
    older, younger = tenant.canonical(first), tenant.canonical(second)
    assert older != younger
    (pair,) = list_pairs(tenant.runtime, tenant.id)
    assert ({pair["left_id"], pair["right_id"]}, pair["left_name"]) == ({older, younger}, "Assembly Hall")
    before = tenant.state()

    judged = judge(tenant.runtime, tenant.id, younger, older, Match.SAME, **WORD)
    assert judged.canonical == (older, older)
    assert [(each.change, each.from_id, each.into_id) for each in judged.changes] == [("merge", younger, older)]
    assert tenant.canonical(second) == older
    assert tenant.said_of(second) == tenant.said_of(first) == {older}
    assert list_pairs(tenant.runtime, tenant.id) == []
    tenant.add("c", "Assembly Hall,200,,,")

    undone = reverse(tenant.runtime, tenant.id, judged.sequence, **WORD)
    assert [(each.change, each.from_id, each.into_id) for each in undone.changes] == [("split", older, younger)]
    after = tenant.state()
    for table in ("members", "features", "said"):
        kept = [row for row in after[table] if row in before[table]]
        assert kept == before[table], table
    (log,) = [tenant.rows("SELECT change, from_id, into_id FROM runtime.identity_changes ORDER BY sequence")]
    assert log == [
        {"change": "merge", "from_id": younger, "into_id": older},
        {"change": "split", "from_id": older, "into_id": younger},
    ]


def test_a_judgement_makes_the_records_of_the_sources_it_touches_stale_and_no_others(tenant: Tenant) -> None:
    first, second = tenant.add("a", "Assembly Hall,100,,,"), tenant.add("b", "Assembly Hall,200,,,")
    other = tenant.add("c", "Sarasin Pavilion,40,,,")
    assert list_conflicts(tenant.runtime, tenant.id, source=None, property_=CAPACITY, verdict=None, limit=9) == []
    judged = judge(tenant.runtime, tenant.id, tenant.canonical(first), tenant.canonical(second), Match.SAME, **WORD)
    assert set(judged.sources) == {first, second}
    assert update_conflicts(tenant.runtime, tenant.id, other).repeated
    assert not update_conflicts(tenant.runtime, tenant.id, first).repeated
    assert not update_coverage(tenant.runtime, tenant.id, second).repeated
    assert update_conflicts(tenant.runtime, tenant.id, first).repeated
    (item,) = list_conflicts(tenant.runtime, tenant.id, source=None, property_=CAPACITY, verdict=None, limit=9)
    assert (item["canonical_id"], item["values"], item["verdict"]) == (judged.canonical[0], ["100", "200"], "differs")
    reverse(tenant.runtime, tenant.id, judged.sequence, **WORD)
    for source in (first, second):
        update_conflicts(tenant.runtime, tenant.id, source)
    found = list_conflicts(tenant.runtime, tenant.id, source=None, property_=CAPACITY, verdict="differs", limit=9)
    assert found == []


def test_different_takes_apart_what_linking_had_joined_and_it_stays_apart(tenant: Tenant) -> None:
    row = "Makham Bay Convention Centre,100,83000,7.8312,98.4071"
    first, second = tenant.add("a", row), tenant.add("b", row)
    canonical = tenant.canonical(first)
    assert tenant.canonical(second) == canonical
    (entity,) = tenant.rows(f"SELECT entity_id FROM runtime.entity_members WHERE source_id = '{second}'")
    judged = judge(tenant.runtime, tenant.id, canonical, entity["entity_id"], Match.DIFFERENT, **WORD)
    own = tenant.canonical(second)
    assert (own != canonical, tenant.said_of(second), tenant.said_of(first)) == (True, {own}, {canonical})
    assert [each.change for each in judged.changes] == ["split"]
    run_stage(tenant.runtime, tenant.id, second, Stage.ASSEMBLE)
    assert tenant.said_of(second) == {own}
    reverse(tenant.runtime, tenant.id, judged.sequence, **WORD)
    assert tenant.canonical(second) == canonical
    judge(tenant.runtime, tenant.id, own, canonical, Match.UNSURE, **WORD)
    assert tenant.canonical(second) == own


def test_what_linking_joined_keeps_its_id_though_the_databases_clock_was_set_back_between(tenant: Tenant) -> None:
    row = "Makham Bay Convention Centre,100,83000,7.8312,98.4071"
    first = tenant.add("a", row)
    canonical = tenant.canonical(first)
    with tenant.runtime.database.administration() as connection:
        connection.execute(
            "UPDATE runtime.entities SET born_at = born_at + interval '1 hour' WHERE tenant_id = %s", (tenant.id,)
        )
    second = tenant.add("b", row)
    third = tenant.canonical(tenant.add("c", "Sarasin Pavilion,40,,,"))
    judged = judge(tenant.runtime, tenant.id, canonical, third, Match.DIFFERENT, **WORD)
    assert judged.changes == ()
    assert tenant.canonical(first) == tenant.canonical(second) == canonical


def test_a_pair_whose_judgement_was_taken_back_goes_to_people_when_others_stand_between_it(tenant: Tenant) -> None:
    row = "Makham Bay Convention Centre,100,83000,7.8312,98.4071"
    first, second = tenant.add("a", row), tenant.add("b", row)
    third = tenant.canonical(tenant.add("c", "Sarasin Pavilion,40,,,"))
    one = tenant.canonical(first)
    (entity,) = tenant.rows(f"SELECT entity_id FROM runtime.entity_members WHERE source_id = '{second}'")
    judged = judge(tenant.runtime, tenant.id, one, entity["entity_id"], Match.DIFFERENT, **WORD)
    other = tenant.canonical(second)
    reverse(tenant.runtime, tenant.id, judged.sequence, **WORD)
    assert list_pairs(tenant.runtime, tenant.id) == []
    judge(tenant.runtime, tenant.id, one, third, Match.SAME, **WORD)
    judge(tenant.runtime, tenant.id, other, third, Match.DIFFERENT, **WORD)
    (pair,) = list_pairs(tenant.runtime, tenant.id)
    assert ({pair["left_id"], pair["right_id"]}, pair["score"] > 0.9) == ({one, other}, True)


def test_a_pair_waits_for_nobody_once_nobody_says_one_side_any_more(tenant: Tenant) -> None:
    tenant.add("a", "Assembly Hall,100,,,")
    second = tenant.add("b", "Assembly Hall,200,,,")
    assert len(list_pairs(tenant.runtime, tenant.id)) == count_proposed_pairs(tenant.runtime, tenant.id) == 1
    withdraw_source(tenant.runtime, tenant.id, second, **WORD)
    assert list_pairs(tenant.runtime, tenant.id) == []
    assert count_proposed_pairs(tenant.runtime, tenant.id) == 0
    assert tenant.rows("SELECT status FROM runtime.judgements") == [{"status": "proposed"}], "it may be said again"


def hold_wrong(tenant: Tenant) -> None:
    """Have a reviewer of the one open conflict say that its sources speak of different things."""
    (item,) = page_of_matrix(tenant.runtime, tenant.id, Filter(property=CAPACITY, status="open"), limit=9).items
    resolve(
        tenant.runtime, tenant.id, item["conflict_id"], digest=item["candidates_digest"],
        choice=Choice(Decision.LINK_WRONG), signer=Signer(**WORD),
    )  # fmt: skip


def test_a_link_that_a_conflict_shows_to_be_wrong_is_put_to_people_each_time_it_is_said(tenant: Tenant) -> None:
    place = "83000,7.8312,98.4071"
    halls = [tenant.add(name, f"Makham Bay Convention Centre,{size},{place}") for name, size in (("a", 1), ("b", 9))]
    canonical = tenant.canonical(halls[0])
    assert tenant.canonical(halls[1]) == canonical
    tenant.add("c", "Makham Bay Convention Centre,,,,")
    (in_doubt,) = list_pairs(tenant.runtime, tenant.id)

    hold_wrong(tenant)
    pair, after = list_pairs(tenant.runtime, tenant.id)
    assert after["id"] == in_doubt["id"], "what somebody has held to be wrong comes first"
    assert pair["left_canonical_id"] == pair["right_canonical_id"] == canonical
    assert count_proposed_pairs(tenant.runtime, tenant.id) == 2
    ends = pair["left_id"], pair["right_id"]

    judged = judge(tenant.runtime, tenant.id, *ends, Match.DIFFERENT, **WORD)
    assert tenant.canonical(halls[1]) != canonical
    assert pair["id"] not in [each["id"] for each in list_pairs(tenant.runtime, tenant.id)]
    reverse(tenant.runtime, tenant.id, judged.sequence, **WORD)
    for hall in halls:
        update_conflicts(tenant.runtime, tenant.id, hall)
    hold_wrong(tenant)
    assert list_pairs(tenant.runtime, tenant.id)[0]["id"] == pair["id"]

    stands = judge(tenant.runtime, tenant.id, *ends, Match.SAME, **WORD).sequence
    with pytest.raises(InputError, match=f"judgement {stands} stands"):
        hold_wrong(tenant)
    reverse(tenant.runtime, tenant.id, stands, **WORD)
    assert list_pairs(tenant.runtime, tenant.id)[0]["id"] == pair["id"]


def test_a_source_assembled_again_from_old_links_follows_what_was_judged_since(tenant: Tenant) -> None:
    first, second = tenant.add("a", "Assembly Hall,100,,,"), tenant.add("b", "Assembly Hall,200,,,")
    older = tenant.canonical(first)
    judge(tenant.runtime, tenant.id, older, tenant.canonical(second), Match.SAME, **WORD)
    records = {record.stage: record for record in every_record(tenant.runtime, tenant.source(second))}
    store = tenant.runtime.stage_store(tenant.id)
    links, statements = (store.read(records[stage].output_digest) for stage in (Stage.LINK, Stage.VALIDATE))
    with tenant.runtime.database.tenant(tenant.id) as connection:
        assemble(connection, tenant.id, second, links, statements, tenant.runtime.now())
    assert tenant.said_of(second) == {older}


def test_judgements_that_contradict_one_another_are_refused_and_change_nothing(tenant: Tenant) -> None:
    a, b, c = (tenant.canonical(tenant.add(name, f"{name} Assembly Hall,1,,,")) for name in ("North", "East", "West"))
    judge(tenant.runtime, tenant.id, a, c, Match.DIFFERENT, **WORD)
    judge(tenant.runtime, tenant.id, a, b, Match.SAME, **WORD)
    before = tenant.state()
    with pytest.raises(InputError, match="contradicts what was judged"):
        judge(tenant.runtime, tenant.id, b, c, Match.SAME, **WORD)
    assert tenant.state() == before
    assert len(judgements.history(tenant.runtime, tenant.id)) == 2
    with pytest.raises(InputError, match="stands as same already"):
        judge(tenant.runtime, tenant.id, a, b, Match.SAME, **WORD)
    judge(tenant.runtime, tenant.id, a, b, Match.UNSURE, **WORD)
    with pytest.raises(InputError, match="was judged again since"):
        reverse(tenant.runtime, tenant.id, 2, **WORD)


def test_who_may_not_judge_is_refused(tenant: Tenant) -> None:
    for wrong, error in (
        ({"role": "viewer"}, NotAllowedError), ({"role": "founder"}, NotAllowedError),
        ({"person": "bob@city.example"}, NotAllowedError), ({"person": " "}, InputError), ({"reason": ""}, InputError),
    ):  # fmt: skip
        with pytest.raises(error):
            judge(tenant.runtime, tenant.id, "can-a", "can-b", Match.SAME, **{**WORD, **wrong})
        with pytest.raises(error):
            reverse(tenant.runtime, tenant.id, 1, **{**WORD, **wrong})


def test_every_judgement_is_in_the_audit_log_with_the_person_and_the_reason(tenant: Tenant) -> None:
    first, second = tenant.add("a", "Assembly Hall,100,,,"), tenant.add("b", "Assembly Hall,200,,,")
    judged = judge(tenant.runtime, tenant.id, tenant.canonical(first), tenant.canonical(second), Match.SAME, **WORD)
    reverse(tenant.runtime, tenant.id, judged.sequence, **WORD)
    rows = tenant.rows(
        "SELECT action, actor, details FROM runtime.audit_log WHERE action LIKE 'link.%' ORDER BY sequence"
    )
    assert [(row["action"], row["actor"], row["details"]["judgement"], row["details"]["before"]) for row in rows] == [
        ("link.judged", WORD["person"], "same", "none"),
        ("link.reversed", WORD["person"], "none", "same"),
    ]
    assert {row["details"]["reason"] for row in rows} == {WORD["reason"]}


def test_labels_come_with_the_features_of_both_sides(tenant: Tenant) -> None:
    first, second = tenant.add("a", "Assembly Hall,100,83000,,"), tenant.add("b", "Assembly Hall,200,83100,,")
    ends = sorted((tenant.canonical(first), tenant.canonical(second)))
    judge(tenant.runtime, tenant.id, *ends, Match.DIFFERENT, **WORD)
    ((left, right, label),) = judged_pairs(tenant.runtime, tenant.id)
    assert ([left.entity_id, right.entity_id], label) == (ends, Match.DIFFERENT)
    assert {*left.values["postalCode"], *right.values["postalCode"]} == {"83000", "83100"}


def test_an_entity_and_a_pair_are_explained_by_their_parts(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    row = "Makham Bay Convention Centre,100,83000,7.8312,98.4071"
    first, second, third = (
        tenant.add("a", row),
        tenant.add("b", row),
        tenant.add("c", "Makham Bay Convention Centre,,,,"),
    )
    shown = show_entity(tenant.runtime, tenant.id, tenant.canonical(first))
    assert [each["method"] for each in sorted(shown["members"], key=lambda each: each["method"])] == ["new", "score"]
    (scored,) = [each for each in shown["members"] if each["method"] == "score"]
    explanation = scored["explanation"]
    total = explanation["prior_bits"] + sum(part["bits"] for part in explanation["parts"])
    assert (scored["source_id"], abs(total - explanation["bits"]) < 0.02) == (second, True)
    (pair,) = list_pairs(tenant.runtime, tenant.id)
    told = show_pair(tenant.runtime, tenant.id, pair["id"])
    assert {side["canonical_id"] for side in told["sides"]} == {tenant.canonical(first), tenant.canonical(third)}
    assert told["explanation"]["parts"]

    monkeypatch.setattr(shell, "open_runtime", lambda *_, **__: _Opened(tenant.runtime))
    for identifier in (tenant.canonical(first), pair["id"]):
        drawn = CliRunner().invoke(link_command.app, ["show", identifier, "--tenant", tenant.id])
        assert drawn.exit_code == 0, drawn.output
        said = CliRunner().invoke(link_command.app, ["show", identifier, "--tenant", tenant.id, "--json"])
        assert json.loads(said.output)["homes" if identifier.startswith("can-") else "sides"]


def test_the_command_line_lists_judges_reverses_and_tells_the_history(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tenant.add("a", "Assembly Hall,100,,,"), tenant.add("b", "Assembly Hall,200,,,")
    ends = [tenant.canonical(first), tenant.canonical(second)]
    monkeypatch.setattr(shell, "open_runtime", lambda *_, **__: _Opened(tenant.runtime))
    word = [part for name, value in WORD.items() for part in (f"--{name}", value)]

    def said(*arguments: str) -> Any:
        done = CliRunner().invoke(link_command.app, [*arguments, "--tenant", tenant.id, "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.output)

    assert [{pair["left_id"], pair["right_id"]} for pair in said("list")] == [set(ends)]
    judged = said("judge", *ends, "same", *word)
    assert (judged["canonical_ids"], judged["changes"][0]["change"]) == ([ends[0]], "merge")
    assert said("reverse", str(judged["sequence"]), *word)["canonical_ids"] == sorted(ends)
    assert [row["judgement"] for row in said("history")] == ["same", "none"]
    assert CliRunner().invoke(link_command.app, ["history", "--tenant", tenant.id]).exit_code == 0


class _Opened:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def __enter__(self) -> Runtime:
        return self._runtime

    def __exit__(self, *_: object) -> None:
        return


def test_another_tenant_lists_shows_judges_and_reverses_nothing(tenant: Tenant) -> None:
    first, second = tenant.add("a", "Assembly Hall,100,,,"), tenant.add("b", "Assembly Hall,200,,,")
    ends = tenant.canonical(first), tenant.canonical(second)
    judged = judge(tenant.runtime, tenant.id, *ends, Match.SAME, **WORD)
    runtime, before = tenant.runtime, tenant.state()
    assert list_pairs(runtime, ATTACKER, status=None) == []
    assert judgements.history(runtime, ATTACKER) == judged_pairs(runtime, ATTACKER) == []
    pair = tenant.rows("SELECT id FROM runtime.judgements")[0]["id"]
    with pytest.raises(NotFoundError):
        show_entity(runtime, ATTACKER, ends[0])
    with pytest.raises(NotFoundError):
        show_pair(runtime, ATTACKER, pair)
    with pytest.raises(NotFoundError):
        judge(runtime, ATTACKER, *ends, Match.DIFFERENT, **WORD)
    with pytest.raises(NotFoundError):
        reverse(runtime, ATTACKER, judged.sequence, **WORD)
    assert tenant.state() == before
