"""What the bot said in the stand-in, and waiting for it."""

from typing import Any

from tests.sandbox.slack_driving import BOT, SlackSandbox, until

Message = dict[str, Any]


def shown(message: Message) -> str:
    """Everything of a message a person could read."""
    return str(message.get("text", "")) + str(message.get("blocks", ""))


def bot_messages(slack: SlackSandbox, channel: str) -> list[Message]:
    return [m for m in slack.state()["messages"] if m["channel"] == channel and m.get("user") == BOT]


def saying(slack: SlackSandbox, channel: str, words: str) -> list[Message]:
    return [m for m in bot_messages(slack, channel) if words in shown(m)]


def wait_for(slack: SlackSandbox, channel: str, words: str, timeout_s: float = 30) -> Message:
    """The bot's message in the channel that says `words`."""
    found = until(
        lambda: saying(slack, channel, words),
        f"the bot never said {words!r}",
        timeout_s,
    )
    return dict(found[0])
