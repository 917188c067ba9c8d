"""What a release must stand before anybody may see it: write, audit, publish."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from tenant_pipeline.core.digest import canonical_json, sha256_of_bytes
from tenant_pipeline.core.errors import ContractError, InputError
from tenant_pipeline.core.pseudonym import without_replacements
from tenant_pipeline.core.template.template import Template
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.pii.declarations import CONTACT_TYPES, DeclaredClass
from tenant_pipeline.pii.policy import Action, action_for, action_named
from tenant_pipeline.services import declared_privacy, gates
from tenant_pipeline.services.coverage.reading import verdict_of_tenant
from tenant_pipeline.services.pii_analyzer import analyzer
from tenant_pipeline.services.releases.reading import Release, stored_rows
from tenant_pipeline.services.runtime import Runtime
from tenant_pipeline.services.templates.publishing import template_of_version
from tenant_pipeline.storage.database import Connection

_ROWS_AT_ONCE = 5_000


class ReleaseRefusedError(InputError):
    """The release does not stand its checks; the message names those that it fails."""

    code = "release-refused"


@dataclass(frozen=True)
class ReleaseCheck:
    """One check: whether the release stands it, what was looked at, and what can be done where it does not."""

    name: str
    passed: bool
    explanation: str
    remedy: str = ""

    def as_json(self) -> dict[str, Any]:
        """The check as the command line and the API give it."""
        return {
            "check": self.name,
            "passed": self.passed,
            "explanation": self.explanation,
            "remedy": "" if self.passed else self.remedy,
        }


@dataclass
class _Content:
    """What one pass over the documents finds."""

    digest: str = ""
    changed: int = 0
    entities: int = 0
    without_provenance: int = 0
    unknown_terms: Counter[str] = field(default_factory=Counter)
    lacking: Counter[str] = field(default_factory=Counter)
    personal: Counter[str] = field(default_factory=Counter)


def check_release(runtime: Runtime, release: Release) -> list[ReleaseCheck]:
    """Every check over a release, in bounded memory. Nothing that a source says is in what they tell."""
    with runtime.database.platform() as connection:
        template = template_of_version(runtime, connection, release.template_version)
    content = _read(runtime, release, template)
    standing = standing_checks(runtime, release)
    coverage = verdict_of_tenant(runtime, release.tenant)
    return [
        ReleaseCheck(
            "files-whole",
            content.digest == release.content_digest and not content.changed,
            f"{content.entities} documents read; {content.changed} are not what their digest says.",
            "Restore the object store from backup, or build the release again.",
        ),
        *standing,
        ReleaseCheck(
            "coverage-green",
            coverage.green,
            "Every blocking dimension counts as passed." if coverage.green else "; ".join(coverage.reasons),
            "`tenant-pipeline coverage explain` says what would lift it.",
        ),
        ReleaseCheck(
            "provenance-complete",
            content.without_provenance == 0,
            f"{content.without_provenance} values name no source and no signed decision.",
            "Run the sources again from `assemble`.",
        ),
        ReleaseCheck(
            "terms-known",
            not content.unknown_terms,
            f"{sum(content.unknown_terms.values())} types or properties are not the template's.",
            f"Map them otherwise: {', '.join(sorted(content.unknown_terms)[:5])}.",
        ),
        ReleaseCheck(
            "fits-template",
            not content.lacking,
            f"{sum(content.lacking.values())} values that template {template.version} requires are missing.",
            f"Complete them: {', '.join(sorted(content.lacking)[:5])}.",
        ),
        ReleaseCheck(
            "no-raw-personal-data",
            not content.personal,
            "Nothing that must not be raw was found."
            if not content.personal
            else "; ".join(f"{count} values of {place}" for place, count in sorted(content.personal.items())),
            "Run the source again from `screen`, or have the field declared and signed: `tenant-pipeline privacy`.",
        ),
    ]


def standing_checks(runtime: Runtime, release: Release) -> list[ReleaseCheck]:
    """The checks whose answer may be another one while the others go on, each one look into the database."""
    with runtime.database.tenant(release.tenant) as connection:
        closed = _closed_gates(runtime, connection, release)
        withdrawn = _withdrawn_sources(connection, release)
        unsigned = _unsigned_conflicts(connection, release.tenant)
    return [
        ReleaseCheck(
            "gates-open",
            not closed,
            f"{len(release.sources)} sources are in the release; the gates of {len(closed)} are closed.",
            f"Mend or override: {', '.join(closed[:5])}.",
        ),
        ReleaseCheck(
            "no-source-withdrawn",
            not withdrawn,
            f"{len(release.sources)} sources are in the release; {len(withdrawn)} of them were withdrawn.",
            f"Build it again, without {', '.join(withdrawn[:5])}.",
        ),
        ReleaseCheck(
            "conflicts-signed",
            unsigned == 0,
            f"{unsigned} conflicts wait for a signature.",
            "`tenant-pipeline conflicts` lists them.",
        ),
    ]


def require_passed(checks: list[ReleaseCheck]) -> None:
    """Return when every check passed. Raises ReleaseRefusedError naming those that did not."""
    failed = [each for each in checks if not each.passed]
    if failed:
        raise ReleaseRefusedError(
            "The release is not fit to be seen: " + "; ".join(f"{each.name} ({each.explanation})" for each in failed),
            where="release",
            remedy=" ".join(each.remedy for each in failed),
        )


def _read(runtime: Runtime, release: Release, template: Template) -> _Content:
    found, digest = _Content(), hashlib.sha256()
    vocabulary = runtime.contracts.vocabulary
    known: dict[tuple[str, str], bool] = {}

    def is_known(kind: str, name: str, look: Callable[[str], object]) -> bool:
        if (kind, name) not in known:
            try:
                look(name)
                known[kind, name] = True
            except ContractError:
                known[kind, name] = False
        return known[kind, name]

    texts: dict[str, list[str]] = defaultdict(list)
    waiting = 0
    allowed = _allowed(runtime, release.tenant)
    for row in stored_rows(runtime, release.tenant, release.stored_digest):
        document = json.loads(row["document"])
        if sha256_of_bytes(canonical_json(document)) != row["document_digest"]:
            found.changed += 1
        digest.update(f"{row['canonical_id']}\0{row['document_digest']}\n".encode())
        found.entities += 1
        if not is_known("type", document["type"], vocabulary.type):
            found.unknown_terms[document["type"]] += 1
        found.lacking.update(f"{document['type']}.{each}" for each in template.missing_in(document))
        for value in document["values"]:
            if not is_known("property", value["property"], vocabulary.property):
                found.unknown_terms[value["property"]] += 1
            if not value["sources"] and not value["decided"]:
                found.without_provenance += 1
            texts[value["property"]].append(without_replacements(value["value"], " "))
            waiting += 1
        if waiting >= _ROWS_AT_ONCE:
            found.personal.update(_personal(texts, allowed))
            texts, waiting = defaultdict(list), 0
    found.personal.update(_personal(texts, allowed))
    found.digest = digest.hexdigest()
    return found


def _personal(texts: dict[str, list[str]], allowed: Callable[[str, str], bool]) -> Counter[str]:
    """How many values hold what must not be raw, by property and type. They are looked at on their own, out of the
    context that their field's name gave them, so what is found here speaks for itself."""
    counts: Counter[str] = Counter()
    for name, values in texts.items():
        distinct = pa.array(sorted(set(values)))
        for findings in analyzer().find_all(distinct).values():
            for entity in {each.entity_type for each in findings}:
                if not allowed(name, entity):
                    counts[f"{name}: {entity}"] += 1
    return counts


