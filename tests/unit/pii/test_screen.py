"""What the stage promises: nothing raw passes, nothing is lost, and the verdict says why."""

from __future__ import annotations

import io
import random
import re
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from stdnum import luhn
from stdnum.th import pin

from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.errors import ContractError
from tenant_pipeline.core.gate import Band
from tenant_pipeline.core.pseudonym import TOKEN_PATTERN, is_token
from tenant_pipeline.core.stage import StageCount
from tenant_pipeline.core.standardise.reading import Context
from tenant_pipeline.core.standardise.text import standardise_text
from tenant_pipeline.intake.readers.item import Item
from tenant_pipeline.intake.readers.workbook import read_workbook
from tenant_pipeline.pii.analyzer import Found, PiiAnalyzer
from tests.unit.pii.memory_stage import MemoryStage, digest_key, pii_policy, records_stage
from tests.unit.pii.screening import dashed, numbers, run, values
from tests.unit.pii.staff import STAFF


def test_a_source_without_personal_data_passes_unchanged(analyzer: PiiAnalyzer) -> None:
    stage = records_stage({"ชื่อ": ["หาดป่าตอง", None], "lat": ["7.896", "7.9"]})
    out, count, verdict = run(analyzer, stage, agreement=False)
    assert verdict.band is Band.PASS
    assert verdict.findings == ()
    assert out.written["t00001"].whole().equals(stage.written["t00001"].whole())
    assert out.written["t00001"].descriptor == stage.written["t00001"].descriptor
    assert count == StageCount("record", 2, 2, 0, 0, 2, "record")
    assert out.written["findings"].rows == 0


def test_found_values_are_replaced_and_the_rest_of_the_text_stays(analyzer: PiiAnalyzer) -> None:
    out, _, verdict = run(analyzer, records_stage({"note": ["โทร 081-234-5678 ครับ", "หาดกะตะ"]}))
    first, second = values(out)
    assert first is not None
    assert first.startswith("โทร ⟦PHONE_NUMBER:k1:")
    assert first.endswith("⟧ ครับ")
    assert second == "หาดกะตะ"
    assert verdict.band is Band.WARN


def test_the_same_number_has_the_same_token_in_every_column_and_another_for_another_tenant(
    analyzer: PiiAnalyzer,
) -> None:
    stage = records_stage({"tel": ["081-234-5678"], "มือถือ": ["๐๘๑๒๓๔๕๖๗๘"]})
    out, _, _ = run(analyzer, stage)
    assert values(out) == values(out, "f0001")
    assert is_token(str(values(out)[0]))
    other, _, _ = run(analyzer, stage, key=digest_key("k2", b"1" * 32))
    assert values(other) != values(out)


@pytest.mark.parametrize(
    ("action", "expected"),
    [("mask", "โทร ⟦PHONE_NUMBER⟧"), ("drop", None), ("allow", "โทร 081-234-5678")],
)
def test_policy_decides_what_becomes_of_a_value(analyzer: PiiAnalyzer, action: str, expected: str | None) -> None:
    policy = pii_policy(actions={"PHONE_NUMBER": action})
    out, _, verdict = run(analyzer, records_stage({"note": ["โทร 081-234-5678"]}), policy)
    assert values(out) == [expected]
    assert verdict.findings[0]["action"] == action
    assert verdict.band is Band.WARN


def test_an_action_that_does_not_exist_is_refused(analyzer: PiiAnalyzer) -> None:
    with pytest.raises(ContractError, match="no action shred"):
        run(analyzer, records_stage({"note": ["081-234-5678"]}), pii_policy(default_action="shred"))


def test_a_record_that_policy_withholds_is_quarantined_with_a_reason_that_quotes_nothing(
    analyzer: PiiAnalyzer,
) -> None:
    columns = {"ชื่อ": ["ก", "ข"], "โทร 0899999999": ["3-1006-00445-63-5", "x"]}
    policy = pii_policy(actions={"TH_NATIONAL_ID": "quarantine"}, quarantined_share_fail=0.5)
    out, count, verdict = run(analyzer, records_stage(columns), policy)
    assert (count.rows_in, count.rows_out, count.quarantined) == (2, 1, 1)
    assert values(out) == ["ข"]
    assert list(out.written["t00001"].whole()["record"]) == [1]
    assert out.rejects == [
        {
            "locator": "o00001#row=2",
            "code": "pii-th-national-id",
            "reason": "TH_NATIONAL_ID in field 2 of table t00001; the policy withholds such records.",
            "disposition": "quarantined",
        }
    ]
    assert verdict.band is Band.WARN
    assert "3-1006-00445-63-5" not in out.everything()
    assert "0899999999" not in out.everything()


