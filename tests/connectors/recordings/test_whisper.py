import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from connectors.recordings.audio import AudioWindow, read_windows
from connectors.recordings.transcribers import graphics_memory
from connectors.recordings.transcribers.select import make_transcriber
from connectors.recordings.transcribers.whisper import FasterWhisper, _batch_size, clips_of, speech_spans
from connectors.recordings.transcribers.words import is_loop
from core.errors import NotConfigured, Unavailable
from tests.connectors.recordings import random_whisper
from tests.connectors.recordings.word_errors import word_error_rate

SENTENCES = [
    "We decided to move the release to Friday.",
    "Anna will check the budget by Monday.",
    "Who owns the database?",
    "The next meeting is on Tuesday at ten.",
]
TRAINED = Path(__file__).resolve().parents[2] / "data" / "tiny_whisper"


@pytest.fixture(scope="session")
def babbling_model(tmp_path_factory) -> Path:
    return random_whisper.build(tmp_path_factory.mktemp("whisper"))


@pytest.fixture
def whisper(babbling_model) -> FasterWhisper:
    return FasterWhisper(str(babbling_model), device="cpu", cpu_threads=1)


@pytest.fixture
def speech(speak) -> AudioWindow:
    """About six seconds of two sentences with a pause, at 100 s of a recording."""
    path = speak(
        "s.wav", "Good morning everyone and welcome to the meeting. We decided to ship the release on Friday."
    )
    (window,) = read_windows(path)
    pause = np.zeros(16000, np.int16)
    return AudioWindow(4, 100.0, np.concatenate([window.samples, pause]), None)


@dataclass
class FakePipeline:
    """Answers like BatchedInferencePipeline; `refuses` is raised while the batch is larger than `most`."""

    segments: list = field(default_factory=list)
    refuses: Exception | None = None
    most: int = 100
    calls: list = field(default_factory=list)
    supported_languages: tuple = ("en",)
    heard: tuple = ()

    def begin(self):
        self.heard = ()

    def transcribe(self, audio, **options):
        self.calls.append(options)
        if self.refuses is not None and options.get("batch_size", 1) > self.most:
            raise self.refuses
        return iter(self.segments), SimpleNamespace(language=options["language"] or "en")


def segment(text, start=0.5, end=4.0, *, no_speech_prob=0.0, avg_logprob=-0.2):
    words = text.split()
    step = (end - start) / len(words)
    timed = [
        SimpleNamespace(
            word=f" {word}", start=start + place * step, end=start + (place + 1) * step, probability=0.8
        )
        for place, word in enumerate(words)
    ]
    return SimpleNamespace(
        text=text, start=start, end=end, words=timed, no_speech_prob=no_speech_prob, avg_logprob=avg_logprob
    )


def test_batched_and_plain_roads_run_on_a_real_model(whisper, speech):
    """Random weights babble in a loop: the batched road runs, then the plain one for the second try."""
    (result,) = whisper.transcribe([speech], language="en", hotwords=["Kubernetes", "IMP"])
    assert (result.index, result.start_s, result.end_s) == (4, speech.start_s, speech.end_s)
    clips = clips_of(speech_spans(speech.as_float32()))
    segments, language = whisper._decode(speech.as_float32(), clips, "en", "Kubernetes")
    assert set(language) == {"en"} and segments and all(is_loop(one.text) for one in segments)
    assert all(speech.start_s <= one.start_s <= one.end_s <= speech.end_s for one in result.utterances)
    assert all(
        type(word.start_s) is type(word.confidence) is float
        for one in result.utterances
        for word in one.words
    )


def test_voice_is_found_and_silence_asks_no_model(whisper, speech):
    spans = speech_spans(speech.as_float32())
    assert spans and spans[0][0] < 0.5 and 4 < spans[-1][1] < speech.duration_s
    whisper._pipeline = pipeline = FakePipeline()
    silence = AudioWindow(0, 0.0, np.zeros(16000 * 20, np.int16))
    (result,) = whisper.transcribe([silence])
    assert result.utterances == () and pipeline.calls == []


def test_results_are_lazy_in_absolute_seconds_and_by_channel(whisper, speech):
    whisper._pipeline = FakePipeline([segment("Good morning everyone")])
    taken = []

    def windows():
        for index in range(3):
            taken.append(index)
            yield AudioWindow(index, 100.0 * index, speech.samples, 1)

    results = whisper.transcribe(windows(), language="en-GB")
    first = next(results)
    assert taken == [0] and first.utterances[0].start_s == 0.5
    second = next(results)
    (utterance,) = second.utterances
    assert (utterance.start_s, utterance.end_s, utterance.text) == (100.5, 104.0, "Good morning everyone")
    assert utterance.speaker == "Channel 2" and utterance.confidence == pytest.approx(0.8)
    assert [word.text for word in utterance.words] == ["Good", "morning", "everyone"]
    assert whisper._pipeline.calls[0]["language"] == "en"


def test_made_up_text_is_dropped(whisper, speech):
    """A doubted segment, a loop whose second try loops too, and words where nobody speaks."""
    length_s = speech.duration_s
    whisper._pipeline = FakePipeline(
        [
            segment("Thanks for watching", no_speech_prob=0.9, avg_logprob=-1.4),
            segment("We decided to ship."),
            segment("thank you so much " * 8),
            segment("Subtitles by nobody", start=length_s + 5, end=length_s + 20),
        ]
    )
    whisper._model = FakePipeline([segment("thank you so much " * 8)])
    (result,) = whisper.transcribe([speech], language="en")
    assert " ".join(one.text for one in result.utterances) == "We decided to ship."


