"""Statements: the one data structure of a knowledge base, and the columns they travel in.

A statement says that an entity has a value for a property, in whose words, where it stands and how it was read.
Nothing overwrites one; a resolved value is chosen, with every candidate kept beside it.
"""

from __future__ import annotations

from enum import StrEnum

from tenant_pipeline.core.digest import short_id
from tenant_pipeline.core.tenancy import SourceId, TenantId


class Datatype(StrEnum):
    """How a property's values are standardised and compared. Each contract property names one."""

    NAME = "name"
    TEXT = "text"
    IDENTIFIER = "identifier"
    ADMINISTRATIVE_CODE = "administrative-code"
    POSTAL_CODE = "postal-code"
    ADDRESS = "address"
    TELEPHONE = "telephone"
    EMAIL = "email"
    URL = "url"
    GEO = "geo"
    DATE = "date"
    NUMBER = "number"
    AREA = "area"
    BOOLEAN = "boolean"
    CATEGORY = "category"
    REFERENCE = "reference"


STATEMENT_COLUMNS = (
    "entity_id",
    "type",
    "property",
    "value",
    "raw_value",
    "lang",
    "datatype",
    "locator",
    "method",
    "valid_from",
    "valid_to",
)
"""Columns of a `statements` table between stages. All text; absent text is the empty string, never null.

Tenant, source, authority tier and observation time are constant for a source and kept once, with it. Only what an AI
wrote has a tier of its own, whatever source it lies in: its `method` begins with AI_MARK.
"""

AI_MARK = "ai;"
"""How the `method` of a statement begins that was read from what an AI wrote."""

AI_TIER = 5
"""The best authority tier that an AI's words can have. They repeat others and confirm nobody."""


def entity_id(tenant: TenantId, source: SourceId, type_: str, key: str) -> str:
    """The id of an entity as one source speaks of it: stable for the same key, whatever row it stands in."""
    return short_id("ent-", (tenant, source, type_, key))
