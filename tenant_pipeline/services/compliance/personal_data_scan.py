"""Look for raw personal data in everything that is kept of a tenant, with the analyser that screened its sources."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection

import pyarrow as pa

from tenant_pipeline.core.compliance.control import Control, Outcome
from tenant_pipeline.core.pseudonym import without_replacements
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.pii.declarations import CONTACT_TYPES, DeclaredClass
from tenant_pipeline.pii.policy import Action
from tenant_pipeline.services.compliance.stored_texts import FILES, stored_texts
from tenant_pipeline.services.declared_privacy import SIGNED, records
from tenant_pipeline.services.pii_analyzer import analyzer
from tenant_pipeline.services.runtime import Runtime

LOOKED_FOR = frozenset(
    {"EMAIL_ADDRESS", "PHONE_NUMBER", "TH_NATIONAL_ID", "CN_RESIDENT_ID", "CREDIT_CARD", "IBAN_CODE", "US_SSN"}
)
"""Types that have a form of their own. A name is known only by what stands around it, which a store does not keep."""

_MARKS = (
    r"(?=[0-9]*[a-f])[0-9a-f]{16,}"  # a digest
    r"|(?:can|con|dcl|ent|feed|jud|src|up)-[0-9a-f]{16,}|[a-z]+-(?=[0-9]*[a-f])[0-9a-f]{8,}"  # an id
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]{5,15}(?:Z|[-+][0-9:]{2,5})?)?"  # a time
)
_OURS = re.compile(_MARKS + r"|[-+]?(?:0|[1-9][0-9]{0,2})\.[0-9]+", re.ASCII)
"""What we write ourselves, the last of it a figure, and what a person's number never looks like."""

_OURS_IN_A_LINE = re.compile(
    r"(?<![0-9A-Za-z.+-])(?:" + _MARKS + r"|0x[0-9a-f]+"
    # A figure has at most nine digits in single precision and at least fifteen in double, a telephone number ten to
    # fourteen.
    r"|0\.[0-9]+|(?=[0-9.]{3,10}(?![0-9])|[0-9.]{16,})[1-9][0-9]{0,2}\.[0-9]+"
    r")(?![0-9A-Za-z]*[0-9]|[.+-][0-9])"
    r"|[0-2][0-9]:[0-5][0-9]:[0-5][0-9](?:[.,][0-9]{3,9})?(?![0-9])",
    re.ASCII,
)
"""The same within a line of a log, which has it beside words that elsewhere announce a telephone number."""


def raw_personal_data(runtime: Runtime, tenant: TenantId) -> Control:
    """Whether any store or log holds personal data in the clear that nobody signed for.

    Evidence tells places, types and counts, and never a value.
    """
    allowed = allowed_types(runtime, tenant)
    found: Counter[tuple[str, str]] = Counter()
    signed_for: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for place, texts in stored_texts(runtime, tenant):
        places[place] += len(texts)
        for kind, count in _found_in(texts, is_log=place.startswith(FILES)).items():
            if kind in allowed:
                signed_for[kind] += count
            else:
                found[place, kind] += count
    return Control(
        "raw-personal-data",
        "s.37(1)",
        "Personal data is kept apart from what is worked with.",
        "The analyser over every text in the database, in what is served, in the plain stage outputs, and in logs and"
        f" pages, for {', '.join(sorted(LOOKED_FOR))}. Not looked for: names, people named as deciding, and bare"
        " figures, which only their field's name would tell from a company's.",
        Outcome.NOT_MET if found else Outcome.MET,
        {
            "places": len(places),
            "texts": sum(places.values()),
            "found": [
                {"place": place, "entity_type": kind, "count": count} for (place, kind), count in sorted(found.items())
            ],
            "signed_for": dict(sorted(signed_for.items())),
        },
        "Screen the sources anew, erase what was kept, and rotate logs." if found else "",
    )


def allowed_types(runtime: Runtime, tenant: TenantId) -> frozenset[str]:
    """The types that a signed declaration in force lets a source keep in the clear."""
    with runtime.database.tenant(tenant) as connection:
        signed = [each for each in records(connection, tenant) if each.state(runtime.now()) == SIGNED]
    return frozenset(
        kind
        for each in signed
        if each.declared is DeclaredClass.BUSINESS_CONTACT or each.action is Action.ALLOW
        for kind in each.entity_types or CONTACT_TYPES
    )


def _found_in(texts: Collection[str], *, is_log: bool) -> Counter[str]:
    """How many texts hold each type, our own digests, ids, times and figures aside."""
    words = map(without_replacements, texts)
    # In a line, what is taken out leaves a mark that joins no digits.
    counted = Counter((_OURS_IN_A_LINE.sub("⟧", text) for text in words) if is_log else words)
    asked = [text for text in counted if not _OURS.fullmatch(text)]
    answers = analyzer().find_all(pa.array(asked, type=pa.string())) if asked else {}
    return Counter(
        kind
        for position, stretches in answers.items()
        for kind in {each.entity_type for each in stretches} & LOOKED_FOR
        for _ in range(counted[asked[position]])
    )
