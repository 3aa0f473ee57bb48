"""Whatever stands in an answer, Slack takes the message, and nothing in it pings or misleads."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.slack.answer_message import (
    AnswerMessage,
    Source,
    fallback_text,
    private_blocks,
    public_blocks,
    quotes_blocks,
)
from sandbox.slack.blocks import block_errors
from tests.connectors.slack.hostile import HOSTILE

GOOD = "https://wiki.example/page"


def message(**values: Any) -> AnswerMessage:
    fields: dict[str, Any] = {
        "question_id": 7, "question": "Why?", "text": "Because. [1]", "is_answered": True, "confidence": 0.9,
        "engine": "extractive", "sources": (Source(1, "Page", GOOD, "ENG", datetime.now(UTC)),),
    }  # fmt: skip
    return AnswerMessage(**{**fields, **values})


def text_objects(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, dict):
        own = [node] if isinstance(node.get("text"), str) else []
        return own + [one for value in node.values() for one in text_objects(value)]
    return [one for item in node for one in text_objects(item)] if isinstance(node, list) else []


def harmless(blocks: list[Any], *addresses: str) -> None:
    """Slack takes the blocks; every link in them leads to a source's own address."""
    assert not block_errors(blocks, "/blocks", 50)
    json.dumps(blocks).encode()
    for one in text_objects(blocks):
        for mark in re.findall(r"<([^>]*)>", one["text"]):
            assert mark.split("|")[0].startswith((GOOD, *addresses)), mark
        assert one["type"] == "plain_text" or one["verbatim"] is True


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("is_answered", [True, False])
def test_hostile_texts_do_no_harm_anywhere(hostile: str, is_answered: bool) -> None:
    sources = tuple(
        Source(n, hostile, url, hostile, datetime.now(UTC), start_s=3.0)
        for n, url in enumerate((GOOD, hostile, f"javascript:{hostile}", f"{GOOD}/{hostile}"), start=1)
    )
    made = message(
        question=hostile, text=f"{hostile}\n{hostile} [1][2][3]", engine=hostile, understood=hostile,
        is_answered=is_answered, sources=sources if is_answered else (), nearest=() if is_answered else sources,
        confidence=0.1,
    )  # fmt: skip
    own = ("https://evil.example/",) if hostile.startswith("https:") else ()
    harmless(private_blocks(made), *own)
    harmless(public_blocks(made), *own)
    harmless(quotes_blocks([(source, hostile) for source in sources]), *own)
    assert len(fallback_text(made)) <= 300
    assert not re.search("[<>]", fallback_text(made))


def test_public_blocks_never_name_what_was_looked_at_in_vain() -> None:
    nearest = (Source(1, "Secret plans", GOOD, "HR"),)
    made = message(is_answered=False, text="Nothing.", sources=(), nearest=nearest)
    assert "Secret plans" in str(private_blocks(made))
    assert "Secret plans" not in str(public_blocks(made))


def test_a_long_answer_is_cut_with_word_of_it() -> None:
    blocks = private_blocks(message(text="A sentence of some words. [1] " * 2_000))
    harmless(blocks)
    assert "the rest stands in the sources" in str(blocks)


def test_sources_show_place_age_and_second() -> None:
    source = Source(1, "Weekly", GOOD, "recording", datetime.now(UTC) - timedelta(days=3), start_s=3725.0)
    assert f"[1] <{GOOD}|Weekly> — recording, at 1:02:05, 3 days old" in str(
        public_blocks(message(sources=(source,)))
    )


def test_low_confidence_is_said() -> None:
    assert "not sure" in str(private_blocks(message(confidence=0.3)))
    assert "not sure" not in str(private_blocks(message(confidence=0.9)))


def test_one_is_shared_only_where_there_is_somebody_to_share_with() -> None:
    assert "Share to channel" in str(private_blocks(message()))
    assert "Share to channel" not in str(private_blocks(message(), can_share=False))
    assert "Share to channel" not in str(private_blocks(message(is_answered=False)))
    assert "Share to channel" not in str(public_blocks(message()))
