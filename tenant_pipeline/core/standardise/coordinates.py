"""Geographic positions: a latitude and a longitude in degrees on WGS 84."""

from __future__ import annotations

import json
import re
from decimal import Decimal

from tenant_pipeline.core.standardise.characters import coded
from tenant_pipeline.core.standardise.reading import Context, Standardised, Unreadable

THAILAND_LATITUDES = (Decimal("5.5"), Decimal("20.6"))
THAILAND_LONGITUDES = (Decimal("97.3"), Decimal("105.7"))
"""Degrees between which Thailand lies, with a margin of about ten kilometres. No longitude here can be a latitude."""

_NUMBER = r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,18})?"
_HEMISPHERES = (
    (re.compile(r"ทิศเหนือ|ละติจูดเหนือ|เหนือ|北纬|北緯|北|north", re.I), " N "),
    (re.compile(r"ทิศใต้|ใต้|南纬|南緯|南|south", re.I), " S "),
    (re.compile(r"ทิศตะวันออก|ตะวันออก|东经|東經|东|東|east", re.I), " E "),
    (re.compile(r"ทิศตะวันตก|ตะวันตก|西经|西經|西|west", re.I), " W "),
    (re.compile(r"latitude|lat\b\.?|ละติจูด|纬度|緯度", re.I), " LAT "),
    (re.compile(r"longitude|long?\b\.?|lng\b\.?|ลองจิจูด|ลองติจูด|经度|經度", re.I), " LON "),
    (re.compile(r"องศา|度|º|°|˚|deg\b", re.I), "°"),
    (re.compile(r"พิลิปดา|ฟิลิปดา|秒|″|”|“|''|’’|′′|sec\b", re.I), '"'),
    (re.compile(r"ลิปดา|分|′|’|‘|min\b", re.I), "'"),
)
_DEGREE = "[°º˚]"
_PLAIN = re.compile(
    rf"^[(\[]?\s*({_NUMBER})(?:\s?{_DEGREE}(?=\s*[,;/|]|.*{_DEGREE}))?\s*(?:[,;/|]|\s)\s*"
    rf"({_NUMBER})\s*{_DEGREE}?\s*[)\]]?$"
)
"""A pair whose numbers may have degree signs; with one behind the first alone, `7° 53` is an angle and its minutes."""
_LABELLED = re.compile(rf"^\W*(LAT|LON)[^\w+-]*({_NUMBER})\W*?(?:[,;]|\s)\s*\W*?(LAT|LON)[^\w+-]*({_NUMBER})\W*$")
_WKT_POINT = re.compile(rf"^(?:SRID=4326;)?\s*POINT\s*\(\s*({_NUMBER})\s+({_NUMBER})\s*\)$", re.IGNORECASE)
_SMALL = r"([0-9]{1,2}(?:\.[0-9]{1,18})?)"
_PARTED = r"(?<![0-9.])"
_ANGLE = rf"([0-9]{{1,3}}(?:\.[0-9]{{1,18}})?)\s*°?\s*(?:{_PARTED}{_SMALL}\s*'?\s*)?(?:{_PARTED}{_SMALL}\s*\"?\s*)?"
_SUFFIXED = re.compile(rf"^{_ANGLE}([NSEW])[\s,;/]*{_ANGLE}([NSEW])$")
_PREFIXED = re.compile(rf"^([NSEW])\s*{_ANGLE}[\s,;/]*([NSEW])\s*{_ANGLE}$")
_TWO = r"([0-9]{2}(?:\.[0-9]{1,18})?)"
_LATITUDE, _LONGITUDE = (rf"([0-9]{{{digits}}}){_TWO}{_TWO}?" for digits in (2, 3))
_SUFFIXED_RUN_TOGETHER = re.compile(rf"^{_LATITUDE}([NS])[\s,;/]*{_LONGITUDE}([EW])$")
_PREFIXED_RUN_TOGETHER = re.compile(rf"^([NS])\s*{_LATITUDE}[\s,;/]*([EW])\s*{_LONGITUDE}$")
"""Degrees, minutes and perhaps seconds without a mark between them, as in aviation and ISO 6709: `0806N 09819E`. A
latitude has two digits of degrees and a longitude three; with fewer digits nobody can tell where the minutes begin."""
_SIX_DECIMALS = Decimal("0.000001")


