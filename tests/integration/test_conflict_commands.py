"""The commands about conflicts: what they print, what they refuse, and that what is printed is what is signed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tenant_pipeline.cli import conflict as command
from tenant_pipeline.cli import conflict_table, shell
from tenant_pipeline.core.errors import InputError, NotAllowedError, NotFoundError
from tenant_pipeline.services.conflicts import cross_tenant
from tenant_pipeline.services.conflicts.refusals import DecisionOutdatedError
from tenant_pipeline.services.runtime import Runtime
from tests.integration.conflict_statements import Sources, new_tenant
from tests.integration.conftest import ATTACKER, TwoTenants

SIGNED_BY = ("--person", "ann", "--role", "reviewer", "--reason", "Checked.")


@pytest.fixture
def sources(tenants: TwoTenants, monkeypatch: pytest.MonkeyPatch) -> Sources:
    """A tenant with two items: a capacity that the tier decides, and a postal code for a person."""

    @contextmanager
    def opened() -> Iterator[Runtime]:
        yield tenants.runtime

    monkeypatch.setattr(command, "opened", opened)
    for module in (conflict_table, shell, command):
        monkeypatch.setattr(module.console, "width", 240)
    made = new_tenant(tenants.runtime)
    made.say(1, ("maximumAttendeeCapacity", "", "2500"), tier=2, title="Register [bold]")
    made.say(2, ("maximumAttendeeCapacity", "", "3500"), tier=3, title="[/] Guide")
    made.say(3, ("postalCode", "", "83000"), entity="can-other", tier=1)
    made.say(4, ("postalCode", "", "83100"), entity="can-other", tier=1)
    return made


def run(sources: Sources, *words: str, tenant: str | None = None) -> str:
    arguments = [words[0], "--tenant", tenant or sources.tenant, *words[1:]]
    result = CliRunner().invoke(command.app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def run_json(sources: Sources, *words: str) -> Any:
    return json.loads(run(sources, *words, "--json"))


def test_an_item_goes_from_the_list_to_its_signature(sources: Sources) -> None:
    listed = run_json(sources, "list", "--property", "maximumAttendeeCapacity")
    assert listed["next"] is None
    (item,) = listed["items"]
    form = run_json(sources, "show", item["conflict_id"])
    assert [one["value"] for one in form["candidates"]] == ["2500", "3500"]
    signed = run_json(
        sources, "resolve", item["conflict_id"], "--digest", form["candidates_digest"], "--take", "2", *SIGNED_BY
    )
    assert (signed["status"], signed["signatures"][0]["value"]) == ("signed", "3500")
    values = {row["property"]: (row["value"], row["signed"]) for row in run_json(sources, "values")}
    assert values["maximumAttendeeCapacity"] == ("3500", True)
    reopened = run_json(
        sources, "reopen", item["conflict_id"], "--person", "bob", "--role", "reviewer", "--reason", "It moved."
    )
    assert (reopened["status"], reopened["reopened"]) == ("open", True)


def test_the_tables_for_people_show_what_sources_say_as_it_is(sources: Sources) -> None:
    """Titles that look like the terminal library's markup are text."""
    assert "maximumAttendeeCapacity" in run(sources, "list")
    shown = run(sources, "show", sources.item(property="maximumAttendeeCapacity")["conflict_id"])
    assert "Register [bold]" in shown
    assert "[/] Guide" in shown
    assert "May sign: reviewer" in shown
    drawn = run(sources, "draw")
    assert "Register [bold]" in drawn
    assert "proposal" in run(sources, "values")


def test_an_item_is_explained_in_the_language_that_is_asked_for(sources: Sources) -> None:
    item = sources.item(property="postalCode")["conflict_id"]
    assert "ต้องให้คนตัดสิน: แหล่งข้อมูลระดับ 1 ขัดแย้งกัน" in run(sources, "show", item, "--language", "th")
    assert "采用其中一个候选值。" in run_json(sources, "show", item, "--language", "zh")["choices"][0]["says"]
    with pytest.raises(InputError, match="not in that language"):
        run(sources, "show", item, "--language", "de")