def test_too_many_quarantined_records_close_the_gate(analyzer: PiiAnalyzer) -> None:
    policy = pii_policy(actions={"TH_NATIONAL_ID": "quarantine"}, quarantined_share_fail=0.1)
    _, _, verdict = run(analyzer, records_stage({"id": ["3-1006-00445-63-5", "x"]}), policy)
    assert verdict.band is Band.FAIL
    assert "50.0% of the records are quarantined" in verdict.reasons[0]


def test_every_record_withheld_leaves_an_empty_table(analyzer: PiiAnalyzer) -> None:
    policy = pii_policy(default_action="quarantine")
    out, count, _ = run(analyzer, records_stage({"id": ["3-1006-00445-63-5"]}), policy)
    assert count.rows_out == 0
    assert list(out.written["t00001"].whole().columns) == ["record", "locator", "f0000"]


def test_findings_without_a_signed_agreement_close_the_gate(analyzer: PiiAnalyzer) -> None:
    stage = records_stage({"mail": ["a@example.com"]})
    _, _, without = run(analyzer, stage, agreement=False)
    assert without.band is Band.FAIL
    assert "no data handling agreement" in without.reasons[0]
    _, _, not_required = run(analyzer, stage, pii_policy(requires_agreement=False), agreement=False)
    assert not_required.band is Band.WARN


def test_personal_data_in_names_paths_and_locators_does_not_pass(analyzer: PiiAnalyzer) -> None:
    stage = records_stage(
        {"เบอร์ 081-234-5678": ["x", "y"]},
        about={
            "path": "จาก นายสมชาย ใจดี/0812345678.csv",
            "name": "somchai@example.com",
            "headers": [{"081-234-5678": 1}],
            "number": 812345678,
        },
        locators=["o00001#sheet=โทร 081-234-5678&row=2", "o00001#/คน/somchai@example.com/17"],
    )
    out, _, verdict = run(analyzer, stage, pii_policy(actions={"PHONE_NUMBER": "quarantine"}))
    text = out.everything()
    for raw in ("081-234-5678", "0812345678", "somchai@example.com", "สมชาย"):
        assert raw not in text
    locators = list(out.written["t00001"].whole()["locator"])
    assert locators[0] == "o00001#sheet=โทร ⟦PHONE_NUMBER⟧&row=2"
    assert locators[1].startswith("o00001#/คน/⟦EMAIL_ADDRESS:k1:")
    assert locators[1].endswith("⟧/17")
    assert {finding["field"] for finding in verdict.findings} == {"(field name)", "(description)", "(locator)"}


def test_plain_locators_stay_as_they_are(analyzer: PiiAnalyzer) -> None:
    locators = ["o00001#row=17", "o00001#/0/features/3", "o00001#message=3f2504e0-4f89-41d3-9a0c-0305e82c3301"]
    out, _, _ = run(analyzer, records_stage({"a": ["x"] * 3}, locators=locators))
    assert list(out.written["t00001"].whole()["locator"]) == locators


def test_a_source_cannot_bring_its_own_tokens(analyzer: PiiAnalyzer) -> None:
    forged = f"⟦PHONE_NUMBER:k1:{'0' * 32}⟧"
    out, _, _ = run(analyzer, records_stage({"tel": [forged]}))
    assert values(out) != [forged]
    assert str(values(out)[0]).startswith("⟦SOURCE_TOKEN:k1:")


class Overlooking(PiiAnalyzer):
    """Overlooks the second number of a text as long as the first is there."""

    def find_all(
        self, values: object, context: object = (), sought: frozenset[str] | None = None
    ) -> dict[int, tuple[Found, ...]]:
        answers = super().find_all(values, context, sought)  # type: ignore[arg-type]
        return {index: found[:1] for index, found in answers.items()}


