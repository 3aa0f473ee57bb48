"""Drafted minutes as a message with the buttons of a review, and as a row of the home tab.

Whoever is shown the lines may open the recording; the caller sees to that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.slack.answer_message import Block, section, words
from connectors.slack.answer_text import PIECE_CHARS
from connectors.slack.mrkdwn import escape, link, shorten

MAX_LINES = 30


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One line of minutes: a decision, an action with who and until when, an open question."""

    section: str
    text: str
    is_flagged: bool = False
    owner: str | None = None
    due: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """Minutes that wait for a person; `lines` empty shows counts alone."""

    minutes_id: int
    title: str
    url: str
    lines: tuple[DraftLine, ...]
    warnings: tuple[str, ...] = ()
    due_at: datetime | None = None
    is_reminder: bool = False


HEADINGS = {
    "summary": "Summary", "topic": "Topics", "decision": "Decisions", "action": "Action items",
    "question": "Open questions",
}  # fmt: skip


def review_blocks(draft: Draft) -> list[Block]:
    """The draft in full, as far as one message goes, above its buttons."""
    blocks = [section(f"{_heading(draft)} {link(draft.url, shorten(draft.title, 150))}{_until(draft)}")]
    shown = draft.lines[:MAX_LINES]
    for name, heading in HEADINGS.items():
        lines = [line for line in shown if line.section == name]
        if lines:
            blocks += [section(text) for text in _packed(f"*{heading}*", lines)]
    notes = list(draft.warnings)
    if len(draft.lines) > len(shown):
        notes.append(f"{len(draft.lines) - len(shown)} more lines are in the draft.")
    if notes:
        blocks.append(
            {"type": "context", "elements": [words(shorten(escape("⚠️ " + " ".join(notes)), 1_500))]}
        )
    return [*blocks, buttons(draft.minutes_id)]


def channel_blocks(draft: Draft) -> list[Block]:
    """What a channel sees of it: the title and how many lines there are, above the buttons."""
    return [section(channel_line(draft)), buttons(draft.minutes_id)]


def channel_line(draft: Draft) -> str:
    """One line of mrkdwn."""
    counts = len(draft.lines)
    title = shorten(escape(draft.title), 300)
    return f"{_heading(draft)} {title} — {counts} line{'' if counts == 1 else 's'}{_until(draft)}"


def _heading(draft: Draft) -> str:
    return "⏰ *Minutes still to review:*" if draft.is_reminder else "📝 *Minutes to review:*"


def _until(draft: Draft) -> str:
    """The deadline in each reader's own time zone."""
    if draft.due_at is None:
        return ""
    plain = f"{draft.due_at:%d %B %Y, %H:%M} UTC"
    return (
        f"\nPlease review by <!date^{int(draft.due_at.timestamp())}^{{date_short_pretty}}, {{time}}|{plain}>."
    )


def buttons(minutes_id: int) -> Block:
    """Approve, the three modals, Discard; the two that end the review ask once more."""
    return {
        "type": "actions",
        "block_id": f"minutes_{minutes_id}",
        "elements": [
            _sure(
                minutes_id,
                "Approve",
                "minutes_approve",
                "primary",
                "The minutes are published in Confluence.",
            ),
            _button(minutes_id, "Edit", "minutes_edit"),
            _button(minutes_id, "Rename speakers", "minutes_speakers"),
            _button(minutes_id, "Assign", "minutes_assign"),
            _sure(
                minutes_id, "Discard", "minutes_discard", "danger", "The draft is kept, but not published."
            ),
        ],
    }


def _button(minutes_id: int, label: str, action_id: str) -> dict[str, Any]:
    return {"type": "button", "text": _plain(label), "action_id": action_id, "value": str(minutes_id)}


def _sure(minutes_id: int, label: str, action_id: str, style: str, sure: str) -> dict[str, Any]:
    confirm = {
        "title": _plain(f"{label}?"), "text": _plain(sure), "confirm": _plain(label), "deny": _plain("Back"),
    }  # fmt: skip
    return {**_button(minutes_id, label, action_id), "style": style, "confirm": confirm}


def _packed(heading: str, lines: Sequence[DraftLine]) -> list[str]:
    out = [heading]
    for line in lines:
        said = f"• {'⚠️ ' if line.is_flagged else ''}{shorten(escape(' '.join(line.text.split())), 600)}"
        about = ", ".join(escape(part) for part in (line.owner, line.due) if part)
        said += f" _({shorten(about, 120)})_" if about else ""
        if len(out[-1]) + len(said) + 1 > PIECE_CHARS:
            out.append("")
        out[-1] += f"\n{said}"
    return out


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": True}
