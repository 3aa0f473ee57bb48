"""Makes the transcriber that a setting names; the heavy engines are imported only when they are chosen."""

import logging
from pathlib import Path

from pydantic import SecretStr

from connectors.recordings.transcribers.protocol import Transcriber
from core.errors import NotConfigured

logger = logging.getLogger(__name__)

FORMS = "auto | pocketsphinx | faster-whisper:<folder or hub name> | openai:<url>#<model>"


def make_transcriber(
    spec: str,
    *,
    whisper_model: str | None = None,
    device: str = "auto",
    compute_type: str | None = None,
    batch_size: int | None = None,
    download_root: Path | None = None,
    cpu_threads: int = 0,
    api_key: SecretStr | None = None,
) -> Transcriber:
    """The engine for a setting such as `faster-whisper:/models/large-v3` or `openai:http://asr:8000/v1#whisper-1`.

    `auto` is faster-whisper where `whisper_model` (a folder or hub name) is configured, else PocketSphinx, whose
    warnings say how rough it is. A named engine that cannot run is an error, never another engine: what runs is
    in `.name`, `.warnings` and the log. Call once per process, after the fork.

    Raises:
        NotConfigured: the setting is misspelt, or its engine or model is not there.
    """
    kind, _, argument = spec.strip().partition(":")
    if kind == "auto" and not argument:
        kind, argument = ("faster-whisper", whisper_model) if whisper_model else ("pocketsphinx", "")
    transcriber: Transcriber
    if kind == "faster-whisper" and (argument or whisper_model):
        from connectors.recordings.transcribers.whisper import FasterWhisper

        transcriber = FasterWhisper(
            argument or whisper_model or "",
            device=device,
            compute_type=compute_type,
            batch_size=batch_size,
            download_root=download_root,
            cpu_threads=cpu_threads,
        )
    elif kind == "pocketsphinx" and not argument:
        from connectors.recordings.transcribers.sphinx import PocketSphinx

        transcriber = PocketSphinx()
    elif kind == "openai" and "#" in argument:
        from connectors.recordings.transcribers.openai_compatible import OpenAICompatible

        url, _, model = argument.rpartition("#")
        transcriber = OpenAICompatible(url, model, api_key=api_key)
    else:
        raise NotConfigured(f"there is no transcriber {spec!r}; it is one of: {FORMS}")
    logger.info("transcriber_chosen", extra={"setting": kind, "engine": transcriber.name})
    return transcriber