def test_no_word_is_lost_to_a_poor_alignment(whisper, speech):
    """Words aligned past the clip are put at its end; a segment without any word times stays together."""
    (clip,) = clips_of(speech_spans(speech.as_float32()))
    bare = segment("All agreed.", start=1.0, end=2.0)
    bare.words = []
    whisper._pipeline = FakePipeline([bare, segment("on Friday", start=clip[1] + 0.3, end=clip[1] + 0.9)])
    (result,) = whisper.transcribe([speech], language="en")
    assert " ".join(one.text for one in result.utterances) == "All agreed. on Friday"
    assert result.utterances[0].confidence == pytest.approx(np.exp(-0.2))
    assert result.utterances[-1].end_s == pytest.approx(100.0 + clip[1])


def test_a_clip_that_loops_gets_a_second_try_in_its_place(whisper, speech):
    """The first clip is kept as it is, the second one, after a pause, is heard again with higher temperatures."""
    pause = np.zeros(16000 * 3, np.int16)
    window = AudioWindow(0, 100.0, np.concatenate([speech.samples, pause, speech.samples]))
    second = speech.duration_s + 3
    whisper._pipeline = FakePipeline(
        [segment("Good morning"), segment("la " * 20, start=second + 0.5, end=second + 3)]
    )
    whisper._model = model = FakePipeline([segment("we decided", start=0.25, end=1.0)])
    (result,) = whisper.transcribe([window], language="en")
    kept, again = result.utterances
    (kept_at, again_at) = clips_of(speech_spans(window.as_float32()))
    assert (kept.text, kept.start_s) == ("Good morning", 100.5)
    assert (again.text, again.start_s) == ("we decided", pytest.approx(100.25 + again_at[0]))
    assert len(model.calls) == 1 and max(model.calls[0]["temperature"]) == 1.0 and kept_at[1] < again_at[0]


@pytest.mark.parametrize("error", [RuntimeError("CUDA failed with error out of memory"), MemoryError()])
def test_memory_halves_the_batch_until_it_fits_and_stays_there(whisper, speech, error):
    whisper.batch_size = 16
    whisper._pipeline = pipeline = FakePipeline([segment("Hello")], refuses=error, most=5)
    results = list(whisper.transcribe([speech, speech], language="en"))
    assert [call["batch_size"] for call in pipeline.calls] == [16, 8, 4, 4]
    assert all(result.utterances for result in results)


def test_memory_for_not_even_one_clip_is_to_be_tried_later(whisper, speech):
    whisper._pipeline = FakePipeline(refuses=RuntimeError("CUDA out of memory"), most=0)
    with pytest.raises(Unavailable, match="out of memory"):
        list(whisper.transcribe([speech], language="en"))


def test_other_faults_are_not_hidden(whisper, speech):
    whisper._pipeline = pipeline = FakePipeline(refuses=RuntimeError("a defect"), most=0)
    with pytest.raises(RuntimeError, match="a defect"):
        list(whisper.transcribe([speech], language="en"))
    assert len(pipeline.calls) == 1


def test_clips_join_neighbours_up_to_thirty_seconds():
    assert clips_of([(0, 10), (11, 20), (21, 29), (29.5, 31), (40, 41)]) == [(0, 29), (29.5, 31), (40, 41)]


def test_batch_follows_free_memory(monkeypatch, tmp_path):
    tool = tmp_path / "nvidia-smi"
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    for answer, batch in [("8192", 25), ("2048", 3), ("500", 1), ("81920", 32), ("[N/A]", 5)]:
        tool.write_text(f"#!/bin/sh\necho '{answer}'\n")
        tool.chmod(0o755)
        assert _batch_size("cuda") == batch
    tool.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert graphics_memory.free_bytes() == graphics_memory.ASSUMED_FREE_BYTES
    assert _batch_size("cpu") == 8


def test_models_that_are_not_there_are_named(tmp_path, monkeypatch):
    with pytest.raises(NotConfigured, match="no model folder"):
        FasterWhisper(str(tmp_path / "none"))
    (tmp_path / "model.bin").write_bytes(b"x")
    with pytest.raises(NotConfigured, match=r"config\.json, tokenizer\.json"):
        FasterWhisper(str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({}))
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(NotConfigured, match="does not load"):
        FasterWhisper(str(tmp_path), device="cpu")


@pytest.mark.parametrize("model", ["enormous-v9", "owner/no-such-model", "large-v3"])
def test_an_unreachable_hub_says_how_to_give_a_folder(model, monkeypatch, tmp_path):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(NotConfigured, match="faster-whisper:/path/to/model"):
        FasterWhisper(model, device="cpu", download_root=tmp_path)


def test_a_language_the_model_does_not_know(whisper, speech):
    with pytest.raises(NotConfigured, match="'de'"):
        list(whisper.transcribe([speech], language="de"))


def test_words_come_out_of_a_trained_model(speak):
    """The whole road on sound: a tiny Whisper trained on a hundred-odd words of synthetic speech."""
    if not (TRAINED / "model.bin").exists():
        pytest.skip("tests/data/tiny_whisper is not there; make it with tests/data/make_tiny_whisper.py")
    transcriber = make_transcriber(f"faster-whisper:{TRAINED}", device="cpu", cpu_threads=1)
    wrong = 0.0
    for text in SENTENCES:
        results = list(transcriber.transcribe(read_windows(speak("s.wav", text)), language="en"))
        heard = [one for result in results for one in result.utterances]
        wrong += word_error_rate(text, " ".join(one.text for one in heard))
        assert all(one.words and 0 < one.confidence <= 1 for one in heard)
    assert wrong / len(SENTENCES) < 0.5