def test_what_is_still_there_after_replacement_is_withheld_and_closes_the_gate(analyzer: PiiAnalyzer) -> None:
    overlooking = Overlooking(analyzer.engine, analyzer.prefiltered)
    stage = records_stage({"note": ["081-234-5678 or 089-876-5432", "x"]})
    out, count, verdict = run(overlooking, stage)
    assert verdict.band is Band.FAIL
    assert "still found after replacement" in verdict.reasons[0]
    assert count.quarantined == 1
    assert out.rejects[0]["code"] == "pii-residual-phone-number"
    assert "089-876-5432" not in out.everything()


def test_findings_are_counted_by_occurrence_and_name_no_value(analyzer: PiiAnalyzer) -> None:
    out, _, verdict = run(analyzer, records_stage({"tel": ["081-234-5678"] * 3 + ["0812345678, 0898765432"]}))
    (finding,) = verdict.findings
    assert (finding["entity_type"], finding["table"], finding["field"], finding["count"], finding["action"]) == (
        "PHONE_NUMBER", "t00001", "tel", 5, "hash",
    )  # fmt: skip
    assert out.written["findings"].whole().to_dict("records") == [dict(finding)]


def test_zero_padded_codes_are_no_telephone_numbers(analyzer: PiiAnalyzer) -> None:
    chance = random.Random(11)
    codes = [f"{chance.randrange(10**10):010d}" for _ in range(2_000)]
    out, _, verdict = run(analyzer, records_stage({"code": codes}))
    assert verdict.band is Band.PASS
    assert values(out) == codes


def test_a_column_of_bare_ids_is_found_even_where_they_could_be_time_stamps(analyzer: PiiAnalyzer) -> None:
    ids = [base + pin.calc_check_digit(base) for base in ("160070000001", "165010000002", "170020000003")]
    out, _, _ = run(analyzer, records_stage({"x": ids}))
    assert all(is_token(str(cell)) for cell in values(out))


COMPANIES, PERSONS = numbers(10553600031, 60), numbers(183990055551, 40)
CARDS = [base + luhn.calc_check_digit(base) for base in (f"{411111111111111 + 7 * n}" for n in range(40))]
MOBILES = [f"1380013{n:04d}" for n in range(40)]


@pytest.mark.parametrize("field", ["tax id", "เลขประจำตัวผู้เสียภาษี", "x"])
@pytest.mark.parametrize(("companies", "persons"), [(60, 40), (6, 4), (1, 1)])
def test_the_ids_of_persons_among_those_of_companies_are_withheld(
    analyzer: PiiAnalyzer, field: str, companies: int, persons: int
) -> None:
    column = COMPANIES[:companies] + PERSONS[:persons]
    out, count, _ = run(analyzer, records_stage({field: column}), load_contracts().pii_policy)
    assert not [number for number in PERSONS if number in out.everything()]
    assert count.quarantined == persons
    assert values(out) == COMPANIES[:companies]


def test_cards_among_other_numbers_are_withheld(analyzer: PiiAnalyzer) -> None:
    out, count, _ = run(analyzer, records_stage({"ref": COMPANIES + CARDS}), load_contracts().pii_policy)
    assert not [number for number in CARDS if number in out.everything()]
    assert (count.quarantined, values(out)) == (40, COMPANIES)


@pytest.mark.parametrize("batch", [45, 25])
def test_mobile_numbers_among_codes_of_nine_digits_do_not_pass(analyzer: PiiAnalyzer, batch: int) -> None:
    codes = [str(123450000 + n) for n in range(25)]
    mobiles = [f"08123456{n:02d}" for n in range(20)]
    out, _, _ = run(analyzer, records_stage({"ref": codes + mobiles}, batch=batch))
    assert not [number for number in mobiles if number in out.everything()]
    assert values(out)[:25] == codes


@pytest.mark.parametrize("field", ["national_id", "x"])
def test_numbers_that_were_written_as_floats_are_withheld_like_whole_ones(analyzer: PiiAnalyzer, field: str) -> None:
    floats = [*(f"{number}.0" for number in PERSONS), None]
    cards = [*(f"{number}.00" for number in CARDS), None]
    stage = records_stage({field: floats + [None] * 41, "ref": [None] * 41 + cards})
    out, count, _ = run(analyzer, stage, load_contracts().pii_policy)
    assert not [number for number in (*PERSONS, *CARDS) if number in out.everything()]
    assert count.quarantined == 80


