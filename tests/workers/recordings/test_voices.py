"""Voices: told apart by a model, named by people, recognized later only with a switch and a consent."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from connectors.recordings.audio import AudioWindow
from connectors.recordings.diarizers.sherpa import Sherpa
from connectors.recordings.transcribers.protocol import TranscribedWindow
from core.transcript import Utterance, Word
from tests.connectors.recordings import tiny_voices
from tests.connectors.recordings.test_diarizers import TONES
from tests.workers.recordings.conftest import Studio
from workers import corrections, voices
from workers.people import ensure_person


class Talker:
    """An engine that hears a word every half second wherever it is loud."""

    name, warnings = "talker", ()

    def transcribe(self, windows: Iterable[AudioWindow], **_: Any) -> Iterator[TranscribedWindow]:
        for window in windows:
            spoken = []
            for start in np.arange(0.0, window.duration_s - 0.5, 0.5):
                piece = window.samples[int(start * 16000) : int((start + 0.5) * 16000)]
                if np.abs(piece.astype(int)).max() > 300:
                    spoken.append(
                        Word(window.start_s + start, window.start_s + start + 0.5, f"w{int(start * 2)}", 0.9)
                    )
            text = " ".join(word.text for word in spoken)
            one = Utterance(spoken[0].start_s, spoken[-1].end_s, text, None, 0.9, tuple(spoken))
            yield TranscribedWindow(window.index, window.start_s, window.end_s, (one,), window.channel, "en")


@pytest.fixture
def studio(make_studio: Callable[..., Studio], tmp_path: Path) -> Studio:
    studio = make_studio(imp_match_voices=True)
    studio.context.__dict__["transcriber"] = Talker()
    studio.context.__dict__["diarizer"] = Sherpa(*tiny_voices.build(tmp_path))
    return studio


def _hear(studio: Studio, make_sound: Callable[..., Path], name: str, seconds: int) -> int:
    recording_id = studio.add(make_sound(name, "-f", "lavfi", "-i", TONES.format(seconds)))
    studio.run("transcribe_recording")
    return recording_id


def _speakers(studio: Studio, recording_id: int) -> list[str]:
    return [one[3] for one in studio.segments(recording_id)]


def _consenting(studio: Studio, *, given: bool = True) -> int:
    with studio.context.factory.begin() as session:
        person_id = ensure_person(session, name="Ada Lovelace", email="ada@example.com")
        voices.set_consent(session, person_id, given=given)
        return person_id


def _rename(studio: Studio, recording_id: int) -> None:
    with studio.context.factory.begin() as session:
        corrections.rename_speaker(
            session, studio.context.settings, recording_id, "Speaker 1", "Ada Lovelace"
        )


def test_words_get_the_voices_of_their_moments(studio: Studio, make_sound: Callable[..., Path]) -> None:
    recording_id = _hear(studio, make_sound, "one.wav", 24)
    assert _speakers(studio, recording_id) == ["Speaker 1", "Speaker 2", "Speaker 1", "Speaker 2"]
    starts = [one[1] for one in studio.segments(recording_id)]
    assert starts == pytest.approx([0, 6, 12, 18], abs=0.6)


def test_a_consenting_voice_is_learned_and_recognized(
    studio: Studio, make_sound: Callable[..., Path]
) -> None:
    first = _hear(studio, make_sound, "one.wav", 24)
    _consenting(studio)
    _rename(studio, first)
    assert studio.run("learn_voice") == {"kept": True}
    second = _hear(studio, make_sound, "two.wav", 30)
    assert _speakers(studio, second)[:2] == ["Ada Lovelace", "Speaker 2"]


def test_taking_the_consent_back_forgets_at_once(studio: Studio, make_sound: Callable[..., Path]) -> None:
    first = _hear(studio, make_sound, "one.wav", 24)
    _consenting(studio)
    _rename(studio, first)
    studio.run("learn_voice")
    _consenting(studio, given=False)
    assert studio.rows("SELECT 1 FROM voices") == []
    assert "Ada Lovelace" not in _speakers(studio, _hear(studio, make_sound, "two.wav", 30))


def test_without_consent_or_switch_nothing_is_learned(
    studio: Studio, make_studio: Callable[..., Studio], make_sound: Callable[..., Path]
) -> None:
    first = _hear(studio, make_sound, "one.wav", 24)
    _rename(studio, first)
    assert studio.rows("SELECT 1 FROM jobs WHERE kind = 'learn_voice'") == []
    person_id = _consenting(studio)
    vector = np.ones(4, np.float32)
    with studio.context.factory.begin() as session:
        assert voices.keep(session, person_id, "engine", vector, 5.0)
        voices.set_consent(session, person_id, given=False)
        assert not voices.keep(session, person_id, "engine", vector, 5.0)


@pytest.mark.parametrize(
    ("heard", "names"),
    [
        ({"Speaker 1": (1, 0, 0)}, {"Speaker 1": "Ada"}),
        ({"Speaker 1": (0, 0, 1)}, {}),
        ({"Speaker 1": (0.7, 0.7, 0)}, {}),
        ({"Speaker 1": (0.9, 0.1, 0), "Speaker 2": (1, 0, 0)}, {"Speaker 2": "Ada"}),
    ],
)
def test_only_who_is_certain_is_named(heard: dict[str, tuple[float, ...]], names: dict[str, str]) -> None:
    known = [("Ada", np.array([1, 0, 0], np.float32)), ("Ben", np.array([0, 1, 0], np.float32))]
    vectors = {voice: np.array(vector, np.float32) for voice, vector in heard.items()}
    assert voices.recognized(vectors, known) == names
