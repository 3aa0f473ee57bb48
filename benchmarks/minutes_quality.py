"""Minutes of whole meetings against QMSum's general summaries: ROUGE, support and citations, beside simple baselines.

    python -m benchmarks.minutes_quality ../shared/data/qmsum/val --dump minutes.jsonl

`--dump` is what `imp eval run minutes ../shared/data/qmsum --split val --dump minutes.jsonl` wrote: lines as the
product drafts them. Every system gets the same words (`--words`, 112): its summary lines in order, cut there. The
baselines read the product's clean sentences. ROUGE is google's `rouge-score`, with and without stemming.

The judge, word by word so that anybody can repeat it: a summary line is supported when at least 0.8 of its content
words, told verbs aside, stand (by stem) in the turns it cites or are their speakers' names, and no number or name is
missing. A citation is precise when without it the line would lose a content word, or when it supports the line alone
(ALCE, Gao et al. 2023). Citation recall is the share of content words found in the cited turns.
"""

import argparse
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rouge_score.rouge_scorer import RougeScorer

from benchmarks.report import add_out
from rag.evaluation import Meeting, read_qmsum
from rag.minutes.cues import cues_for
from rag.minutes.terms import tf_idf
from rag.minutes.utterances import Sentence, sentences
from rag.minutes.word_classes import listed
from rag.sentences import split_sentences, words
from rag.support import content_words, missing_facts, stem

KINDS = ("rouge1", "rouge2", "rougeL", "rougeLsum")
SUPPORTED_FROM = 0.8
MIN_WORDS = 5
DAMPING = 0.85


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="a split, *.json in QMSum's format")
    parser.add_argument("--dump", type=Path, required=True)
    parser.add_argument("--words", type=int, default=112)
    add_out(parser)
    options = parser.parse_args()
    drafted = {line["meeting"]: line["lines"] for line in map(json.loads, options.dump.open())}
    meetings = [meeting for meeting in read_qmsum(options.folder) if meeting.name in drafted]
    told = [_summary(options.folder / f"{meeting.name}.json") for meeting in meetings]
    spoken = [
        [s for s in sentences(m.utterances, cues_for("en")) if s.n_words >= MIN_WORDS] for m in meetings
    ]
    systems: dict[str, list[list[str]]] = {
        "product": [[one["text"] for one in drafted[m.name] if one["section"] == "summary"] for m in meetings]
    }
    for name, ranked in BASELINES.items():
        systems[name] = [_in_order(said, ranked(said), options.words) for said in spoken]
    report = {name: rouge(lines, told, options.words) for name, lines in systems.items()}
    report["judge"] = judged(meetings, drafted)
    text = json.dumps(report, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n")


def rouge(drafts: Sequence[Sequence[str]], told: Sequence[str], n_words: int) -> dict[str, Any]:
    """Mean F1 in percent."""
    cut = [_cut(lines, n_words) for lines in drafts]
    found: dict[str, Any] = {"words": round(float(np.mean([len(" ".join(c).split()) for c in cut])), 1)}
    for is_stemmed in (False, True):
        scorer = RougeScorer(list(KINDS), use_stemmer=is_stemmed)
        scores = [
            scorer.score("\n".join(split_sentences(one)), "\n".join(lines))
            for one, lines in zip(told, cut, strict=True)
        ]
        found["stemmed" if is_stemmed else "plain"] = {
            kind: round(100 * float(np.mean([score[kind].fmeasure for score in scores])), 1) for kind in KINDS
        }
    return found


def judged(meetings: Sequence[Meeting], drafted: dict[str, list[dict[str, Any]]]) -> dict[str, float]:
    """Support, citation precision and recall over all summary lines."""
    supported, precise, recalls = [], [], []
    for meeting in meetings:
        for line in drafted[meeting.name]:
            if line["section"] != "summary":
                continue
            spans = [_said(meeting, first, last) for first, last in line["evidence"]]
            share = _share(line["text"], " ".join(spans))
            recalls.append(share)
            is_whole = not missing_facts(line["text"], " ".join(spans) + " " + " ".join(_telling()))
            supported.append(share >= SUPPORTED_FROM and is_whole)
            for i, span in enumerate(spans):
                others = " ".join(spans[:i] + spans[i + 1 :])
                precise.append(
                    _share(line["text"], others) < share or _share(line["text"], span) >= SUPPORTED_FROM
                )
    return {
        "n_lines": len(supported),
        "support": round(float(np.mean(supported)), 4),
        "citation_precision": round(float(np.mean(precise)), 4),
        "citation_recall": round(float(np.mean(recalls)), 4),
    }


def _telling() -> frozenset[str]:
    return frozenset(word.capitalize() for word in listed("telling")) | listed("telling")


def _share(text: str, evidence: str) -> float:
    known = {stem(word) for word in words(evidence)}
    said = [word for word in content_words(text) if word not in listed("telling")]
    return sum(stem(word) in known for word in said) / len(said) if said else 0.0


def _said(meeting: Meeting, first: int, last: int) -> str:
    cited = meeting.utterances[first : last + 1]
    return " ".join(f"{one.speaker}: {one.text.replace('_', '')} {one.text}" for one in cited)


def _lead(said: Sequence[Sentence]) -> list[int]:
    return list(range(len(said)))


def _random(said: Sequence[Sentence]) -> list[int]:
    order = list(range(len(said)))
    random.Random(7).shuffle(order)
    return order


def _textrank(said: Sequence[Sentence]) -> list[int]:
    """Mihalcea & Tarau 2004: shared words over the sum of log lengths."""
    terms = [frozenset(s.terms) for s in said]
    lengths = np.log1p([len(one) for one in terms])
    shared = np.array([[len(a & b) for b in terms] for a in terms], dtype=float)
    return _central(shared / np.maximum(lengths[:, None] + lengths[None, :], 1e-9))


def _lexrank(said: Sequence[Sentence]) -> list[int]:
    """Erkan & Radev 2004: cosine of tf-idf, links from 0.1 up."""
    matrix = tf_idf([s.terms for s in said])[0].astype(float)
    matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)
    likeness = matrix @ matrix.T
    return _central((likeness >= 0.1).astype(float))


def _central(links: np.ndarray) -> list[int]:
    np.fill_diagonal(links, 0)
    n = len(links)
    steps = links / np.maximum(links.sum(axis=1, keepdims=True), 1e-9)
    rank = np.ones(n) / n
    for _ in range(50):
        rank = (1 - DAMPING) / n + DAMPING * steps.T @ rank
    return [int(i) for i in np.argsort(-rank, kind="stable")]


BASELINES: dict[str, Callable[[Sequence[Sentence]], list[int]]] = {
    "lead": _lead, "random": _random, "textrank": _textrank, "lexrank": _lexrank,
}  # fmt: skip


def _in_order(said: Sequence[Sentence], ranked: Sequence[int], n_words: int) -> list[str]:
    """The best sentences that fill `n_words`, as spoken."""
    chosen, n = [], 0
    for index in ranked:
        if n >= n_words:
            break
        chosen.append(index)
        n += said[index].n_words
    return [said[index].text for index in sorted(chosen)]


def _cut(lines: Sequence[str], n_words: int) -> list[str]:
    cut, left = [], n_words
    for line in lines:
        kept = line.split()[:left]
        left -= len(kept)
        if kept:
            cut.append(" ".join(kept))
    return cut


def _summary(path: Path) -> str:
    return str(json.loads(path.read_text(encoding="utf-8"))["general_query_list"][0]["answer"])


if __name__ == "__main__":
    main()
