"""Dates of three languages and two eras become ISO 8601 with the precision that was given."""

from __future__ import annotations

import datetime
import json
import pathlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.standardise.dates import standardise_date
from tenant_pipeline.core.standardise.reading import Context, Unreadable

DATA = pathlib.Path(__file__).resolve().parents[4] / "shared" / "data"
THAI_MONTHS = [
    "มกราคม",
    "กุมภาพันธ์",
    "มีนาคม",
    "เมษายน",
    "พฤษภาคม",
    "มิถุนายน",
    "กรกฎาคม",
    "สิงหาคม",
    "กันยายน",
    "ตุลาคม",
    "พฤศจิกายน",
    "ธันวาคม",
]
THAI_SHORT = ["ม.ค.", "ก.พ.", "มี.ค.", "เม.ย.", "พ.ค.", "มิ.ย.", "ก.ค.", "ส.ค.", "ก.ย.", "ต.ค.", "พ.ย.", "ธ.ค."]
ENGLISH = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
THAI_DIGITS = str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙")
days = st.dates(datetime.date(1900, 1, 1), datetime.date(2056, 12, 31))


def read(value: str) -> str:
    return standardise_date(value, Context()).value


def rule(value: str) -> str:
    return standardise_date(value, Context()).rule


def refusal(value: str) -> str:
    with pytest.raises(Unreadable) as refused:
        standardise_date(value, Context())
    return refused.value.code


@given(days)
def test_buddhist_and_gregorian_spellings_of_a_day_are_one(day: datetime.date) -> None:
    buddhist, month = day.year + 543, day.month - 1
    spellings = {
        day.isoformat(),
        f"{buddhist}-{day:%m-%d}",
        f"{day.day}/{day.month}/{buddhist}",
        f"{day.day} {THAI_MONTHS[month]} {buddhist}",
        f"{day.day} {THAI_MONTHS[month]} พ.ศ. {buddhist}".translate(THAI_DIGITS),
        f"วันที่ {day.day} เดือน{THAI_MONTHS[month]} {buddhist}",
        f"{day.day} {THAI_SHORT[month]} {buddhist}",
        f"{day.day} {THAI_SHORT[month]} {day.year}",
        f"{day.day} {THAI_SHORT[month].replace('.', '')} {buddhist}",
        f"{day.day} {ENGLISH[month]} {day.year}",
        f"{ENGLISH[month][:3]} {day.day}, {day.year}",
        f"{day.day} {ENGLISH[month]} B.E. {buddhist}",
        f"{day.year}年{day.month}月{day.day}日",
        f"佛历{buddhist}年{day.month}月{day.day}日",
        f"{day:%Y%m%d}",
        f"{day:%a, %d %b %Y}",
    }
    if day.year >= 1957:
        spellings.add(f"{day.day} {THAI_SHORT[month]} {buddhist % 100:02d}")
    assert {read(spelling) for spelling in spellings} == {day.isoformat()}


