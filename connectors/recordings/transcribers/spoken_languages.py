"""Which language each clip of a batch is in, from the encoding that decodes it: a meeting may change its language.

Sits between faster-whisper and CTranslate2. Costs no pass of the encoder, where asking for a whole window's language
costs one; a short or unclear clip follows the others instead of becoming Welsh.
"""

from typing import Any

from faster_whisper import BatchedInferencePipeline, WhisperModel

# A clip goes its own way only when it is sure: language identification of Whisper on half a minute of clear speech
# lies above 0.9, on a cough or a name anywhere.
SURE = 0.8


class _Listening:
    """CTranslate2's model, whose answers about languages are put in order and remembered."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.heard: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def detect_language(self, features: Any) -> list[list[tuple[str, float]]]:
        """One ranking a clip, best first, as CTranslate2 gives them."""
        rankings: list[list[tuple[str, float]]] = self._model.detect_language(features)
        settled = settle(rankings)
        self.heard += [code.strip("<|>") for code in settled]
        return [
            [(code, dict(ranking).get(code, 0.0)), *(one for one in ranking if one[0] != code)]
            for code, ranking in zip(settled, rankings, strict=True)
        ]


class LanguagePerClip(BatchedInferencePipeline):  # type: ignore[misc]
    """faster-whisper's batches, each clip in its own language; `heard` are those of the last call, in clip order."""

    def __init__(self, model: WhisperModel) -> None:
        super().__init__(model=model)
        self._listening = _Listening(model.model)
        model.model = self._listening

    @property
    def heard(self) -> tuple[str, ...]:
        return tuple(self._listening.heard)

    def begin(self) -> None:
        """Forget what an earlier call left behind, also one that failed halfway."""
        self._listening.heard.clear()
        # Left over, it would shift the first words of the next call.
        self.last_speech_timestamp = 0.0

    def generate_segment_batched(self, features: Any, tokenizer: Any, options: Any) -> Any:
        """As the parent does; afterwards the tokenizer cuts words as the batch's main language writes them."""
        n_before = len(self._listening.heard)
        made = super().generate_segment_batched(features, tokenizer, options)
        if options.multilingual and (spoken := self._listening.heard[n_before:]):
            tokenizer.language_code = max(sorted(set(spoken)), key=spoken.count)
        return made


def settle(rankings: list[list[tuple[str, float]]]) -> list[str]:
    """The language of each clip: its own best where that is sure, else the best of all clips together."""
    total: dict[str, float] = {}
    for ranking in rankings:
        for code, probability in ranking:
            total[code] = total.get(code, 0.0) + probability
    leading = max(sorted(total), key=total.__getitem__) if total else ""
    return [ranking[0][0] if ranking[0][1] >= SURE else leading for ranking in rankings]
