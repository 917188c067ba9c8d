"""vCard 2.1, 3 and 4: contacts as records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, BinaryIO

import vobject

from tenant_pipeline.core.generic_words import is_called_like_an_organisation
from tenant_pipeline.intake.readers.component_blocks import component_blocks
from tenant_pipeline.intake.readers.item import Item, Items, Problem
from tenant_pipeline.intake.readers.storable import storable

_MANY = {"telephone": ("tel", "tel:"), "email": ("email", "mailto:"), "url": ("url", "")}
_ADDRESS_PARTS = ("box", "extended", "street", "city", "region", "code", "country")


def looks_like_vcard(text: str, path: str) -> bool:
    """Whether the text begins a vCard."""
    return text.lstrip("\ufeff \t\r\n")[:11].upper() == "BEGIN:VCARD"


def read_vcard(stream: BinaryIO, encoding: str) -> Items:
    """A record a card; a card that cannot be parsed is a problem and the rest goes on."""
    for number, block in component_blocks(stream, encoding, "VCARD"):
        try:
            if block is None:
                raise ValueError
            card = next(vobject.readComponents(block, allowQP="QUOTED-PRINTABLE" in block.upper()))
            yield Item("contacts", f"card={number}", _values(card.contents))
        except MemoryError:
            raise
        except Exception:  # vobject's own error, and whatever its decoders stumble into
            yield Problem(f"card={number}", "broken-card", "The card cannot be parsed.")


def _values(contents: dict[str, list[Any]]) -> dict[str, str | None]:
    organisation = _first(contents, "org")
    name = _first(contents, "fn") or _first(contents, "n") or organisation
    personal = _is_of_a_person(contents, name)
    values: dict[str, str | None] = {
        "name": organisation if personal else name,
        "contact person": name if personal else None,
        "organization": organisation,
        "job title": _first(contents, "title"),
    }
    for field, (name, scheme) in _MANY.items():
        said = [_text(line.value).removeprefix(scheme) for line in contents.get(name, [])]
        values[field] = "; ".join(dict.fromkeys(filter(None, said))) or None
    values |= _address(contents.get("adr", []))
    latitude, longitude = _geo(_first(contents, "geo") or "")
    values |= {"latitude": latitude, "longitude": longitude}
    for field, name in (("description", "note"), ("kind", "kind"), ("uid", "uid"), ("categories", "categories")):
        values[field] = _first(contents, name)
    return values


def _is_of_a_person(contents: dict[str, list[Any]], name: str | None) -> bool:
    """Whether a card says that it is a person's or has the parts of a person's name, and is not called like a business.

    What such a person is called stands in a field of persons: of a few cards, nothing else tells that it is a name.
    """
    kind = (_first(contents, "kind") or "").lower()
    if kind not in ("", "individual") or (_first(contents, "x-abshowas") or "").upper() == "COMPANY":
        return False
    organisation = _first(contents, "org") or ""
    if name in (organisation, organisation.partition(", ")[0]):
        return False
    if kind:
        return True
    if "n" not in contents or is_called_like_an_organisation(name or ""):
        return False
    parts = contents["n"][0].value
    said = parts.split(";")[:2] if isinstance(parts, str) else (parts.family, parts.given)
    return any(map(_text, said))


def _address(lines: list[Any]) -> dict[str, str | None]:
    if not lines:
        return {}
    address = lines[0].value
    if isinstance(address, str):
        return {"address": _text(address) or None}
    parts = {part: _text(getattr(address, part, "")) for part in _ADDRESS_PARTS}
    return {
        "address": ", ".join(filter(None, parts.values())) or None,
        "city": parts["city"] or None,
        "postal code": parts["code"] or None,
        "country": parts["country"] or None,
    }


def _first(contents: dict[str, list[Any]], name: str) -> str | None:
    return next((said for line in contents.get(name, []) if (said := _text(line.value))), None)


def _text(value: Any) -> str:
    """A value as text; of a list, as organisations with their departments are, the parts with commas."""
    if isinstance(value, str | bytes):
        text = value if isinstance(value, str) else ""
    elif isinstance(value, Iterable):
        text = ", ".join(filter(None, map(_text, value)))
    else:
        text = " ".join(str(value).split())
    return storable(text).strip()


def _geo(text: str) -> tuple[str | None, str | None]:
    """Latitude and longitude of `7.88;98.39` and of `geo:7.88,98.39`."""
    numbers = text.removeprefix("geo:").replace(";", ",").split(",")
    try:
        latitude, longitude = (str(float(number)) for number in numbers[:2])
    except ValueError:
        return None, None
    return latitude, longitude
