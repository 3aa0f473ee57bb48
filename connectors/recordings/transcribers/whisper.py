"""Speech to text by faster-whisper (CTranslate2), batched over the stretches where Silero hears a voice.

Knows nothing of files or jobs. Made once per process, after the fork.
"""

import logging
import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.vad import VadOptions, get_speech_timestamps
from numpy.typing import NDArray

from connectors.recordings.audio import SAMPLE_RATE_HZ, AudioWindow
from connectors.recordings.transcribers.graphics_memory import free_bytes
from connectors.recordings.transcribers.protocol import TranscribedWindow, speaker_of
from connectors.recordings.transcribers.spoken_languages import LanguagePerClip
from connectors.recordings.transcribers.words import is_echo, is_loop, is_silence, utterances_of
from core.errors import NotConfigured, Unavailable
from core.transcript import Utterance, Word

logger = logging.getLogger(__name__)

BEAM_SIZE = 5
CLIP_S = 30.0
# Stretches of speech closer than this share a clip: Whisper reads better with context.
LONGEST_GAP_IN_CLIP_S = 1.5
VAD = VadOptions(max_speech_duration_s=CLIP_S, min_silence_duration_ms=300)
# faster-whisper aligns words over whole seconds, so the last ones may land this far past the clip.
OVERSHOOT_S = 1.0
CPU_BATCH = 8
MOST_BATCH = 32
# large-v2 at fp16: 6.1 GB with 8 in a batch, 4.5 GB with 1 (faster-whisper's README): 0.22 GB each, rounded up.
BYTES_PER_CLIP = 300_000_000
# Stays free for the encoder's peak and for other processes.
RESERVED_BYTES = 1_000_000_000
MOST_HOTWORD_CHARS = 400
REQUIRED_FILES = ("model.bin", "config.json", "tokenizer.json")
# Temperatures for a second try at a clip that came out as a loop (openai/whisper's ladder).
SECOND_TRY = (0.2, 0.4, 0.6, 0.8, 1.0)

# Segments as faster-whisper made them, and the language of each clip.
Decoded = tuple[list[Any], tuple[str, ...]]
# A stretch of a window: start_s, end_s.
Span = tuple[float, float]


