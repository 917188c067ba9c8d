"""What a dimension lacks, and what would lift it most: by type and property, and the entities to begin with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenant_pipeline.core.coverage.dimensions import LANGUAGES
from tenant_pipeline.core.sentences.reading import Tell, in_english
from tenant_pipeline.core.sentences.saying import say
from tenant_pipeline.services.coverage import counting
from tenant_pipeline.services.coverage.scope import THINGS, Scope
from tenant_pipeline.services.coverage.timeliness import DAYS_LEFT, TIMELINESS, as_of_now
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.templates.publishing import types_asked_for
from tenant_pipeline.storage.database import Connection

MOST_LISTED = 20
MOST_GROUPS = 5
_NAMES = {"th": say("a Thai name"), "en": say("an English name"), "zh": say("a Chinese name")}


@dataclass(frozen=True)
class Lift:
    """An entity or a source that would lift the score: by how many of what is counted, and what it lacks there."""

    subject: str
    label: str
    lacks: str
    gain: int
    source: str
    locator: str


@dataclass(frozen=True)
class Shortfall:
    """`groups` are sentences on where most is lacking, the worst first; `lifts` what to begin with."""

    groups: tuple[str, ...] = ()
    lifts: tuple[Lift, ...] = ()

    def as_json(self, tell: Tell = in_english) -> dict[str, Any]:
        """Both as the command line and the API give them, as `tell` says them."""
        return {
            "groups": [tell(group) for group in self.groups],
            "lifts": [{**vars(lift), "lacks": tell(lift.lacks)} for lift in self.lifts],
        }


# A thing's label is one of its names; where it stands is the first place of its first source.
_LIFTS = f"""
, {THINGS}
, lacking AS MATERIALIZED (SELECT * FROM ({{lacking}}) AS each ORDER BY gain DESC, thing LIMIT %(most)s)
, said AS MATERIALIZED (SELECT * FROM mine WHERE thing IN (SELECT thing FROM lacking))
SELECT lacking.thing AS subject, coalesce(called.value, lacking.thing) AS label, lacking.lacks, lacking.gain,
       stands.source_id AS source, stands.locator
  FROM lacking
  LEFT JOIN LATERAL (
        SELECT value FROM said WHERE said.thing = lacking.thing AND property = 'name'
         ORDER BY lang <> 'en', lang, value LIMIT 1) AS called ON true
  LEFT JOIN LATERAL (
        SELECT source_id, locator FROM said WHERE said.thing = lacking.thing
         ORDER BY source_id, locator LIMIT 1) AS stands ON true
 ORDER BY lacking.gain DESC, lacking.thing
"""

_UNFILLED = """
SELECT things.thing, own.type, wanted.property
  FROM things CROSS JOIN LATERAL unnest(things.types) AS own (type)
  JOIN unnest(%(types)s::text[], %(properties)s::text[]) AS wanted (type, property) USING (type)
 WHERE wanted.property <> ALL (things.properties)
"""

# Counted for each fact by itself: as a join it is quadratic where the statistics know nothing of a new source yet.
_ALONE_IN_A_SOURCE = """
SELECT fact.*
  FROM (SELECT DISTINCT thing, canonical_id, property, lang FROM mine) AS fact
 CROSS JOIN LATERAL (
        SELECT count(*) AS speaking FROM runtime.statement_facts AS other
         WHERE other.tenant_id = (SELECT %(tenant)s::text) AND other.canonical_id = fact.canonical_id
           AND other.property = fact.property AND other.lang = fact.lang AND other.source_id <> %(source)s) AS others
 WHERE others.speaking = 0
"""

_ALONE_IN_A_TENANT = """
SELECT thing, canonical_id, property, lang
  FROM mine GROUP BY thing, canonical_id, property, lang HAVING min(source_id) = max(source_id)
"""

_DISPUTED = """
SELECT own.thing, conflict.property, conflict.conflict_id
  FROM (SELECT DISTINCT thing, canonical_id FROM mine) AS own
 CROSS JOIN LATERAL (
        SELECT property, conflict_id FROM runtime.conflicts
         WHERE tenant_id = (SELECT %(tenant)s::text) AND canonical_id = own.canonical_id
           AND verdict = 'differs' AND status = 'open' OFFSET 0) AS conflict
