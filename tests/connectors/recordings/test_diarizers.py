"""The road of a diarization model: turns in order, voices found again, and clear words where a model is none."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from connectors.recordings.diarizers import sherpa
from connectors.recordings.diarizers.protocol import numbered
from connectors.recordings.diarizers.select import make_diarizer
from connectors.recordings.diarizers.sherpa import Sherpa
from connectors.recordings.speakers import Turn
from core.errors import NotConfigured
from tests.connectors.recordings import tiny_voices

TONES = "aevalsrc=0.3*(1+0.9*sin(2*PI*3*t))*sin(2*PI*t*if(between(mod(t\\,12)\\,0\\,4)\\,300\\,2500))*if(lt(mod(t\\,6)\\,4)\\,1\\,0):d={}:s=16000"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return tiny_voices.build(tmp_path_factory.mktemp("voices"))


@pytest.fixture
def two_tones(make_sound: Callable[..., Path]) -> Path:
    """Four seconds low, two of silence, four high, two of silence, and again."""
    return make_sound("tones.wav", TONES.format(24))


def test_two_voices_take_turns(models: tuple[Path, Path], two_tones: Path) -> None:
    engine = make_diarizer(f"sherpa:{models[0]},{models[1]}")
    turns = engine.turns(two_tones)
    assert [turn.speaker for turn in turns] == ["Speaker 1", "Speaker 2", "Speaker 1", "Speaker 2"]
    for turn, start_s in zip(turns, (0, 6, 12, 18), strict=True):
        assert turn.start_s == pytest.approx(start_s, abs=0.3)
        assert turn.end_s == pytest.approx(start_s + 4, abs=0.3)
    voices = engine.voices(two_tones, turns)
    assert set(voices) == {"Speaker 1", "Speaker 2"}
    assert all(np.linalg.norm(vector) == pytest.approx(1, abs=1e-4) for vector in voices.values())
    assert float(voices["Speaker 1"] @ voices["Speaker 2"]) < 0.5


def test_voices_are_found_again_in_the_next_stretch(
    models: tuple[Path, Path], two_tones: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sherpa, "STRETCH_S", 12.0)
    turns = Sherpa(*models).turns(two_tones)
    assert [turn.speaker for turn in turns] == ["Speaker 1", "Speaker 2", "Speaker 1", "Speaker 2"]
    assert [turn.start_s for turn in turns] == sorted(turn.start_s for turn in turns)


@pytest.mark.parametrize("spec", ["sherpa", "sherpa:a.onnx", "sherpa:,", "pyannote:", "other:x", ""])
def test_misspelt_settings_are_named(spec: str) -> None:
    with pytest.raises(NotConfigured, match="IMP_DIARIZER"):
        make_diarizer(spec)


def test_files_that_are_no_such_models(models: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="there is no segmentation model"):
        Sherpa(tmp_path / "none.onnx", models[1])
    garbage = tmp_path / "garbage.onnx"
    garbage.write_bytes(b"no model")
    with pytest.raises(NotConfigured, match="no ONNX model"):
        Sherpa(garbage, models[1])
    with pytest.raises(NotConfigured, match="it does not say num_speakers"):
        Sherpa(models[1], models[0])


def test_pyannote_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyannote.audio", None)
    with pytest.raises(NotConfigured, match=r"pip install pyannote\.audio"):
        make_diarizer("pyannote:pyannote/speaker-diarization-3.1")


def test_a_pyannote_pipeline_of_either_version(
    monkeypatch: pytest.MonkeyPatch, two_tones: Path, tmp_path: Path
) -> None:
    """What the package promises: `Pipeline.from_pretrained`, called with samples, answers an annotation."""
    tracks = [(SimpleNamespace(start=6.0, end=10.0), 0, "B"), (SimpleNamespace(start=0.0, end=4.0), 0, "A"),
              (SimpleNamespace(start=4.0, end=4.01), 0, "C")]  # fmt: skip
    annotation = SimpleNamespace(itertracks=lambda yield_label: iter(tracks))
    seen, answers = {}, [annotation, SimpleNamespace(speaker_diarization=annotation)]

    def load(name: str, token: str | None = None):  # type: ignore[no-untyped-def]
        seen["name"] = name

        def pipeline(sound):  # type: ignore[no-untyped-def]
            seen["shape"], seen["rate"] = tuple(sound["waveform"].shape), sound["sample_rate"]
            return answers.pop()

        return pipeline

    package = ModuleType("pyannote.audio")
    package.Pipeline = SimpleNamespace(from_pretrained=load)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyannote.audio", package)
    with pytest.raises(NotConfigured, match="there is no pyannote pipeline"):
        make_diarizer(f"pyannote:{tmp_path}/none")
    for _ in range(2):
        turns = make_diarizer(f"pyannote:{tmp_path}").turns(two_tones)
        assert turns == (Turn(0.0, 4.0, "Speaker 1"), Turn(6.0, 10.0, "Speaker 2"))
    assert seen == {"name": str(tmp_path), "shape": (1, 24 * 16000), "rate": 16000}


def test_voices_are_numbered_as_they_begin() -> None:
    turns = [Turn(5, 6, "x"), Turn(0, 1, "SPEAKER_07"), Turn(2, 3, "x")]
    assert numbered(turns) == (Turn(0, 1, "Speaker 1"), Turn(2, 3, "Speaker 2"), Turn(5, 6, "Speaker 2"))
