"""Codes, telephone numbers, web and e-mail addresses, booleans and references."""

from __future__ import annotations

import csv
import pathlib

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_pipeline.core.standardise.administrative_codes import PROVINCE_CODES, standardise_administrative_code
from tenant_pipeline.core.standardise.booleans import standardise_boolean
from tenant_pipeline.core.standardise.emails import standardise_email
from tenant_pipeline.core.standardise.identifiers import standardise_identifier
from tenant_pipeline.core.standardise.postal_codes import standardise_postal_code
from tenant_pipeline.core.standardise.reading import Context, Standardiser, Unreadable
from tenant_pipeline.core.standardise.references import standardise_reference
from tenant_pipeline.core.standardise.telephones import standardise_telephone
from tenant_pipeline.core.standardise.urls import host_name, standardise_url
from tests.unit.core.standardise_memory import TOKEN, VOCABULARY

TAMBONS = (
    pathlib.Path(__file__).resolve().parents[4] / "shared/data/thai_gazetteers/kongvut/formats/csv/sub_districts.csv"
)
CONTEXT = Context(properties=VOCABULARY.properties)


def read(standardiser: Standardiser, value: str) -> str:
    return standardiser(value, CONTEXT).value


def refusal(standardiser: Standardiser, value: str) -> str:
    with pytest.raises(Unreadable) as refused:
        standardiser(value, CONTEXT)
    return refused.value.code


def test_there_are_77_provinces() -> None:
    assert len(PROVINCE_CODES) == 77


@given(st.sampled_from(sorted(PROVINCE_CODES)), st.integers(1, 99), st.integers(1, 99))
def test_an_administrative_code_survives_spreadsheets_and_thai_digits(
    province: str, district: int, tambon: int
) -> None:
    for code in (province, f"{province}{district:02d}", f"{province}{district:02d}{tambon:02d}"):
        thai = code.translate(str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙"))
        for spelling in (code, f"{code}.0", f" {code} ", thai, code.ljust(6, "0")):
            assert read(standardise_administrative_code, spelling) == code
    assert read(standardise_administrative_code, f"TH-{province}") == province


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("99", "administrative-code-unknown-province"),
        ("8", "administrative-code-length"),
        ("83010", "administrative-code-length"),
        ("Phuket", "administrative-code-unreadable"),
    ],
)
def test_other_codes_are_refused(value: str, code: str) -> None:
    assert refusal(standardise_administrative_code, value) == code


def test_every_tambon_code_and_postal_code_of_a_gazetteer_is_read_as_it_is() -> None:
    if not TAMBONS.exists():
        pytest.skip("the gazetteers are not beside this checkout")
    with TAMBONS.open(newline="") as file:
        for row in csv.DictReader(file):
            assert read(standardise_administrative_code, row["id"]) == row["id"]
            if row["zip_code"] not in ("", "0"):
                assert read(standardise_postal_code, row["zip_code"]) == row["zip_code"]


def test_a_postal_code_has_five_digits_of_a_province() -> None:
    assert {read(standardise_postal_code, text) for text in ("83000", "83000.0", "๘๓๐๐๐", "83,000")} == {"83000"}
    assert refusal(standardise_postal_code, "8300") == "postal-code-unreadable"
    assert refusal(standardise_postal_code, "00000") == "postal-code-out-of-range"


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        ("076-321-234", ("+6676321234",)),
        ("๐๗๖-๓๒๑-๒๓๔", ("+6676321234",)),
        ("+66 (0)76 321 234", ("+6676321234",)),
        ("โทร. 0 7632 1234", ("+6676321234",)),
        ("02-123-4567 ต่อ 12", ("+6621234567;ext=12",)),
        ("02-123-4567 ext. 12", ("+6621234567;ext=12",)),
        ("076-321234-6", ("+6676321234", "+6676321235", "+6676321236")),
        ("076-321234, 081-234-5678", ("+6676321234", "+66812345678")),
        ("076-321234/081-2345678", ("+6676321234", "+66812345678")),
        ("076-321234\n081-234-5678", ("+6676321234", "+66812345678")),
        ("Tel. ๐๗๖-๓๒๑๒๓๔\r\nMobile 081-234-5678", ("+6676321234", "+66812345678")),
        ("+66\n(0)76 321 234", ("+6676321234",)),
        (f"{TOKEN}, 076-321234", (TOKEN, "+6676321234")),
        ("1155", ("1155",)),
        ("+86 138 0013 8000", ("+8613800138000",)),
    ],
)
def test_a_telephone_number_becomes_e164(value: str, numbers: tuple[str, ...]) -> None:
    found = standardise_telephone(value, CONTEXT)
    assert (found.value, *found.others) == numbers


