"""Answers by any OpenAI-compatible chat endpoint (vLLM, Ollama, a hosted one). Knows HTTP, no table and no search.

What comes back is untrusted: bounded in size and time, parsed strictly, and checked for support by the caller.
"""

import json
import logging
from collections.abc import Sequence
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import BadInput, Denied, NotConfigured, RateLimited, Unavailable
from rag.evidence import Evidence
from rag.generation import GeneratedAnswer, cited_sentences
from rag.prompt import chat_messages, says_no_answer

logger = logging.getLogger(__name__)

_MAX_REPLY_BYTES = 1_000_000
_MAX_NEW_TOKENS = 600
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_MAX_RETRY_AFTER_S = 600.0


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore")
    content: str | None = None


class _Choice(BaseModel):
    model_config = ConfigDict(extra="ignore")
    message: _Message


class _Reply(BaseModel):
    model_config = ConfigDict(extra="ignore")
    choices: list[_Choice]


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

    def _complete(self, messages: list[dict[str, str]]) -> str:
        body = {
            "model": self._model,
            "messages": messages,
            "temperature": 0,
            "max_tokens": _MAX_NEW_TOKENS,
            "stream": False,
        }
        try:
            with self._client.stream("POST", self._url, json=body) as response:
                raw = _read(response)
                _check(response, self.name)
        except httpx.TransportError as exc:
            raise Unavailable(
                f"the chat endpoint of {self.name} did not answer: {type(exc).__name__}"
            ) from exc
        return _content(raw, self.name)


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
