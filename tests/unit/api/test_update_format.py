"""What an update leans on is read as the CRDT itself would have it."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycrdt import Doc, Map, Text

from tenant_pipeline.api.collaboration.frames import BrokenFrameError, read_frame
from tenant_pipeline.api.collaboration.update_format import BrokenUpdateError, leaning_of, state_vector

VALUES: list[Any] = [1, -5, 2.5, "สวัสดี🙂", True, None, {"a": [1, {"b": None}]}, [1, "二"], b"bytes"]


def _edits(seed: int) -> tuple[list[bytes], list[Doc[Any]]]:
    """What three people did, now and then taking in what the others did."""
    generator = random.Random(seed)
    made: list[bytes] = []
    people: list[Doc[Any]] = [Doc() for _ in range(3)]
    watching = [each.observe(lambda event: made.append(event.update)) for each in people]
    for _ in range(60):
        person = generator.choice(people)
        field = person.get("field", type=Map)
        key = generator.choice("xyz")
        act = generator.random()
        if act < 0.3:
            field[key] = generator.choice(VALUES)
        elif act < 0.5:
            field[key] = Text("hé🙂")
        elif act < 0.7 and isinstance(field.get(key), Text):
            field[key].insert(0, "ab🙂ค")
        elif act < 0.8 and key in field:
            del field[key]
        else:
            other = generator.choice(people)
            person.apply_update(other.get_update(person.get_state()))
    del watching
    return made, people


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_edits_taken_in_the_order_in_which_they_were_made_stand_on_what_is_there(seed: int) -> None:
    made, people = _edits(seed)
    document: Doc[Any] = Doc()
    for update in made:
        assert leaning_of(update).stands_on(state_vector(document.get_state()))
        document.apply_update(update)
    for person in people:
        assert leaning_of(person.get_update()).stands_on({})


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_an_edit_that_would_wait_in_the_document_is_told_from_one_that_would_not(seed: int) -> None:
    made, _ = _edits(seed)
    generator = random.Random(seed)
    document: Doc[Any] = Doc()
    for update in generator.sample(made, len(made)):
        stands = leaning_of(update).stands_on(state_vector(document.get_state()))
        if stands:
            document.apply_update(update)
            there = state_vector(document.get_state())
            assert all(there.get(client, 0) >= end for client, (_, end) in leaning_of(update).brings.items())


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_other_bytes_are_refused_and_nothing_else_happens(data: bytes) -> None:
    for read in (leaning_of, state_vector, read_frame):
        try:
            read(data)
        except (BrokenUpdateError, BrokenFrameError):
            continue


def test_what_is_left_out_of_an_update_is_not_taken_for_there() -> None:
    with pytest.raises(BrokenUpdateError):
        leaning_of(bytes([1, 1, 1, 0, 10, 5, 0]))
