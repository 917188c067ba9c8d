"""Whatever the pipeline says to people can be read in English, Thai and Chinese, and says the same in each."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tenant_pipeline
from tenant_pipeline.contracts.loader import load_contracts
from tenant_pipeline.core.conflict.comparators.registry import SENTENCES
from tenant_pipeline.core.conflict.resolution import RANKING
from tenant_pipeline.core.coverage.evidence import CoverageEvidence
from tenant_pipeline.core.coverage.score import score
from tenant_pipeline.core.gate import Band, Gate
from tenant_pipeline.core.sentences.catalogue import CATALOGUE
from tenant_pipeline.core.sentences.reading import LANGUAGES, in_language
from tenant_pipeline.core.sentences.saying import PLACEHOLDER, say
from tenant_pipeline.linking.model import PEOPLE, PLACES

CODE = Path(tenant_pipeline.__file__).parent
CONTRACTS = load_contracts()
LABELS = CONTRACTS.labels
OTHER_THAN_ENGLISH = LANGUAGES[1:]
WORDS = {*map(str, Band), *map(str, Gate), *LANGUAGES, "Thai", "English", "Chinese"}
"""What only ever stands within a sentence, or in a cell."""
LATIN_WORD = re.compile(r"[A-Za-z]{2,}")


def _said() -> set[str]:
    """Every template that is given to `say` anywhere in the code."""
    templates = set()
    for path in CODE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "sentences.saying import" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                template = node.args[0]
                if path.is_relative_to(CODE / "core" / "sentences"):
                    continue
                assert isinstance(template, ast.Constant), f"{path.name}:{node.lineno}: a template is written out"
                templates.add(template.value)
                given_ = {keyword.arg for keyword in node.keywords}
                asked = {each["name"] for each in PLACEHOLDER.finditer(template.value)}
                assert None in given_ or given_ == asked, f"{path.name}:{node.lineno}"
    return templates


def _written() -> set[str]:
    """The sentences that stand beside the rule or the level that says them."""
    levels = {level.sentence for model in (PLACES, PEOPLE) for each in model.comparisons for level in each.levels}
    return {*SENTENCES.values(), *(sentence for _, sentence in RANKING.values()), *levels}


def test_the_catalogue_has_what_is_said_and_nothing_else() -> None:
    assert set(CATALOGUE) == {*_said(), *_written(), *WORDS}


@pytest.mark.parametrize("place", [0, 1], ids=OTHER_THAN_ENGLISH)
def test_every_sentence_is_written_in_each_language_with_the_same_placeholders(place: int) -> None:
    script = (re.compile(r"[\u0e00-\u0e7f]"), re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"))[place]
    for english, translations in CATALOGUE.items():
        told = translations[place]
        assert sorted(re.findall(r"\{(\w+)\}", told)) == sorted(name for name, _ in PLACEHOLDER.findall(english))
        assert script.search(told) or not PLACEHOLDER.sub("", english).strip(" :,."), english


PARTS = {
    "list": ("th", "th, zh", "with hours, without fee"),
    "sentence": ("They are far apart.", "Nothing passed: 3 of 3 statements failed a check."),
    "word": ("Thai", "not-assessed", "pii"),
    "share": ("all 3", "none of the 1,200", "7 of the 50 (14 %)", "7 of the 5000 (under 1 %)"),
    "records": ("1 record is", "1,200 records are"),
}


def _each_in(parts: str, language: str) -> str:
    return (", " if language == "th" else "、").join(in_language(each, language, LABELS) for each in parts.split(", "))


def _filled(kind: str, language: str) -> st.SearchStrategy[tuple[str, str]]:
    """What a placeholder may be filled with, and what that is in the language."""
    if kind == "figure":
        return st.sampled_from(("0", "1,234", "14 %", "12.5%")).map(lambda each: (each, each))
    if kind in PARTS:
        return st.sampled_from(PARTS[kind]).map(
            lambda each: (each, _each_in(each, language) if kind == "list" else in_language(each, language, LABELS))
        )
    if kind:
        return st.sampled_from(sorted(LABELS[kind])).map(lambda each: (each, LABELS[kind][each][language]))
    return st.text(st.characters(codec="utf-8", categories=("Lu", "Ll", "Lo", "Nd")), min_size=1, max_size=20).map(
        lambda each: (each, each)
    )


@given(st.data())
def test_a_sentence_is_found_again_with_what_fills_it(data: st.DataObject) -> None:
    language = data.draw(st.sampled_from(OTHER_THAN_ENGLISH))
    template = data.draw(st.sampled_from(sorted(CATALOGUE)))
    values = {name: data.draw(_filled(kind, language)) for name, kind in PLACEHOLDER.findall(template)}
    english = say(template, **{name: each for name, (each, _) in values.items()})
    told = CATALOGUE[template][OTHER_THAN_ENGLISH.index(language)]
    assert in_language(english, language, LABELS) == say(told, **{name: each for name, (_, each) in values.items()})
    assert in_language(english, "en", LABELS) == english


@given(st.text(), st.sampled_from((*LANGUAGES, "de", "")))
def test_what_nobody_knows_stays_as_it_is(text: str, language: str) -> None:
    sentence = f"Written by a person: {text}"
    assert in_language(sentence, language, LABELS) == sentence


@pytest.mark.parametrize("name", ["x and ", "x, ", "x: ", "fail because ", "not assessed: "])
def test_a_feed_with_hostile_names_of_fields_holds_nobody_up(name: str) -> None:
    reason = f"schema-changed: with {name * 5000}"
    for language in OTHER_THAN_ENGLISH:
        assert name in in_language(reason, language, LABELS)
        assert in_language(name * 5000, language, LABELS) == name * 5000


COUNTS = {each.name: st.integers(0, 2000) for each in fields(CoverageEvidence)}


@given(
    st.fixed_dictionaries(
        {
            **COUNTS,
            "names_by_language": st.dictionaries(st.sampled_from(("th", "en", "zh")), st.integers(0, 2000)),
            "age_days": st.none() | st.integers(0, 2000),
            "rights_declared": st.booleans(),
        }
    ),
    st.sampled_from(OTHER_THAN_ENGLISH),
)
def test_why_a_dimension_has_its_band_is_told_whole_whatever_the_counts_are(
    counts: dict[str, Any], language: str
) -> None:
    for each in score(CoverageEvidence(**counts), CONTRACTS.coverage_dimensions):
        told = in_language(f"{each.dimension}: {each.explanation}", language, LABELS)
        assert not LATIN_WORD.search(told), told
        assert sorted(re.findall(r"\d+", told)) == sorted(re.findall(r"\d+", each.explanation))


@pytest.mark.parametrize(
    ("sentence", "thai", "chinese"),
    [
        (
            "Sources of the best authority tier come first. 1 of 3 values are left.",
            "แหล่งข้อมูลที่อยู่ในระดับความน่าเชื่อถือสูงสุดมาก่อน เหลือ 1 จาก 3 ค่า",
            "权威级别最高的来源优先。3 个值中剩下 1 个。",
        ),
        (
            "A person must decide: sources of tier 1 contradict each other.",
            "ต้องให้คนตัดสิน: แหล่งข้อมูลระดับ 1 ขัดแย้งกัน",
            "需要人工决定：第 1 级来源相互矛盾。",
        ),
        (
            "completeness: fail because 7 of the 5000 (under 1 %) expected properties have no value",
            "ความครบถ้วน: ไม่ผ่าน เพราะช่องข้อมูลที่ควรมีแต่ยังไม่มีค่า มี 7 จาก 5000 รายการ (ไม่ถึง 1 %)",
            "完整性：未通过，因为应有但没有值的字段有 7 项（共 5000 项，不到 1 %）",
        ),
        (
            "language_completeness: warn because 5 of the 50 (10 %) named entities have no English name"
            " and all 50 named entities have no Chinese name",
            "ความครบถ้วนของภาษา: เตือน เพราะสิ่งที่มีชื่อแต่ไม่มีชื่อภาษาอังกฤษ มี 5 จาก 50 รายการ (10 %)"
            " และสิ่งที่มีชื่อแต่ไม่มีชื่อภาษาจีน คือทั้ง 50 รายการ",
            "语言完整性：警告，因为有名称但没有英文名称的事物有 5 项（共 50 项，10 %），"
            "有名称但没有中文名称的事物有 50 项，即全部",
        ),
        (
            "Under 1 % of the 5,000 Place lack a Thai name.",
            "ไม่ถึง 1 % ของสถานที่ทั้งหมด 5,000 รายการ ไม่มีชื่อภาษาไทย",
            "没有泰文名称的地点：不到 1 %（共 5,000 个）。",
        ),
        ("name, telephone", "ชื่อ, โทรศัพท์", "名称、电话"),
        ("name in th, zh", "ชื่อภาษาไทย, ภาษาจีน", "泰文、中文名称"),
        (
            "schema-changed: without fee, with hours",
            "โครงสร้างเปลี่ยน: ไม่มี fee, มี hours",
            "结构已更改：缺少 fee、新增 hours",
        ),
        ("They share a website.", "ใช้เว็บไซต์เดียวกัน", "网站相同。"),
        (
            "1 record is quarantined.",
            "กักไว้ 1 ระเบียน",
            "搁置了 1 条记录。",
        ),
    ],
)
def test_as_a_person_reads_it(sentence: str, thai: str, chinese: str) -> None:
    assert in_language(sentence, "th", LABELS) == thai
    assert in_language(sentence, "zh", LABELS) == chinese


def test_a_band_and_a_gate_are_called_as_the_workspace_calls_them() -> None:
    words = (CODE / "workspace" / "words.js").read_text(encoding="utf-8")
    for each in (*map(str, Band), *map(str, Gate)):
        found = re.search(
            rf'^  "?{each}"?: \["[^"]*", "([^"]*)", "([^"]*)"\],$', words.partition("STATUS_WORDS")[2], re.M
        )
        assert found is not None
        assert CATALOGUE[each] == found.groups()
