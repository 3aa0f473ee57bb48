import json

import numpy as np
import pytest

from connectors.recordings.audio import AudioWindow, read_windows
from connectors.recordings.transcribers.sphinx import PocketSphinx, _stretches
from core.errors import NotConfigured
from tests.connectors.recordings.word_errors import word_error_rate


@pytest.fixture(scope="module")
def sphinx() -> PocketSphinx:
    return PocketSphinx()


def test_word_error_rate_by_hand():
    """One wrong, one missing, one too many of four words: 3 / 4."""
    assert word_error_rate("the cat sat down", "a cat sat") == 0.5
    assert word_error_rate("the cat sat down", "a cat sat well oh") == 0.75
    assert word_error_rate("The cat, sat.", "the cat sat") == 0


def test_hears_kennedy(sphinx, shared_data, ffmpeg):
    path = shared_data("audio/jfk.flac")
    reference = next(
        one for one in json.loads(shared_data("audio/manifest.json").read_text()) if one["file"] == path.name
    )
    (result,) = sphinx.transcribe(read_windows(path), language="en-US")
    heard = " ".join(one.text for one in result.utterances)
    assert word_error_rate(reference["transcript"], heard) < 0.5
    words = [word for one in result.utterances for word in one.words]
    assert all(
        0 <= before.start_s <= before.end_s <= after.end_s <= 11
        for before, after in zip(words, words[1:], strict=False)
    )
    assert len({word.confidence for word in words}) > 5 and all(0 <= word.confidence <= 1 for word in words)
    assert result.language == "en"


def test_a_window_gives_the_same_whatever_came_before(sphinx, shared_data, ffmpeg):
    path = shared_data("audio/whatstheweatherlike.wav")
    (window,) = read_windows(path)
    later = AudioWindow(1, 50.0, window.samples, 0)
    noise = AudioWindow(0, 0.0, np.random.default_rng(1).normal(0, 6000, 32000).astype(np.int16))
    (alone,) = sphinx.transcribe([later])
    _, after_noise = sphinx.transcribe([noise, later])
    assert alone.utterances == after_noise.utterances
    assert alone.utterances[0].speaker == "Channel 1" and alone.utterances[0].start_s > 50
    assert "weather" in alone.utterances[0].text


def test_silence_and_no_samples_give_nothing(sphinx):
    windows = [AudioWindow(0, 0.0, np.zeros(16000, np.int16)), AudioWindow(1, 1.0, np.zeros(0, np.int16))]
    assert [result.utterances for result in sphinx.transcribe(windows)] == [(), ()]


def test_speech_without_pause_is_cut_into_stretches(sphinx, speak):
    (window,) = read_windows(speak("s.wav", "and then we go on " * 60))
    stretches = list(_stretches(window.samples))
    assert len(stretches) > 1
    assert all(
        0 <= first < last <= len(window.samples) and last - first <= 30 * 16000 for first, last in stretches
    )
    assert all(before[1] <= after[0] for before, after in zip(stretches, stretches[1:], strict=False))


def test_it_says_that_it_is_rough_and_english(sphinx):
    assert "rough" in sphinx.warnings[0]
    with pytest.raises(NotConfigured, match="English only"):
        list(sphinx.transcribe([], language="de"))
