"""Precision and recall of drafted lines against the annotated meetings; run as a module it prints them.

A found line is right when its evidence covers a turn of a gold line that no other line has taken.
"""

import json
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from core.minutes import MinutesDraft, MinutesLine
from core.transcript import Transcript, Utterance
from rag.minutes.draft import draft

ANNOTATED = Path(__file__).with_name("annotated.jsonl")
SECONDS_A_TURN = 5.0


@dataclass(frozen=True)
class Score:
    n_right: int
    n_found: int
    n_wanted: int

    @property
    def precision(self) -> float:
        return self.n_right / self.n_found if self.n_found else 1.0

    @property
    def recall(self) -> float:
        return self.n_right / self.n_wanted if self.n_wanted else 1.0


def groups(split: str) -> list[dict[str, Any]]:
    lines = ANNOTATED.read_text(encoding="utf-8").splitlines()
    return [group for group in map(json.loads, lines) if group["split"] == split]


def draft_of(group: dict[str, Any]) -> MinutesDraft:
    said = tuple(
        Utterance(i * SECONDS_A_TURN, (i + 1) * SECONDS_A_TURN, text, speaker)
        for i, (speaker, text) in enumerate(group["turns"])
    )
    transcript = Transcript(said, engine="written by hand", language=group["language"])
    return draft(
        transcript, started_at=datetime.fromisoformat(group["started_at"]), participants=group["participants"]
    )


def scores(split: str, misses: list[str] | None = None) -> dict[str, Score]:
    """Scores of decisions, actions, owners, dates and questions over one split."""
    counts: Counter[tuple[str, str]] = Counter()
    for group in groups(split):
        _count(group, draft_of(group), counts, misses)
    names = ("decision", "action", "owner", "due", "question")
    return {n: Score(counts[n, "right"], counts[n, "found"], counts[n, "wanted"]) for n in names}


def _count(
    group: dict[str, Any], minutes: MinutesDraft, counts: Counter[tuple[str, str]], misses: list[str] | None
) -> None:
    gold = {
        "decision": [{"turns": turns} for turns in group["decisions"]],
        "action": group["actions"],
        "question": [{"turns": turns} for turns in group["questions"]],
    }
    for section, wanted in gold.items():
        found = [line for line in minutes.lines if line.section == section]
        pairs = _matched(found, wanted)
        counts[section, "right"] += len(pairs)
        counts[section, "found"] += len(found)
        counts[section, "wanted"] += len(wanted)
        if section == "action":
            _count_facts(found, wanted, pairs, counts)
        if misses is not None:
            _note(group, section, found, wanted, pairs, misses)


def _matched(
    found: list[MinutesLine], wanted: list[dict[str, Any]]
) -> list[tuple[MinutesLine, dict[str, Any]]]:
    left, pairs = list(wanted), []
    for line in found:
        turns = {turn for e in line.evidence for turn in range(e.first, e.last + 1)}
        hit = max(left, key=lambda gold: len(turns & set(gold["turns"])), default=None)
        if hit is not None and turns & set(hit["turns"]):
            left.remove(hit)
            pairs.append((line, hit))
    return pairs


def _count_facts(
    found: list[MinutesLine],
    wanted: list[dict[str, Any]],
    pairs: list[tuple[MinutesLine, dict[str, Any]]],
    counts: Counter[tuple[str, str]],
) -> None:
    counts["owner", "found"] += sum(line.owner is not None for line in found)
    counts["owner", "wanted"] += sum(gold["owner"] is not None for gold in wanted)
    counts["owner", "right"] += sum(
        _first_name(line.owner) == gold["owner"] for line, gold in pairs if gold["owner"]
    )
    counts["due", "found"] += sum(line.due is not None for line in found)
    counts["due", "wanted"] += sum(gold["due"] is not None for gold in wanted)
    counts["due", "right"] += sum(str(line.due) == gold["due"] for line, gold in pairs if gold["due"])


def _first_name(owner: str | None) -> str | None:
    return owner.split()[0] if owner else None


def _note(
    group: dict[str, Any],
    section: str,
    found: list[MinutesLine],
    wanted: list[dict[str, Any]],
    pairs: list[tuple[MinutesLine, dict[str, Any]]],
    misses: list[str],
) -> None:
    hit_lines = [id(line) for line, _ in pairs]
    hit_gold = [id(gold) for _, gold in pairs]
    misses += [f"{group['id']} false {section}: {line.text}" for line in found if id(line) not in hit_lines]
    misses += [f"{group['id']} missed {section}: {gold}" for gold in wanted if id(gold) not in hit_gold]
    for line, gold in pairs:
        if section == "action" and (
            _first_name(line.owner) != gold["owner"] or str(line.due) != str(gold["due"])
        ):
            misses.append(f"{group['id']} facts: {line.owner} {line.due} ({line.due_text}), wanted {gold}")


def main(split: str) -> None:
    misses: list[str] = []
    for name, score in scores(split, misses).items():
        print(  # noqa: T201
            f"{split:9} {name:9} precision {score.precision:.3f} recall {score.recall:.3f}"
            f" ({score.n_right} right, {score.n_found} found, {score.n_wanted} wanted)"
        )
    print("\n".join(misses) if "-v" in sys.argv else f"{len(misses)} misses, -v shows them")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "dev")
