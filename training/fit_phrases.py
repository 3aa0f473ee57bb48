"""Fits which phrases of a meeting its summary names, and writes `rag/minutes/phrase_weights.json`.

    python -m training.fit_phrases ../shared/data/qmsum/train

Reads QMSum's meetings and their summaries of the whole meeting, the training split only. A phrase is named when all
its stems stand in the summary. The odds of single words are fitted on other meetings than the ones whose phrases
carry them (cross-fitting), so that a word seen once does not count as proof.
"""

import argparse
import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag.evaluation import read_qmsum
from rag.minutes.cues import cues_for
from rag.minutes.phrases import FEATURES, Key, Weights, featured, heard_phrases
from rag.minutes.utterances import sentences
from rag.sentences import words
from rag.support import stem

OUT = Path(__file__).parents[1] / "rag" / "minutes" / "phrase_weights.json"
N_FOLDS = 8
PRIOR = 8.0  # sightings a word needs before its own record outweighs the average
MIN_SIGHTINGS = 5
N_WORD_FEATURES = 3
RIDGE = 3.0
Matrix = npt.NDArray[np.float64]
_NO_WORDS = Weights(0.0, (0.0,) * len(FEATURES), {}, 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="the training split, *.json in QMSum's format")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    stored = fit(list(read_meetings(options.folder)))
    options.out.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{options.out}: {stored['n_phrases']} phrases, {len(stored['words'])} words")  # noqa: T201


def read_meetings(folder: Path) -> Iterator[tuple[list[tuple[Key, tuple[float, ...]]], frozenset[str]]]:
    """Each meeting's phrases with their features (word odds still zero), and the stems of its summaries."""
    cues = cues_for("en")
    for meeting in read_qmsum(folder):
        data = json.loads((folder / f"{meeting.name}.json").read_text(encoding="utf-8"))
        told = " ".join(str(query["answer"]) for query in data["general_query_list"])
        spoken = sentences(meeting.utterances, cues)
        yield (
            featured(spoken, heard_phrases(spoken), _NO_WORDS),
            frozenset(stem(word) for word in words(told)),
        )


def fit(
    meetings: Sequence[tuple[list[tuple[Key, tuple[float, ...]]], frozenset[str]]],
) -> dict[str, object]:
    """The content of the weights' file."""
    keys = [key for found, _ in meetings for key, _ in found]
    x = np.array([features for found, _ in meetings for _, features in found], dtype=np.float64)
    named = np.array([set(key) <= told for found, told in meetings for key, _ in found])
    fold = np.array([i % N_FOLDS for i, (found, _) in enumerate(meetings) for _ in found])
    for held_out in range(N_FOLDS):
        odds, unseen = word_odds(keys, named, fold != held_out)
        for row in np.flatnonzero(fold == held_out):
            of_words = [odds.get(word, unseen) for word in keys[row]]
            x[row, -N_WORD_FEATURES:] = min(of_words), max(of_words), sum(of_words) / len(of_words)
    intercept, weights = logistic(x, named)
    odds, unseen = word_odds(keys, named, np.ones(len(keys), dtype=bool))
    return {
        "source": "QMSum (Zhong et al. 2021), training split; see training/fit_phrases.py",
        "n_meetings": len(meetings),
        "n_phrases": len(keys),
        "intercept": round(intercept, 4),
        "features": {name: round(float(w), 4) for name, w in zip(FEATURES, weights, strict=True)},
        "unseen": round(unseen, 3),
        "words": {word: round(value, 2) for word, value in sorted(odds.items())},
    }


def word_odds(
    keys: Sequence[Key], named: npt.NDArray[np.bool_], use: npt.NDArray[np.bool_]
) -> tuple[dict[str, float], float]:
    """Log odds that a phrase with this word is named, drawn towards the average; and the average."""
    base = float(named[use].mean())
    seen: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    for row in np.flatnonzero(use):
        for word in set(keys[row]):
            seen[word] += 1
            hit[word] += bool(named[row])

    def log_odds(word: str) -> float:
        return math.log((hit[word] + PRIOR * base) / (seen[word] - hit[word] + PRIOR * (1 - base)))

    often = (word for word in seen if seen[word] >= MIN_SIGHTINGS)
    return {word: log_odds(word) for word in often}, math.log(base / (1 - base))


def logistic(x: Matrix, named: npt.NDArray[np.bool_]) -> tuple[float, Matrix]:
    """Ridge logistic regression by Newton's method; intercept and weights for the features as they are."""
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-9
    z = np.hstack([np.ones((len(x), 1)), (x - mean) / scale])
    weights = np.zeros(z.shape[1])
    penalty = RIDGE * np.eye(z.shape[1])
    penalty[0, 0] = 0
    for _ in range(30):
        p = 1 / (1 + np.exp(-z @ weights))
        gradient = z.T @ (named - p) - penalty @ weights
        weights += np.linalg.solve((z * (p * (1 - p))[:, None]).T @ z + penalty, gradient)
    plain = weights[1:] / scale
    return float(weights[0] - plain @ mean), plain


if __name__ == "__main__":
    main()
