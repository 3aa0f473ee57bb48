"""A meeting may change its language; a clip that is not sure follows the others."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from connectors.recordings.audio import SAMPLE_RATE_HZ, AudioWindow
from connectors.recordings.transcribers import whisper
from connectors.recordings.transcribers.spoken_languages import LanguagePerClip, settle
from connectors.recordings.transcribers.words import is_echo


def _ranking(**probabilities: float) -> list[tuple[str, float]]:
    pairs = [(f"<|{code}|>", share) for code, share in probabilities.items()]
    return sorted(pairs, key=lambda pair: -pair[1])


def test_sure_clips_go_their_own_way_and_others_follow() -> None:
    english, german = _ranking(en=0.97, de=0.02, cy=0.01), _ranking(en=0.05, de=0.94, cy=0.01)
    cough = _ranking(en=0.2, de=0.3, cy=0.5)
    assert settle([english, english, german, cough]) == ["<|en|>", "<|en|>", "<|de|>", "<|en|>"]
    assert settle([german, cough]) == ["<|de|>", "<|de|>"]
    assert settle([cough]) == ["<|cy|>"]
    assert settle([]) == []


def test_answers_are_put_in_order_and_remembered() -> None:
    inner = SimpleNamespace(
        detect_language=lambda _: [_ranking(de=0.9, en=0.1), _ranking(en=0.6, de=0.4)], is_multilingual=True
    )
    model = SimpleNamespace(model=inner)
    pipeline = LanguagePerClip(model)  # type: ignore[arg-type]
    answers: Any = model.model.detect_language(None)
    assert [ranking[0][0] for ranking in answers] == ["<|de|>", "<|de|>"]
    assert model.model.is_multilingual
    assert pipeline.heard == ("de", "de")
    pipeline.begin()
    assert pipeline.heard == ()


def test_a_window_in_two_languages_is_written_as_each_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """German with spaces, Chinese without; no utterance runs over the change."""
    tiny = Path(__file__).resolve().parents[2] / "data" / "tiny_whisper"
    engine = whisper.FasterWhisper(str(tiny), device="cpu")
    monkeypatch.setattr(whisper, "speech_spans", lambda _: [(0.0, 4.0), (10.0, 14.0)])

    def segment(start: float, *words: str) -> Any:
        timed = [
            SimpleNamespace(start=start + place, end=start + place + 1.0, word=word, probability=0.9)
            for place, word in enumerate(words)
        ]
        return SimpleNamespace(
            start=start, end=start + 3, text="".join(words), no_speech_prob=0.0, avg_logprob=-0.1, words=timed
        )

    made = [segment(0.0, " Guten", " Tag"), segment(10.0, "你", "好")]
    monkeypatch.setattr(engine, "_decode", lambda *_: (made, ("de", "zh")))
    [heard] = engine.transcribe([AudioWindow(0, 0.0, np.ones(15 * SAMPLE_RATE_HZ, np.int16))])
    assert [one.text for one in heard.utterances] == ["Guten Tag", "你好"]
    assert heard.language in ("de", "zh")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada Lovelace, Larkmoor, OAuth2.", True),
        ("Lovelace, Larkmoor, OAuth2", True),
        ("Larkmoor", False),
        ("Ada Lovelace", False),
        ("We told Ada Lovelace about Larkmoor and OAuth2", False),
    ],
)
def test_the_list_of_hotwords_read_aloud_is_no_speech(text: str, expected: bool) -> None:
    assert is_echo(text, "Ada Lovelace, Larkmoor, OAuth2, Blue Box") is expected
    assert not is_echo(text, None)