def test_what_replaces_a_float_covers_all_of_it(analyzer: PiiAnalyzer) -> None:
    whole, float_ = (
        values(run(analyzer, records_stage({"บัตรประชาชน": [text]}))[0]) for text in (PERSONS[0], f"{PERSONS[0]}.0")
    )
    assert whole == float_
    assert is_token(str(whole[0]))


@pytest.mark.parametrize(("first", "batch"), [(3_000, 5_000), (30, 30), (3_000, 2_000)])
def test_what_comes_late_in_a_column_decides_as_what_comes_first(analyzer: PiiAnalyzer, first: int, batch: int) -> None:
    stage = records_stage({"tax id": numbers(10553600031, first) + PERSONS}, batch=batch)
    out, count, _ = run(analyzer, stage, load_contracts().pii_policy)
    assert not [number for number in PERSONS if number in out.everything()]
    assert count.quarantined == 40


def test_what_a_column_holds_only_later_is_found_from_there_on(analyzer: PiiAnalyzer) -> None:
    stage = records_stage({"ref": ["-"] * 30 + PERSONS}, batch=30)
    out, count, _ = run(analyzer, stage, load_contracts().pii_policy)
    assert not [number for number in PERSONS if number in out.everything()]
    assert count.quarantined == 40
    out, _, _ = run(analyzer, records_stage({"owner": ["-"] * 30 + STAFF}, batch=30))
    assert_nobody_is_named(out)


@pytest.mark.parametrize("tail", ["", ".0"])
def test_time_stamps_are_still_no_ids(analyzer: PiiAnalyzer, tail: str) -> None:
    chance = random.Random(5)
    stamps = [f"{chance.randrange(1_600_000_000_000, 1_700_000_000_000)}{tail}" for _ in range(300)]
    codes = [f"{chance.randrange(10**16):016d}{tail}" for _ in range(300)]
    out, count, _ = run(analyzer, records_stage({"at": stamps, "code": codes}), load_contracts().pii_policy)
    assert count.quarantined == 0
    assert (values(out), values(out, "f0001")) == (stamps, codes)


def test_bare_numbers_in_the_names_of_fields_and_sheets_do_not_pass(analyzer: PiiAnalyzer) -> None:
    named = (PERSONS[0], CARDS[0], MOBILES[0])
    stage = records_stage(
        {**dict.fromkeys(named, ["paid"] * 4), "amount": ["1"] * 4},
        about={"name": PERSONS[1], "headers": [{CARDS[1]: MOBILES[1]}, int(PERSONS[2])], "sheet": MOBILES[2]},
        locators=[
            f"o00001#sheet={MOBILES[3]}&row=2",
            f"o00001#/{PERSONS[3]}",
            f"o00001#/a/{CARDS[2]}/0",
            f"o00001#/{MOBILES[4]}/{MOBILES[5]}/1",
        ],
    )
    out, count, _ = run(analyzer, stage)
    assert not [number for number in (*PERSONS, *CARDS, *MOBILES) if number in out.everything()]
    assert count.quarantined == 0
    assert out.written["t00001"].descriptor.fields[-1] == "amount"


def test_time_stamps_in_locators_stay_as_they_are(analyzer: PiiAnalyzer) -> None:
    chance = random.Random(5)
    locators = [f"o00001#message={chance.randrange(1_600_000_000_000, 1_700_000_000_000)}" for _ in range(300)]
    out, _, _ = run(analyzer, records_stage({"a": ["x"] * 300}, locators=locators))
    assert list(out.written["t00001"].whole()["locator"]) == locators


PLACES = ["Kata Beach", "หาดป่าตอง", "普吉镇", "Old Town", "ถลาง", "Bang Tao", "Karon", "Kamala", "Surin", "King Power"]


def assert_nobody_is_named(out: MemoryStage) -> None:
    everything = out.everything()
    assert not [name for name in STAFF if name in everything]


def test_keys_that_are_names_of_persons_do_not_pass_in_locators(analyzer: PiiAnalyzer) -> None:
    locators = [f"o00001#/{name}" for name in STAFF]
    out, count, _ = run(analyzer, records_stage({"key": STAFF}, locators=locators))
    assert_nobody_is_named(out)
    assert list(out.written["t00001"].whole()["locator"]) == [f"o00001#/{token}" for token in values(out)]
    assert count.quarantined == 0
    locators = [f"o00001#/staff/{name}/{row}" for row, name in enumerate([*STAFF, "081-234-5678"])]
    out, _, _ = run(analyzer, records_stage({"hours": ["8"] * 13}, locators=locators))
    assert_nobody_is_named(out)
    assert "081-234-5678" not in out.everything()


