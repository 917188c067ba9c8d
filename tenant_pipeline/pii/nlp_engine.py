"""The NLP engine behind Presidio: spaCy's blank tokenisers by default, a trained model by configuration alone.

The configuration has Presidio's own form (`nlp_engine_name`, `models`, `ner_model_configuration`). A blank engine
finds no entities; it splits text into words so that recognisers can look at the words around a match. Presidio's own
engines download a missing model; ours refuse, because screening must never open a connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import spacy
from presidio_analyzer.nlp_engine import (
    NlpArtifacts,
    NlpEngine,
    NlpEngineProvider,
    SpacyNlpEngine,
    TransformersNlpEngine,
)

from tenant_pipeline.core.errors import SettingsError

_NEAR = 160
"""Characters around a match in which words may announce it."""

LANGUAGES = ("th", "en", "zh")

BLANK_CONFIGURATION: Mapping[str, Any] = {
    "nlp_engine_name": "blank",
    "models": [{"lang_code": language, "model_name": f"blank:{language}"} for language in LANGUAGES],
}


class LazyNlpArtifacts(NlpArtifacts):
    """What a tokeniser says of a text, worked out when first asked for: most matches need no words around them."""

    def __init__(self, tokenise: Callable[[str], Any], text: str, language: str) -> None:
        self._tokenise = tokenise
        self._text = text
        self.language = language
        self.entities = []
        self.scores = []

    def __getattr__(self, name: str) -> Any:
        if name not in ("tokens", "tokens_indices", "lemmas", "keywords"):
            raise AttributeError(name)
        self.tokens = self._tokenise(self._text)
        self.tokens_indices = [token.idx for token in self.tokens]
        self.lemmas = [token.lower_ for token in self.tokens]
        self.keywords = [token.lower_ for token in self.tokens if not token.is_punct and not token.is_space]
        return self.__dict__[name]

    def near(self, start: int, end: int) -> tuple[LazyNlpArtifacts, int]:
        """The artefacts of what stands around a stretch, and where that begins: a long text is not cut as a whole."""
        first, last = max(0, start - _NEAR), end + _NEAR
        if first == 0 and last >= len(self._text):
            return self, 0
        return LazyNlpArtifacts(self._tokenise, self._text[first:last], self.language), first


class BlankNlpEngine(SpacyNlpEngine):
    """spaCy tokenisers without a model: lemmas are the tokens in lower case, and there are no entities."""

    engine_name = "blank"

    def load(self) -> None:
        """Build one tokeniser per language."""
        self.nlp: Any = {model["lang_code"]: spacy.blank(model["lang_code"]) for model in self.models}

    def get_supported_entities(self) -> list[str]:
        """None: a tokeniser names nothing."""
        return []

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        """The text's tokens, not yet cut."""
        return LazyNlpArtifacts(self.get_nlp(language), text, language)


class _InstalledModels(SpacyNlpEngine):
    """Trained models that are installed already; languages without one get a tokeniser, as in the blank engine."""

    def load(self) -> None:
        """Load the models. Raises SettingsError for one that is not installed."""
        super().load()
        models: Any = self.nlp
        self.tokenisers = {language: spacy.blank(language) for language in LANGUAGES if language not in models}
        models.update(self.tokenisers)

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        """The model's answer, or no more than tokens where the language has no model."""
        if language in self.tokenisers:
            return LazyNlpArtifacts(self.tokenisers[language], text, language)
        return super().process_text(text, language)

    @staticmethod
    def _download_spacy_model_if_needed(model_name: str) -> None:
        if not (spacy.util.is_package(model_name) or Path(model_name).exists()):
            raise SettingsError(
                f"The spaCy model {model_name} is not installed",
                where="NLP engine configuration",
                remedy="Install its package; screening never downloads anything.",
            )


class InstalledSpacyNlpEngine(_InstalledModels):
    """Trained spaCy models."""

    engine_name = "spacy"


class InstalledTransformersNlpEngine(_InstalledModels, TransformersNlpEngine):
    """A spaCy tokeniser with a Hugging Face model behind it, from a local folder or cache."""

    engine_name = "transformers"


_ENGINES = (BlankNlpEngine, InstalledSpacyNlpEngine, InstalledTransformersNlpEngine)
_PACKAGES = {"transformers": "transformers and torch"}


def build_nlp_engine(configuration: Mapping[str, Any] = BLANK_CONFIGURATION) -> NlpEngine:
    """The engine that `configuration` describes, loaded.

    Raises SettingsError when the configuration is broken, when its engine's package is not installed, or its model.
    """
    where = "NLP engine configuration"
    name = configuration.get("nlp_engine_name")
    engines = {engine.engine_name: engine for engine in _ENGINES}
    if name not in engines:
        raise SettingsError(
            "There is no such NLP engine", where=where, remedy=f"`nlp_engine_name` is one of {', '.join(engines)}."
        )
    if not engines[name].is_available:
        raise SettingsError(
            f"The NLP engine {name} needs packages that are not installed",
            where=where,
            remedy=f"Install {_PACKAGES[name]} into this environment.",
        )
    try:
        return NlpEngineProvider(nlp_engines=_ENGINES, nlp_configuration=dict(configuration)).create_engine()
    except (ValueError, OSError) as error:
        raise SettingsError(
            "The NLP engine cannot be built from its configuration",
            where=where,
            remedy=f"It must have the form of Presidio's NLP configuration, with installed models ({error}).",
        ) from error
