"""XML of no known kind is read as records where its elements repeat, and as text where it is a text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_pipeline.intake.readers.xml_records import looks_like_xml, read_xml
from tests.unit.intake.reader_outcome import holds_its_promise, mutated, records, refusal

HALLS = """<?xml version="1.0" encoding="UTF-8"?><register xmlns="urn:halls" xmlns:x="urn:x"><!-- all -->
<hall id="7" x:level="A"><name>โถง</name><phone>1</phone><phone>2</phone>
<place zone="9"><city>Phuket</city></place></hall>
<hall id="8"><name>Annex</name><note/></hall>
<keeper>Registry</keeper></register>"""


def test_repeated_elements_are_records_with_attributes_and_nested_elements_as_fields() -> None:
    assert records(read_xml, HALLS) == [
        ("hall", "element=1", {"@id": "7", "@level": "A", "name": "โถง", "phone": "1; 2", "place.@zone": "9",
                               "place.city": "Phuket"}),
        ("hall", "element=2", {"@id": "8", "name": "Annex"}),
        ("keeper", "element=3", {"value": "Registry"}),
    ]  # fmt: skip


def test_records_in_the_roots_only_child_are_found() -> None:
    answer = "<answer><items><item><a>1</a></item><item><a>2</a></item></items></answer>"
    assert records(read_xml, answer) == [("item", "element=1", {"a": "1"}), ("item", "element=2", {"a": "2"})]


@pytest.mark.parametrize(
    ("markup", "said"),
    [
        (
            "<page><h>Halls</h><p>The <b>large</b> hall</p><p>The small one</p></page>",
            "Halls\nThe large hall\nThe small one",
        ),
        ("<page><h>Halls</h><p>One</p></page>", "Halls\nOne"),
        ("<page>Just text</page>", "Just text"),
        ("<page><p>a</p> between <p>b</p></page>", "a between b"),
    ],
)
def test_running_text_and_elements_that_do_not_repeat_are_one_segment(markup: str, said: str) -> None:
    assert records(read_xml, markup) == [("text", "part=1", {"text": said})]


def test_entities_are_neither_expanded_nor_loaded(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the secret")
    doctype = f'<!DOCTYPE r [<!ENTITY a "within"><!ENTITY e SYSTEM "{tmp_path / "secret"}">]>'
    found = records(read_xml, f"{doctype}<r><i><n>Hall &a;&e;</n></i><i><n>Annex</n></i></r>")
    assert [values for _, _, values in found] == [{"n": "Hall"}, {"n": "Annex"}]


@pytest.mark.parametrize("content", ["", "name,city", "<a><b></a>", "<a>" * 5000])
def test_what_is_not_well_formed_is_refused_by_name(content: str) -> None:
    assert refusal(read_xml, content) == "broken-xml"


def test_xml_is_told_by_its_declaration_or_its_name_and_first_element() -> None:
    assert looks_like_xml(HALLS, "a.txt")
    assert looks_like_xml("<answer><a/></answer>", "a.xml")
    assert not looks_like_xml("<answer><a/></answer>", "a.txt")
    assert not looks_like_xml("< 5 halls", "a.xml")


@settings(max_examples=100, deadline=None)
@given(content=st.one_of(st.binary(max_size=100), mutated(HALLS.encode())))
def test_no_xml_breaks_the_reader(content: bytes) -> None:
    holds_its_promise(read_xml, content)
