"""Every real meeting of QMSum gives minutes within the caps, each line with evidence and text."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.transcript import Transcript, Utterance
from rag.minutes.draft import Limits, draft

SECONDS_A_WORD = 0.4


def _transcript(path: Path) -> Transcript:
    said, now_s = [], 0.0
    for turn in json.loads(path.read_text(encoding="utf-8"))["meeting_transcripts"]:
        end_s = now_s + SECONDS_A_WORD * len(turn["content"].split())
        said.append(Utterance(now_s, end_s, turn["content"], turn["speaker"]))
        now_s = end_s
    return Transcript(tuple(said), engine="QMSum", language="en", duration_s=now_s)


@pytest.mark.slow
def test_all_meetings(shared_data: Callable[[str], Path]) -> None:
    meetings = shared_data("qmsum/train")
    limits = Limits()
    caps = {
        "summary": limits.max_summary,
        "topic": limits.max_topics,
        "decision": limits.max_decisions,
        "action": limits.max_actions,
        "question": limits.max_questions,
    }
    n_topics_an_hour = []
    for path in sorted(meetings.glob("*.json")):
        transcript = _transcript(path)
        minutes = draft(transcript, started_at=datetime(2026, 3, 4, tzinfo=UTC), participants=())
        for section, cap in caps.items():
            assert len(minutes.section(section)) <= cap, path.name  # type: ignore[arg-type]
        assert len(minutes.section("summary")) >= 3, path.name
        for line in minutes.lines:
            assert line.text.strip() and line.evidence and 0 <= line.support <= 1, path.name
            assert all(0 <= e.first <= e.last < len(transcript.utterances) for e in line.evidence), path.name
            assert all(e.start_s <= e.end_s for e in line.evidence), path.name
        if 3_000 <= (transcript.duration_s or 0) <= 4_500:
            n_topics_an_hour.append(len(minutes.section("topic")))
    assert n_topics_an_hour and 4 <= sum(n_topics_an_hour) / len(n_topics_an_hour) <= 10
