"""The seam between Slack's listeners and what keeps their requests: plain values and one Protocol."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from connectors.slack.channel_modal import ChannelForm
from connectors.slack.verification import Confirmation, Verification

Place = Literal["command", "mention", "dm", "thread"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it arrived, in plain words; people in it stand as `@U…`.

    `delivery_id` is the same when Slack sends the same request again. `place` "thread" is talk in a thread
    that names nobody: a question only where we answered before. `leans_on` is the question under whose private
    answer it was asked. `bot_ids` are the names of a bot that asks (B…, A…, U…); empty for people.
    """

    delivery_id: str
    text: str
    user: str
    channel: str
    place: Place
    ts: str | None = None
    thread_ts: str | None = None
    response_url: str | None = None
    leans_on: int | None = None
    team: str | None = None
    bot_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clicked:
    """A button under an answer. `is_ephemeral`: the message it stands in is seen by this person alone."""

    action: str
    question_id: int
    user: str
    channel: str
    response_url: str | None
    delivery_id: str
    team: str | None = None


@dataclass(frozen=True, slots=True)
class AdminWord:
    """Words after `/imp`, for admins only; `delivery_id` as in `Asked`."""

    delivery_id: str
    text: str
    user: str
    channel: str
    response_url: str | None
    team: str | None = None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A click on Approve (`is_approved`) or Discard under drafted minutes."""

    minutes_id: int
    is_approved: bool
    user: str
    channel: str
    response_url: str | None
    delivery_id: str
    team: str | None = None


@dataclass(frozen=True, slots=True)
class FileShared:
    """A file somebody shared; `is_wanted` once they clicked that minutes shall be made of it."""

    file_id: str
    user: str
    channel: str
    is_wanted: bool = False
    response_url: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True)
class PanelOpened:
    """The assistant's side panel of one person; `beside` is the channel they look at."""

    user: str
    channel: str
    thread_ts: str
    beside: str | None
    team: str | None = None


class Inbox(Protocol):
    """Where requests are kept; every method returns within milliseconds."""

    def ask(self, asked: Asked) -> str | None:
        """Write the question down once; what to tell the person now, None for nothing (it is no question,
        or was taken before). Raises BadInput."""

    def click(self, clicked: Clicked) -> str | None:
        """Take the click; what to tell the person, None for nothing."""

    def explain(self, question_id: int, user: str, reason: str) -> None:
        """Keep why an answer was no good."""

    def verification(self, question_id: int, user: str, channel: str, team: str | None) -> Verification:
        """The answer this person wants to confirm. Raises Denied for who may not, NotFound, Conflict."""

    def confirm(self, confirmed: Confirmation, user: str, delivery_id: str, team: str | None) -> None:
        """Have the answer kept as confirmed. Raises BadInput when it is empty."""

    def forget(self, user: str, team: str | None) -> str:
        """Delete what this person asked; what to tell them."""

    def admin(self, word: AdminWord) -> None:
        """Have an admin's word carried out; who is none is told so."""

    def channel_form(self, channel: str, user: str, team: str) -> tuple[ChannelForm, dict[int, str]]:
        """A channel's settings and the sources to choose from. Raises Denied for who is no admin."""

    def save_channel(self, form: ChannelForm, user: str) -> dict[str, str]:
        """Keep a channel's settings; what is wrong, by field, empty when kept. Raises Denied for who is no admin."""

    def review(self, reviewed: Reviewed) -> None:
        """Have drafted minutes approved or discarded."""

    def file(self, shared: FileShared) -> None:
        """Have the file looked at, or taken in when it is wanted."""

    def open_panel(self, opened: PanelOpened) -> None:
        """Have questions offered in the side panel."""

    def open_home(self, user: str, team: str | None = None) -> None:
        """Have the person's home tab drawn anew."""

    def removed(self, team: str, at: datetime) -> None:
        """The bot was taken out of this workspace at this time: forget its token and its open work, tell an admin.

        News that comes after it was installed again changes nothing.
        """