@given(days, st.integers(0, 60))
def test_an_interval_holds_its_two_days(first: datetime.date, length: int) -> None:
    last = first + datetime.timedelta(length)
    expected = first.isoformat() if not length else f"{first.isoformat()}/{last.isoformat()}"
    for dash in ("-", "–", " - ", " ถึง ", " to ", "至"):
        for era in (0, 543):
            one, two = (f"{day.day} {THAI_MONTHS[day.month - 1]} {day.year + era}" for day in (first, last))
            assert read(f"{one}{dash}{two}") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12–14 มีนาคม 2569", "2026-03-12/2026-03-14"),
        ("30 มี.ค. – 2 เม.ย. 2569", "2026-03-30/2026-04-02"),
        ("30 ธ.ค. - 2 ม.ค. 2569", "2025-12-30/2026-01-02"),
        ("March 12-14, 2026", "2026-03-12/2026-03-14"),
        ("March 30 - April 2, 2026", "2026-03-30/2026-04-02"),
        ("2026年3月12日至14日", "2026-03-12/2026-03-14"),
        ("12-14/03/2569", "2026-03-12/2026-03-14"),
        ("2566-2570", "2023/2027"),
        ("2023/2024", "2023/2024"),
        ("มี.ค.-พ.ค. 2569", "2026-03/2026-05"),
    ],
)
def test_an_interval_may_say_month_and_year_once(value: str, expected: str) -> None:
    assert read(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2566", "2023"),
        ("พ.ศ. 2566", "2023"),
        ("2023.0", "2023"),
        ("มีนาคม 2566", "2023-03"),
        ("March 2023", "2023-03"),
        ("2023/03", "2023-03"),
        ("二〇二三年三月", "2023-03"),
        ("二〇二三年十二月三十一日", "2023-12-31"),
        ("วันพฤหัสบดีที่ 23 มีนาคม 2566", "2023-03-23"),
        ("29 ก.พ. 2567", "2024-02-29"),
        ("1st of March 2023", "2023-03-01"),
    ],
)
def test_the_precision_given_is_kept(value: str, expected: str) -> None:
    assert read(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2019-08-09T03:33:09.000+07:00", "2019-08-09T03:33:09+07:00"),
        ("2026-11-28T09:30:00-05:00", "2026-11-28T09:30:00-05:00"),
        ("2026-11-28T03:00-05:00", "2026-11-28T03:00-05:00"),
        ("2026-11-28 03:00:00.5 -05:00", "2026-11-28T03:00:00.5-05:00"),
        ("2026-11-28T09:30-16:00", "2026-11-28T09:30/2026-11-28T16:00"),
        ("13/03/2023 09:30-10:30", "2023-03-13T09:30/2023-03-13T10:30"),
        ("Mon, 13 Mar 2023 09:30:00 GMT", "2023-03-13T09:30:00Z"),
        ("13 มีนาคม 2566 เวลา 09.30 น.", "2023-03-13T09:30"),
        ("13 มี.ค. 2566 09.00-16.00 น.", "2023-03-13T09:00/2023-03-13T16:00"),
        ("13/03/2023 2:30 PM", "2023-03-13T14:30"),
        ("2024-05-01 00:00:00", "2024-05-01"),
    ],
)
def test_a_time_of_day_is_kept_and_a_spreadsheet_s_midnight_is_not(value: str, expected: str) -> None:
    assert read(value) == expected


def test_the_rule_says_when_day_first_was_assumed() -> None:
    assert (read("03/04/2023"), rule("03/04/2023")) == ("2023-04-03", "date-day-first-assumed")
    assert (read("13/04/2023"), rule("13/04/2023")) == ("2023-04-13", "date-day-first")
    assert (read("04/13/2023"), rule("04/13/2023")) == ("2023-04-13", "date-month-first")
    assert rule("13/04/2566") == "date-day-first-buddhist-era"


def test_a_two_digit_year_is_read_only_where_it_can_be_but_buddhist() -> None:
    assert read("13 มี.ค. 66") == "2023-03-13"
    assert read("๑๓/๓/๖๖") == "2023-03-13"
    assert refusal("13/03/66") == "date-two-digit-year"
    assert refusal("13 Mar 23") == "date-two-digit-year"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("31/02/2566", "date-impossible"),
        ("29 ก.พ. 2566", "date-impossible"),
        ("2023-13-01", "date-impossible"),
        ("13/00/2023", "date-impossible"),
        ("00/05/2023", "date-impossible"),
        ("0-5 มีนาคม 2569", "date-impossible"),
        ("2023-03-13T25:00", "date-impossible"),
        ("14-12 มีนาคม 2569", "date-interval-reversed"),
        ("1066", "date-out-of-range"),
        ("45000", "date-unreadable"),
        ("15 August", "date-unreadable"),
        ("tomorrow", "date-unreadable"),
        ("", "date-unreadable"),
        ("พ.ศ. 2566 (ค.ศ. 2023)", "date-unreadable"),
    ],
)
def test_what_is_no_date_is_refused_with_its_reason(value: str, code: str) -> None:
    assert refusal(value) == code


def test_every_date_of_real_conferences_is_read() -> None:
    folder = DATA / "events_conferences" / "conferences"
    if not folder.exists():
        pytest.skip("the conference lists are not beside this checkout")
    for path in sorted(folder.rglob("*.json")):
        for event in json.loads(path.read_text()):
            assert read(event["startDate"]) == event["startDate"]


def test_the_two_datelines_of_real_press_releases_are_read_and_mostly_one_day() -> None:
    folder = DATA / "thaigov_press_phuket" / "data"
    if not folder.exists():
        pytest.skip("the press releases are not beside this checkout")
    datelines = [
        match.groups()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for match in re.finditer(r"^(วัน\S+ที่ .*)\n(\d\d/\d\d/\d{4})$", path.read_text(), re.MULTILINE)
    ]
    days = [(read(written_out), read(in_digits)) for written_out, in_digits in datelines]
    published_on_the_day = [one for one, other in days if one == other]
    assert len(published_on_the_day) / len(days) > 0.9