def test_a_page_of_the_list_leads_to_the_next(sources: Sources) -> None:
    first = run_json(sources, "list", "--limit", "1")
    second = run_json(sources, "list", "--limit", "1", "--after", first["next"])
    assert (len(first["items"]), len(second["items"]), second["next"]) == (1, 1, None)
    assert first["items"][0]["conflict_id"] != second["items"][0]["conflict_id"]
    assert f"--after {first['next']}" in run(sources, "list", "--limit", "1")


def test_what_is_listed_without_a_digest_is_signed_with_it(sources: Sources) -> None:
    rule = sources.item(property="maximumAttendeeCapacity")["proposed_rule"]
    listed = run_json(sources, "resolve-all", "--rule", rule)
    assert [item["proposed_value"] for item in listed["items"]] == ["2500"]
    assert f"Digest of the list: {listed['digest']} (1 of the rule's 1 items)" in run(
        sources, "resolve-all", "--rule", rule
    )
    assert sources.items(status="signed") == []
    with pytest.raises(InputError, match="a person and a reason"):
        run(sources, "resolve-all", "--rule", rule, "--digest", listed["digest"])
    with pytest.raises(DecisionOutdatedError):
        run(sources, "resolve-all", "--rule", rule, "--digest", "0" * 64, *SIGNED_BY)
    assert "Signed 1 items. 0 of the rule's are left." in run(
        sources, "resolve-all", "--rule", rule, "--digest", listed["digest"], *SIGNED_BY
    )


def test_a_page_is_drawn_where_it_is_asked_for(sources: Sources, tmp_path: Path) -> None:
    page = tmp_path / "conflicts.html"
    run(sources, "draw", "--output", str(page))
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(InputError, match="cannot be written"):
        run(sources, "draw", "--output", str(tmp_path / "no-such-folder" / "x.html"))


@pytest.mark.parametrize("choices", [(), ("--take", "1", "--both-right"), ("--value", "3000", "--link-wrong")])
def test_a_decision_is_exactly_one_choice(sources: Sources, choices: tuple[str, ...]) -> None:
    item = sources.items()[0]
    with pytest.raises(InputError, match="one of the choices"):
        run(sources, "resolve", item["conflict_id"], "--digest", item["candidates_digest"], *choices, *SIGNED_BY)


def test_governance_reads_across_tenants_by_command(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["across", "--person", "gail", "--role", "platform-governance", "--reason", "Looking."]
    result = CliRunner().invoke(command.app, [*words, "--json"], catch_exceptions=False)
    assert set(json.loads(result.output)) == {"places", "next"}
    with pytest.raises(NotAllowedError):
        CliRunner().invoke(command.app, [*words[:4], "reviewer", *words[5:]], catch_exceptions=False)
    stopped = cross_tenant.Places([], ["identifier", "TH 1", "EventVenue"])
    monkeypatch.setattr(cross_tenant, "conflicts_across_tenants", lambda *_, **__: stopped)
    told = CliRunner().invoke(command.app, words, catch_exceptions=False).output
    assert "There are more: --after identifier 'TH 1' EventVenue" in told


def test_another_tenants_item_is_not_found_by_any_command(sources: Sources) -> None:
    item = sources.items()[0]
    for words in (
        ("show", item["conflict_id"]),
        ("resolve", item["conflict_id"], "--digest", item["candidates_digest"], "--take", "1", *SIGNED_BY),
        ("reopen", item["conflict_id"], *SIGNED_BY),
    ):
        with pytest.raises(NotFoundError):
            run(sources, *words, tenant=ATTACKER)
    assert json.loads(run(sources, "list", "--json", tenant=ATTACKER)) == {"items": [], "next": None}