class FasterWhisper:
    """A loaded Whisper model.

    Args:
        model: a folder in CTranslate2's format, or a name on the Hugging Face hub (`large-v3`, `owner/name`),
            downloaded on first use where the hub may be reached.
        device: `auto`, `cpu` or `cuda`.
        compute_type: CTranslate2's name; by default float16 on a GPU, int8 on a CPU.
        batch_size: clips decoded together; by default from the free GPU memory, 8 on a CPU.
        download_root: where hub models are kept; the hub's own cache by default.
        cpu_threads: threads on a CPU, 0 for CTranslate2's default.

    Raises:
        NotConfigured: there is no such model, or it does not load on this device.
    """

    warnings: tuple[str, ...] = ()

    def __init__(
        self,
        model: str,
        *,
        device: str = "auto",
        compute_type: str | None = None,
        batch_size: int | None = None,
        download_root: Path | None = None,
        cpu_threads: int = 0,
    ) -> None:
        device = _device(device)
        compute_type = compute_type or ("float16" if device == "cuda" else "int8")
        self._model = _load(model, device, compute_type, download_root, cpu_threads)
        self._is_multilingual = bool(self._model.model.is_multilingual)
        self._pipeline = LanguagePerClip(self._model)
        self.batch_size = batch_size or _batch_size(device)
        self.name = f"faster-whisper {Path(model).name} ({compute_type}, {device})"
        logger.info("transcriber_loaded", extra={"engine": self.name, "batch_size": self.batch_size})

    def transcribe(
        self, windows: Iterable[AudioWindow], *, language: str | None = None, hotwords: Sequence[str] = ()
    ) -> Iterator[TranscribedWindow]:
        """See `protocol.Transcriber`. Without `language` that of each clip of half a minute is found by itself."""
        wanted = self._checked_language(language)
        phrase = _phrase(hotwords)
        for window in windows:
            yield self._transcribe_window(window, wanted, phrase)

    def _transcribe_window(
        self, window: AudioWindow, language: str | None, hotwords: str | None
    ) -> TranscribedWindow:
        audio = window.as_float32()
        spans = speech_spans(audio)
        empty = TranscribedWindow(window.index, window.start_s, window.end_s, (), window.channel, language)
        if not spans:
            return empty
        clips = clips_of(spans)
        segments, languages = self._with_less_at_once(lambda: self._decode(audio, clips, language, hotwords))
        utterances: list[Utterance] = []
        words: list[tuple[str, Word]] = []
        for clip, said, spoken in zip(clips, _by_clip(segments, clips), languages, strict=True):
            sure = [one for one in said if not is_echo(one.text, hotwords)]
            words += [(spoken, word) for word in self._believable(sure, audio, clip, spoken)]
        words.sort(key=lambda pair: pair[1].start_s)
        for spoken, run in groupby(words, key=lambda pair: pair[0]):
            moved = (_moved(word, window) for _, word in run)
            utterances += utterances_of(moved, speaker=speaker_of(window), language=spoken)
        main = max(sorted(set(languages)), key=languages.count)
        return replace(empty, utterances=tuple(utterances), language=main)

    def _decode(
        self,
        audio: NDArray[np.float32],
        clips: Sequence[Span],
        language: str | None,
        hotwords: str | None,
    ) -> Decoded:
        self._pipeline.begin()
        is_open = language is None and self._is_multilingual
        segments, info = self._pipeline.transcribe(
            audio,
            # Named only to save the pass in which one language for all would be looked for.
            language="en" if is_open else language,
            multilingual=is_open,
            hotwords=hotwords,
            beam_size=BEAM_SIZE,
            batch_size=self.batch_size,
            clip_timestamps=[{"start": start, "end": end} for start, end in clips],
            word_timestamps=True,
        )
        made = list(segments)
        return made, self._pipeline.heard if is_open else (str(info.language),) * len(clips)

    def _with_less_at_once(self, decode: Callable[[], Decoded]) -> Decoded:
        """Decode; when memory runs out, halve the batch for good and decode this window again.

        Raises:
            Unavailable: one clip at a time is still too much.
        """
        while True:
            try:
                return decode()
            except (RuntimeError, MemoryError) as exc:
                if not _is_out_of_memory(exc):
                    raise
                if self.batch_size == 1:
                    raise Unavailable(f"{self.name}: out of memory even with one clip at a time") from exc
                self.batch_size //= 2
                logger.warning("transcriber_batch_halved", extra={"batch_size": self.batch_size})

    def _believable(
        self, segments: Sequence[Any], audio: NDArray[np.float32], clip: Span, language: str
    ) -> list[Word]:
        """The clip's words without doubted segments; a clip that looped is tried again, then stripped of its loops.

        Text placed after the clip's end was made up on the silence that fills it to 30 s.
        """
        sure = [
            one
            for one in segments
            if not is_silence(one.no_speech_prob, one.avg_logprob) and one.start <= clip[1] + OVERSHOOT_S
        ]
        sane = [one for one in sure if not is_loop(one.text)]
        if len(sane) == len(sure):
            return _words(sane, 0.0, clip)
        again = [one for one in self._second_try(audio, clip, language) if not is_loop(one.text)]
        logger.warning("transcriber_looped", extra={"engine": self.name, "n_segments_saved": len(again)})
        return _words(again, clip[0], clip) if again else _words(sane, 0.0, clip)

    def _second_try(self, audio: NDArray[np.float32], clip: Span, language: str) -> list[Any]:
        """The batched road has no temperatures to fall back on; the plain one has."""

        def decode() -> Decoded:
            segments, _ = self._model.transcribe(
                audio[int(clip[0] * SAMPLE_RATE_HZ) : int(clip[1] * SAMPLE_RATE_HZ)],
                language=language,
                beam_size=BEAM_SIZE,
                temperature=SECOND_TRY,
                condition_on_previous_text=False,
                word_timestamps=True,
            )
            return list(segments), (language,)

        segments, _ = self._with_less_at_once(decode)
        return [one for one in segments if not is_silence(one.no_speech_prob, one.avg_logprob)]

    def _checked_language(self, language: str | None) -> str | None:
        if language is None:
            return None
        code = language.lower().replace("_", "-").partition("-")[0]
        if code not in self._model.supported_languages:
            raise NotConfigured(f"{self.name} does not know the language {language!r}")
        return code


