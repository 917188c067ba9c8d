"""Which comparator a datatype has: the one visible list."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tenant_pipeline.core.conflict.comparators.codes import compare_codes, compare_urls
from tenant_pipeline.core.conflict.comparators.dates import compare_dates
from tenant_pipeline.core.conflict.comparators.measures import compare_numbers, compare_places
from tenant_pipeline.core.conflict.comparators.names import compare_names, compare_texts
from tenant_pipeline.core.conflict.comparison import Compared, Verdict
from tenant_pipeline.core.pseudonym import is_token
from tenant_pipeline.core.statement import Datatype
from tenant_pipeline.core.vocabulary import PropertyDefinition

COMPARATORS: Mapping[Datatype, Callable[[str, str, str, PropertyDefinition], Compared]] = {
    Datatype.NAME: compare_names,
    Datatype.TEXT: compare_texts,
    Datatype.ADDRESS: compare_texts,
    Datatype.CATEGORY: compare_texts,
    Datatype.IDENTIFIER: compare_codes,
    Datatype.ADMINISTRATIVE_CODE: compare_codes,
    Datatype.POSTAL_CODE: compare_codes,
    Datatype.TELEPHONE: compare_codes,
    Datatype.EMAIL: compare_codes,
    Datatype.BOOLEAN: compare_codes,
    Datatype.REFERENCE: compare_codes,
    Datatype.URL: compare_urls,
    Datatype.DATE: compare_dates,
    Datatype.GEO: compare_places,
    Datatype.NUMBER: compare_numbers,
    Datatype.AREA: compare_numbers,
}


def compare(left: str, right: str, lang: str, definition: PropertyDefinition) -> Compared:
    """Compare two values of one property. A pseudonym is the same as its like, and comparable with nothing else."""
    if left == right:
        return Compared(Verdict.SAME, "equal_after_standardisation")
    if is_token(left) or is_token(right):
        both = is_token(left) and is_token(right)
        return Compared(Verdict.DIFFERS if both else Verdict.INCOMPARABLE, "pseudonyms_differ")
    return COMPARATORS[definition.datatype](left, right, lang, definition)
