"""The modal in which an admin says how one channel is answered, and what was filled into it.

Knows names and choices as they are handed to it; whether they hold is for who keeps them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.slack.answer_message import Block, plain, section
from connectors.slack.mrkdwn import escape, shorten

CALLBACK_ID = "channel_settings"
CHANGE_ACTION = "change_channel_settings"
MAX_OPTIONS = 100  # what a Slack select takes
MAX_ASKERS = 100
MAX_EXPERTS = 5
REPLY = {"thread": "In a thread", "channel": "In the channel", "private": "To who asked, alone"}
AUTO_MINUTES = {"off": "Ignore them", "offer": "Offer minutes", "start": "Start at once"}


@dataclass(frozen=True, slots=True)
class ChannelForm:
    """One channel's settings as the modal shows and sends them; `spaces` and `quiet` as somebody types them."""

    team: str
    channel: str
    spaces: str = ""
    source_ids: tuple[int, ...] = ()
    askers: tuple[str, ...] = ()
    reply: str = "thread"
    is_questions_only: bool = False
    auto_minutes: str = "offer"
    quiet: str = ""
    timezone: str = "UTC"
    experts: tuple[str, ...] = ()


def modal(form: ChannelForm, sources: Mapping[int, str]) -> dict[str, Any]:
    """The form as it stands; `sources` are the names to choose from."""
    names = {str(number): name for number, name in list(sources.items())[:MAX_OPTIONS]}
    blocks: list[Block] = [section(f"How I answer in <#{form.channel}>. Empty means no limit.")]
    blocks.append(_text("spaces", "Spaces to search", form.spaces, "ENG, HR", "Space keys between commas."))
    if names:
        chosen = [str(number) for number in form.source_ids if str(number) in names]
        blocks.append(_input("source_ids", "Sources to search", _many(names, chosen)))
    blocks += [
        _input("askers", "Who may ask", _users(form.askers, MAX_ASKERS)),
        _input("reply", "Answers go", _one("radio_buttons", REPLY, form.reply), is_optional=False),
        _input("is_questions_only", "Mentions", _checkbox(form.is_questions_only)),
        _input("auto_minutes", "Recordings shared here", _one("static_select", AUTO_MINUTES, form.auto_minutes),
               is_optional=False),
        _text("quiet", "Quiet hours", form.quiet, "22:00-07:00", "Then I answer only who asks, and announce nothing."),
        _text("timezone", "Time zone of the quiet hours", form.timezone, "Europe/Berlin"),
        _input("experts", "Experts, asked when somebody needs a human", _users(form.experts, MAX_EXPERTS)),
    ]  # fmt: skip
    return {
        "type": "modal",
        "callback_id": CALLBACK_ID,
        "private_metadata": f"{form.team}:{form.channel}",
        "title": plain("Channel settings"),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "blocks": blocks,
    }


def form_of(view: dict[str, Any]) -> ChannelForm | None:
    """What a submitted modal says; None when it is none of ours."""
    team, _, channel = str(view.get("private_metadata") or "").partition(":")
    if not (team and channel):
        return None
    values = view["state"]["values"]

    def filled(name: str) -> dict[str, Any]:
        return dict((values.get(name) or {}).get(name) or {})

    def chosen(name: str) -> str:
        return str((filled(name).get("selected_option") or {}).get("value") or "")

    picked = [str(one.get("value")) for one in filled("source_ids").get("selected_options") or ()]
    return ChannelForm(
        team=team,
        channel=channel,
        spaces=str(filled("spaces").get("value") or ""),
        source_ids=tuple(int(one) for one in picked if one.isdecimal() and len(one) < 10),
        askers=tuple(filled("askers").get("selected_users") or ()),
        reply=chosen("reply"),
        is_questions_only=bool(filled("is_questions_only").get("selected_options")),
        auto_minutes=chosen("auto_minutes"),
        quiet=str(filled("quiet").get("value") or ""),
        timezone=str(filled("timezone").get("value") or "UTC").strip(),
        experts=tuple(filled("experts").get("selected_users") or ()),
    )


def summary_blocks(form: ChannelForm, sources: Mapping[int, str]) -> list[Block]:
    """The settings as a message for an admin, above the button that opens the modal."""
    named = ", ".join(escape(sources.get(number, str(number))) for number in form.source_ids)
    lines = [
        f"*Settings of <#{form.channel}>*",
        f"• Spaces: {escape(form.spaces) or 'all'}",
        f"• Sources: {named or 'all'}",
        f"• Who may ask: {_people(form.askers) or 'everyone'}",
        f"• Answers go: {REPLY.get(form.reply, form.reply).lower()}",
        f"• Mentions: {'only questions' if form.is_questions_only else 'all'} are answered",
        f"• Recordings: {AUTO_MINUTES.get(form.auto_minutes, form.auto_minutes).lower()}",
        f"• Quiet hours: {escape(f'{form.quiet} {form.timezone}') if form.quiet else 'none'}",
        f"• Experts: {_people(form.experts) or 'nobody'}",
    ]
    button = {
        "type": "button", "text": plain("Change settings"), "action_id": CHANGE_ACTION, "value": form.channel,
    }  # fmt: skip
    return [section(shorten("\n".join(lines), 2_900)), {"type": "actions", "elements": [button]}]


def _people(users: Sequence[str]) -> str:
    return " ".join(f"<@{user}>" for user in users)


def _input(
    name: str, label: str, element: dict[str, Any], *, hint: str = "", is_optional: bool = True
) -> Block:
    block = {
        "type": "input", "block_id": name, "label": plain(label), "element": {**element, "action_id": name},
        "optional": is_optional,
    }  # fmt: skip
    return {**block, "hint": plain(hint)} if hint else block


def _text(name: str, label: str, value: str, example: str, hint: str = "") -> Block:
    element = {"type": "plain_text_input", "placeholder": plain(example), "max_length": 500}
    return _input(name, label, {**element, "initial_value": value[:500]} if value else element, hint=hint)


def _option(value: str, label: str) -> dict[str, Any]:
    return {"text": plain(shorten(label, 75)), "value": value}


def _one(kind: str, choices: Mapping[str, str], chosen: str) -> dict[str, Any]:
    options = [_option(value, label) for value, label in choices.items()]
    first = next((one for one in options if one["value"] == chosen), options[0])
    return {"type": kind, "options": options, "initial_option": first}


def _many(choices: Mapping[str, str], chosen: Sequence[str]) -> dict[str, Any]:
    element: dict[str, Any] = {
        "type": "multi_static_select", "placeholder": plain("All sources"),
        "options": [_option(value, label) for value, label in choices.items()],
    }  # fmt: skip
    before = [_option(value, choices[value]) for value in chosen]
    return {**element, "initial_options": before} if before else element


def _users(users: Sequence[str], most: int) -> dict[str, Any]:
    element: dict[str, Any] = {
        "type": "multi_users_select", "placeholder": plain("Choose people"), "max_selected_items": most,
    }  # fmt: skip
    return {**element, "initial_users": list(users)[:most]} if users else element


def _checkbox(is_set: bool) -> dict[str, Any]:
    option = _option("only", "Answer only questions")
    element: dict[str, Any] = {"type": "checkboxes", "options": [option]}
    return {**element, "initial_options": [option]} if is_set else element
