"""Coverage of a tenant: counted once an entity, explained by what would lift it, answered for by people."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tenant_pipeline.core.coverage.dimensions import LANGUAGES
from tenant_pipeline.core.errors import InputError, NotAllowedError, NotFoundError
from tenant_pipeline.core.gate import Band
from tenant_pipeline.core.sentences.reading import teller
from tenant_pipeline.core.sentences.saying import say
from tenant_pipeline.core.tenancy import SourceId
from tenant_pipeline.services.coverage.drawing import draw_coverage
from tenant_pipeline.services.coverage.overrides import give_override, withdraw_override
from tenant_pipeline.services.coverage.reading import explain_coverage, read_coverage, verdict_of_tenant
from tenant_pipeline.services.coverage.scope import Scope
from tenant_pipeline.services.coverage.shortfalls import Shortfall, shortfall
from tenant_pipeline.services.explanations import Check, explain, explanation_of_coverage, page_of, write_page
from tenant_pipeline.services.runtime import Runtime
from tests.integration.conflict_statements import Sources, new_tenant
from tests.integration.conftest import ATTACKER, TwoTenants

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Later(Runtime):
    """The same installation, a day on."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=1)


@dataclass(frozen=True)
class Earlier(Runtime):
    """The same installation, with a clock that was set back by a day."""

    def now(self) -> datetime:
        return datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
def sources(tenants: TwoTenants) -> Sources:
    """Two sources of one hall, with a Thai name and with a Chinese one; and another hall of the second's."""
    made = new_tenant(tenants.runtime)
    made.say(1, ("name", "th", "หอประชุม"), ("postalCode", "", "83000"), ("maximumAttendeeCapacity", "", "100"))
    made.say(2, ("name", "zh", "大会堂"), ("postalCode", "", "83000"), ("maximumAttendeeCapacity", "", "900"), tier=3)
    made.say(2, ("name", "en", "Other hall"), entity="can-other", compare=False)
    made.keep_all()
    return made


def holds_up(sources: Sources, dimension: str) -> bool:
    """Whether the dimension keeps the tenant from being green."""
    return any(each.startswith(dimension) for each in verdict_of_tenant(sources.runtime, sources.tenant).reasons)


def score(sources: Sources, dimension: str) -> tuple[int, int]:
    (found,) = [e.found for e in read_coverage(sources.runtime, sources.tenant) if e.dimension.id == dimension]
    return found.numerator, found.denominator


def lacking(sources: Sources, dimension: str) -> Shortfall:
    read = explain_coverage(sources.runtime, sources.tenant)
    return next(lacks for each, lacks in read if each.dimension.id == dimension)


def give(sources: Sources, dimension: str = "completeness", **changed: Any) -> None:
    given: dict[str, Any] = {
        "floor": Band.PASS, "reason": "A small tenant", "approver": "gail", "role": "platform-governance",
        "requested_by": "ann", "expires_at": sources.runtime.now() + HOUR,
    }  # fmt: skip
    give_override(sources.runtime, sources.tenant, dimension, **{**given, **changed})


def test_an_entity_that_two_sources_name_in_two_languages_counts_once_with_both(sources: Sources) -> None:
    """Two halls; of six names in three languages there are th and zh of the one, and en of the other."""
    assert score(sources, "language_completeness") == (3, 6)


def test_facts_are_shared_corroborated_and_disputed_over_the_tenants_entities(sources: Sources) -> None:
    """Five facts: three names, of one source each; the postcode, that both say; the capacity, that they dispute."""
    assert score(sources, "corroboration") == (1, 5)
    assert score(sources, "consistency") == (1, 2)


def test_each_dimension_says_what_is_lacking_and_what_would_lift_it_most(sources: Sources) -> None:
    languages = lacking(sources, "language_completeness")
    assert languages.groups == (
        "50 % of the 2 EventVenue lack an English name.",
        "50 % of the 2 EventVenue lack a Thai name.",
        "50 % of the 2 EventVenue lack a Chinese name.",
    )
    assert [(lift.label, lift.lacks, lift.gain) for lift in languages.lifts] == [
        ("Other hall", "name in th, zh", 2),
        ("หอประชุม", "name in en", 1),
    ]
    (disputed,) = lacking(sources, "consistency").lifts
    assert (disputed.lacks, disputed.gain) == ("a decision on maximumAttendeeCapacity", 1)
    complete = lacking(sources, "completeness")
    assert "100 % of the 2 EventVenue lack address." in complete.groups
    assert complete.lifts[0].source.startswith("src-")
    assert complete.lifts[0].locator.startswith("halls.csv#row=")
    with sources.runtime.database.tenant(sources.tenant) as connection:
        scope = Scope(sources.tenant, SourceId(f"src-{1:016x}"))
        alone = shortfall(sources.runtime, connection, scope, "corroboration")
    assert alone.groups == ("1 of the facts about name are told by one source.",)


