"""Answers and summaries by a Flan-T5 (or any seq2seq model in Hugging Face's format). Knows no table and no search.

The model is loaded at first use, in the process that uses it. It writes plain text; citations are found by
comparing each sentence with the evidence.
"""

import json
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from core.errors import NotConfigured
from rag.evidence import Evidence
from rag.generation import GeneratedAnswer, attributed_sentences, cited_sentences
from rag.prompt import numbered_passages, says_no_answer

logger = logging.getLogger(__name__)

_MAX_INPUT_TOKENS = 1_024  # T5 was trained on 512; its relative positions reach further, slowly worse
_MAX_NEW_TOKENS = 128
_MAX_TIME_S = 60.0


class T5:
    """Greedy decoding, so the same evidence gives the same answer."""

    budget_tokens = 700

    def __init__(self, path_or_name: str) -> None:
        self.name = f"t5:{Path(path_or_name).name}"
        self._path = path_or_name
        self._lock = threading.Lock()  # generate() on one model is not for several threads

    def answer(self, question: str, evidence: Sequence[Evidence]) -> GeneratedAnswer:
        prompt = (
            "Answer the question from the passages only. If they do not answer it, write unanswerable.\n\n"
            f"Question: {question}\n\nPassages:\n{numbered_passages(evidence)}\n\nQuestion: {question}\nAnswer:"
        )
        written = self._generate(prompt)
        if says_no_answer(written):
            return GeneratedAnswer((), self.name)
        return GeneratedAnswer(cited_sentences(written, evidence), self.name)

    def summarize(self, passages: Sequence[str]) -> GeneratedAnswer:
        """Sums up as many passages at a time as its input holds, then says the parts one after the other."""
        sentences = attributed_sentences(" ".join(self._parts(passages)), passages)
        return GeneratedAnswer(sentences, self.name)

    def _parts(self, passages: Sequence[str]) -> Iterator[str]:
        tokenizer, _ = self._loaded
        part: list[str] = []
        n_tokens = 0
        for passage in passages:
            n_passage = len(tokenizer(passage)["input_ids"])
            if part and n_tokens + n_passage > self.budget_tokens:
                yield self._generate("Summarize: " + "\n".join(part))
                part, n_tokens = [], 0
            part.append(passage)
            n_tokens += n_passage
        if part:
            yield self._generate("Summarize: " + "\n".join(part))

    def _generate(self, prompt: str) -> str:
        import torch

        tokenizer, model = self._loaded
        tokens = tokenizer(prompt, return_tensors="pt")
        n_tokens = tokens["input_ids"].shape[1]
        if n_tokens > _MAX_INPUT_TOKENS:
            # The question stands at both ends; what is cut are the last passages, and that is said.
            logger.warning("t5.evidence_cut", extra={"n_tokens": n_tokens, "max_tokens": _MAX_INPUT_TOKENS})
            tokens = {key: value[:, :_MAX_INPUT_TOKENS] for key, value in tokens.items()}
        inputs = {key: tokens[key].to(model.device) for key in ("input_ids", "attention_mask")}
        with self._lock, torch.inference_mode():
            output = model.generate(
                **inputs, max_new_tokens=_MAX_NEW_TOKENS, do_sample=False, max_time=_MAX_TIME_S
            )
        return str(tokenizer.decode(output[0], skip_special_tokens=True))

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        import torch
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        started = time.monotonic()
        try:
            adapter = Path(self._path) / "adapter_config.json"
            base = _base_of(adapter) if adapter.is_file() else self._path
            tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=Path(base).is_dir())
            model = AutoModelForSeq2SeqLM.from_pretrained(base, local_files_only=Path(base).is_dir())
            if adapter.is_file():
                from peft import PeftModel

                model = PeftModel.from_pretrained(model, self._path).merge_and_unload()
        except (OSError, ValueError, RuntimeError, KeyError) as exc:
            raise NotConfigured(
                f"generator model {self._path!r} cannot be loaded: give a local folder or a reachable hub name"
            ) from exc
        model = model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
        logger.info("generator.loaded", extra={"engine": self.name, "duration_s": time.monotonic() - started})
        return tokenizer, model


def _base_of(adapter: Path) -> str:
    """The model that a LoRA adapter was trained on, a path as it is or beside the adapter."""
    base = str(json.loads(adapter.read_text(encoding="utf-8"))["base_model_name_or_path"])
    beside = adapter.parent / base
    return str(beside) if beside.is_dir() else base
