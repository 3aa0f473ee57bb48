"""A tiny sentence-transformer, made on the spot, learns a few pairs; a stopped run goes on where it was."""

import json
from pathlib import Path

import pytest
import torch

from core.errors import BadInput
from training import tune_embedder
from training.tune_embedder import Pair, Plan, read_pairs, tune

WORDS = "alpha beta gamma delta kiln oven boat sail"
PAIRS = [
    Pair("alpha kiln", "beta oven", ("gamma boat",)),
    Pair("alpha boat", "gamma sail", ("beta oven",)),
    Pair("alpha delta", "delta sail"),
    Pair("beta delta", "delta delta"),
]
PLAN = Plan(n_epochs=6, batch_size=2, learning_rate=1e-2, checkpoint_every=1)


@pytest.fixture
def base(tmp_path: Path) -> str:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path / "bert"
    folder.mkdir()
    (folder / "vocab.txt").write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split()])
    )
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=13, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    BertModel(config).save_pretrained(folder)
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    words = Transformer(str(folder), max_seq_length=16)
    SentenceTransformer(modules=[words, Pooling(16)], device="cpu").save(str(tmp_path / "base"))
    return str(tmp_path / "base")


def test_pairs_come_nearer_and_the_model_loads_by_its_folder(base: str, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    def mean_cosine(folder: str) -> float:
        model = SentenceTransformer(folder, device="cpu")
        questions = model.encode([one.question for one in PAIRS], normalize_embeddings=True)
        passages = model.encode([one.passage for one in PAIRS], normalize_embeddings=True)
        return float((questions @ passages.T).diagonal().mean() - (questions @ passages.T).mean())

    out = tmp_path / "tuned"
    assert tune(PAIRS, base, out, PLAN) > 0
    assert mean_cosine(str(out)) > mean_cosine(base)
    assert not list(tmp_path.glob("*.checkpoint.pt*"))


def test_a_stopped_run_goes_on(base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    n_seen = 0
    real = tune_embedder._loss

    def counted(*args: object) -> object:
        nonlocal n_seen
        n_seen += 1
        if n_seen == 4:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(tune_embedder, "_loss", counted)
    with pytest.raises(KeyboardInterrupt):
        tune(PAIRS, base, tmp_path / "tuned", PLAN)
    tune(PAIRS, base, tmp_path / "tuned", PLAN)
    n_steps = len(list(tune_embedder._batches(PAIRS, PLAN)))
    assert n_seen == n_steps + 1  # three were kept, the fourth was done again


def test_no_batch_holds_a_question_or_a_passage_twice() -> None:
    pairs = [*PAIRS, Pair("alpha kiln", "other"), Pair("other", "beta oven")]
    for batch in tune_embedder._batches(pairs, Plan(n_epochs=3, batch_size=6)):
        assert len({one.question for one in batch}) == len({one.passage for one in batch}) == len(batch)


@pytest.mark.parametrize("line", ["{", '{"question": "only"}', "[]", "7"])
def test_a_bad_line_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps({"question": "q", "passage": "p"}) + "\n" + line + "\n")
    with pytest.raises(BadInput, match="line 2"):
        read_pairs(path)
