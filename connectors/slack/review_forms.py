"""The modals of a review: minutes by section, names of speakers, owners of actions; and what was filled into them.

Knows no table. Slack takes 3,000 characters an input, so what is longer is left to the browser.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from connectors.slack.answer_message import Block, plain, section, words
from connectors.slack.mrkdwn import escape, link, shorten
from connectors.slack.review import HEADINGS, DraftLine

Wish = Literal["edit", "speakers", "assign"]
CALLBACKS: dict[str, Wish] = {f"minutes_{wish}": wish for wish in ("edit", "speakers", "assign")}
MAX_INPUT_CHARS = 3_000
MAX_NAME_CHARS = 120
MAX_ROWS = 45
"""A modal has at most 100 blocks."""

ONE_A_LINE = "One line each. A line you leave as it is keeps its link to the recording."


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who clicked, and in which workspace."""

    user: str
    team: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """The message the button stands in, to be drawn again; `ts` is empty on the home tab."""

    channel: str = ""
    ts: str = ""


@dataclass(frozen=True, slots=True)
class Speaker:
    """A voice of the recording by its present name; `url` leads to where it is heard first."""

    name: str
    n_utterances: int
    url: str


@dataclass(frozen=True, slots=True)
class ReviewForm:
    """What a modal starts from; `owners` are Slack users of actions by the number of their line."""

    minutes_id: int
    title: str
    url: str
    lines: tuple[DraftLine, ...]
    speakers: tuple[Speaker, ...] = ()
    owners: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Filled:
    """A submitted modal: texts by section, names by old name, or Slack users by number of the line."""

    wish: Wish
    minutes_id: int
    values: Mapping[str, str]
    shown: Shown


class Reviews(Protocol):
    """Where drafts are read and changed for a reviewer; raises Denied for who is none."""

    def form(self, minutes_id: int, wish: Wish, by: Reviewer) -> ReviewForm:
        """What the modal shows. Raises NotFound, Conflict when there is nothing to do with it."""

    def submit(self, filled: Filled, by: Reviewer) -> None:
        """Carry out what was filled in. Raises BadInput, Conflict, NotFound."""


def view(form: ReviewForm, wish: Wish, shown: Shown) -> dict[str, Any]:
    """The modal for views.open."""
    title, blocks = {
        "edit": ("Edit minutes", edit_blocks),
        "speakers": ("Rename speakers", speaker_blocks),
        "assign": ("Assign actions", assign_blocks),
    }[wish]
    about = {"minutes_id": form.minutes_id, "channel": shown.channel, "ts": shown.ts}
    return {
        "type": "modal",
        "callback_id": f"minutes_{wish}",
        "private_metadata": json.dumps(about),
        "title": plain(title),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "blocks": [_context(f"📝 {link(form.url, shorten(form.title, 150))}"), *blocks(form)],
    }


def edit_blocks(form: ReviewForm) -> list[Block]:
    """One input a section; an empty topic section is not offered, since topics come from the drafting."""
    blocks = []
    for name, heading in HEADINGS.items():
        lines = [line for line in form.lines if line.section == name]
        if not lines and name == "topic":
            continue
        text = "\n".join(" ".join(line.text.split()) for line in lines)
        n_chars = len(text.encode("utf-16-le")) // 2  # as Slack's own client counts
        if n_chars > MAX_INPUT_CHARS:
            said = f"*{heading}* has {n_chars:,} characters, more than fit here."
            blocks.append(section(f"{said} {link(form.url, 'Edit it in the browser')}"))
            continue
        element: dict[str, Any] = {
            "type": "plain_text_input", "action_id": "value", "multiline": True, "max_length": MAX_INPUT_CHARS,
        }  # fmt: skip
        if text:
            element["initial_value"] = text
        blocks.append(
            _input(f"section:{name}", heading, element, f"{ONE_A_LINE}{_to_check(lines)}" if lines else "")
        )
    return blocks


def speaker_blocks(form: ReviewForm) -> list[Block]:
    """One input a speaker, with where to hear them."""
    blocks = []
    for speaker in form.speakers[:MAX_ROWS]:
        element = {
            "type": "plain_text_input", "action_id": "value", "max_length": MAX_NAME_CHARS,
            "initial_value": speaker.name[:MAX_NAME_CHARS],
        }  # fmt: skip
        times = f"{speaker.n_utterances} utterance{'' if speaker.n_utterances == 1 else 's'}"
        blocks.append(_input(f"speaker:{speaker.name}", shorten(speaker.name, 100), element))
        blocks.append(_context(f"{times} · {link(speaker.url, 'listen')}"))
    return [*blocks, *_rest(len(form.speakers), "speakers", form.url)]


def assign_blocks(form: ReviewForm) -> list[Block]:
    """One choice of a person an action."""
    actions = [(number, line) for number, line in enumerate(form.lines) if line.section == "action"]
    blocks = []
    for number, line in actions[:MAX_ROWS]:
        element = {"type": "users_select", "action_id": "value", "placeholder": plain(_now(line))}
        if number in form.owners:
            element["initial_user"] = form.owners[number]
        label = shorten(" ".join(line.text.split()), 300)
        blocks.append(_input(f"action:{number}", label, element, f"Due {line.due}" if line.due else ""))
    return [*blocks, *_rest(len(actions), "actions", form.url)]


def filled_of(view: Mapping[str, Any]) -> Filled | None:
    """What a submitted modal says; None when it is none of ours."""
    wish = CALLBACKS.get(str(view.get("callback_id")))
    try:
        about = json.loads(view.get("private_metadata") or "{}")
        minutes_id = int(about["minutes_id"])
    except (ValueError, TypeError, KeyError):
        return None
    if wish is None:
        return None
    values = {
        block_id.partition(":")[2]: _value(held)
        for block_id, held in view["state"]["values"].items()
        if ":" in block_id
    }
    return Filled(wish, minutes_id, values, Shown(str(about.get("channel", "")), str(about.get("ts", ""))))


def _value(held: Mapping[str, Any]) -> str:
    state = held.get("value") or {}
    return str(state.get("value") or state.get("selected_user") or "")


def _to_check(lines: Sequence[DraftLine]) -> str:
    numbers = [str(number) for number, line in enumerate(lines, start=1) if line.is_flagged]
    return f" Please check line {', '.join(numbers)}." if numbers else ""


def _now(line: DraftLine) -> str:
    return shorten(f"Now: {line.owner}" if line.owner else "Nobody yet", 140)


def _input(block_id: str, label: str, element: dict[str, Any], hint: str = "") -> Block:
    block = {
        "type": "input", "block_id": block_id, "label": plain(label), "element": element, "optional": True,
    }  # fmt: skip
    return {**block, "hint": plain(shorten(hint, 1_900))} if hint else block


def _rest(n_all: int, what: str, url: str) -> list[Block]:
    left = n_all - MAX_ROWS
    return [_context(f"{left} more {escape(what)}: {link(url, 'in the browser')}")] if left > 0 else []


def _context(text: str) -> Block:
    return {"type": "context", "elements": [words(text)]}
