"""An operator's own models and recognisers, by a YAML file in the form of Presidio's analyser configuration.

`nlp_configuration` is what Presidio's NlpEngineProvider reads, `recognizer_registry` what its
RecognizerRegistryProvider reads. Both are optional: without them the engine is blank, and the recognisers are ours,
which are always there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from presidio_analyzer import EntityRecognizer
from presidio_analyzer.recognizer_registry import RecognizerRegistryProvider

from tenant_pipeline.core.errors import SettingsError
from tenant_pipeline.pii.analyzer import PiiAnalyzer, build_analyzer
from tenant_pipeline.pii.nlp_engine import BLANK_CONFIGURATION, LANGUAGES

_KNOWN = ("nlp_configuration", "recognizer_registry")


def configured_analyzer(path: Path) -> PiiAnalyzer:
    """The analyser that the file describes.

    Raises SettingsError when the file is missing or broken, or when a package or model that it names is not installed.
    """
    configuration = _read(path)
    _stay_offline()
    return build_analyzer(
        configuration.get("nlp_configuration", BLANK_CONFIGURATION),
        _recognisers(configuration.get("recognizer_registry"), str(path)),
    )


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise SettingsError(
            "The PII configuration cannot be read", where=str(path), remedy="Give a readable YAML file."
        ) from error
    if not isinstance(content, dict) or not set(content) <= set(_KNOWN):
        raise SettingsError(
            "The PII configuration has another form", where=str(path), remedy=f"Its entries are {' and '.join(_KNOWN)}."
        )
    return content


def _stay_offline() -> None:
    """Hugging Face's libraries then load from folders and caches alone."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_OFFLINE"] = "1"


def _recognisers(registry: Mapping[str, Any] | None, where: str) -> list[EntityRecognizer]:
    if registry is None:
        return []
    whole = {"supported_languages": list(LANGUAGES), "global_regex_flags": 26, **registry}
    try:
        built = RecognizerRegistryProvider(registry_configuration=whole).create_recognizer_registry()
    except ImportError as error:
        raise SettingsError(
            "A recogniser needs a package that is not installed",
            where=where,
            remedy=f"Install it into this environment: {error}",
        ) from error
    except (ValueError, TypeError, OSError) as error:
        raise SettingsError(
            "The recognisers cannot be built from their configuration",
            where=where,
            remedy=f"They must have the form of Presidio's registry, with installed models ({error}).",
        ) from error
    return list(built.recognizers)
