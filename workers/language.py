"""Which of Postgres' text search configurations fits a text; knows no document."""

from functools import cache
from typing import Any

from core.errors import NotConfigured

# ISO 639-1 -> configuration, for the languages both py3langid and Postgres 18 know.
CONFIGURATIONS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "et": "estonian", "eu": "basque", "fi": "finnish", "fr": "french", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian",
    "nb": "norwegian", "ne": "nepali", "nl": "dutch", "no": "norwegian", "pl": "simple", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip
DEFAULT = "english"
SAMPLE_CHARS = 4_000
LEAST_LETTERS = 30  # below this a guess is mostly wrong


def configuration_of(text: str, *, default: str = DEFAULT) -> str:
    """The configuration for the language most of `text` is written in; `default` when too short to tell."""
    sample = text[:SAMPLE_CHARS]
    if sum(char.isalpha() for char in sample) < LEAST_LETTERS:
        return default
    code, _ = _identifier().classify(sample)
    return CONFIGURATIONS.get(str(code), "simple")


def configuration_of_code(code: str | None, *, default: str = DEFAULT) -> str:
    """The configuration for an ISO 639-1 code such as an engine reports."""
    return CONFIGURATIONS.get(code, "simple") if code else default


@cache
def _identifier() -> Any:
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError as exc:
        raise NotConfigured("language detection needs the package py3langid") from exc
    return LanguageIdentifier.from_pickled_model(MODEL_FILE)
