import io
import json
import wave

import httpx
import numpy as np
import pytest
from pydantic import SecretStr

from connectors.recordings.audio import AudioWindow
from connectors.recordings.transcribers.openai_compatible import OpenAICompatible
from core.errors import BadInput, Denied, NotConfigured, RateLimited, Unavailable

ANSWER = {
    "task": "transcribe",
    "language": "english",
    "duration": 4.0,
    "text": "Hello there. Bye.",
    "segments": [
        {"id": 1, "start": 2.5, "end": 99.0, "text": " Bye.", "avg_logprob": -0.1, "no_speech_prob": 0.01},
        {
            "id": 0,
            "start": 0.5,
            "end": 2.0,
            "text": " Hello there.",
            "avg_logprob": -0.2,
            "no_speech_prob": 0.01,
        },
        {
            "id": 2,
            "start": 3.0,
            "end": 4.0,
            "text": "Thanks for watching",
            "avg_logprob": -1.3,
            "no_speech_prob": 0.9,
        },
    ],
    "words": [{"word": "Hello", "start": 0.5, "end": 1.0}, {"word": "there.", "start": 1.0, "end": 2.0}],
}


def server(answer, requests=None):
    def handle(request):
        if requests is not None:
            requests.append(request)
        return answer if isinstance(answer, httpx.Response) else answer(request)

    return httpx.Client(transport=httpx.MockTransport(handle))


def made(client, **options):
    return OpenAICompatible("http://asr.test:8000/v1/", "whisper-1", client=client, **options)


@pytest.fixture
def window():
    return AudioWindow(3, 600.0, np.arange(64000, dtype=np.int16), 0)


def test_sends_the_sound_and_places_the_answer(window):
    requests = []
    transcriber = made(server(httpx.Response(200, json=ANSWER), requests), api_key=SecretStr("s3cret"))
    (result,) = transcriber.transcribe([window], language="en", hotwords=["Kubernetes", "Ada"])
    assert [(one.start_s, one.end_s, one.text, one.speaker) for one in result.utterances] == [
        (600.5, 602.0, "Hello there.", "Channel 1"),
        (602.5, 604.0, "Bye.", "Channel 1"),
    ]
    assert [(word.start_s, word.text) for word in result.utterances[0].words] == [
        (600.5, "Hello"),
        (601.0, "there."),
    ]
    assert result.utterances[0].confidence == pytest.approx(np.exp(-0.2))
    (request,) = requests
    assert str(request.url) == "http://asr.test:8000/v1/audio/transcriptions"
    assert request.headers["authorization"] == "Bearer s3cret"
    body = request.read()
    assert (
        b"verbose_json" in body
        and b"Kubernetes, Ada" in body
        and body.count(b"timestamp_granularities[]") == 2
    )
    sound = body[body.index(b"RIFF") :]
    with wave.open(io.BytesIO(sound)) as wav:
        assert wav.getframerate() == 16000 and wav.readframes(64000) == window.samples.tobytes()
    assert "s3cret" not in repr(vars(transcriber)["name"]) and transcriber.name == "whisper-1 at asr.test"


def test_plain_text_servers_and_silence(window):
    requests = []
    transcriber = made(server(httpx.Response(200, json={"text": "Just text."}), requests))
    silence = AudioWindow(0, 0.0, np.zeros(100, np.int16))
    first, second = transcriber.transcribe([silence, window])
    assert first.utterances == () and len(requests) == 1
    assert [(one.start_s, one.end_s, one.text, one.confidence) for one in second.utterances] == [
        (600.0, 604.0, "Just text.", None)
    ]


@pytest.mark.parametrize(
    ("answer", "error", "retry_after_s"),
    [
        (httpx.Response(429, headers={"Retry-After": "7"}), RateLimited, 7.0),
        (httpx.Response(429, headers={"Retry-After": "Fri, 01 Jan 1999 00:00:00 GMT"}), RateLimited, 0.0),
        (httpx.Response(429, headers={"Retry-After": "nonsense"}), RateLimited, None),
        (httpx.Response(503, headers={"Retry-After": "1e99"}), Unavailable, 3600.0),
        (httpx.Response(500), Unavailable, None),
        (httpx.Response(401), Denied, None),
        (httpx.Response(404), NotConfigured, None),
        (httpx.Response(302, headers={"Location": "http://elsewhere"}), NotConfigured, None),
        (httpx.Response(413), BadInput, None),
        (httpx.Response(200, text="<html>"), BadInput, None),
        (httpx.Response(200, json=["x"]), BadInput, None),
    ],
)
def test_refusals(window, answer, error, retry_after_s):
    with pytest.raises(error) as caught:
        list(made(server(answer)).transcribe([window]))
    assert getattr(caught.value, "retry_after_s", None) == retry_after_s


@pytest.mark.parametrize("fault", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_a_server_that_is_away_is_tried_later(window, fault):
    def fail(request):
        raise fault("no")

    with pytest.raises(Unavailable):
        list(made(server(fail)).transcribe([window]))


def test_windows_done_before_a_fault_stay_done(window):
    answers = iter([httpx.Response(200, content=json.dumps(ANSWER)), httpx.Response(503)])
    results = made(server(lambda request: next(answers))).transcribe([window, window])
    assert next(results).utterances
    with pytest.raises(Unavailable):
        next(results)


@pytest.mark.parametrize(("url", "model"), [("ftp://x", "m"), ("http://", "m"), ("http://x", "")])
def test_addresses_that_cannot_be(url, model):
    with pytest.raises(NotConfigured):
        OpenAICompatible(url, model)
