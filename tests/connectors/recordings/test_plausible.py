"""Speech is told from noise by the words it has for its time."""

import pytest

from connectors.recordings.plausible import sounds_like_speech
from core.transcript import Utterance


@pytest.mark.parametrize(
    ("text", "seconds", "is_speech"),
    [
        ("what's the weather like", 1.2, True),
        ("gervais", 4.1, False),
        ("moonlighting what", 2.4, False),
        ("我们决定下周一发布", 3.0, True),
        ("yes", 0.4, True),
        ("… !", 1.0, False),
    ],
)
def test_words_for_their_time(text: str, seconds: float, is_speech: bool) -> None:
    assert sounds_like_speech([Utterance(10.0, 10.0 + seconds, text)]) is is_speech


def test_one_long_pause_does_not_silence_a_meeting() -> None:
    spoken = [Utterance(0, 4, "we decided to keep the old copies for seven days"), Utterance(5, 9, "hm")]
    assert sounds_like_speech(spoken)
    assert not sounds_like_speech([])