def test_fields_that_are_called_after_persons_do_not_pass(analyzer: PiiAnalyzer) -> None:
    out, _, _ = run(analyzer, records_stage({"วันที่": ["1"], **{name: ["8"] for name in STAFF}}))
    assert_nobody_is_named(out)
    nested = {f"hours.{name}": ["8"] for name in STAFF}
    out, _, _ = run(analyzer, records_stage({**nested, "hours.081.234.5678": ["8"], "day": ["1"]}))
    assert_nobody_is_named(out)
    fields = out.written["t00001"].descriptor.fields
    assert len({name.partition(".")[0] for name in fields[:-1]}) == 1
    assert fields[-2].endswith(".⟦PHONE_NUMBER:k1:" + fields[-2][-33:])
    assert all(is_token(name.partition(".")[2]) for name in fields[:-1])


def test_sheets_that_are_called_after_persons_do_not_pass(analyzer: PiiAnalyzer) -> None:
    workbook = MemoryStage()
    for number, name in enumerate(STAFF):
        sheet = records_stage({"hours": ["8"]}, about={"name": name}, locators=[f"o00001#sheet={name}&row=2"])
        table = sheet.written["t00001"]
        table.descriptor = replace(table.descriptor, name=f"t{number:05d}")
        workbook.written[table.descriptor.name] = table
    out, _, _ = run(analyzer, workbook)
    assert_nobody_is_named(out)
    (locator,) = out.written["t00000"].whole()["locator"]
    assert locator == f"o00001#sheet={out.written['t00000'].descriptor.about['name']}&row=2"


def test_titles_notes_and_further_tables_of_sheets_that_are_called_after_persons_do_not_pass(
    analyzer: PiiAnalyzer,
) -> None:
    book = Workbook()
    book.remove(book.active)
    for name in STAFF:
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name.isascii() else "visible"
        for row in (["Timesheet"], [], ["day", "hours"], ["Mon", 8], ["Tue", 7], [], ["place", "rooms"], ["Hall", 3]):
            sheet.append(row)
    written = io.BytesIO()
    book.save(written)
    tables = defaultdict[str, list[Item]](list)
    for item in read_workbook(written, ""):
        assert isinstance(item, Item)
        tables[item.table].append(item)
    assert {"John Carter (hidden) notes", "陈静 table 2"} < set(tables)
    workbook = MemoryStage()
    for number, (name, items) in enumerate(tables.items()):
        columns = {field: [item.values.get(field) for item in items] for field in items[0].values}
        locators = [f"o00001#{item.locator}" for item in items]
        table = records_stage(columns, about={"name": name}, locators=locators).written["t00001"]
        table.descriptor = replace(table.descriptor, name=f"t{number:05d}")
        workbook.written[table.descriptor.name] = table
    out, _, _ = run(analyzer, workbook)
    assert_nobody_is_named(out)
    names = {table.descriptor.about["name"] for table in out.tables("records")}
    assert len({name.partition("⟧")[0] for name in names}) == len(STAFF)
    assert all(name.startswith("⟦PERSON:") for name in names)


def test_files_that_are_called_after_persons_do_not_pass(analyzer: PiiAnalyzer) -> None:
    files = MemoryStage()
    for number, name in enumerate(STAFF):
        about = {"object": f"o{number:05d}", "path": f"CVs.zip!/staff/{name}.pdf"}
        table = records_stage({"hours": ["8"]}, about=about).written["t00001"]
        table.descriptor = replace(table.descriptor, name=f"t{number:05d}")
        files.written[table.descriptor.name] = table
    out, _, _ = run(analyzer, files)
    assert_nobody_is_named(out)
    assert out.written["t00000"].descriptor.about["path"].endswith("⟧.pdf")


