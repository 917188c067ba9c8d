"""Python and SQL weigh a pair the same: both are written from one definition of levels and weights."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenant_pipeline.linking.bulk import BulkLinking
from tenant_pipeline.linking.features import Features
from tenant_pipeline.linking.model import PEOPLE, PLACES, Model

WORDS = (
    "Grand", "Coral", "Hotel", "the", "Café", "Laem", "Thong", "Phuket", "Bhuket", "Wat", "8", "12/3", "52nd", "St.",
    "Road", "โรงแรม", "ภูเก็ต", "แหลมทอง", "ถ.เทพกระษัตรี", "酒店", "普吉", "藍燈籠", "O'Hara", "smith", "smyth", "-",
)  # fmt: skip
TEXT = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join) | st.text(max_size=12)
DIGITS = st.text("0123", min_size=5, max_size=8)
PLACE_VALUES = {
    "name": TEXT, "address": TEXT, "addressLocality": TEXT, "addressRegion": TEXT, "containedInPlace": TEXT,
    "postalCode": DIGITS, "telephone": DIGITS, "startDate": DIGITS, 
    "addressCountry": st.sampled_from(["TH", "th", "CN"]),
    "url": st.sampled_from(["https://a.example/x", "https://www.a.example", "https://facebook.com/a", "b.example"]),
    "email": st.sampled_from(["a@b.example", "A@b.example", "c@b.example"]),
    "geo": st.tuples(st.floats(-89, 89), st.floats(-179, 179)).map(lambda at: f"{at[0]:.4f},{at[1]:.4f}"),
}  # fmt: skip
PERSON_VALUES = {
    "givenName": TEXT, "familyName": TEXT, "birthDate": st.text("0123", min_size=8, max_size=8), "address": TEXT,
    "addressLocality": TEXT, "addressRegion": TEXT, "postalCode": DIGITS, "taxID": DIGITS, "telephone": DIGITS,
    "email": st.sampled_from(["a.smith@b.example", "asmith@c.example"]),
}  # fmt: skip


def _records(values: dict[str, st.SearchStrategy[str]]) -> st.SearchStrategy[list[Features]]:
    said = st.lists(
        st.sampled_from(sorted(values)).flatmap(
            lambda name: st.tuples(st.just(name), values[name], st.sampled_from(["", "en", "th", "zh"]))
        ),
        max_size=8,
    )
    return st.lists(said, min_size=2, max_size=14).map(lambda each: [_features(one) for one in each])


def _features(said: list[tuple[str, str, str]]) -> Features:
    features = Features("x", "Place")
    for property_, value, lang in said:
        features.add(property_, value, lang, identifying=False)
    return features


def _hold_equal(model: Model, records: list[Features]) -> None:
    columns = model.reweighed([model.prepare(each) for each in records], range(len(records)))
    with BulkLinking(model) as linking:
        linking.add(records)
        linking.reweigh()
        linking.database.execute(
            "CREATE TABLE pairs AS SELECT l.id AS left_id, r.id AS right_id FROM records l, records r WHERE l.id < r.id"
        )
        rows = linking.database.execute(
            f"SELECT *, {model.weight_sql()}, {model.named_sql()} FROM ({model.levels_sql('pairs', 'records')})"
        ).fetchall()
    assert len(rows) == len(records) * (len(records) - 1) / 2
    for left, right, *levels, weight, named in rows:
        expected = model.levels_of(columns[left], columns[right])
        evidence = model.evidence_of(expected)
        assert tuple(levels) == expected
        assert abs(weight - sum(each.bits for each in evidence)) < 1e-9
        assert named is any(each.comparator in model.naming and each.bits > 0 for each in evidence)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(_records(PLACE_VALUES))
def test_python_and_sql_give_every_pair_of_places_the_same_levels_and_weight(records: list[Features]) -> None:
    _hold_equal(PLACES, records)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(_records(PERSON_VALUES))
def test_python_and_sql_give_every_pair_of_people_the_same_levels_and_weight(records: list[Features]) -> None:
    _hold_equal(PEOPLE, records)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(_records(PLACE_VALUES))
def test_it_does_not_matter_which_of_two_is_left(records: list[Features]) -> None:
    left, right = (PLACES.prepare(each) for each in records[:2])
    assert PLACES.levels_of(left, right) == PLACES.levels_of(right, left)
