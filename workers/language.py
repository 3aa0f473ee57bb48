"""The language of a text as Postgres names its text search configurations; knows no table."""

import re
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

SIMPLE = "simple"
"""No stemming and no stop words: right for any language, best for none."""
CONFIGURATIONS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian",
    "ne": "nepali", "nl": "dutch", "no": "norwegian", "nb": "norwegian", "nn": "norwegian", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip
MAX_CHARS = 1_000
"""More costs time (3 ms for 3,000) and changes no verdict."""
LEAST_LETTERS = 40
LEAST_SURE = 0.6
# Code, addresses and markup look like no language, or like any.
NOISE = re.compile(r"```.*?```|`[^`]*`|https?://\S+|\]\([^)]*\)|[#*_|>\-\[\]]+", re.DOTALL)


def language_of(text: str, *, default: str = SIMPLE) -> str:
    """The configuration for a text; `default` for one that is too short or too mixed to tell."""
    words = " ".join(NOISE.sub(" ", text[: 4 * MAX_CHARS]).split())[:MAX_CHARS]
    if sum(map(str.isalpha, words)) < LEAST_LETTERS:
        return default
    code, sure = _identifier().classify(words)
    return CONFIGURATIONS.get(code, SIMPLE) if sure >= LEAST_SURE else default


@cache
def _identifier() -> LanguageIdentifier:
    """Loaded once a process, which takes a second or two; its probabilities sum to 1."""
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
