"""A sentence-transformer's weights as int8 in ONNX: a quarter of the size, for processors without fast bf16.

sentence-transformers' own ONNX backend needs a package that holds transformers below 4.58, so its modules are exported
here by torch, pooling included, and quantized by ONNX Runtime as that backend does (dynamic, one scale a channel).
"""

import json
import shutil
import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import BadInput, NotConfigured
from rag.embedding import Embedder, SentenceTransformerEmbedder, load_embedder
from rag.onnx_embedding import FACTS_FILE, MODEL_FILE, TOKENIZER_FILE, OnnxFacts, is_onnx_folder

_OPSET = 17


@dataclass(frozen=True, slots=True)
class Measured:
    """int8 against the model as the product runs it here (bf16 where the processor has it, else fp32).

    Sizes are of weights alone; `agreement_at_5` is the share of the five nearest texts both find, each with its own
    vectors of questions and texts.
    """

    fp32_mb: float
    int8_mb: float
    size_ratio: float
    mean_cosine: float
    agreement_at_5: float
    passages_per_s: float
    passages_per_s_int8: float
    query_ms: float
    query_ms_int8: float


def export_int8(spec: str, folder: Path) -> Path:
    """Write the model of `spec` as int8 ONNX into `folder`, which `load_embedder` takes as a spec.

    Raises:
        BadInput: the folder holds something else, or `spec` is exported already.
        NotConfigured: the model cannot be loaded, or the package onnx is missing.
    """
    if folder.exists() and any(folder.iterdir()) and not is_onnx_folder(folder):
        raise BadInput(f"{folder} is not empty")
    embedder = load_embedder(spec, dtype="fp32")
    if not isinstance(embedder, SentenceTransformerEmbedder):
        raise BadInput(f"{spec} is exported already")
    try:
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError as exc:
        raise NotConfigured(
            f"exporting needs the packages onnx and onnxruntime ({exc.name} is missing)"
        ) from exc
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".export-") as draft:
        whole, made = Path(draft) / "whole.onnx", Path(draft) / "made"
        made.mkdir()
        facts = _export(embedder, whole)
        quantize_dynamic(whole, made / MODEL_FILE, weight_type=QuantType.QInt8, per_channel=True)
        (made / TOKENIZER_FILE).write_text(embedder._backend_tokenizer.to_str())
        (made / FACTS_FILE).write_text(json.dumps(facts.model_dump(), indent=1))
        if folder.exists():
            shutil.rmtree(folder)
        made.replace(folder)
    return folder


def measure(spec: str, folder: Path, questions: Sequence[str], texts: Sequence[str]) -> Measured:
    """How the export compares with the model it was made of; texts of a hundred words and more say most."""
    theirs, ours = load_embedder(spec), load_embedder(str(folder))
    their_texts, their_s = _timed(theirs, texts)
    our_texts, our_s = _timed(ours, texts)
    their_ms, their_questions = _query_ms(theirs, questions)
    our_ms, our_questions = _query_ms(ours, questions)
    nearest = [
        [set(row) for row in np.argsort(-(asked @ found.T), axis=1)[:, :5]]
        for asked, found in ((their_questions, their_texts), (our_questions, our_texts))
    ]
    fp32_mb = sum(one.numel() for one in theirs._model.parameters()) * 4 / 1e6  # type: ignore[attr-defined]
    int8_mb = (folder / MODEL_FILE).stat().st_size / 1e6
    return Measured(
        fp32_mb=round(fp32_mb, 1),
        int8_mb=round(int8_mb, 1),
        size_ratio=round(int8_mb / fp32_mb, 4),
        mean_cosine=round(float(np.mean(np.sum(their_texts * our_texts, axis=1))), 4),
        agreement_at_5=round(float(np.mean([len(a & b) / len(a) for a, b in zip(*nearest, strict=True)])), 4),
        passages_per_s=round(len(texts) / their_s, 1),
        passages_per_s_int8=round(len(texts) / our_s, 1),
        query_ms=round(their_ms, 2),
        query_ms_int8=round(our_ms, 2),
    )


def as_dict(measured: Measured) -> dict[str, Any]:
    return asdict(measured)


def _export(embedder: SentenceTransformerEmbedder, path: Path) -> OnnxFacts:
    import torch

    model, tokenizer = embedder._model, embedder._model.tokenizer
    inputs = [
        name
        for name in ("input_ids", "attention_mask", "token_type_ids")
        if name in tokenizer.model_input_names
    ]

    class Whole(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *values: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.model(dict(zip(inputs, values, strict=True)))["sentence_embedding"]
            return found

    ids = torch.ones((2, 8), dtype=torch.long)
    examples = tuple(torch.zeros_like(ids) if name == "token_type_ids" else ids for name in inputs)
    axes = {name: {0: "batch", 1: "length"} for name in inputs}
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # on branches that tracing fixes: padding, and the pooling's, always the same
        torch.onnx.export(
            Whole().eval(), examples, str(path), input_names=inputs, output_names=["sentence_embedding"],
            dynamic_axes={**axes, "sentence_embedding": {0: "batch"}}, opset_version=_OPSET, dynamo=False,
        )  # fmt: skip
    return OnnxFacts(
        name=f"{embedder.name}-int8",
        dim=embedder.dim,
        max_tokens=embedder.max_tokens,
        pad_id=tokenizer.pad_token_id or 0,
        is_padded_left=tokenizer.padding_side == "left",
        inputs=tuple(inputs),
        query_prompt=embedder._prompt("query"),
        document_prompt=embedder._prompt("document"),
    )


def _timed(embedder: Embedder, texts: Sequence[str]) -> tuple[Any, float]:
    embedder.embed_passages(texts[:8])
    started = time.monotonic()
    vectors = embedder.embed_passages(texts)
    return vectors, time.monotonic() - started


def _query_ms(embedder: Embedder, questions: Sequence[str]) -> tuple[float, Any]:
    seconds, vectors = [], []
    for question in questions:
        started = time.monotonic()
        vectors.append(embedder.embed_query(question))
        seconds.append(time.monotonic() - started)
    return 1000 * sorted(seconds)[len(seconds) // 2], np.stack(vectors)
