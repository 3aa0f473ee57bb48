"""The home tab of one person: recordings with their progress, drafts to review, what was asked, how syncing stands.

Knows only what it is handed; whoever hands it sees to it that the person may open it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectors.slack.answer_message import Block, section, words
from connectors.slack.mrkdwn import escape, link, shorten
from connectors.slack.review import buttons

MAX_ROWS = 8


@dataclass(frozen=True, slots=True)
class HomeRow:
    """One line: a linked title and what is to be said of it."""

    title: str
    url: str | None
    about: str


@dataclass(frozen=True, slots=True)
class HomeDraft:
    """Minutes the person may approve or discard."""

    minutes_id: int
    title: str
    url: str
    about: str


@dataclass(frozen=True, slots=True)
class Home:
    """`sources` is None for people who are no admins."""

    recordings: tuple[HomeRow, ...]
    drafts: tuple[HomeDraft, ...]
    questions: tuple[HomeRow, ...]
    sources: tuple[HomeRow, ...] | None
    is_linked: bool
    command: str


def home_view(home: Home) -> dict[str, Any]:
    """The view for views.publish."""
    blocks: list[Block] = [section(_welcome(home))]
    if home.drafts:
        blocks += [_heading("Minutes waiting for you")]
        for draft in home.drafts[:MAX_ROWS]:
            row = HomeRow(draft.title, draft.url, draft.about)
            blocks += [section(_line(row)), buttons(draft.minutes_id)]
    blocks += _list("Recent recordings", home.recordings, "No recording you may open yet.")
    blocks += _list("What you asked", home.questions, f"Nothing yet. Try `{escape(home.command)}`.")
    if home.sources is not None:
        blocks += _list("Sources", home.sources, "No source yet: `imp sources add` connects one.")
    return {"type": "home", "blocks": blocks}


def _welcome(home: Home) -> str:
    said = f"Ask with `{escape(home.command)} …`, mention me in a channel, or write to me directly."
    if not home.is_linked:
        said += (
            "\n⚠️ Your Slack account is not linked to a Confluence account, so you only get what is open to everyone. "
            "An admin links accounts with `imp people link`."
        )
    return said


def _list(heading: str, rows: Sequence[HomeRow], empty: str) -> list[Block]:
    if not rows:
        return [_heading(heading), {"type": "context", "elements": [words(empty)]}]
    return [_heading(heading), *(section(_line(row)) for row in rows[:MAX_ROWS])]


def _line(row: HomeRow) -> str:
    title = shorten(row.title, 150)
    named = link(row.url, title) if row.url else escape(title)
    return f"{named} — {shorten(escape(row.about), 500)}" if row.about else named


def _heading(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": True}}
