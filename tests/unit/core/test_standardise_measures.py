"""Numbers, areas and positions: one decimal form, one unit."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.standardise.areas import standardise_area
from tenant_pipeline.core.standardise.coordinates import standardise_coordinates
from tenant_pipeline.core.standardise.numbers import standardise_number
from tenant_pipeline.core.standardise.reading import Context, Standardiser, Unreadable
from tenant_pipeline.core.statement import Datatype
from tenant_pipeline.core.vocabulary import PropertyDefinition

THAI_DIGITS = str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙")


def refusal(standardiser: Standardiser, value: str) -> str:
    with pytest.raises(Unreadable) as refused:
        standardiser(value, Context())
    return refused.value.code


def in_unit(unit: str | None) -> Callable[[str], str]:
    context = Context(definition=PropertyDefinition("x", Datatype.NUMBER, unit=unit))
    return lambda value: standardise_number(value, context).value


@given(st.integers(-(10**15), 10**15))
def test_a_whole_number_is_the_same_in_every_spelling(number: int) -> None:
    read = in_unit("person")
    spellings = (
        str(number),
        f"{number:,}",
        f"{number}.0",
        f"{number:,} คน",
        f"{number} people",
        str(number).translate(THAI_DIGITS),
    )
    assert {read(spelling) for spelling in spellings} == {str(number)}


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("约500", None, "500"),
        ("approx. 500", None, "500"),
        ("ประมาณ 1,200 คน", "person", "1200"),
        ("up to 2,000 people", "person", "2000"),
        ("1.5 ล้าน", None, "1500000"),
        ("3万人", "person", "30000"),
        ("45%", None, "0.45"),
        ("45%", "percent", "45"),
        ("ร้อยละ 45", "percent", "45"),
        ("1.2 km", "m", "1200"),
        ("5 m", "m", "5"),
        ("฿1,500", "THB", "1500"),
        ("1e5", None, "100000"),
        ("-0.0", None, "0"),
    ],
)
def test_counters_scales_and_percentages_are_read_in_the_property_s_unit(
    value: str, unit: str | None, expected: str
) -> None:
    assert in_unit(unit)(value) == expected


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("100-200", "number-is-a-range"),
        ("๑๐๐ ถึง ๒๐๐", "number-is-a-range"),
        ("500+", "number-is-a-lower-bound"),
        ("กว่า 500 คน", "number-is-a-lower-bound"),
        ("1,6", "number-unreadable"),
        ("1.600,5", "number-unreadable"),
        ("12 bananas", "number-with-unknown-unit"),
        ("", "number-unreadable"),
    ],
)
def test_what_is_not_one_number_is_refused(value: str, code: str) -> None:
    assert refusal(standardise_number, value) == code


@given(st.integers(0, 9999), st.integers(0, 3), st.integers(0, 99))
def test_rai_ngan_and_wah_add_up(rai: int, ngan: int, wah: int) -> None:
    expected = str(rai * 1600 + ngan * 400 + wah * 4)
    for spelling in (
        f"{rai} ไร่ {ngan} งาน {wah} ตร.ว.",
        f"{rai} ไร่ {ngan} งาน {wah} ตารางวา".translate(THAI_DIGITS),
        f"{rai}-{ngan}-{wah}",
        f"{rai} rai {ngan} ngan {wah} sq wah",
        f"{rai} rai, {ngan} ngan and {wah} square wa",
    ):
        assert standardise_area(spelling, Context()).value == expected


@pytest.mark.parametrize(
    ("value", "square_metres"),
    [
        ("1,200 ตร.ม.", "1200"),
        ("100 m²", "100"),
        ("100 sq.m.", "100"),
        ("500平方米", "500"),
        ("1000 sq ft", "92.90304"),
        ("2.5 hectares", "25000"),
        ("3亩", "2000"),
        ("25 ตารางกิโลเมตร", "25000000"),
        ("10莱", "16000"),
        ("100 ㎡", "100"),
        ("250", "250"),
    ],
)
def test_an_area_is_told_in_square_metres(value: str, square_metres: str) -> None:
    assert standardise_area(value, Context()).value == square_metres


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("-5", "area-negative"),
        ("50 ตร.ว. 2 ไร่", "area-ambiguous"),
        ("10 rai 16000 m2", "area-ambiguous"),
        ("100-200 m2", "area-unreadable"),
        ("large", "area-unreadable"),
    ],
)
def test_what_is_not_one_area_is_refused(value: str, code: str) -> None:
    assert refusal(standardise_area, value) == code


@pytest.mark.parametrize(
    "value",
    [
        "7.89,98.398333",
        "(7.89 98.398333)",
        "7.89°,98.398333°",
        "7.89°, 98.398333",
        "7.89 ˚ 98.398333 ˚",
        "๗.๘๙, ๙๘.๓๙๘๓๓๓",
        "geo:7.89,98.398333",
        "lat: 7.89, lon: 98.398333",
        "POINT(98.398333 7.89)",
        '{"type": "Point", "coordinates": [98.398333, 7.89]}',
        "7°53'24\"N 98°23'54\"E",
        "7 องศา 53 ลิปดา 24 พิลิปดา เหนือ 98 องศา 23 ลิปดา 54 พิลิปดา ตะวันออก",
        "北纬7°53′24″ 东经98°23′54″",
        "7 53 24 N, 98 23 54 E",
        "N7°53.4 E98°23.9",
        "075324N 0982354E",
        "0753.4N09823.9E",
        "N075324 E0982354",
    ],
)
def test_a_position_is_the_same_in_every_notation(value: str) -> None:
    assert standardise_coordinates(value, Context()).value == "7.890000,98.398333"


@pytest.mark.parametrize("value", ["-8.65,115.21", "lat: -8.65, lon: 115.21", "Longitude 115.21; Latitude −8.65"])
def test_a_position_south_of_the_equator_keeps_its_sign(value: str) -> None:
    assert standardise_coordinates(value, Context()).value == "-8.650000,115.210000"


def test_degrees_and_minutes_that_run_together_are_told_apart_by_their_digits() -> None:
    assert standardise_coordinates("0806N 09819E", Context()).value == "8.100000,98.316667"


def test_swapped_axes_are_put_right_only_where_thailand_leaves_no_doubt() -> None:
    swapped = standardise_coordinates("98.39, 7.88", Context())
    assert (swapped.value, swapped.rule) == ("7.880000,98.390000", "geo-swapped-in-thailand")
    assert standardise_coordinates("52.5,13.4", Context()).value == "52.500000,13.400000"
    assert refusal(standardise_coordinates, "120.5,30.2") == "geo-out-of-range"


@given(st.decimals(-90, 90, places=6), st.decimals(-180, 180, places=6))
def test_a_decimal_pair_keeps_its_six_decimals(latitude: Decimal, longitude: Decimal) -> None:
    value = f"{latitude:.6f},{longitude:.6f}"
    if latitude or longitude:
        assert standardise_coordinates(value, Context()).value == value.replace("-0.000000", "0.000000")
    else:
        assert refusal(standardise_coordinates, value) == "geo-null-island"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("0,0", "geo-null-island"),
        ("0.0000001, 0", "geo-null-island"),
        ("91,98", "geo-out-of-range"),
        ("7.88", "geo-unreadable"),
        ("7°61'N 98°E", "geo-unreadable"),
        ("7° 53", "geo-unreadable"),
        ("7N 8S", "geo-incomplete"),
        ("806N 9819E", "geo-unreadable"),
        ("86N 98E 19", "geo-unreadable"),
        ("0866N 09819E", "geo-unreadable"),
        ("08061N 098191E", "geo-unreadable"),
        ('{"type": "LineString", "coordinates": [[1, 2], [3, 4]]}', "geo-unreadable"),
    ],
)
def test_what_is_no_position_is_refused(value: str, code: str) -> None:
    assert refusal(standardise_coordinates, value) == code
