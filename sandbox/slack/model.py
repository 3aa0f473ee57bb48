"""What a workspace is made of: users, channels, messages, files, views, tokens. Plain values, no behaviour."""

from dataclasses import dataclass, field
from typing import Any, Literal

Block = dict[str, Any]
ChannelKind = Literal["channel", "group", "im", "mpim"]


@dataclass
class Team:
    id: str
    name: str
    domain: str


@dataclass
class Bot:
    """The one app under test, with its bot user."""

    user_id: str
    name: str
    bot_id: str
    app_id: str
    installed: bool = True


@dataclass
class Token:
    """A bot (`xoxb-`) or app-level (`xapp-`) token."""

    value: str
    kind: Literal["bot", "app"]
    scopes: frozenset[str]
    revoked: bool = False


@dataclass
class User:
    id: str
    name: str
    real_name: str
    email: str
    groups: tuple[str, ...] = ()
    is_guest: bool = False
    is_external: bool = False
    is_bot: bool = False
    deleted: bool = False
    team_id: str = ""


@dataclass
class UserGroup:
    id: str
    handle: str
    name: str
    members: list[str]


@dataclass
class Channel:
    id: str
    name: str
    kind: ChannelKind
    members: list[str]
    topic: str = ""
    purpose: str = ""
    is_shared: bool = False
    is_archived: bool = False
    is_general: bool = False
    created: int = 0
    creator: str = ""


@dataclass
class Message:
    """One message; `visible_to` names the only reader of an ephemeral one. `seq` grows with each change."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Block] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str | None = None
    by_bot: bool = False
    subtype: str | None = None
    visible_to: str | None = None
    files: list[str] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    metadata: dict[str, Any] | None = None
    edited_ts: str | None = None
    broadcast: bool = False
    streaming: bool = False
    state: dict[str, dict[str, Any]] = field(default_factory=dict)
    client_msg_id: str | None = None
    username: str | None = None
    icon_emoji: str | None = None
    seq: int = 0


@dataclass
class File:
    """An uploaded file; it is `ready` once the upload has been completed."""

    id: str
    name: str
    title: str
    mimetype: str
    size: int
    user: str
    created: int
    content: bytes = b""
    upload_key: str = ""
    uploaded: bool = False
    ready: bool = False
    channels: list[str] = field(default_factory=list)
    shares: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class View:
    """A modal or a home tab as the app sent it (`body`), and what the person filled in (`state`)."""

    id: str
    user: str
    body: dict[str, Any]
    hash: str
    root_id: str
    previous_id: str | None = None
    external_id: str = ""
    state: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    response_url_channels: dict[str, str] = field(default_factory=dict)


@dataclass
class AssistantThread:
    channel: str
    thread_ts: str
    user: str
    context: dict[str, Any] = field(default_factory=dict)
    status: str = ""
    title: str = ""
    prompts_title: str = ""
    prompts: list[dict[str, Any]] = field(default_factory=list)
