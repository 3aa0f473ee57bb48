"""Files people share in Slack: what they are, their bytes, and the offer to make minutes of them."""

import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit

from slack_sdk import WebClient

from connectors.slack.answer_message import Block, section
from connectors.slack.mrkdwn import escape, shorten
from connectors.slack.web import TIMEOUT_S, translated
from core.errors import BadInput, Denied, Unavailable

BLOCK_BYTES = 1024 * 1024
DRAFT_ACTION = "minutes_from_file"


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file as Slack describes it; `size_bytes` is what Slack says, not what arrives."""

    id: str
    name: str
    mimetype: str
    size_bytes: int
    user: str
    url: str | None

    @property
    def is_recording(self) -> bool:
        return self.mimetype.startswith(("audio/", "video/"))


def describe(client: WebClient, file_id: str) -> SharedFile:
    """Raises NotFound or Denied when the file is gone or not ours to see."""
    with translated("a shared file"):
        found: dict[str, Any] = client.files_info(file=file_id)["file"]
    return SharedFile(
        id=found["id"],
        name=str(found.get("name") or found["id"]),
        mimetype=str(found.get("mimetype") or ""),
        size_bytes=int(found.get("size") or 0),
        user=str(found.get("user") or ""),
        url=found.get("url_private_download") or found.get("url_private"),
    )


def download(client: WebClient, file: SharedFile, target: Path, *, max_bytes: int) -> None:
    """Its bytes into `target`.

    Raises:
        BadInput: larger than `max_bytes`, or kept outside of Slack.
        Denied: Slack shows a sign-in page instead, so the scope files:read is missing.
        Unavailable: the transfer broke off.
    """
    if file.url is None or not _is_slacks(file.url, client.base_url):
        raise BadInput(f"{file.name} is not kept in Slack")
    address = quote(file.url, safe=":/?&=%#+,;@~")
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {client.token}"})
    n_bytes = 0
    try:
        with _opener.open(request, timeout=TIMEOUT_S) as reply, target.open("wb") as out:
            if reply.headers.get_content_type() == "text/html":
                raise Denied("Slack does not hand out the file: the scope files:read is missing")
            while block := reply.read(BLOCK_BYTES):
                n_bytes += len(block)
                if n_bytes > max_bytes:
                    raise BadInput(f"{file.name} is larger than the {max_bytes} bytes that are accepted")
                out.write(block)
    except HTTPError as exc:
        if exc.code < 500 and exc.code != 429:
            raise Denied(f"Slack does not hand out the file (HTTP {exc.code})") from exc
        raise Unavailable(f"Slack failed for a file (HTTP {exc.code})") from exc
    except (OSError, HTTPException) as exc:
        raise Unavailable(f"a file could not be fetched from Slack ({type(exc).__name__})") from exc
    if file.size_bytes and n_bytes != file.size_bytes:
        raise Unavailable("the transfer of a file from Slack broke off")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token goes along with a redirect, wherever that leads; so none is followed."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def _is_slacks(url: str, api_url: str) -> bool:
    """Files of other services are listed in Slack too; the bot's token is for Slack's own hosts alone."""
    try:
        parts, api = urlsplit(url), urlsplit(api_url)
        is_api = (parts.scheme, parts.hostname, parts.port) == (api.scheme, api.hostname, api.port)
    except ValueError:
        return False
    return is_api or (parts.scheme == "https" and (parts.hostname or "").endswith(".slack.com"))


def offer_blocks(file: SharedFile) -> list[Block]:
    """Asks who shared a recording whether to draft its minutes."""
    text = f"Shall I transcribe *{shorten(escape(file.name).replace('*', '∗'), 200)}* and draft its minutes?"
    button = {
        "type": "button", "action_id": DRAFT_ACTION, "value": file.id, "style": "primary",
        "text": {"type": "plain_text", "text": "Draft minutes", "emoji": True},
    }  # fmt: skip
    return [section(text), {"type": "actions", "elements": [button]}]
