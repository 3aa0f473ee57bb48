"""A sentence-transformer exported to ONNX (see `rag.quantize`), run without torch; knows only its own folder."""

import hashlib
import json
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import NotConfigured
from rag.token_windows import Vectors, WindowTokenizer, batches, normalized, padded, pool

MODEL_FILE, TOKENIZER_FILE, FACTS_FILE = "model.onnx", "tokenizer.json", "imp_embedder.json"
_MAX_QUERY_CHARS = 4_000


class OnnxFacts(BaseModel):
    """What must be known beside the graph and the tokenizer. `max_tokens` counts no special ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    dim: int
    max_tokens: int
    pad_id: int
    is_padded_left: bool
    inputs: tuple[str, ...]
    query_prompt: str = ""
    document_prompt: str = ""


def is_onnx_folder(folder: Path) -> bool:
    return (folder / FACTS_FILE).is_file() and (folder / MODEL_FILE).is_file()


class OnnxEmbedder:
    """An `rag.embedding.Embedder` over ONNX Runtime, loaded at first use. Safe among threads, not across a fork."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    @cached_property
    def _facts(self) -> OnnxFacts:
        try:
            return OnnxFacts.model_validate(json.loads((self._folder / FACTS_FILE).read_text()))
        except (OSError, ValueError, ValidationError) as exc:
            raise NotConfigured(f"{self._folder / FACTS_FILE} cannot be read: export the model anew") from exc

    @property
    def name(self) -> str:
        return self._facts.name

    @cached_property
    def revision(self) -> str:
        """First 12 hex digits over graph, tokenizer and facts."""
        digest = hashlib.sha256()
        for name in (MODEL_FILE, TOKENIZER_FILE, FACTS_FILE):
            digest.update((self._folder / name).read_bytes())
        return digest.hexdigest()[:12]

    @property
    def dim(self) -> int:
        return self._facts.dim

    @property
    def max_tokens(self) -> int:
        return self._facts.max_tokens

    @cached_property
    def _session(self) -> Any:
        try:
            import onnxruntime
        except ImportError as exc:
            raise NotConfigured(f"{self._folder} is an ONNX model: install onnxruntime") from exc
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # others share the cores
        try:
            return onnxruntime.InferenceSession(
                str(self._folder / MODEL_FILE), options, providers=["CPUExecutionProvider"]
            )
        except Exception as exc:  # the runtime has no common base for what a broken graph raises
            raise NotConfigured(
                f"{self._folder / MODEL_FILE} cannot be loaded: export the model anew"
            ) from exc

    @cached_property
    def _tokenizer(self) -> WindowTokenizer:
        from tokenizers import Tokenizer

        return WindowTokenizer(Tokenizer.from_file(str(self._folder / TOKENIZER_FILE)), self.max_tokens)

    def count_tokens(self, text: str) -> int:
        return self._tokenizer.count(text)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._embed([self._facts.document_prompt + text for text in texts])

    def embed_query(self, text: str) -> Vectors:
        vector: Vectors = self._embed([self._facts.query_prompt + text[:_MAX_QUERY_CHARS]])[0]
        return vector

    def _embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        windows = self._tokenizer.windows(texts)
        vectors = np.empty((len(windows), self.dim), dtype=np.float32)
        for places in batches(windows):
            ids, mask = padded(
                [windows[at] for at in places], pad_id=self._facts.pad_id, is_left=self._facts.is_padded_left
            )
            values = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
            with self._lock:
                [found] = self._session.run(None, {name: values[name] for name in self._facts.inputs})
            vectors[places] = found
        return normalized(pool(vectors, windows, len(texts)))
