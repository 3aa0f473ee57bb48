"""What every speech engine promises, and how its windows become one transcript; knows no engine.

The contract, so that a job can save each finished window and go on after a crash:

- `transcribe` is lazy: it takes one window, yields that window's result, then takes the next.
- Every window taken gives exactly one `TranscribedWindow`, in order, with no utterances where nobody speaks.
- A result depends on its window, `language` and `hotwords` only, never on windows before: resuming with
  `read_windows(first_window=N)` gives what an uninterrupted run would have given.
- Times are absolute seconds in the recording, inside the window, ordered by start.
- Failures are `core.errors`; after one, windows already yielded stay valid.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from connectors.recordings.audio import AudioWindow
from core.errors import BadInput
from core.transcript import Transcript, Utterance


@dataclass(frozen=True, slots=True)
class TranscribedWindow:
    """What was heard in one window; `index` and `channel` are the window's, `language` is None if unknown."""

    index: int
    start_s: float
    end_s: float
    utterances: tuple[Utterance, ...]
    channel: int | None = None
    language: str | None = None


class Transcriber(Protocol):
    """A speech engine, made once per process and used for one recording at a time."""

    @property
    def name(self) -> str:
        """Shown to people: engine and model, such as `faster-whisper large-v3 (float16, cuda)`."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences a reader of the minutes must see; empty for an engine to be trusted."""

    def transcribe(
        self, windows: Iterable[AudioWindow], *, language: str | None = None, hotwords: Sequence[str] = ()
    ) -> Iterator[TranscribedWindow]:
        """Transcribe window by window, as the module's contract says.

        Args:
            windows: of one recording; each is taken only when the one before is done.
            language: ISO 639-1 code spoken, None to let the engine find out.
            hotwords: names and terms to listen for; engines that cannot, ignore them.

        Raises:
            NotConfigured: the engine cannot speak this language, or a key or model is wrong.
            TryAgain: a server or the memory is busy; the same window may succeed later.
        """


def speaker_of(window: AudioWindow) -> str | None:
    """`Channel 1` for a window read from one person's channel, else nobody: engines do not guess speakers."""
    return None if window.channel is None else f"Channel {window.channel + 1}"


def transcript_of(
    results: Iterable[TranscribedWindow],
    *,
    engine: str,
    warnings: Sequence[str] = (),
    duration_s: float | None,
) -> Transcript:
    """All windows of all channels as one transcript, ordered by start.

    Raises:
        BadInput: nobody said anything.
    """
    windows = list(results)
    utterances = sorted(
        (utterance for window in windows for utterance in window.utterances),
        key=lambda utterance: (utterance.start_s, utterance.end_s),
    )
    if not utterances:
        raise BadInput("no speech was heard in this recording")
    return Transcript(
        utterances=tuple(utterances),
        engine=engine,
        language=_most_spoken(windows),
        duration_s=duration_s,
        warnings=tuple(warnings),
    )


def _most_spoken(windows: Sequence[TranscribedWindow]) -> str | None:
    """The language of most utterances."""
    spoken: dict[str, int] = {}
    for window in windows:
        if window.language:
            spoken[window.language] = spoken.get(window.language, 0) + len(window.utterances)
    return max(spoken, key=lambda language: spoken[language], default=None)
