"""Speech to text by PocketSphinx with the English model in its wheel: rough, but nothing to download.

Knows nothing of files or jobs.
"""

import io
import logging
import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from pocketsphinx import Decoder, Segmenter

from connectors.recordings.audio import SAMPLE_RATE_HZ, AudioWindow, quietest_cut
from connectors.recordings.transcribers.protocol import TranscribedWindow, speaker_of
from connectors.recordings.transcribers.words import utterances_of
from core.errors import NotConfigured
from core.transcript import Utterance, Word

logger = logging.getLogger(__name__)

ROUGH = (
    "Transcribed by PocketSphinx, a rough English engine that gets many words wrong; "
    "check every line against the recording or configure faster-whisper."
)
# Silence after a window, so that the endpointer closes speech that runs to its edge.
CLOSING_SILENCE_S = 1.05
# The endpointer's window in seconds, the share of it that must agree, and its mildest voice detector; it still
# swallows first and last sounds, so each stretch is widened. (Clips of LibriSpeech and JFK: WER 0.19 for 0.26.)
ENDPOINTING = (0.5, 0.8, 0)
MARGIN_S = 0.3
# The decoder's memory grows with an utterance; speech without a pause is cut at its quietest place.
LONGEST_S = 30.0
# Sphinx says "the(2)" for a second pronunciation, "<sil>" and "[NOISE]" for what is no word.
PRONUNCIATION = re.compile(r"\(\d+\)$")
NO_WORD = re.compile(r"^[<\[+]")


class PocketSphinx:
    """The wheel's decoder; NotConfigured when its model does not load."""

    name = "PocketSphinx en-US"
    warnings: tuple[str, ...] = (ROUGH,)

    def __init__(self) -> None:
        try:
            self._decoder = Decoder(samprate=SAMPLE_RATE_HZ, loglevel="FATAL")
        except (RuntimeError, ValueError, OSError) as exc:
            raise NotConfigured(f"PocketSphinx could not load its English model: {exc}") from exc
        self._fresh_cmn = self._decoder.get_cmn(False)
        logger.warning("transcriber_loaded", extra={"engine": self.name, "is_rough": True})

    def transcribe(
        self, windows: Iterable[AudioWindow], *, language: str | None = None, hotwords: Sequence[str] = ()
    ) -> Iterator[TranscribedWindow]:
        """See `protocol.Transcriber`; English only, hotwords are ignored."""
        if language is not None and not re.match(r"en(?:[-_]|$)", language.lower()):
            raise NotConfigured(
                f"PocketSphinx knows English only, not {language!r}: configure faster-whisper"
            )
        for window in windows:
            yield TranscribedWindow(
                window.index, window.start_s, window.end_s, self._utterances(window), window.channel, "en"
            )

    def _utterances(self, window: AudioWindow) -> tuple[Utterance, ...]:
        """One or more utterances for each stretch the endpointer hears.

        The decoder's running mean and noise floor are reset first, or the result would depend on the windows before.
        """
        self._decoder.start_stream()
        self._decoder.set_cmn(self._fresh_cmn)
        found: list[Utterance] = []
        for first, last in _stretches(window.samples):
            words = self._words(window, first, last)
            found += utterances_of(words, speaker=speaker_of(window))
        return tuple(found)

    def _words(self, window: AudioWindow, first: int, last: int) -> Iterator[Word]:
        self._decoder.start_utt()
        self._decoder.process_raw(window.samples[first:last].astype("<i2").tobytes(), full_utt=True)
        self._decoder.end_utt()
        start_s = window.start_s + first / SAMPLE_RATE_HZ
        frame_s = 1.0 / float(self._decoder.config["frate"])
        for segment in self._decoder.seg() or ():
            text = PRONUNCIATION.sub("", segment.word)
            if text and not NO_WORD.match(text):
                from_s = min(start_s + segment.start_frame * frame_s, window.end_s)
                to_s = min(start_s + (segment.end_frame + 1) * frame_s, window.end_s)
                # `prob` is the word's posterior in the lattice; rounding takes it a hair over 1.
                yield Word(from_s, to_s, text, min(1.0, max(0.0, float(segment.prob))))


def _stretches(samples: NDArray[np.int16]) -> Iterator[tuple[int, int]]:
    """(first, last) samples where the endpointer hears speech, with a margin, each at most `LONGEST_S` long."""
    sound = samples.astype("<i2").tobytes() + bytes(2 * int(CLOSING_SILENCE_S * SAMPLE_RATE_HZ))
    margin = int(MARGIN_S * SAMPLE_RATE_HZ)
    before = 0
    for heard in Segmenter(*ENDPOINTING, SAMPLE_RATE_HZ).segment(io.BytesIO(sound)):
        first = max(before, int(heard.start_time * SAMPLE_RATE_HZ) - margin)
        last = min(len(samples), int(heard.end_time * SAMPLE_RATE_HZ) + margin)
        while first < last:
            piece = samples[first : min(last, first + int(LONGEST_S * SAMPLE_RATE_HZ))]
            end = last if first + len(piece) == last else first + quietest_cut(piece)
            yield first, end
            first = end
        before = max(before, last)
