"""An answer as a Slack message: text with numbered citations, the sources below, the buttons.

Knows Block Kit's limits and nothing of how the answer came about; every text in it may be hostile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.slack.answer_text import PIECE_CHARS, pieces
from connectors.slack.mrkdwn import escape, link, shorten
from connectors.slack.phrases import ENGLISH, Phrases, phrases

MAX_TEXT_SECTIONS = 10
MAX_SOURCES = 8
CONTEXT_CHARS = 1_900
LOW_CONFIDENCE = 0.55
MAX_FOLLOW_UP_CHARS = 2_000

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement comes from; `place` is a space or a meeting."""

    number: int
    title: str
    url: str
    place: str
    updated_at: datetime | None = None
    start_s: float | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """Who stands for the answer, and since when."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AnswerMessage:
    """What to show. `text` carries `[n]` marks, or says why there is no answer.

    `nearest` are passages looked at in vain; they are only shown to the asker. `understood` is the question
    with what it took over from the one before. `language` is that of the question, as in `phrases`.
    """

    question_id: int
    question: str
    text: str
    sources: tuple[Source, ...]
    is_answered: bool
    confidence: float
    engine: str
    nearest: tuple[Source, ...] = ()
    understood: str | None = None
    verified: Verified | None = None
    language: str = ENGLISH

    @property
    def words(self) -> Phrases:
        return phrases(self.language)


def private_blocks(message: AnswerMessage, *, can_share: bool = True) -> list[Block]:
    """For the asker alone, below a channel: shared with a button, followed up in a box.

    Where nobody else is (a direct message), both are left out: one asks on by writing.
    """
    return [
        *_body(message),
        *_sources(message),
        _footer(message),
        _buttons(message, can_share=can_share and message.is_answered, is_private=True),
        *([_follow_up_box(message)] if can_share else []),
    ]


def public_blocks(message: AnswerMessage) -> list[Block]:
    """For everyone in the channel: never names what was looked at in vain."""
    sources = _sources(message) if message.is_answered else []
    return [*_body(message), *sources, _footer(message), _buttons(message, can_share=False)]


def panel_blocks(message: AnswerMessage) -> list[Block]:
    """For the side panel, where the question stands right above."""
    return [*_body(message)[1:], *closing_blocks(message)]


def closing_blocks(message: AnswerMessage) -> list[Block]:
    """What stands below a streamed answer."""
    return [
        *_sources(message),
        _footer(message),
        _buttons(message, can_share=False, is_private=True),
    ]


def fallback_text(message: AnswerMessage) -> str:
    """The notification's words; also what screen readers get."""
    return shorten(escape(message.text), 300)


def _body(message: AnswerMessage) -> list[Block]:
    asked = f"*{_in_bold(shorten(message.question, 280))}*"
    if message.understood:
        understood = message.words.understood.format(question=_in_italics(shorten(message.understood, 280)))
        asked += f"\n_{understood}_"
    urls = {source.number: source.url for source in message.sources} if message.is_answered else {}
    found = pieces(message.text, urls)
    if len(found) > MAX_TEXT_SECTIONS:
        found = [*found[:MAX_TEXT_SECTIONS], f"_{message.words.rest}_"]
    return [section(asked), *(section(piece) for piece in found)]


def _in_bold(text: str) -> str:
    """Words that stand between asterisks, so they may hold none."""
    return escape(text).replace("*", "∗")


def _in_italics(text: str) -> str:
    return escape(text).replace("_", " ")


def _sources(message: AnswerMessage) -> list[Block]:
    sources = message.sources if message.is_answered else message.nearest
    if not sources:
        return []
    heading = f"*{message.words.sources if message.is_answered else message.words.closest}*"
    lines = [source_line(source) for source in sources[:MAX_SOURCES]]
    return [{"type": "divider"}, *(section(text) for text in _packed([heading, *lines]))]


def _packed(lines: Sequence[str]) -> list[str]:
    """Lines joined as long as they fit into one section."""
    out = [""]
    for line in lines:
        if len(out[-1]) + len(line) >= PIECE_CHARS:
            out.append("")
        out[-1] += f"{line}\n"
    return [one.rstrip() for one in out if one]


