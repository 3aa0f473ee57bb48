"""Answers by any OpenAI-compatible chat endpoint (vLLM, Ollama, a hosted one). Knows HTTP, no table and no search.

What comes back is untrusted: bounded in size and time, parsed strictly, and checked for support by the caller.
"""

import json
import logging
from collections.abc import Sequence
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import BadInput, Denied, NotConfigured, RateLimited, Unavailable
from rag.evidence import Evidence
from rag.generation import GeneratedAnswer, GeneratedSentence, cited_sentences
from rag.prompt import chat_messages, says_no_answer, summary_messages

logger = logging.getLogger(__name__)

_MAX_REPLY_BYTES = 1_000_000
_MAX_NEW_TOKENS = 600
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_MAX_RETRY_AFTER_S = 600.0
_SUMMARY_ATTEMPTS = 3
_MAX_LINE_CHARS = 600


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore")
    content: str | None = None


class _Choice(BaseModel):
    model_config = ConfigDict(extra="ignore")
    message: _Message


class _Reply(BaseModel):
    model_config = ConfigDict(extra="ignore")
    choices: list[_Choice]


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore")
    text: str = Field(min_length=1, max_length=_MAX_LINE_CHARS)
    evidence: list[int] = Field(min_length=1, max_length=20)


class _Summary(BaseModel):
    model_config = ConfigDict(extra="ignore")
    lines: list[_Line] = Field(max_length=20)


class ChatEndpoint:
    """`url` is the base that ends before `/chat/completions`, such as `http://127.0.0.1:8000/v1`."""

    budget_tokens = 3_000

    def __init__(
        self,
        url: str,
        model: str,
        *,
        api_key: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.name = f"openai:{model}"
        self._url = url.rstrip("/").removesuffix("/chat/completions") + "/chat/completions"
        self._model = model
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.Client(timeout=_TIMEOUT, headers=headers, transport=transport)

    def answer(self, question: str, evidence: Sequence[Evidence]) -> GeneratedAnswer:
        written = self._complete(chat_messages(question, evidence))
        if says_no_answer(written):
            return GeneratedAnswer((), self.name)
        return GeneratedAnswer(cited_sentences(written, evidence), self.name)

    def summarize(self, passages: Sequence[str]) -> GeneratedAnswer:
        """Asks for JSON of a schema; what cannot be read is asked for again, twice at most, with what was wrong."""
        messages = summary_messages(passages)
        wrong = ""
        for _ in range(_SUMMARY_ATTEMPTS):
            written = self._complete(messages, _SCHEMA)
            try:
                summary = _Summary.model_validate_json(_json_in(written))
            except ValidationError as exc:
                wrong = "; ".join(f"{error['loc']}: {error['msg']}" for error in exc.errors()[:3])
                said = f"That is not JSON of the schema ({wrong}). Send only the JSON object."
                messages = [*messages[:2], {"role": "user", "content": said}]
                continue
            known = range(1, len(passages) + 1)
            lines = [(line.text, tuple(n for n in line.evidence if n in known)) for line in summary.lines]
            return GeneratedAnswer(
                tuple(GeneratedSentence(t, cited) for t, cited in lines if cited), self.name
            )
        raise BadInput(f"{self.name} sent no summary that can be read ({_SUMMARY_ATTEMPTS} times): {wrong}")

    def _complete(self, messages: list[dict[str, str]], schema: dict[str, Any] | None = None) -> str:
        body: dict[str, Any] = {
            "model": self._model,
            "messages": messages,
            "temperature": 0,
            "max_tokens": _MAX_NEW_TOKENS,
            "stream": False,
        }
        if schema:
            body["response_format"] = schema
        try:
            with self._client.stream("POST", self._url, json=body) as response:
                raw = _read(response)
                _check(response, self.name)
        except httpx.TransportError as exc:
            raise Unavailable(
                f"the chat endpoint of {self.name} did not answer: {type(exc).__name__}"
            ) from exc
        return _content(raw, self.name)


_SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "summary", "schema": _Summary.model_json_schema()},
}


def _json_in(written: str) -> str:
    """The outermost object of a reply that also talks or fences it in backticks."""
    first, last = written.find("{"), written.rfind("}")
    return written[first : last + 1] if 0 <= first < last else written


def _read(response: httpx.Response) -> bytes:
    raw = b""
    for part in response.iter_bytes():
        raw += part
        if len(raw) > _MAX_REPLY_BYTES:
            raise BadInput(f"the chat endpoint sent more than {_MAX_REPLY_BYTES} bytes")
    return raw


def _check(response: httpx.Response, name: str) -> None:
    status = response.status_code
    if status == 429:
        raise RateLimited(f"{name} asks to slow down", retry_after_s=_retry_after_s(response))
    if status in {401, 403}:
        raise Denied(f"{name} refused the key (HTTP {status}): check IMP_ENGINE_API_KEY")
    if status == 408 or status >= 500:
        raise Unavailable(f"{name} failed with HTTP {status}")
    if status != 200:
        raise NotConfigured(
            f"{name} answered HTTP {status}: check the URL and the model's name in IMP_GENERATOR"
        )


def _retry_after_s(response: httpx.Response) -> float | None:
    value = response.headers.get("Retry-After", "")
    return min(float(value), _MAX_RETRY_AFTER_S) if value.isdigit() else None


def _content(raw: bytes, name: str) -> str:
    try:
        reply: Any = _Reply.model_validate(json.loads(raw))
        return str(reply.choices[0].message.content or "")
    except (ValueError, ValidationError, IndexError, RecursionError) as exc:
        raise BadInput(f"{name} sent no chat completion") from exc