def _allowed(runtime: Runtime, tenant: TenantId) -> Callable[[str, str], bool]:
    """Whether a type of personal data may stand raw in a property: by the contract, or by a signed declaration."""
    policy = runtime.contracts.pii_policy
    now = runtime.now()
    with runtime.database.tenant(tenant) as connection:
        declared = [
            each.as_declaration()
            for each in declared_privacy.records(connection, tenant)
            if each.state(now) == declared_privacy.SIGNED
        ]
    contacts = {
        entity
        for each in declared
        if each.declared is DeclaredClass.BUSINESS_CONTACT
        for entity in each.entity_types
        if entity in CONTACT_TYPES
    }
    loosened = {entity for each in declared if each.action is Action.ALLOW for entity in each.entity_types} | contacts

    def is_allowed(name: str, entity: str) -> bool:
        rules = [each for each in policy.fields if name in each.properties and entity in each.entity_types]
        action = action_named(rules[0].action, entity) if rules else action_for(policy, entity)
        return action is Action.ALLOW or entity in loosened

    return is_allowed


def _closed_gates(runtime: Runtime, connection: Connection, release: Release) -> list[str]:
    newest = gates.newest_states(connection, release.tenant, release.sources, runtime.now())
    return sorted(f"{state.source} ({state.gate})" for state in newest if not state.open)


def _withdrawn_sources(connection: Connection, release: Release) -> list[str]:
    rows = connection.execute(
        """
        SELECT id FROM runtime.tenant_sources
         WHERE tenant_id = %s AND id = ANY(%s) AND ingest_status = 'withdrawn' ORDER BY id
        """,
        (release.tenant, list(release.sources)),
    ).fetchall()
    return [row["id"] for row in rows]


def _unsigned_conflicts(connection: Connection, tenant: TenantId) -> int:
    row = connection.execute(
        "SELECT count(*) AS unsigned FROM runtime.conflicts WHERE tenant_id = %s AND status = 'open'", (tenant,)
    ).fetchone()
    return int(row["unsigned"]) if row else 0
