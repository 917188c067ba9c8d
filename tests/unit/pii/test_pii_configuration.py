"""An operator brings a model or a recogniser of their own by a file alone, and is told what is missing."""

from __future__ import annotations

import pathlib

import pytest
import spacy

from tenant_pipeline.core.errors import SettingsError
from tenant_pipeline.pii.analyzer import PiiAnalyzer, language_of
from tenant_pipeline.pii.configuration import configured_analyzer

SPACY = """
nlp_configuration:
  nlp_engine_name: spacy
  models:
    - lang_code: en
      model_name: {model}
  ner_model_configuration:
    model_to_presidio_entity_mapping: {{PERSON: PERSON}}
    labels_to_ignore: [GPE]
"""
TRANSFORMERS = """
nlp_configuration:
  nlp_engine_name: transformers
  models:
    - lang_code: en
      model_name: {spacy: en_core_web_sm, transformers: example/model}
"""
GLINER = """
recognizer_registry:
  recognizers:
    - name: GLiNERRecognizer
      type: predefined
      supported_languages: [en]
      model_name: example/model
"""
PATTERN = """
recognizer_registry:
  recognizers:
    - name: Membership number
      supported_entity: MEMBERSHIP
      supported_languages: [en, th]
      patterns:
        - {name: membership, regex: "MEM-[0-9]{6}", score: 0.9}
"""


def written(folder: pathlib.Path, text: str) -> pathlib.Path:
    path = folder / "pii.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def found(analyzer: PiiAnalyzer, text: str) -> list[tuple[str, str]]:
    return [(one.entity_type, text[one.start : one.end]) for one in analyzer.find(text)]


@pytest.fixture(scope="module")
def with_model(tmp_path_factory: pytest.TempPathFactory) -> PiiAnalyzer:
    folder = tmp_path_factory.mktemp("model")
    pipeline = spacy.blank("en")
    ruler = pipeline.add_pipe("entity_ruler")
    ruler.add_patterns(  # type: ignore[attr-defined]
        [{"label": "PERSON", "pattern": "Zorblax Quux"}, {"label": "GPE", "pattern": "Quuxland"}]
    )
    pipeline.to_disk(folder / "en")
    return configured_analyzer(written(folder, SPACY.format(model=folder / "en")))


def test_a_trained_spacy_model_is_swapped_in_by_configuration(with_model: PiiAnalyzer) -> None:
    assert found(with_model, "Zorblax Quux of Quuxland") == [("PERSON", "Zorblax Quux")]


def test_our_recognisers_stay_beside_the_model_and_in_languages_without_one(with_model: PiiAnalyzer) -> None:
    assert found(with_model, "Zorblax Quux, card 4111 1111 1111 1111") == [
        ("PERSON", "Zorblax Quux"),
        ("CREDIT_CARD", "4111 1111 1111 1111"),
    ]
    assert found(with_model, "โทร 081-234-5678") == [("PHONE_NUMBER", "081-234-5678")]
    assert found(with_model, "手机13800138000") == [("PHONE_NUMBER", "13800138000")]


@pytest.mark.parametrize("text", ["Zorblax Quux", "call 081-234-5678 Zorblax Quux", "โทร 081-234-5678", "x"])
def test_with_a_model_the_answer_is_plain_presidios(with_model: PiiAnalyzer, text: str) -> None:
    assert with_model.find(text) == with_model.find_by_engine_alone(text)
    assert language_of(text) in ("en", "th")


def test_a_recogniser_of_the_operators_own_needs_only_a_pattern(tmp_path: pathlib.Path) -> None:
    analyzer = configured_analyzer(written(tmp_path, PATTERN))
    assert found(analyzer, "Card MEM-123456") == [("MEMBERSHIP", "MEM-123456")]
    assert found(analyzer, "บัตร MEM-123456") == [("MEMBERSHIP", "MEM-123456")]


def test_a_missing_transformers_package_is_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(SettingsError, match="needs packages") as refusal:
        configured_analyzer(written(tmp_path, TRANSFORMERS))
    assert "Install transformers" in refusal.value.remedy


def test_a_missing_gliner_package_is_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(SettingsError, match="not installed") as refusal:
        configured_analyzer(written(tmp_path, GLINER))
    assert "GLiNER" in refusal.value.remedy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nlp_configuration: {nlp_engine_name: other, models: []}", "no such NLP engine"),
        ("nlp_configuration: {nlp_engine_name: spacy}", "cannot be built"),
        (SPACY.format(model="en_core_web_none"), "not installed"),
        ("models: []", "another form"),
        ("- a list", "another form"),
        ("a: [", "cannot be read"),
    ],
)
def test_a_broken_configuration_is_refused_with_its_reason(tmp_path: pathlib.Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        configured_analyzer(written(tmp_path, text))


def test_a_configuration_that_is_not_there_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        configured_analyzer(tmp_path / "none.yaml")
