"""Diarization by a pyannote pipeline, from a local folder or the hub; its package is imported only here, by name.

The sound is handed over decoded, so that pyannote opens no file; a six hour recording is 1.4 GB of samples then.
"""

import importlib
import logging
import tempfile
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import SecretStr

from connectors.recordings.audio import SAMPLE_RATE_HZ, write_wav
from connectors.recordings.diarizers.protocol import numbered
from connectors.recordings.speakers import Turn
from core.errors import NotConfigured

logger = logging.getLogger(__name__)

LEAST_TURN_S = 0.05


class PyannotePipeline:
    """A loaded pipeline.

    Args:
        model: a folder with its `config.yaml` (or that file), or a name on the hub.
        hub_token: for gated models.

    Raises:
        NotConfigured: pyannote.audio is not installed, or there is no such pipeline.
    """

    def __init__(self, model: str, *, hub_token: SecretStr | None = None) -> None:
        try:
            pipelines: Any = importlib.import_module("pyannote.audio")
        except ImportError as exc:
            raise NotConfigured(
                "IMP_DIARIZER names pyannote: install it with `pip install pyannote.audio`"
            ) from exc
        folder = Path(model).expanduser()
        if model.startswith(("/", ".", "~")) and not folder.exists():
            raise NotConfigured(f"there is no pyannote pipeline {model}")
        token = hub_token.get_secret_value() if hub_token else None
        try:
            self._pipeline: Any = pipelines.Pipeline.from_pretrained(
                str(folder) if folder.exists() else model, token=token
            )
        except Exception as exc:  # the hub, yaml, torch and the pipeline each have errors of their own
            raise NotConfigured(
                f"the pyannote pipeline {model} does not load ({type(exc).__name__})"
            ) from exc
        if self._pipeline is None:
            raise NotConfigured(
                f"the pyannote pipeline {model} is gated: set IMP_HUB_TOKEN and accept its terms"
            )
        self.name = f"pyannote {Path(model).name}"
        logger.info("diarizer_loaded", extra={"engine": self.name})

    def turns(self, path: Path, *, track: int = 0) -> tuple[Turn, ...]:
        """See `protocol.Diarizer`."""
        import torch

        samples = _samples(path, track)
        try:
            said = self._pipeline(
                {"waveform": torch.from_numpy(samples)[None], "sample_rate": SAMPLE_RATE_HZ}
            )
        except RuntimeError as exc:
            raise NotConfigured(f"{self.name} failed: {type(exc).__name__}") from exc
        # Version 4 answers an object that holds the annotation, earlier ones the annotation itself.
        annotation = getattr(said, "speaker_diarization", said)
        return numbered(
            [
                Turn(float(segment.start), float(segment.end), str(label))
                for segment, _, label in annotation.itertracks(yield_label=True)
                if segment.end - segment.start >= LEAST_TURN_S
            ]
        )

    def voices(
        self, path: Path, turns: Sequence[Turn], *, track: int = 0
    ) -> Mapping[str, NDArray[np.float32]]:
        """Pipelines do not hand out vectors in one way; voices are matched with `sherpa` only."""
        return {}


def _samples(path: Path, track: int) -> NDArray[np.float32]:
    """The track at 16 kHz in -1..1, shape (n_samples,)."""
    with tempfile.TemporaryDirectory(prefix="imp-diarize-") as folder:
        target = Path(folder) / "sound.wav"
        write_wav(path, target, track=track)
        with wave.open(str(target), "rb") as sound:
            raw = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
    samples: NDArray[np.float32] = raw.astype(np.float32) / np.float32(32768.0)
    return samples
