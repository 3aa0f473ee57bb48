"""Diarization by an ONNX pair, segmentation and embedding, through sherpa-onnx: no hub, no torch, files by path.

Long recordings are read half an hour at a time, so that memory stays bounded; voices of one stretch are found again
in the next by their vectors.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.recordings.audio import SAMPLE_RATE_HZ, read_windows
from connectors.recordings.diarizers.protocol import numbered
from connectors.recordings.speakers import Turn
from core.errors import NotConfigured

logger = logging.getLogger(__name__)

Samples = NDArray[np.float32]

STRETCH_S = 1800.0
# A voice is described by at most this much of its speech, and not by less than that.
MOST_VOICE_S = 60.0
LEAST_VOICE_S = 1.5
# sherpa-onnx's own default for clusters; the same closeness joins voices of two stretches.
CLUSTER_DISTANCE = 0.5
LEAST_LIKENESS = 0.5
# What the two models must say about themselves: sherpa-onnx ends the process where something is missing.
SEGMENTATION_FACTS = ("num_speakers", "powerset_max_classes", "num_classes", "sample_rate", "window_size",
                      "receptive_field_shift", "receptive_field_size")  # fmt: skip
EMBEDDING_FACTS = ("framework", "sample_rate", "output_dim")


class Sherpa:
    """The loaded pair.

    Args:
        segmentation: a pyannote segmentation model exported for sherpa-onnx.
        embedding: a speaker embedding model exported for it (3D-Speaker, WeSpeaker, NeMo).

    Raises:
        NotConfigured: sherpa-onnx is not installed, or a file is not such a model.
    """

    def __init__(self, segmentation: Path, embedding: Path, *, n_threads: int = 1) -> None:
        try:
            import sherpa_onnx
        except ImportError as exc:
            raise NotConfigured(
                "IMP_DIARIZER names sherpa: install it with `pip install sherpa-onnx`"
            ) from exc
        _check(segmentation, SEGMENTATION_FACTS, "segmentation")
        _check(embedding, EMBEDDING_FACTS, "embedding")
        voice = sherpa_onnx.SpeakerEmbeddingExtractorConfig(model=str(embedding), num_threads=n_threads)
        config = sherpa_onnx.OfflineSpeakerDiarizationConfig(
            segmentation=sherpa_onnx.OfflineSpeakerSegmentationModelConfig(
                pyannote=sherpa_onnx.OfflineSpeakerSegmentationPyannoteModelConfig(model=str(segmentation)),
                num_threads=n_threads,
            ),
            embedding=voice,
            clustering=sherpa_onnx.FastClusteringConfig(num_clusters=-1, threshold=CLUSTER_DISTANCE),
        )
        try:
            self._diarization: Any = sherpa_onnx.OfflineSpeakerDiarization(config)
            self._extractor: Any = sherpa_onnx.SpeakerEmbeddingExtractor(voice)
        except (RuntimeError, ValueError) as exc:
            raise NotConfigured(
                f"{segmentation.name} and {embedding.name} do not load as a diarization pair"
            ) from exc
        self.name = f"sherpa-onnx {segmentation.stem} + {embedding.stem}"
        logger.info("diarizer_loaded", extra={"engine": self.name})

    def turns(self, path: Path, *, track: int = 0) -> tuple[Turn, ...]:
        """See `protocol.Diarizer`."""
        known: dict[str, Samples] = {}
        turns: list[Turn] = []
        for start_s, samples in _stretches(path, track):
            found = [
                Turn(float(one.start), min(float(one.end), len(samples) / SAMPLE_RATE_HZ), str(one.speaker))
                for one in self._diarization.process(samples).sort_by_start_time()
            ]
            names = self._recognize(found, samples, known)
            turns += [Turn(start_s + one.start_s, start_s + one.end_s, names[one.speaker]) for one in found]
        return numbered(turns)

    def voices(self, path: Path, turns: Sequence[Turn], *, track: int = 0) -> Mapping[str, Samples]:
        """See `protocol.Diarizer`."""
        sums: dict[str, Samples] = {}
        for start_s, samples in _stretches(path, track):
            end_s = start_s + len(samples) / SAMPLE_RATE_HZ
            here = [
                Turn(max(one.start_s, start_s) - start_s, min(one.end_s, end_s) - start_s, one.speaker)
                for one in turns
                if one.end_s > start_s and one.start_s < end_s
            ]
            for speaker, vector in self._vectors(here, samples).items():
                sums[speaker] = sums[speaker] + vector if speaker in sums else vector
        return {speaker: _unit(vector) for speaker, vector in sums.items()}

    def _recognize(
        self, found: Sequence[Turn], samples: Samples, known: dict[str, Samples]
    ) -> dict[str, str]:
        """Names for this stretch's voices: those of `known` that sound alike, each given once, else new ones."""
        vectors = self._vectors(found, samples)
        likeness = sorted(
            (-float(vector @ other), label, name)
            for label, vector in vectors.items()
            for name, other in known.items()
        )
        names: dict[str, str] = {}
        for distance, label, name in likeness:
            if -distance >= LEAST_LIKENESS and label not in names and name not in names.values():
                names[label] = name
        n_before = len(known)
        for label in sorted({one.speaker for one in found}):
            names.setdefault(label, f"{n_before}:{label}")
            if label in vectors:
                known.setdefault(names[label], vectors[label])
        return names

    def _vectors(self, turns: Sequence[Turn], samples: Samples) -> dict[str, Samples]:
        """One unit vector a voice, from its longest turns; voices heard too briefly have none."""
        vectors: dict[str, Samples] = {}
        for speaker in sorted({one.speaker for one in turns}):
            own = sorted(
                (one for one in turns if one.speaker == speaker), key=lambda one: one.start_s - one.end_s
            )
            pieces = [
                samples[int(one.start_s * SAMPLE_RATE_HZ) : int(one.end_s * SAMPLE_RATE_HZ)] for one in own
            ]
            speech = np.concatenate(pieces)[: int(MOST_VOICE_S * SAMPLE_RATE_HZ)] if pieces else samples[:0]
            if len(speech) < LEAST_VOICE_S * SAMPLE_RATE_HZ:
                continue
            stream = self._extractor.create_stream()
            stream.accept_waveform(SAMPLE_RATE_HZ, speech)
            stream.input_finished()
            vector = np.asarray(self._extractor.compute(stream), dtype=np.float32)
            if np.isfinite(vector).all() and float(np.linalg.norm(vector)) > 0:
                vectors[speaker] = _unit(vector)
        return vectors


def _stretches(path: Path, track: int) -> Iterator[tuple[float, Samples]]:
    for window in read_windows(path, track=track, window_s=STRETCH_S):
        yield window.start_s, window.as_float32()


def _unit(vector: Samples) -> Samples:
    unit: Samples = (vector / np.linalg.norm(vector)).astype(np.float32)
    return unit


def _check(model: Path, facts: Sequence[str], role: str) -> None:
    """Read what the model says about itself before sherpa-onnx does."""
    import onnxruntime

    if not model.is_file():
        raise NotConfigured(f"there is no {role} model {model}")
    try:
        said = onnxruntime.InferenceSession(
            str(model), providers=["CPUExecutionProvider"]
        ).get_modelmeta().custom_metadata_map  # fmt: skip
    except Exception as exc:  # onnxruntime's errors have no common type but its own
        raise NotConfigured(f"{model} is no ONNX model ({type(exc).__name__})") from exc
    missing = [one for one in facts if one not in said]
    if missing:
        raise NotConfigured(
            f"{model} is no {role} model for sherpa-onnx: it does not say {', '.join(missing)}"
        )