def standardise_coordinates(value: str, context: Context) -> Standardised:
    """`lat,lon` in decimal degrees with six decimals (about ten centimetres).

    Reads decimal pairs, degrees-minutes-seconds with English, Thai or Chinese hemispheres (run together too, as
    `0806N 09819E`, where every digit is written), labelled pairs, `geo:`
    addresses, WKT and GeoJSON points (longitude first, as those standards have it). A decimal pair whose first
    number is no Thai latitude but a Thai longitude, and whose second is a Thai latitude, is taken as swapped.

    Raises Unreadable for incomplete or out-of-range pairs and for 0,0, which is a missing position and not a place.
    """
    text = coded(value)
    latitude, longitude, rule = _read(text)
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise Unreadable("geo-out-of-range", "The latitude or longitude lies outside the globe.")
    latitude, longitude = (degrees.quantize(_SIX_DECIMALS) + 0 for degrees in (latitude, longitude))
    if not latitude and not longitude:
        raise Unreadable("geo-null-island", "The position 0,0 stands for a missing one.")
    return Standardised(f"{latitude:.6f},{longitude:.6f}", rule)


def _read(text: str) -> tuple[Decimal, Decimal, str]:
    if text.startswith("{"):
        return _geojson_point(text)
    if point := _WKT_POINT.match(text):
        return Decimal(point[2]), Decimal(point[1]), "geo-wkt"
    if pair := _PLAIN.match(re.sub(r"^geo:", "", text)):
        return _ordered(Decimal(pair[1]), Decimal(pair[2]))
    text = text.upper()
    for pattern, sign in _HEMISPHERES:
        text = pattern.sub(sign, text)
    text = " ".join(text.split())
    if labelled := _LABELLED.match(text):
        values = {labelled[1]: Decimal(labelled[2]), labelled[3]: Decimal(labelled[4])}
        if len(values) == 2:
            return values["LAT"], values["LON"], "geo-labelled"
    return _degrees_minutes_seconds(re.sub(r"\b(?:LAT|LON)\b[\s:.=]*", "", text).strip())


def _ordered(first: Decimal, second: Decimal) -> tuple[Decimal, Decimal, str]:
    def within(degrees: Decimal, limits: tuple[Decimal, Decimal]) -> bool:
        return limits[0] <= degrees <= limits[1]

    if within(first, THAILAND_LONGITUDES) and within(second, THAILAND_LATITUDES):
        return second, first, "geo-swapped-in-thailand"
    return first, second, "geo-decimal"


def _degrees_minutes_seconds(text: str) -> tuple[Decimal, Decimal, str]:
    if match := _SUFFIXED.match(text) or _SUFFIXED_RUN_TOGETHER.match(text):
        one, two = (match.groups()[:3], match[4]), (match.groups()[4:7], match[8])
    elif match := _PREFIXED.match(text) or _PREFIXED_RUN_TOGETHER.match(text):
        one, two = (match.groups()[1:4], match[1]), (match.groups()[5:8], match[5])
    else:
        raise Unreadable("geo-unreadable", "The value is not a pair of latitude and longitude.")
    angles = {}
    for angle, hemisphere in (one, two):
        degrees, minutes, seconds = (Decimal(part or 0) for part in angle)
        if minutes >= 60 or seconds >= 60:
            raise Unreadable("geo-unreadable", "Minutes and seconds of an angle stay below sixty.")
        size = degrees + minutes / 60 + seconds / 3600
        angles["NS" if hemisphere in "NS" else "EW"] = -size if hemisphere in "SW" else size
    if len(angles) < 2:
        raise Unreadable("geo-incomplete", "The value names one axis twice and the other not at all.")
    return angles["NS"], angles["EW"], "geo-degrees-minutes-seconds"


def _geojson_point(text: str) -> tuple[Decimal, Decimal, str]:
    try:
        geometry = json.loads(text, parse_float=Decimal, parse_int=Decimal)
        longitude, latitude = geometry["coordinates"][:2]
        if geometry["type"] != "Point" or not (isinstance(longitude, Decimal) and isinstance(latitude, Decimal)):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError, ArithmeticError):
        raise Unreadable("geo-unreadable", "The value is not a GeoJSON point.") from None
    return latitude, longitude, "geo-geojson"