def test_more_entities_than_are_listed_are_ranked_by_what_they_would_gain(sources: Sources) -> None:
    for number in range(30):
        sources.say(3, ("name", "en", f"Hall {number}"), entity=f"can-{number:02d}", compare=False)
    sources.keep_all()
    lifts = lacking(sources, "language_completeness").lifts
    assert len(lifts) == 20
    assert {lift.gain for lift in lifts} == {2}


def test_what_was_observed_ages_each_day_though_nothing_is_scored_anew(sources: Sources) -> None:
    with sources.runtime.database.tenant(sources.tenant) as connection:
        connection.execute(
            """
            INSERT INTO runtime.coverage_scores
                   (tenant_id, source_id, dimension, numerator, denominator, score, band, explanation, input_digest)
            SELECT tenant_id, id, 'timeliness', 1, 1, 1, 'pass', 'as of its scoring', unit_digest
              FROM runtime.tenant_sources WHERE tenant_id = %s
            """,
            (sources.tenant,),
        )
        connection.execute(
            """
            UPDATE runtime.tenant_sources SET observed_at = now() - interval '10 days 1 hour'
             WHERE tenant_id = %s AND id = %s
            """,
            (sources.tenant, f"src-{1:016x}"),
        )
    period = sources.runtime.contracts.fresh_within_days
    later = replace(sources, runtime=Later(**vars(sources.runtime)))
    for at, age in ((sources, 10), (later, 11)):
        assert score(at, "timeliness") == (period - age, period), "a source without a date has no part in it"
        (lift,) = lacking(at, "timeliness").lifts
        assert (lift.source, lift.gain) == (f"src-{1:016x}", age)
        (dated,), (undated,) = (
            [each.found for each in read_coverage(at.runtime, at.tenant, SourceId(f"src-{number:016x}"))]
            for number in (1, 2)
        )
        assert dated.explanation == f"pass because it was observed {age} days ago and stays fresh for {period}"
        assert undated.band is Band.NOT_ASSESSED


def test_an_override_counts_until_it_ends_and_leaves_the_score_as_it_is(sources: Sources) -> None:
    before = score(sources, "consistency")
    assert holds_up(sources, "consistency")
    give(sources, "consistency")
    (read,) = [e for e in read_coverage(sources.runtime, sources.tenant) if e.dimension.id == "consistency"]
    assert (read.counts_as, read.found.band) == (Band.PASS, Band.FAIL)
    assert (read.found.numerator, read.found.denominator) == before
    assert not holds_up(sources, "consistency")
    assert holds_up(replace(sources, runtime=Later(**vars(sources.runtime))), "consistency")


def test_a_clock_that_is_set_back_keeps_no_override_in_force(sources: Sources) -> None:
    behind = replace(sources, runtime=Earlier(**vars(sources.runtime)))
    with pytest.raises(InputError, match="expired already"):
        give(behind, "consistency")
    give(behind, "consistency", expires_at=sources.runtime.now() + HOUR)
    assert not holds_up(behind, "consistency")
    with sources.runtime.database.platform() as connection:
        connection.execute(
            """
            INSERT INTO runtime.coverage_overrides
                   (tenant_id, id, dimension, act, floor, reason, approver, role, requested_by, expires_at)
            SELECT tenant_id, gen_random_uuid(), dimension, act, floor, reason, approver, role, requested_by,
                   now() - interval '1 minute'
              FROM runtime.coverage_overrides WHERE tenant_id = %s
            """,
            (sources.tenant,),
        )
    assert holds_up(behind, "consistency")


def test_an_override_is_withdrawn_by_a_word_and_both_are_audited(sources: Sources) -> None:
    give(sources, "consistency")
    withdraw = {"reason": "No longer small", "person": "gail", "role": "platform-governance"}
    withdraw_override(sources.runtime, sources.tenant, "consistency", **withdraw)
    assert holds_up(sources, "consistency")
    with pytest.raises(NotFoundError):
        withdraw_override(sources.runtime, sources.tenant, "consistency", **withdraw)
    actions = sources.rows(
        "SELECT action, actor FROM runtime.audit_log WHERE subject = 'consistency' ORDER BY sequence"
    )
    assert [(row["action"], row["actor"]) for row in actions] == [
        ("coverage.override", "gail"),
        ("coverage.override-withdrawn", "gail"),
    ]