def test_fields_under_one_header_that_are_called_after_persons_do_not_pass(analyzer: PiiAnalyzer) -> None:
    out, _, _ = run(analyzer, records_stage({"day": ["1"], **{f"Hours {name}": ["8"] for name in STAFF}}))
    assert_nobody_is_named(out)
    places = tuple(f"Visitors {place}" for place in PLACES)
    out, _, _ = run(analyzer, records_stage({place: ["8"] for place in places}))
    assert out.written["t00001"].descriptor.fields == places


def test_keys_and_fields_that_are_called_after_places_stay_as_they_are(analyzer: PiiAnalyzer) -> None:
    locators = [f"o00001#/places/{place}" for place in PLACES]
    stage = records_stage(dict.fromkeys(PLACES, ["8"] * len(PLACES)), locators=locators)
    out, _, _ = run(analyzer, stage)
    assert list(out.written["t00001"].whole()["locator"]) == locators
    assert out.written["t00001"].descriptor.fields == tuple(PLACES)


def test_the_output_does_not_depend_on_how_rows_are_batched(analyzer: PiiAnalyzer) -> None:
    columns = {"tel": [f"081-234-{n:04d}" for n in range(100)], "n": [f"นายสมชาย ใจดี{n}" for n in range(100)]}
    whole, _, verdict = run(analyzer, records_stage(columns))
    pieces, _, again = run(analyzer, records_stage(columns, batch=7))
    assert whole.written["t00001"].whole().equals(pieces.written["t00001"].whole())
    assert verdict == again
    assert max(map(len, pieces.written["t00001"].frames)) == 7


def test_screening_twice_gives_the_same_bytes(analyzer: PiiAnalyzer) -> None:
    stage = records_stage({"note": ["โทร 081-234-5678 a@b.co อีเมล", "นายสมชาย ใจดี", None]})
    assert run(analyzer, stage)[0].everything() == run(analyzer, stage)[0].everything()


def thai_id(base: int) -> str:
    digits = str(base)
    return digits + str(pin.calc_check_digit(digits))


