"""The quality gate: what the contract does not allow is rejected by name, and the share of it is judged."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_pipeline.core.contract_terms import QualityThresholds
from tenant_pipeline.core.errors import IntegrityError
from tenant_pipeline.core.gate import Band, Gate, GateVerdict
from tenant_pipeline.core.stage import Disposition, StageCount
from tenant_pipeline.core.standardise.stage import standardise
from tenant_pipeline.core.validate.checks import allowed_pairs, statement_checks
from tenant_pipeline.core.validate.schema import failures, statement_schema
from tenant_pipeline.core.validate.stage import validate
from tenant_pipeline.core.validate.value_forms import is_date, is_in_order
from tests.unit.core.standardise_memory import TEXT, TOKEN, VOCABULARY, MemoryStage, stage_of, statement, statements

THRESHOLDS = QualityThresholds(warn_share=0.1, fail_share=0.5)


def run(*rows: dict[str, str]) -> tuple[MemoryStage, StageCount, GateVerdict]:
    out = MemoryStage()
    (count,), verdict = validate(stage_of(statements(*rows)), out, vocabulary=VOCABULARY, thresholds=THRESHOLDS)
    count.conserve("validate")
    return out, count, verdict


GOOD = statement("Place", "name", "ภูเก็ต", lang="th")

BROKEN = {
    "entity-id-present": statement("Place", "name", "A", lang="en", entity_id=""),
    "type-present": statement("", "name", "A", lang="en"),
    "property-present": statement("Place", "", "A"),
    "value-present": statement("Place", "name", "", lang="en", raw_value="A"),
    "raw-value-present": statement("Place", "name", "A", lang="en", raw_value=""),
    "datatype-present": statement("Place", "name", "A", lang="en", datatype=""),
    "locator-present": statement("Place", "name", "A", lang="en", locator=""),
    "method-present": statement("Place", "name", "A", lang="en", method=""),
    "entity-id-form": statement("Place", "name", "A", lang="en", entity_id="ent-1"),
    "type-known": statement("Spaceport", "name", "A", lang="en"),
    "property-known": statement("Place", "gravity", "A"),
    "property-allowed-for-type": statement("Event", "geo", "7.880000,98.390000"),
    "datatype-agrees": statement("Place", "geo", "7.880000,98.390000", datatype="text"),
    "language-present": statement("Place", "name", "A"),
    "language-tag": statement("Place", "name", "A", lang="English"),
    "name-form": statement("Place", "name", " A", lang="en"),
    "administrative-code-form": statement("AdministrativeArea", "administrativeCode", "8301.0"),
    "administrative-code-province": statement("AdministrativeArea", "administrativeCode", "9901"),
    "postal-code-form": statement("AdministrativeArea", "postalCode", "830"),
    "postal-code-province": statement("AdministrativeArea", "postalCode", "99000"),
    "telephone-form": statement("EventVenue", "telephone", "076-321234"),
    "email-form": statement("EventVenue", "email", "info at phuket"),
    "url-form": statement("Place", "sameAs", "javascript:alert(1)"),
    "geo-form": statement("Place", "geo", "7.88,98.39"),
    "geo-range": statement("Place", "geo", "97.880000,98.390000"),
    "date-range": statement("Event", "startDate", "2023-02-30"),
    "number-form": statement("EventVenue", "maximumAttendeeCapacity", "1,600"),
    "area-form": statement("Place", "area", "-5"),
    "boolean-form": statement("EventVenue", "wheelchair", "yes"),
    "reference-form": statement("AdministrativeArea", "containedInPlace", "Phuket"),
    "validity-dates": statement("Place", "name", "A", lang="en", valid_from="soon"),
    "validity-order": statement("Place", "name", "A", lang="en", valid_from="2024", valid_to="2023-05"),
}


@pytest.mark.parametrize("check", sorted(BROKEN))
def test_a_broken_statement_is_rejected_by_the_name_of_the_check(check: str) -> None:
    out, count, _ = run(GOOD, BROKEN[check], GOOD)
    assert [reject.code for reject in out.rejects] == [check]
    assert (count.rows_in, count.rows_out, count.rejected) == (3, 2, 1)
    assert out.frame["value"].tolist() == [GOOD["value"]] * 2


def test_each_check_has_a_statement_that_breaks_it_but_those_that_only_a_blank_text_breaks() -> None:
    names = {check.name for check in statement_checks(VOCABULARY)}
    assert names - set(BROKEN) == {"text-form", "address-form", "category-form", "identifier-form"}


def test_good_statements_pass_untouched() -> None:
    good = (
        GOOD,
        statement("EventVenue", "name", "Wat", lang="en"),
        statement("Place", "geo", "-7.880000,98.390000"),
        statement("Event", "startDate", "2023-03-12/2023-03-14"),
        statement("AdministrativeArea", "containedInPlace", "AdministrativeArea:administrativeCode:83"),
        statement("EventVenue", "telephone", "+6676321234;ext=12", valid_from="2023", valid_to="2023-05"),
        statement("Place", "sameAs", "https://xn--o3cw4h.xn--o3cw4h/?q=1"),
    )
    out, _, verdict = run(*good)
    assert out.frame.equals(statements(*good))
    assert set(out.frame.dtypes) == {TEXT}
    assert verdict.band is Band.PASS
    assert verdict.findings == ()


def test_a_pseudonym_is_valid_for_every_datatype() -> None:
    rows = [statement(type_, name, TOKEN, lang="th") for type_, name in sorted(allowed_pairs(VOCABULARY))]
    out, count, _ = run(*rows)
    assert not out.rejects
    assert count.rows_out == len(rows)


def test_a_type_has_its_ancestors_properties() -> None:
    assert {("EventVenue", "name"), ("EventVenue", "telephone"), ("AdministrativeArea", "geo")} <= allowed_pairs(
        VOCABULARY
    )
    assert ("Place", "telephone") not in allowed_pairs(VOCABULARY)


def test_a_statement_that_fails_twice_is_one_reject_and_two_findings() -> None:
    out, count, verdict = run(GOOD, statement("Event", "geo", "x", locator="o1#row=3"))
    assert count.rejected == len(out.rejects) == 1
    assert {finding["check"]: finding["count"] for finding in verdict.findings} == {
        "property-allowed-for-type": 1,
        "geo-form": 1,
        "geo-range": 1,
    }
    assert all(finding["sample_locators"] == ["o1#row=3"] for finding in verdict.findings)


@pytest.mark.parametrize(
    ("good", "bad", "band"),
    [
        (0, 0, Band.FAIL),
        (10, 0, Band.PASS),
        (9, 1, Band.PASS),
        (8, 2, Band.WARN),
        (5, 5, Band.WARN),
        (4, 6, Band.FAIL),
        (0, 1, Band.FAIL),
    ],
)
def test_the_gate_judges_the_share_of_rejected_statements(good: int, bad: int, band: Band) -> None:
    _, _, verdict = run(*[GOOD] * good, *[BROKEN["geo-form"]] * bad)
    assert (verdict.gate, verdict.band) == (Gate.QUALITY, band)
    assert len(verdict.reasons) == 1


def test_findings_point_to_at_most_five_rows_and_quote_none() -> None:
    rows = [statement("Place", "area", f"secret-{row}", locator=f"o1#row={row}") for row in range(9)]
    _, _, verdict = run(*rows)
    (finding,) = verdict.findings
    assert finding == {"check": "area-form", "count": 9, "sample_locators": [f"o1#row={row}" for row in range(5)]}
    assert "secret" not in repr(verdict)


@pytest.mark.parametrize("column", ["value", "type", "lang", "valid_from"])
def test_a_frame_that_holds_no_statements_is_an_error_that_quotes_nothing(column: str) -> None:
    for frame in (
        statements(statement("Place", "name", "secret", lang="en")).assign(**{column: pd.Series([None], dtype=TEXT)}),
        statements(statement("Place", "name", "secret", lang="en")).drop(columns=[column]),
    ):
        checks = statement_checks(VOCABULARY)
        with pytest.raises(IntegrityError) as fault:
            failures(statement_schema(checks), frame, checks)
        assert "secret" not in str(fault.value)


def test_dates_are_real_and_in_order() -> None:
    for good in ("2023", "2023-03", "2024-02-29", "2023-03-13T09:30:00+07:00", "2023/2024", "2023-05/2023-05-02"):
        assert is_date(good)
    for bad in ("", "2023-02-29", "1699", "2201", "2566", "13/03/2023", "2024/2023", "2023/", "2023-3-1"):
        assert not is_date(bad)
    assert is_in_order("", "2023")
    assert is_in_order("2023-05", "2023")
    assert not is_in_order("2024", "2023-12-31")


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.builds(
            lambda pair, value, lang: statement(pair[0], pair[1], value, lang=lang),
            st.sampled_from(sorted(allowed_pairs(VOCABULARY))),
            st.one_of(
                st.text(max_size=10),
                st.sampled_from(["1155, 191", "13/3/2566", "7,98", "ไทย", "12 ไร่", "x.com", "Place:identifier:8"]),
            ),
            st.sampled_from(["", "th"]),
        ),
        max_size=25,
    )
)
def test_whatever_standardise_lets_through_has_a_valid_value(rows: list[dict[str, str]]) -> None:
    standardised, validated = MemoryStage(), MemoryStage()
    (before,) = standardise(stage_of(statements(*rows)), standardised, vocabulary=VOCABULARY)
    (count,), _ = validate(standardised, validated, vocabulary=VOCABULARY, thresholds=THRESHOLDS)
    count.conserve("validate").follows(before, "validate")
    assert count.rejected == validated.rejected(Disposition.REJECTED)
    assert [reject.code for reject in validated.rejects] == []
