"""Tune a sentence-transformer on questions with known passages, so that the two come nearer; resumable.

    python -m training.tune_embedder PAIRS.jsonl --out FOLDER [--base FOLDER]

Each line of PAIRS holds `question`, `passage` and optionally `negatives`, passages that look right and are not. The
folder written is loaded by path (`IMP_EMBEDDER=FOLDER`). Knows no table and no meeting.
"""

import argparse
import json
import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import BadInput
from rag.embedding import DEFAULT_MODEL, packaged_model

logger = logging.getLogger(__name__)

_SCALE = 20.0  # of cosines in the softmax, the value of MultipleNegativesRankingLoss in sentence-transformers
_MAX_NEGATIVES = 4


@dataclass(frozen=True, slots=True)
class Pair:
    """A question, a passage that answers it, and passages that do not."""

    question: str
    passage: str
    negatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """`warm_up` is the share of steps in which the learning rate rises; then it falls to zero."""

    n_epochs: int = 2
    batch_size: int = 16
    learning_rate: float = 3e-5
    warm_up: float = 0.1
    checkpoint_every: int = 20
    seed: int = 0


def read_pairs(path: Path) -> list[Pair]:
    """Raises BadInput, which names the line, when the file is not such pairs or holds fewer than two."""
    pairs = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                negatives = tuple(str(one) for one in row.get("negatives", ())[:_MAX_NEGATIVES])
                pairs.append(Pair(str(row["question"]), str(row["passage"]), negatives))
            except (ValueError, KeyError, TypeError, AttributeError) as exc:
                raise BadInput(f"{path}, line {number} is not a question with its passage: {exc!r}") from exc
    if len(pairs) < 2:
        raise BadInput(
            f"{path} holds {len(pairs)} pairs; other questions' passages are what a pair is told from"
        )
    return pairs


def tune(pairs: Sequence[Pair], base: str, out: Path, plan: Plan) -> float:
    """Train and write the model to `out`; returns the mean loss of the last epoch.

    A run that was stopped goes on from its last checkpoint beside `out`, with the same batches in the same order.
    """
    import torch
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(base, device="cpu", local_files_only=True)
    model.train()
    steps = list(_batches(pairs, plan))
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.learning_rate, weight_decay=0.01)
    checkpoint = out.with_name(out.name + ".checkpoint.pt")
    first, losses = _resumed(checkpoint, model, optimizer)
    for at, batch in enumerate(steps[first:], start=first):
        for group in optimizer.param_groups:
            group["lr"] = plan.learning_rate * _share(at, len(steps), plan.warm_up)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = _loss(model, batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
        if (at + 1) % plan.checkpoint_every == 0:
            _keep(checkpoint, model, optimizer, at + 1, losses)
            logger.info("tune.step", extra={"step": at + 1, "of": len(steps), "loss": _last(losses)})
    model.eval()
    model.save(str(out))
    checkpoint.unlink(missing_ok=True)
    last = losses[-max(1, len(steps) // plan.n_epochs) :]
    return sum(last) / max(len(last), 1)


def _batches(pairs: Sequence[Pair], plan: Plan) -> Iterator[list[Pair]]:
    """Every pair once an epoch; no batch holds one question or one passage twice, which would be a false negative."""
    chance = random.Random(plan.seed)
    for _ in range(plan.n_epochs):
        waiting = chance.sample(list(pairs), len(pairs))
        while len(waiting) > 1:
            batch: list[Pair] = []
            rest: list[Pair] = []
            for pair in waiting:
                is_new = not any(pair.question == o.question or pair.passage == o.passage for o in batch)
                (batch if is_new and len(batch) < plan.batch_size else rest).append(pair)
            if len(batch) < 2:
                break
            yield batch
            waiting = rest


def _loss(model: Any, batch: Sequence[Pair]) -> Any:
    """Softmax over all passages of the batch, hard negatives included (one a pair, the first)."""
    import torch

    passages = [pair.passage for pair in batch]
    passages += [pair.negatives[0] for pair in batch if pair.negatives and pair.negatives[0] not in passages]
    questions, found = _encoded(model, [pair.question for pair in batch]), _encoded(model, passages)
    return torch.nn.functional.cross_entropy(_SCALE * questions @ found.T, torch.arange(len(batch)))


def _encoded(model: Any, texts: list[str]) -> Any:
    import torch

    features = model.preprocess(texts) if hasattr(model, "preprocess") else model.tokenize(texts)
    return torch.nn.functional.normalize(model(features)["sentence_embedding"].float(), dim=1)


def _share(step: int, n_steps: int, warm_up: float) -> float:
    rising = max(1, int(n_steps * warm_up))
    return (step + 1) / rising if step < rising else (n_steps - step) / max(n_steps - rising, 1)


def _resumed(checkpoint: Path, model: Any, optimizer: Any) -> tuple[int, list[float]]:
    import torch

    if not checkpoint.exists():
        return 0, []
    kept = torch.load(checkpoint, weights_only=True)
    model.load_state_dict(kept["model"])
    optimizer.load_state_dict(kept["optimizer"])
    logger.info("tune.resumed", extra={"step": kept["step"]})
    return int(kept["step"]), list(kept["losses"])


def _keep(checkpoint: Path, model: Any, optimizer: Any, step: int, losses: list[float]) -> None:
    """Written beside and moved into place, so that a kill leaves the one before."""
    import torch

    draft = checkpoint.with_name(checkpoint.name + ".part")
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "losses": losses}
    torch.save(state, draft)
    draft.replace(checkpoint)


def _last(losses: Sequence[float]) -> float:
    recent = losses[-20:]
    return round(sum(recent) / max(len(recent), 1), 4)


def main() -> None:
    logging.basicConfig(level=logging.WARNING)
    logger.setLevel(logging.INFO)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--base", default=DEFAULT_MODEL)
    parser.add_argument("--epochs", type=int, default=Plan().n_epochs)
    parser.add_argument("--batch-size", type=int, default=Plan().batch_size)
    options = parser.parse_args()
    base = str(packaged_model()) if options.base == DEFAULT_MODEL else options.base
    plan = Plan(n_epochs=options.epochs, batch_size=options.batch_size)
    loss = tune(read_pairs(options.pairs), base, options.out, plan)
    print(json.dumps({"out": str(options.out), "loss": round(loss, 4)}))  # noqa: T201


if __name__ == "__main__":
    main()
