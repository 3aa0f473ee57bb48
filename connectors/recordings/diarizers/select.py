"""Makes the diarization engine that a setting names; heavy packages are imported only when they are chosen."""

from pathlib import Path

from pydantic import SecretStr

from connectors.recordings.diarizers.protocol import Diarizer
from core.errors import NotConfigured

FORMS = "pyannote:<folder or hub name> | sherpa:<segmentation.onnx>,<embedding.onnx>"


def make_diarizer(spec: str, *, hub_token: SecretStr | None = None) -> Diarizer:
    """The engine for a setting such as `sherpa:/models/segmentation.onnx,/models/embedding.onnx`.

    Raises:
        NotConfigured: the setting is misspelt, or its package or models are not there.
    """
    kind, _, argument = spec.strip().partition(":")
    if kind == "sherpa" and argument:
        segmentation, _, embedding = argument.partition(",")
        if segmentation.strip() and embedding.strip():
            from connectors.recordings.diarizers.sherpa import Sherpa

            return Sherpa(Path(segmentation.strip()).expanduser(), Path(embedding.strip()).expanduser())
    if kind == "pyannote" and argument:
        from connectors.recordings.diarizers.pyannote_pipeline import PyannotePipeline

        return PyannotePipeline(argument.strip(), hub_token=hub_token)
    raise NotConfigured(f"IMP_DIARIZER={spec!r} is not one of: {FORMS}")