THAI_DIGITS = str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙")
ids = st.integers(10**11, 9 * 10**11 - 1).map(thai_id)
heads = st.sampled_from(["81", "89", "92", "95", "61"])
mobiles = st.builds(lambda head, rest: f"0{head}{rest:07d}", heads, st.integers(0, 9_999_999))
emails = st.from_regex(r"[a-z]{2,8}[._]?[a-z0-9]{1,6}@[a-z]{3,8}\.(?:com|co\.th|cn|example)", fullmatch=True)
names = st.sampled_from(["สมชาย ใจดี", "มาลี ศรีสุข", "ประเสริฐ มั่นคง"])
planted = st.one_of(
    ids.map(dashed),
    ids.map(lambda number: dashed(number).translate(THAI_DIGITS)),
    mobiles,
    mobiles.map(lambda number: number.translate(THAI_DIGITS)),
    mobiles.map(lambda number: f"{number[:3]}-{number[3:6]}-{number[6:]}"),
    mobiles.map(lambda number: f"+66 {number[1:3]} {number[3:6]} {number[6:]}"),
    emails,
)
around = st.sampled_from(
    [
        "",
        "ติดต่อ",
        "โทรศัพท์ ",
        "กรุณาโทร",
        "ที่พักริมหาด ",
        "write to ",
        "请联系",
        "电话：",
        "ราคา 1,500 บาท ",
        "on 2023-01-02 ",
    ]
)
after = st.sampled_from(["", "ครับ", " ค่ะ", "。", ", thanks", "谢谢", " (24 ชม.)", "\nห้อง 12"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sentences=st.lists(st.tuples(around, planted, after), min_size=1, max_size=6),
    name=names,
    title=st.sampled_from(["นาย", "นางสาว", "ดร.", "พบกับคุณ"]),
    field=st.sampled_from(["ข้อความ", "note", "备注", "text"]),
)
def test_no_planted_value_survives(
    analyzer: PiiAnalyzer, sentences: list[tuple[str, str, str]], name: str, title: str, field: str
) -> None:
    texts = ["".join(sentence) for sentence in sentences]
    texts.append(f"เมื่อวานนี้ {title}{name} กล่าวว่า")
    out, count, verdict = run(analyzer, records_stage({field: texts}))
    everything = out.everything()
    for _, raw, _ in sentences:
        assert raw not in everything
    assert name not in everything
    assert count.quarantined == 0
    assert verdict.band is Band.WARN


def seamed(text: str, hidden: str, places: list[int]) -> str:
    """`text` with an invisible character after each of these places in it."""
    at = {place % len(text) for place in places}
    return "".join(character + (hidden if place in at else "") for place, character in enumerate(text))


invisible = st.sampled_from(
    "\u200b\u200c\u200d\u200e\u200f\u00ad\u2060\u2063\ufeff\u202a\u202c\u202d\u202e\u2066\u2069\u180e\u061c\u034f\x01\x7f\x86\ufff9\U000e0020"
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sentences=st.lists(
        st.tuples(around, planted, invisible, st.lists(st.integers(0, 40), min_size=1, max_size=4), after),
        min_size=1,
        max_size=4,
    ),
    field=st.sampled_from(["ข้อความ", "note", "tel", "email"]),
)
def test_no_value_survives_that_invisible_characters_part(
    analyzer: PiiAnalyzer, sentences: list[tuple[str, str, str, list[int], str]], field: str
) -> None:
    texts = [before + seamed(value, hidden, places) + behind for before, value, hidden, places, behind in sentences]
    out, count, _ = run(analyzer, records_stage({field: texts}))
    left = [standardise_text(str(value), Context()).value for value in values(out)]
    for _, value, _, _, _ in sentences:
        assert not [text for text in left if value in text]
    assert count.quarantined == 0


@pytest.mark.parametrize(
    ("field", "text", "entity_type"),
    [
        ("email", "somchai.jaidee@\u200bexample.com", "EMAIL_ADDRESS"),
        ("note", "write to somchai@exam\u00adple.com today", "EMAIL_ADDRESS"),
        ("phone", "081\u2063234\u20635678", "PHONE_NUMBER"),
        ("note", "\u202d0812345678\u202c", "PHONE_NUMBER"),
        ("note", "https://example.org/?email=somchai%2540exam\u200bple.com", "EMAIL_ADDRESS"),
    ],
)
def test_a_value_has_one_pseudonym_whatever_hides_in_it(
    analyzer: PiiAnalyzer, field: str, text: str, entity_type: str
) -> None:
    seen = re.sub("[\u200b\u00ad\u2063\u202c\u202d]", "", text).replace("%2540", "@")
    tokens = [
        re.findall(TOKEN_PATTERN, str(values(run(analyzer, records_stage({field: [each]}))[0])[0]))
        for each in (text, seen)
    ]
    assert tokens[0] == tokens[1]
    assert [token.split(":")[0][1:] for token in tokens[0]] == [entity_type]


OWN, FOREIGN, MASKED = f"⟦PHONE_NUMBER:k1:{'0' * 32}⟧", f"⟦PERSON:other-9:{'0812345678' * 3}ab⟧", "⟦PERSON⟧"


def test_pseudonyms_in_statements_pass_as_they_are_and_raw_values_beside_them_do_not(analyzer: PiiAnalyzer) -> None:
    said = [OWN, FOREIGN, MASKED, f"{FOREIGN} 081-234-5678", "081-234-5678"]
    stage = records_stage({"entity": ["can-" + "0812345678ab" * 2] * 5, "value": said}, about={"shape": "statements"})
    out, count, verdict = run(analyzer, stage)
    token = "⟦PHONE_NUMBER:k1:"
    assert values(out) == ["can-" + "0812345678ab" * 2] * 5
    found = [str(value) for value in values(out, "f0001")]
    assert found[:3] == [OWN, FOREIGN, MASKED]
    assert found[3].startswith(f"{FOREIGN} {token}")
    assert found[4].startswith(token)
    assert count.quarantined == 0
    assert [(finding["entity_type"], finding["count"]) for finding in verdict.findings] == [("PHONE_NUMBER", 2)]


def test_what_is_no_id_of_the_runtime_is_screened_also_as_an_entity(analyzer: PiiAnalyzer) -> None:
    stage = records_stage({"entity": ["call 081-234-5678"], "value": ["x"]}, about={"shape": "statements"})
    out, _, _ = run(analyzer, stage)
    assert "081-234-5678" not in out.everything()


def test_pseudonyms_that_come_with_other_records_are_pseudonymised(analyzer: PiiAnalyzer) -> None:
    out, _, _ = run(analyzer, records_stage({"value": [OWN]}))
    (found,) = values(out)
    assert str(found).startswith("⟦SOURCE_TOKEN:k1:")
