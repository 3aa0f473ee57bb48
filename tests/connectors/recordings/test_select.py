import pytest

from connectors.recordings.audio import AudioWindow
from connectors.recordings.transcribers.protocol import TranscribedWindow, speaker_of, transcript_of
from connectors.recordings.transcribers.select import make_transcriber
from core.errors import BadInput, NotConfigured
from core.transcript import Utterance


def test_auto_without_a_model_is_pocketsphinx_and_says_so():
    transcriber = make_transcriber("auto")
    assert transcriber.name.startswith("PocketSphinx") and "rough" in transcriber.warnings[0]


def test_auto_with_a_model_never_falls_back(tmp_path):
    with pytest.raises(NotConfigured, match="no model folder"):
        make_transcriber("auto", whisper_model=str(tmp_path / "gone"))


def test_a_server_is_named():
    assert make_transcriber("openai:http://asr:8000/v1#large-v3").name == "large-v3 at asr"
    assert make_transcriber("openai:http://asr:8000/v1#large-v3").warnings == ()


@pytest.mark.parametrize(
    "spec",
    ["", "whisper", "faster-whisper", "faster-whisper:", "openai:http://x", "pocketsphinx:x", "auto:x"],
)
def test_misspelt_settings_name_the_forms(spec):
    with pytest.raises(NotConfigured, match="it is one of"):
        make_transcriber(spec)


def window(index, channel, *utterances, language="en"):
    return TranscribedWindow(index, 0.0, 10.0, utterances, channel, language)


def test_windows_of_all_channels_become_one_transcript():
    one, two, three = (Utterance(start, start + 1, "x") for start in (1.0, 2.0, 3.0))
    results = [window(0, 0, one, three), window(0, 1, two, language="de")]
    transcript = transcript_of(results, engine="e", warnings=("rough",), duration_s=10.0)
    assert transcript.utterances == (one, two, three)
    assert (transcript.language, transcript.duration_s, transcript.warnings) == ("en", 10.0, ("rough",))


def test_nobody_spoke():
    with pytest.raises(BadInput, match="no speech"):
        transcript_of([window(0, None)], engine="e", duration_s=10.0)


def test_only_channels_name_speakers():
    import numpy as np

    assert speaker_of(AudioWindow(0, 0.0, np.zeros(1, np.int16))) is None
    assert speaker_of(AudioWindow(0, 0.0, np.zeros(1, np.int16), 0)) == "Channel 1"
