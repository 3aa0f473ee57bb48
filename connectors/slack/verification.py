"""The modal in which somebody who knows mends an answer and stands for it, and what was filled into it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectors.slack.answer_message import Source, plain, section, source_line, words
from connectors.slack.mrkdwn import escape

CALLBACK_ID = "verify_answer"
MAX_ANSWER_CHARS = 3_000  # what a Slack input takes
MAX_QUESTION_CHARS = 500
N_SOURCES = 8
HINT = "[1], [2] point at the sources below. Whoever may open all of them is given this answer from now on."
EXPIRES = "It is shown with your name and today's date, until one of these sources changes or goes."


@dataclass(frozen=True, slots=True)
class Verification:
    """An answer to be confirmed; the person who confirms may open all its sources."""

    question_id: int
    channel: str
    question: str
    answer: str
    sources: Sequence[Source]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What came back: the question and answer as they shall stand."""

    question_id: int
    channel: str
    question: str
    answer: str


def modal(what: Verification) -> dict[str, Any]:
    """Question and answer to edit, above the sources it rests on."""
    lines = [source_line(source) for source in what.sources[:N_SOURCES]]
    return {
        "type": "modal",
        "callback_id": CALLBACK_ID,
        "private_metadata": f"{what.question_id}:{what.channel}",
        "title": plain("Verify this answer"),
        "submit": plain("I stand for it"),
        "close": plain("Cancel"),
        "blocks": [
            _input("question", "Question", what.question[:MAX_QUESTION_CHARS], MAX_QUESTION_CHARS),
            _input("answer", "Answer", what.answer[:MAX_ANSWER_CHARS], MAX_ANSWER_CHARS, hint=HINT),
            section("*Sources*\n" + "\n".join(lines)),
            {"type": "context", "elements": [words(escape(EXPIRES))]},
        ],
    }


def confirmation_of(view: dict[str, Any]) -> Confirmation | None:
    """What a submitted modal says; None when it is none of ours."""
    values = view["state"]["values"]
    number, _, channel = str(view.get("private_metadata") or "").partition(":")
    said = {name: _filled(values, name) for name in ("question", "answer")}
    return Confirmation(int(number), channel, **said) if number.isdecimal() else None


def _filled(values: dict[str, Any], name: str) -> str:
    return str(values.get(name, {}).get(name, {}).get("value") or "").strip()


def _input(name: str, label: str, value: str, most: int, hint: str = "") -> dict[str, Any]:
    element = {
        "type": "plain_text_input", "action_id": name, "multiline": name == "answer", "max_length": most,
        "initial_value": value,
    }  # fmt: skip
    block = {"type": "input", "block_id": name, "label": plain(label), "element": element}
    return {**block, "hint": plain(hint)} if hint else block
