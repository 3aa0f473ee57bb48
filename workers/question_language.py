"""The language a question is asked in, among those the bot has words for; knows no document.

A question is short, so only these languages are weighed against each other, and words that give one away decide
before any statistics do.
"""

import re
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

ENGLISH = "en"
KNOWN = ("en", "de", "fr", "es")
LEAST_SURE = 0.9
GIVEAWAYS = {
    "en": "what when where who whose why how which the is are was were does did do of for with about and can",
    "de": "was wann wo wer wessen warum wie welche welcher welches der das ist sind war waren wird und für mit über "
    "von kann wurde nicht ich wir",
    "fr": "que quand où qui pourquoi comment quel quelle quels quelles le la les est sont était du des pour avec sur "
    "et peut nous je qu",
    "es": "qué cuándo dónde quién por cómo cuál cuáles el la los las es son fue era del para con sobre y puede "
    "nosotros cuánto cuánta",
}
_GIVEAWAYS = {code: frozenset(words.split()) for code, words in GIVEAWAYS.items()}


def question_language(text: str) -> str:
    """`en`, `de`, `fr` or `es`; English where neither its small words nor statistics say otherwise."""
    said = re.findall(r"[^\W\d_]+", text.lower())
    counts = {code: sum(word in words for word in said) for code, words in _GIVEAWAYS.items()}
    best, second = sorted(counts.values(), reverse=True)[:2]
    if best > second:
        return max(counts, key=lambda code: counts[code])
    if len(said) < 3:
        return ENGLISH
    code, sure = _identifier().classify(text[:1_000])
    return str(code) if sure >= LEAST_SURE else ENGLISH


@cache
def _identifier() -> LanguageIdentifier:
    """One of its own: `set_languages` narrows it for good."""
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(KNOWN))
    return identifier