@pytest.mark.parametrize(
    ("dimension", "changed", "error"),
    [
        ("beauty", {}, InputError),
        ("traceability", {}, InputError),
        ("rights_and_privacy", {}, InputError),
        ("completeness", {"floor": Band.FAIL}, InputError),
        ("completeness", {"reason": " "}, InputError),
        ("completeness", {"requested_by": ""}, InputError),
        ("completeness", {"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, InputError),
        ("completeness", {"requested_by": "gail"}, NotAllowedError),
        ("completeness", {"requested_by": "Gail "}, NotAllowedError),
        ("completeness", {"requested_by": "somebody"}, NotAllowedError),
        ("completeness", {"approver": "ann", "requested_by": "bob"}, NotAllowedError),
        ("completeness", {"role": "reviewer"}, NotAllowedError),
        ("completeness", {"role": "founder"}, NotAllowedError),
    ],
)
def test_an_override_that_nobody_may_give_is_refused(
    sources: Sources, dimension: str, changed: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        give(sources, dimension, **changed)
    assert sources.rows("SELECT 1 FROM runtime.coverage_overrides") == []


def test_another_tenants_coverage_and_overrides_are_out_of_reach(sources: Sources) -> None:
    give(sources, "consistency")
    with sources.runtime.database.tenant(ATTACKER) as connection:
        for table in ("coverage_overrides", "coverage_scores"):
            found = connection.execute(f"SELECT 1 FROM runtime.{table} WHERE tenant_id = %s", (sources.tenant,))
            assert found.fetchall() == []
    assert explain_coverage(sources.runtime, ATTACKER, SourceId(f"src-{1:016x}")) == []
    with pytest.raises(NotFoundError):
        explain(sources.runtime, ATTACKER, SourceId(f"src-{1:016x}"), Check.COVERAGE_GREEN)


def test_a_checks_page_is_its_owners_to_read_and_replaced_whole(sources: Sources) -> None:
    source = SourceId(f"src-{1:016x}")
    told = explain(sources.runtime, sources.tenant, source, Check.CONFLICTS_DECIDED)
    assert told.verdict == "warn"
    assert told.sentences[0].startswith("1 items")
    path = write_page(sources.runtime, sources.tenant, source, Check.CONFLICTS_DECIDED, told)
    assert path == page_of(sources.runtime, sources.tenant, source, Check.CONFLICTS_DECIDED)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.stat().st_mode & 0o777 for each in list(path.parents)[:3]] == [0o700] * 3
    assert write_page(sources.runtime, sources.tenant, source, Check.CONFLICTS_DECIDED, told) == path
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("language", ["th", "zh"])
def test_a_check_is_explained_in_the_readers_language(sources: Sources, language: str) -> None:
    tell = teller(language, sources.runtime.contracts.labels)
    give(sources, "consistency", reason="Small")
    source = SourceId(f"src-{1:016x}")
    conflicts = explain(sources.runtime, sources.tenant, source, Check.CONFLICTS_DECIDED, tell)
    title = say("Coverage of {subject}", subject="-")
    coverage = explanation_of_coverage(title, sources.tenant, explain_coverage(sources.runtime, sources.tenant), tell)
    for told in (conflicts, coverage):
        assert told.verdict in ("warn", "fail")
        lines = [
            told.title,
            *told.sentences,
            *(each for table in told.tables for each in (table.heading, *table.columns)),
        ]
        lines += [re.sub("`.*`", "", each) for each in told.remedies]
        lines += [cell for table in coverage.tables[:1] for row in table.rows for cell in row]
        known = f"src-{1:016x}|gail|UTC|Small"
        assert [each for each in lines if re.search("[A-Za-z]{2,}", re.sub(known, "", each))] == []
        assert tell(told.verdict) in told.as_markdown(tell)


@pytest.mark.parametrize("language", LANGUAGES)
def test_coverage_is_drawn_in_each_language_with_what_it_counts_as(sources: Sources, language: str) -> None:
    give(sources, "consistency", reason="<b>Small</b>")
    page = draw_coverage(sources.runtime, sources.tenant, language)
    assert page.count('role="meter"') == 9
    assert "&lt;b&gt;Small&lt;/b&gt;" in page
    with pytest.raises(InputError):
        draw_coverage(sources.runtime, sources.tenant, "fr")
