"""The home tab of one person: what is to do and to review, recordings with their progress, what was asked, and for
admins how syncing stands.

Knows only what it is handed; whoever hands it sees to it that the person may open it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors.slack.answer_message import Block, plain, section, words
from connectors.slack.mrkdwn import escape, link, shorten
from connectors.slack.review import buttons

MAX_ROWS = 8
BAR_CELLS = 10
SYNC_ACTION = "admin_sync"
CONNECT_ACTION = "connect_account"
NOT_LINKED = (
    "⚠️ Your Slack account is not linked to a Confluence account, so you only get what is open to everyone."
)


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
class HomeAction:
    """Something to do: `url` leads to the minutes it stands in, `meeting` is that meeting's title."""

    text: str
    meeting: str
    url: str
    due: date | None = None
    is_overdue: bool = False


@dataclass(frozen=True, slots=True)
class AdminPanel:
    """How the installation stands; `numbers` are sentences such as "2 jobs failed"."""

    sources: tuple[HomeRow, ...]
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Home:
    """`admin` is None for people who are no admins; `connect_url` where they can link their account themselves."""

    actions: tuple[HomeAction, ...]
    recordings: tuple[HomeRow, ...]
    drafts: tuple[HomeDraft, ...]
    questions: tuple[HomeRow, ...]
    admin: AdminPanel | None
    is_linked: bool
    command: str
    connect_url: str | None = None


def home_view(home: Home) -> dict[str, Any]:
    """The view for views.publish."""
    blocks: list[Block] = [section(_welcome(home)), *_connecting(home)]
    if home.actions:
        blocks += [_heading("✅ Your open action items")]
        blocks += [section(_action(one)) for one in home.actions[:MAX_ROWS]]
        blocks += _more(len(home.actions))
    if home.drafts:
        blocks += [_heading("📝 Minutes waiting for your review")]
        for draft in home.drafts[:MAX_ROWS]:
            row = HomeRow(draft.title, draft.url, draft.about)
            blocks += [section(_line(row)), buttons(draft.minutes_id)]
    blocks += _list("🎙️ Recent recordings", home.recordings, "No recording you may open yet.")
    blocks += _list("💬 What you asked", home.questions, f"Nothing yet. Try `{escape(home.command)}`.")
    blocks += _admin(home.admin) if home.admin is not None else []
    return {"type": "home", "blocks": blocks}


def progress_bar(done: float, total: float) -> str:
    """`▰▰▰▱▱▱▱▱▱▱ 30%`."""
    share = min(max(done / total, 0.0), 1.0) if total > 0 else 0.0
    n_full = int(share * BAR_CELLS)
    return f"{'▰' * n_full}{'▱' * (BAR_CELLS - n_full)} {round(100 * share)}%"


def _welcome(home: Home) -> str:
    return f"Ask with `{escape(home.command)} …`, mention me in a channel, or write to me directly."


def _connecting(home: Home) -> list[Block]:
    if home.is_linked:
        return []
    if home.connect_url is None:
        return [section(f"{NOT_LINKED} An admin links accounts with `imp people link`.")]
    button = {
        "type": "button", "text": plain("Connect account"), "action_id": CONNECT_ACTION, "url": home.connect_url,
        "style": "primary",
    }  # fmt: skip
    return [{**section(f"{NOT_LINKED} Connect it yourself:"), "accessory": button}]


def _action(action: HomeAction) -> str:
    said = f"*{shorten(escape(' '.join(action.text.split())), 500)}*\n"
    if action.due is not None:
        day = f"{action.due.day} {action.due:%B %Y}"
        said += f"🔴 *Overdue since {day}*  ·  " if action.is_overdue else f"🗓️ Due {day}  ·  "
    return said + link(action.url, shorten(action.meeting, 150))


def _more(n_rows: int) -> list[Block]:
    n_left = n_rows - MAX_ROWS
    return [{"type": "context", "elements": [words(f"…and {n_left} more")]}] if n_left > 0 else []


def _admin(panel: AdminPanel) -> list[Block]:
    sync = {"type": "button", "text": plain("Sync now"), "action_id": SYNC_ACTION, "value": "sync"}
    said = "  ·  ".join(escape(number) for number in panel.numbers)
    hint = "`/imp settings` in a channel says how it is answered; `/imp help` lists all words."
    return [
        {"type": "divider"},
        *_list("🛠️ Admin", panel.sources, "No source yet: `imp source add` connects one."),
        {"type": "actions", "elements": [sync]},
        {"type": "context", "elements": [words(f"{said}\n{hint}" if said else hint)]},
    ]


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