@pytest.mark.parametrize("value", ["1234567", "0000000000", "call reception", "076-321234, 12", ""])
def test_what_no_numbering_plan_knows_is_refused(value: str) -> None:
    assert refusal(standardise_telephone, value) in ("telephone-invalid", "telephone-unreadable")


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("HTTP://WWW.Example.COM:80/a/../b?utm_source=x&q=1#top", "http://www.example.com/b?q=1"),
        ("www.phuket.example", "https://www.phuket.example/"),
        ("https://example.org?fbclid=1", "https://example.org/"),
        (
            "https://th.wikipedia.org/wiki/ภูเก็ต",
            "https://th.wikipedia.org/wiki/%E0%B8%A0%E0%B8%B9%E0%B9%80%E0%B8%81%E0%B9%87%E0%B8%95",
        ),
        ("https://ไทย.ไทย/", "https://xn--o3cw4h.xn--o3cw4h/"),
        ("https://example.org/%7euser/%e0", "https://example.org/~user/%E0"),
        ("https://example.org:8443/", "https://example.org:8443/"),
    ],
)
def test_a_web_address_has_one_normal_form(value: str, url: str) -> None:
    assert read(standardise_url, value) == url


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("javascript:alert(1)", "url-scheme-refused"),
        ("JaVaScRiPt://example.org/%0aalert(1)", "url-scheme-refused"),
        ("java\u200bscript:alert(1)", "url-scheme-refused"),
        ("data:text/html,x", "url-scheme-refused"),
        ("file:///etc/passwd", "url-scheme-refused"),
        ("https://user:word@example.org/", "url-with-credentials"),
        ("https://intranet/", "host-unreadable"),
        ("https://exa mple.org/", "url-unreadable"),
        ("https:\\\\example.org", "url-unreadable"),
        ("our website", "url-unreadable"),
        ("https://example.org:99999/", "url-unreadable"),
    ],
)
def test_only_plain_http_addresses_are_taken(value: str, code: str) -> None:
    assert refusal(standardise_url, value) == code


_LABELS = st.text(alphabet="abyz0189-é", min_size=1, max_size=5) | st.sampled_from(["xn--p1ai", "xn--a", "a" * 64, ""])


@given(host=st.lists(_LABELS, min_size=1, max_size=4).map(".".join))
def test_a_plain_host_name_is_what_idna_makes_of_it(host: str) -> None:
    try:
        expected = idna.encode(host.rstrip("."), uts46=True).decode()
    except (idna.IDNAError, UnicodeError, IndexError):
        expected = ""
    if "." in expected:
        assert host_name(host) == expected
    else:
        with pytest.raises(Unreadable):
            host_name(host)


def test_an_email_address_keeps_its_local_part_and_folds_its_domain() -> None:
    found = standardise_email("mailto:Info@PHUKET.example; a@b.example", CONTEXT)
    assert (found.value, *found.others) == ("Info@phuket.example", "a@b.example")
    assert refusal(standardise_email, "info at phuket") == "email-unreadable"


def test_yes_and_no_are_understood_in_three_languages() -> None:
    assert {read(standardise_boolean, word) for word in ("Yes", "TRUE", "มี", "ใช่", "是", "1")} == {"true"}
    assert {read(standardise_boolean, word) for word in ("no", "False", "ไม่มี", "没有", "0.0")} == {"false"}
    assert refusal(standardise_boolean, "maybe") == "boolean-unreadable"


def test_an_identifier_keeps_its_case_and_zeros() -> None:
    assert read(standardise_identifier, " ＡＢ-００１２a\u200b ") == "AB-0012a"


def test_an_identifier_of_digits_survives_spreadsheets_and_thai_digits() -> None:
    assert {read(standardise_identifier, text) for text in ("0301", "0301.0", "๐๓๐๑")} == {"0301"}
    assert read(standardise_reference, "AdministrativeArea:identifier:8301.0") == "AdministrativeArea:identifier:8301"


def test_a_reference_s_key_is_read_like_the_property_that_its_scheme_names() -> None:
    for key in ("8301", "8301.0", "๘๓๐๑", "830100"):
        reference = f"AdministrativeArea:administrativeCode:{key}"
        assert read(standardise_reference, reference) == "AdministrativeArea:administrativeCode:8301"
    assert read(standardise_reference, "ent-" + "a" * 24) == "ent-" + "a" * 24
    assert read(standardise_reference, f"Person:email:{TOKEN}") == f"Person:email:{TOKEN}"
    assert read(standardise_reference, "Place:other: x") == "Place:other:x"
    assert refusal(standardise_reference, "Phuket") == "reference-unreadable"
    assert refusal(standardise_reference, "AdministrativeArea:administrativeCode:x") == "administrative-code-unreadable"
    assert refusal(standardise_reference, "Event:startDate:2023") == "reference-scheme-unusable"