def source_line(source: Source) -> str:
    """`[1] Title — place, age`, the title leading to the page's heading or the recording's second."""
    where = [escape(shorten(source.place, 60))] if source.place else []
    if source.start_s is not None:
        where.append(f"at {_clock(source.start_s)}")
    if source.updated_at is not None:
        where.append(_age(source.updated_at))
    about = f" — {', '.join(where)}" if where else ""
    return f"[{source.number}] {link(source.url, shorten(source.title, 150))}{about}"


def _footer(message: AnswerMessage) -> Block:
    words_of, said = message.words, []
    if message.verified is not None:
        name, date = escape(message.verified.name), message.verified.at.date().isoformat()
        said.append(words_of.verified.format(name=name, date=date))
    elif message.is_answered:
        said.append(words_of.answered_by.format(engine=escape(message.engine)))
        if message.confidence < LOW_CONFIDENCE:
            said.append(f"⚠️ {words_of.unsure}")
    return {
        "type": "context",
        "elements": [words(shorten(" · ".join(said or [words_of.searched]), CONTEXT_CHARS))],
    }


def _buttons(message: AnswerMessage, *, can_share: bool, is_private: bool = False) -> Block:
    value, words_of = str(message.question_id), message.words
    buttons = [
        *([_button(words_of.share, "share", value)] if can_share else []),
        *([_button(words_of.show_sources, "sources", value)] if message.is_answered else []),
        _button("👍", "feedback_up", value),
        _button("👎", "feedback_down", value),
        _needs_human(words_of.needs_human, value, is_private=is_private),
    ]
    if message.sources and message.verified is None:
        verify = {"text": plain(words_of.verify), "value": f"verify:{value}"}
        buttons.append({"type": "overflow", "action_id": "more", "options": [verify]})
    return {"type": "actions", "block_id": f"answer_{value}", "elements": buttons}


def _needs_human(label: str, value: str, *, is_private: bool) -> Block:
    """Of a private question others only learn when the asker says so."""
    button = _button(label, "needs_human", value)
    if is_private:
        button["confirm"] = {
            "title": plain("Ask a person?"),
            "text": plain("Your question, not the answer, is shown to those who may know."),
            "confirm": plain("Ask"),
            "deny": plain("Back"),
        }
    return button


def _follow_up_box(message: AnswerMessage) -> Block:
    """Enter sends it."""
    return {
        "type": "input",
        "block_id": f"follow_up_{message.question_id}",
        "dispatch_action": True,
        "label": plain(message.words.follow_up),
        "element": {
            "type": "plain_text_input",
            "action_id": "follow_up",
            "placeholder": plain(message.words.follow_up_hint),
            "max_length": MAX_FOLLOW_UP_CHARS,
            "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
        },
    }


def _button(label: str, action_id: str, value: str) -> Block:
    return {"type": "button", "text": plain(label), "action_id": action_id, "value": value}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": True}


def words(text: str) -> dict[str, Any]:
    """A text object; `verbatim`, so that Slack makes no mention or channel of plain words such as `@here`."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def section(text: str) -> Block:
    return {"type": "section", "text": words(text or " ")}


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"


def _age(moment: datetime) -> str:
    days = (datetime.now(UTC) - moment).days
    if days < 1:
        return "today"
    if days < 60:
        return f"{days} day{'s' if days > 1 else ''} old"
    return f"from {moment:%B %Y}"


def sources_of(citations: Sequence[dict[str, Any]]) -> tuple[Source, ...]:
    """Sources from citations as the `questions` table keeps them."""
    return tuple(
        Source(
            number=int(one["number"]),
            title=str(one["title"]),
            url=str(one["url"]),
            place="recording" if one["kind"] == "transcript" else str(one["space_key"] or ""),
            updated_at=datetime.fromisoformat(one["updated_at"]) if one.get("updated_at") else None,
            start_s=one.get("start_s"),
        )
        for one in citations
    )


def quotes_of(citations: Sequence[dict[str, Any]]) -> list[tuple[Source, str]]:
    """Sources with the words they were cited for."""
    return [
        (source, str(one.get("quote") or ""))
        for source, one in zip(sources_of(citations), citations, strict=True)
    ]


def quotes_blocks(quotes: Sequence[tuple[Source, str]]) -> list[Block]:
    """Each source with its passage as a quotation."""
    return [
        section(f"{source_line(source)}\n>{shorten(escape(' '.join(quote.split())), 600)}")
        for source, quote in quotes[:MAX_SOURCES]
    ]