def speech_spans(audio: NDArray[np.float32]) -> list[Span]:
    """Where Silero hears a voice: (start_s, end_s) within `audio` (n_samples,) at 16 kHz, each at most 30 s."""
    found = get_speech_timestamps(audio, VAD, sampling_rate=SAMPLE_RATE_HZ)
    return [(span["start"] / SAMPLE_RATE_HZ, span["end"] / SAMPLE_RATE_HZ) for span in found]


def clips_of(spans: Sequence[Span]) -> list[Span]:
    """Neighbouring spans joined into clips of at most 30 s, Whisper's own window."""
    clips: list[Span] = []
    for start, end in spans:
        if clips and end - clips[-1][0] <= CLIP_S and start - clips[-1][1] <= LONGEST_GAP_IN_CLIP_S:
            clips[-1] = (clips[-1][0], end)
        else:
            clips.append((start, end))
    return clips


def _by_clip(segments: Iterable[Any], clips: Sequence[Span]) -> list[list[Any]]:
    """The segments of each clip: of the last one that starts before them."""
    starts = [start for start, _ in clips]
    said: list[list[Any]] = [[] for _ in clips]
    for segment in segments:
        said[max(0, bisect_right(starts, segment.start + 0.01) - 1)].append(segment)
    return said


def _words(segments: Iterable[Any], offset_s: float, clip: Span) -> list[Word]:
    """Words inside their clip, in plain floats: NumPy's, as faster-whisper hands out, no database takes.

    A segment whose words could not be aligned stays together as one.
    """
    words: list[Word] = []
    for segment in segments:
        timed = [(one.start, one.end, one.word, one.probability) for one in segment.words or ()]
        whole = (segment.start, segment.end, segment.text, math.exp(min(0.0, segment.avg_logprob)))
        for start, end, text, probability in timed or [whole]:
            if text.strip() and math.isfinite(start) and math.isfinite(end):
                start_s = min(max(offset_s + float(start), clip[0]), clip[1])
                end_s = min(max(offset_s + float(end), start_s), clip[1])
                words.append(Word(start_s, end_s, text.strip(), float(probability)))
    return words


def _moved(word: Word, window: AudioWindow) -> Word:
    """From the window's clock to the recording's."""
    return replace(word, start_s=window.start_s + word.start_s, end_s=window.start_s + word.end_s)


def _phrase(hotwords: Sequence[str]) -> str | None:
    """As many whole hotwords as fit into the prompt, best first."""
    phrase = ""
    for word in hotwords:
        longer = f"{phrase}, {word.strip()}" if phrase else word.strip()
        if len(longer) > MOST_HOTWORD_CHARS:
            break
        phrase = longer
    return phrase or None


def _is_out_of_memory(exc: BaseException) -> bool:
    text = str(exc).lower()
    return isinstance(exc, MemoryError) or "out of memory" in text or "bad_alloc" in text


def _device(device: str) -> str:
    if device != "auto":
        return device
    return "cuda" if ctranslate2.get_cuda_device_count() > 0 else "cpu"


def _batch_size(device: str) -> int:
    if device != "cuda":
        return CPU_BATCH
    return max(1, min(MOST_BATCH, (free_bytes() - RESERVED_BYTES) // BYTES_PER_CLIP))


def _load(
    model: str, device: str, compute_type: str, download_root: Path | None, cpu_threads: int
) -> WhisperModel:
    folder = Path(model).expanduser()
    if folder.is_dir():
        missing = [name for name in REQUIRED_FILES if not (folder / name).is_file()]
        if missing:
            raise NotConfigured(f"{model} is no faster-whisper model: {', '.join(missing)} is missing")
        model = str(folder)
    elif model.startswith(("/", ".", "~")):
        raise NotConfigured(f"there is no model folder {model}")
    try:
        return WhisperModel(
            model,
            device=device,
            compute_type=compute_type,
            cpu_threads=cpu_threads,
            download_root=str(download_root) if download_root else None,
        )
    except (OSError, ValueError, RuntimeError) as exc:
        raise NotConfigured(_why_not_loaded(model, device, compute_type, exc)) from exc


def _why_not_loaded(model: str, device: str, compute_type: str, exc: Exception) -> str:
    if Path(model).is_dir():
        return f"{model} does not load on {device} as {compute_type}: {exc}"
    return (
        f"the model {model!r} could not be had from the Hugging Face hub ({type(exc).__name__}); without the hub "
        "give the path of a folder with model.bin, config.json and tokenizer.json: faster-whisper:/path/to/model"
    )
