"""Speech to text by any server that speaks OpenAI's `/audio/transcriptions`; knows no recording and keeps no file.

Each window is one request with a WAV of it in memory (9.6 MB for five minutes; servers take 25 MB).
"""

import io
import logging
import math
import wave
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from connectors.recordings.audio import SAMPLE_RATE_HZ, AudioWindow
from connectors.recordings.transcribers.protocol import TranscribedWindow, speaker_of
from connectors.recordings.transcribers.words import is_loop, is_silence
from core.errors import BadInput, Denied, NotConfigured, RateLimited, Unavailable
from core.transcript import Utterance, Word

logger = logging.getLogger(__name__)

MOST_HOTWORD_CHARS = 400
MOST_ANSWER_BYTES = 20_000_000
# A server may need as long as the sound is; a window is five minutes.
TIMEOUT = httpx.Timeout(600.0, connect=10.0)


class SpokenWord(BaseModel):
    model_config = ConfigDict(extra="ignore")
    word: str
    start: float
    end: float


class Segment(BaseModel):
    """Scores are missing from servers that do not run Whisper."""

    model_config = ConfigDict(extra="ignore")
    text: str
    start: float
    end: float
    avg_logprob: float | None = None
    no_speech_prob: float = 0.0


class Answer(BaseModel):
    """`verbose_json`. A server that gives only `text` is understood too: one segment over the whole window."""

    model_config = ConfigDict(extra="ignore")
    text: str = ""
    language: str | None = None
    segments: list[Segment] | None = None
    words: list[SpokenWord] | None = None


class OpenAICompatible:
    """A transcription server.

    Args:
        url: its base, such as `https://api.example.com/v1`.
        model: the model's name there.
        api_key: sent as a bearer token; None for servers without one.
        client: an httpx client to use instead of an own one (tests give one with a transport).
    """

    warnings: tuple[str, ...] = ()

    def __init__(
        self, url: str, model: str, *, api_key: SecretStr | None = None, client: httpx.Client | None = None
    ) -> None:
        parsed = httpx.URL(url)
        if parsed.scheme not in ("http", "https") or not parsed.host or not model:
            raise NotConfigured(
                f"openai:<url>#<model> needs an http(s) address and a model, not {url!r}#{model!r}"
            )
        self.name = f"{model} at {parsed.host}"
        self._url = f"{url.rstrip('/')}/audio/transcriptions"
        self._model = model
        self._headers = {"Authorization": f"Bearer {api_key.get_secret_value()}"} if api_key else {}
        self._client = client or httpx.Client(timeout=TIMEOUT)

    def transcribe(
        self, windows: Iterable[AudioWindow], *, language: str | None = None, hotwords: Sequence[str] = ()
    ) -> Iterator[TranscribedWindow]:
        """See `protocol.Transcriber`; hotwords go along as the prompt. Digital silence is not sent."""
        for window in windows:
            if not window.samples.any():
                yield TranscribedWindow(
                    window.index, window.start_s, window.end_s, (), window.channel, language
                )
                continue
            answer = self._ask(window, language, ", ".join(hotwords)[:MOST_HOTWORD_CHARS])
            yield TranscribedWindow(
                window.index,
                window.start_s,
                window.end_s,
                tuple(_utterances(answer, window)),
                window.channel,
                language or _language_code(answer.language),
            )

    def _ask(self, window: AudioWindow, language: str | None, prompt: str) -> Answer:
        fields: dict[str, str | list[str]] = {
            "model": self._model,
            "response_format": "verbose_json",
            "temperature": "0",
            "timestamp_granularities[]": ["segment", "word"],
        }
        fields |= {"language": language} if language else {}
        fields |= {"prompt": prompt} if prompt else {}
        sound = {"file": (f"window-{window.index}.wav", _wav(window), "audio/wav")}
        try:
            reply = self._client.post(self._url, data=fields, files=sound, headers=self._headers)
        except httpx.TransportError as exc:
            raise Unavailable(f"{self.name} did not answer: {type(exc).__name__}") from exc
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise NotConfigured(f"{self.name} cannot be asked: {type(exc).__name__}") from exc
        self._check(reply)
        try:
            return Answer.model_validate_json(reply.content[:MOST_ANSWER_BYTES])
        except ValidationError as exc:
            raise BadInput(f"{self.name} answered something that is no transcription") from exc

    def _check(self, reply: httpx.Response) -> None:
        status = reply.status_code
        if status == 200:
            return
        if status == 429:
            raise RateLimited(f"{self.name} asks for a pause", retry_after_s=_retry_after_s(reply))
        if status in (408, 425) or status >= 500:
            raise Unavailable(f"{self.name} answered {status}", retry_after_s=_retry_after_s(reply))
        if status in (401, 403):
            raise Denied(f"{self.name} refused the key ({status})")
        if status in (404, 405) or status < 400:
            raise NotConfigured(f"{self.name}: there is no /audio/transcriptions or no such model ({status})")
        raise BadInput(f"{self.name} did not take the sound ({status})")


def _wav(window: AudioWindow) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(SAMPLE_RATE_HZ)
        wav.writeframes(window.samples.astype("<i2").tobytes())
    return target.getvalue()


def _utterances(answer: Answer, window: AudioWindow) -> Iterator[Utterance]:
    segments = answer.segments
    if segments is None:
        segments = [Segment(text=answer.text, start=0.0, end=window.duration_s)]
    for segment in sorted(segments, key=lambda one: one.start):
        text = " ".join(segment.text.split())
        doubtful = segment.avg_logprob is not None and is_silence(segment.no_speech_prob, segment.avg_logprob)
        if text and not doubtful and not is_loop(text):
            yield Utterance(
                start_s=_placed(segment.start, window),
                end_s=_placed(max(segment.start, segment.end), window),
                text=text,
                speaker=speaker_of(window),
                confidence=None if segment.avg_logprob is None else min(1.0, math.exp(segment.avg_logprob)),
                words=_words_in(segment, answer.words or (), window),
            )


def _words_in(segment: Segment, words: Sequence[SpokenWord], window: AudioWindow) -> tuple[Word, ...]:
    """The words whose middle lies in the segment."""
    return tuple(
        Word(_placed(word.start, window), _placed(max(word.start, word.end), window), word.word.strip())
        for word in words
        if segment.start <= (word.start + word.end) / 2 < segment.end and word.word.strip()
    )


def _placed(moment_s: float, window: AudioWindow) -> float:
    """From the window's clock to the recording's, never outside the window."""
    return window.start_s + min(max(moment_s if math.isfinite(moment_s) else 0.0, 0.0), window.duration_s)


def _language_code(language: str | None) -> str | None:
    """OpenAI answers `english`, others `en`; only codes are kept."""
    return language if language is not None and 2 <= len(language) <= 3 else None


def _retry_after_s(reply: httpx.Response) -> float | None:
    """`Retry-After` as seconds or as a date; at most an hour is believed."""
    raw = reply.headers.get("retry-after", "")
    try:
        pause_s = float(raw)
    except ValueError:
        try:
            moment = parsedate_to_datetime(raw)
        except ValueError:
            return None
        pause_s = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(pause_s, 0.0), 3600.0) if math.isfinite(pause_s) else None