"""


def shortfall(runtime: Runtime, connection: Connection, scope: Scope, dimension: str) -> Shortfall:
    """What a dimension of the contract lacks in a source or a tenant; empty where nothing can be told."""
    look = _LOOKS.get(dimension)
    return look(runtime, connection, scope) if look else Shortfall()


def _completeness(runtime: Runtime, connection: Connection, scope: Scope) -> Shortfall:
    pairs = counting.expected_pairs(runtime.contracts.vocabulary)
    groups = scope.rows(
        connection,
        f"""
        , {THINGS}
        , unfilled AS ({_UNFILLED})
        SELECT unfilled.type, unfilled.property, count(*) AS missing,
               (SELECT count(DISTINCT thing) FROM mine WHERE mine.type = unfilled.type) AS entities
          FROM unfilled GROUP BY unfilled.type, unfilled.property ORDER BY missing DESC, type, property LIMIT %(most)s
        """,
        most=MOST_GROUPS,
        **pairs,
    )
    sentences = [_lack(row, row["property"]) for row in groups]
    lacking = f"""
        SELECT thing, string_agg(DISTINCT property, ', ' ORDER BY property) AS lacks, count(*) AS gain
          FROM ({_UNFILLED}) AS unfilled GROUP BY thing
    """
    return Shortfall(tuple(sentences), _lifts(connection, scope, lacking, _properties, **pairs))


def _language_completeness(runtime: Runtime, connection: Connection, scope: Scope) -> Shortfall:
    unnamed = """
        SELECT named.thing, named.type, wanted.lang
          FROM (SELECT thing, min(type) AS type, array_agg(DISTINCT lang) AS langs
                  FROM mine WHERE property = 'name' GROUP BY thing) AS named
         CROSS JOIN unnest(%(languages)s::text[]) AS wanted (lang)
         WHERE wanted.lang <> ALL (named.langs)
    """
    groups = scope.rows(
        connection,
        f"""
        , unnamed AS ({unnamed})
        SELECT unnamed.type, unnamed.lang, count(*) AS missing,
               (SELECT count(DISTINCT thing) FROM mine WHERE mine.type = unnamed.type AND property = 'name') AS entities
          FROM unnamed GROUP BY unnamed.type, unnamed.lang ORDER BY missing DESC, type, lang LIMIT %(most)s
        """,
        most=MOST_GROUPS,
        languages=list(LANGUAGES),
    )
    sentences = [_lack(row, _NAMES[row["lang"]]) for row in groups]
    lacking = f"""
        SELECT thing, string_agg(lang, ', ' ORDER BY lang) AS lacks, count(*) AS gain
          FROM ({unnamed}) AS unnamed GROUP BY thing
    """
    return Shortfall(tuple(sentences), _lifts(connection, scope, lacking, _name_in, languages=list(LANGUAGES)))


def _breadth(runtime: Runtime, connection: Connection, scope: Scope) -> Shortfall:
    template = types_asked_for(runtime, connection, scope.tenant)
    present = counting.template_types_present(connection, scope, runtime.contracts.vocabulary, template)
    return Shortfall(tuple(say("There is no {type:types}.", type=each) for each in template if each not in present))


def _corroboration(runtime: Runtime, connection: Connection, scope: Scope) -> Shortfall:
    facts = _ALONE_IN_A_SOURCE if scope.source else _ALONE_IN_A_TENANT
    lacking = f"""
        SELECT thing, string_agg(DISTINCT property, ', ' ORDER BY property) AS lacks,
               count(DISTINCT (property, lang)) AS gain
          FROM ({facts}) AS alone GROUP BY thing
    """
    groups = scope.rows(
        connection,
        f"""
        SELECT property, count(DISTINCT (canonical_id, lang)) AS missing FROM ({facts}) AS alone
         GROUP BY property ORDER BY missing DESC, property LIMIT %(most)s
        """,
        most=MOST_GROUPS,
    )
    sentences = tuple(
        say(
            "{count:figure} of the facts about {property:properties} are told by one source.",
            count=f"{row['missing']:,}",
            property=row["property"],
        )
        for row in groups
    )
    return Shortfall(sentences, _lifts(connection, scope, lacking, _properties))


def _consistency(runtime: Runtime, connection: Connection, scope: Scope) -> Shortfall:
    groups = scope.rows(
        connection,
        f"""
        SELECT property, count(DISTINCT conflict_id) AS missing FROM ({_DISPUTED}) AS disputed
         GROUP BY property ORDER BY missing DESC, property LIMIT %(most)s
        """,
        most=MOST_GROUPS,
    )
    sentences = tuple(
        say(
            "{count:figure} of the open conflicts are about {property:properties}.",
            count=f"{row['missing']:,}",
            property=row["property"],
        )
        for row in groups
    )
    lacking = f"""
        SELECT thing, count(DISTINCT conflict_id) AS gain,
               string_agg(DISTINCT property, ', ' ORDER BY property) AS lacks
          FROM ({_DISPUTED}) AS disputed GROUP BY thing
    """
    return Shortfall(sentences, _lifts(connection, scope, lacking, _decision_on))


def _traceability(runtime: Runtime, connection: Connection, scope: Scope) -> Shortfall:
    lacking = """
        SELECT thing, '' AS lacks, count(*) AS gain
          FROM mine WHERE locator = '' OR method = '' GROUP BY thing
    """
    return Shortfall((), _lifts(connection, scope, lacking, lambda _: say("a place or a method")))


def _of_sources(dimension: str, lacks: str) -> Callable[[Runtime, Connection, Scope], Shortfall]:
    """The sources with most that is lacking, for dimensions of what a source handed in."""

    def look(runtime: Runtime, connection: Connection, scope: Scope) -> Shortfall:
        rows = connection.execute(
            """
            SELECT source_id, denominator - numerator AS gain
              FROM runtime.coverage_scores AS score
              JOIN runtime.tenant_sources AS source
                ON source.tenant_id = score.tenant_id AND source.id = score.source_id
               AND source.ingest_status <> 'withdrawn'
             WHERE score.tenant_id = %s AND dimension = %s AND denominator > numerator
               AND (%s::text IS NULL OR source_id = %s)
             ORDER BY gain DESC, source_id LIMIT %s
            """,
            (scope.tenant, dimension, scope.source, scope.source, MOST_LISTED),
        ).fetchall()
        return _lifting_sources(rows, lacks)

    return look


def _timeliness(runtime: Runtime, connection: Connection, scope: Scope) -> Shortfall:
    rows = connection.execute(
        f"""
        SELECT source_id, %(period)s - days_left AS gain FROM ({DAYS_LEFT}) AS source
         WHERE days_left < %(period)s AND (%(source)s::text IS NULL OR source_id = %(source)s)
         ORDER BY gain DESC, source_id LIMIT %(most)s
        """,
        {**as_of_now(runtime, scope.tenant), "source": scope.source, "most": MOST_LISTED},
    ).fetchall()
    return _lifting_sources(rows, say("a newer day of observation"))


def _lifting_sources(rows: Sequence[Mapping[str, Any]], lacks: str) -> Shortfall:
    return Shortfall((), tuple(Lift(row["source_id"], "", lacks, row["gain"], row["source_id"], "") for row in rows))


def _properties(lacks: str) -> str:
    return say("{properties:properties}", properties=lacks)


def _name_in(lacks: str) -> str:
    return say("name in {languages:list}", languages=lacks)


def _decision_on(lacks: str) -> str:
    return say("a decision on {properties:properties}", properties=lacks)


def _lifts(
    connection: Connection,
    scope: Scope,
    lacking: str,
    told: Callable[[str], str],
    **parameters: Any,
) -> tuple[Lift, ...]:
    """What lifts most, by the query `lacking`; `told` says what its column `lacks` holds."""
    rows = scope.rows(connection, _LIFTS.format(lacking=lacking), most=MOST_LISTED, **parameters)
    return tuple(
        Lift(
            **{
                **row,
                "lacks": told(row["lacks"]),
                "source": row["source"] or "",
                "locator": row["locator"] or "",
            }
        )
        for row in rows
    )


def _lack(row: Mapping[str, Any], lacks: str) -> str:
    return say(
        "{share:figure} of the {entities:figure} {type:types} lack {lacks:sentence}.",
        share=_percent(row["missing"], row["entities"]),
        entities=f"{row['entities']:,}",
        type=row["type"],
        lacks=lacks,
    )


def _percent(part: int, whole: int) -> str:
    share = 100 * part / whole if whole else 0
    return "Under 1 %" if 0 < share < 1 else f"{share:.0f} %"


_LOOKS: Mapping[str, Callable[[Runtime, Connection, Scope], Shortfall]] = {
    "completeness": _completeness,
    "language_completeness": _language_completeness,
    "breadth": _breadth,
    "validity": _of_sources("validity", say("values that can be used: `tenant-pipeline stages` names the reasons")),
    "corroboration": _corroboration,
    "consistency": _consistency,
    TIMELINESS: _timeliness,
    "traceability": _traceability,
    "rights_and_privacy": _of_sources(
        "rights_and_privacy",
        say("declared rights (`tenant-pipeline source change`), or records without what was withheld"),
    ),
}
