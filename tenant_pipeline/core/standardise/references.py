"""References from one entity to another: `type:scheme:key`, or an entity's own id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from tenant_pipeline.core.pseudonym import is_token
from tenant_pipeline.core.standardise.administrative_codes import standardise_administrative_code
from tenant_pipeline.core.standardise.characters import clean
from tenant_pipeline.core.standardise.identifiers import standardise_identifier
from tenant_pipeline.core.standardise.names import standardise_name
from tenant_pipeline.core.standardise.postal_codes import standardise_postal_code
from tenant_pipeline.core.standardise.reading import Context, Standardised, Standardiser, Unreadable
from tenant_pipeline.core.standardise.urls import standardise_url
from tenant_pipeline.core.statement import Datatype

_ENTITY_ID = re.compile(r"ent-[0-9a-f]{24}")
_REFERENCE = re.compile(r"([A-Z][A-Za-z0-9]*):([A-Za-z][A-Za-z0-9_-]*):(.+)")

KEY_STANDARDISERS: Mapping[Datatype, Standardiser] = {
    Datatype.ADMINISTRATIVE_CODE: standardise_administrative_code,
    Datatype.IDENTIFIER: standardise_identifier,
    Datatype.NAME: standardise_name,
    Datatype.POSTAL_CODE: standardise_postal_code,
    Datatype.URL: standardise_url,
}
"""How a reference's key is read, by the datatype of the property that its scheme names."""


def standardise_reference(value: str, context: Context) -> Standardised:
    """An entity id as it is, or `type:scheme:key` with the key in the canonical form of the scheme's property (a
    pseudonym as it is).

    Raises Unreadable when the text has neither form or the key cannot be read.
    """
    text = clean(value)
    if _ENTITY_ID.fullmatch(text):
        return Standardised(text, "reference-entity")
    match = _REFERENCE.fullmatch(text)
    if not match:
        raise Unreadable("reference-unreadable", "A reference has the form type:scheme:key or is an entity id.")
    type_, scheme, key = match.groups()
    if is_token(key):
        return Standardised(text, "reference")
    definition = context.properties.get(scheme)
    standardiser = KEY_STANDARDISERS.get(definition.datatype if definition else Datatype.IDENTIFIER)
    if standardiser is None:
        raise Unreadable("reference-scheme-unusable", "The reference's scheme is a property that names nothing.")
    return Standardised(
        f"{type_}:{scheme}:{standardiser(key, replace(context, definition=definition)).value}", "reference"
    )
