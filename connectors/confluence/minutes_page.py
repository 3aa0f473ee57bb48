"""The minutes of one recording as a Confluence page in storage format.

Knows neither how minutes are drafted nor how a page is sent; every text in it may be hostile.
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from core.minutes import MinutesDraft, MinutesLine, Section
from core.transcript import Transcript, Utterance

MAX_TRANSCRIPT_CHARS = 1_500_000
"""Confluence refuses pages of more than about 5 MB; markup around each utterance takes the rest."""

MAX_MOMENTS = 3
"""Links to the recording behind one line."""

_NAMESPACE = uuid.UUID("5d0c8d2e-6c55-5c0f-9b5e-0f1f2f5a7a11")
# Characters XML 1.0 (2.2) forbids or discourages, lone surrogates, and the marks that turn the text behind them
# around (Unicode embeddings, overrides and isolates). Plain left-to-right and right-to-left marks stay.
_UNWANTED = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\u202a-\u202e\u2066-\u2069]"
)


@dataclass(frozen=True, slots=True)
class Carried:
    """A task of the last meeting as it stands now: `state` is open, overdue or done; `url` leads to that meeting."""

    text: str
    state: Literal["open", "overdue", "done"]
    url: str
    owner: str | None = None
    due: date | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier meeting decided and how a decision of this one relates to it."""

    relation: Literal["repeats", "changes", "contradicts"]
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class MinutesPage:
    """What the page of one recording says.

    `public_url` is where this product answers, without a trailing slash. `account_ids` maps names of people to
    their Atlassian account ids; a name without one is written as text. `decision_style` "list" is Confluence
    Cloud's own decision list, "panel" works on every server. `source` says where the recording came from.
    `transcript_at` is "section", "page" (a page of its own, called `transcript_title`) or "nowhere" but with the
    recording. `attached_name` is the file attached to the page, "" for none. `carried` are the tasks of the last
    meeting of the series, `earlier` what decisions (by their text) have to do with those of meetings before.
    """

    recording_id: str
    title: str
    public_url: str
    draft: MinutesDraft
    transcript: Transcript
    started_at: datetime | None = None
    duration_s: float | None = None
    participants: tuple[str, ...] = ()
    source: str = ""
    account_ids: Mapping[str, str] = field(default_factory=dict)
    decision_style: Literal["list", "panel"] = "list"
    warnings: tuple[str, ...] = ()
    max_transcript_chars: int = MAX_TRANSCRIPT_CHARS
    transcript_at: Literal["section", "page", "nowhere"] = "section"
    transcript_title: str = ""
    attached_name: str = ""
    carried: tuple[Carried, ...] = ()
    earlier: Mapping[str, Earlier] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Line:
    id: str
    task_id: int
    text: str
    goes_on: bool
    moments_s: tuple[int, ...]
    is_flagged: bool
    owner: str | None
    account_id: str | None
    due: date | None
    due_text: str | None
    earlier: Earlier | None


def render(page: MinutesPage) -> str:
    """The page body; the same minutes give the same text, byte for byte."""
    sections = _sections(page)
    return _template("minutes_page.xml.j2").render(
        **_spoken(page),
        facts=_facts(page),
        making=_making(page),
        warnings=tuple(dict.fromkeys((*page.warnings, *page.transcript.warnings, *page.draft.warnings))),
        lines=lambda section: sections.get(section, ()),
        decisions_id=line_id("decision", page.recording_id),
    )


def render_transcript(page: MinutesPage, minutes_title: str) -> str:
    """The body of the transcript's own page, which leads back to the minutes called `minutes_title`."""
    return _template("transcript_page.xml.j2").render(minutes_title=minutes_title, **_spoken(page))


def line_id(section: str, text: str, n_before: int = 0) -> str:
    """The id a line keeps as long as it says the same in the same section; `n_before` equal lines precede it."""
    said = " ".join(_clean(text).split()).casefold()
    return str(uuid.uuid5(_NAMESPACE, f"{section}\n{said}\n{n_before}"))


def task_number(local_id: str) -> int:
    """The number of a task with that line id: Confluence wants `ac:task-id` as a positive integer."""
    return uuid.UUID(local_id).int % (2**31 - 1) + 1


def moment_url(public_url: str, recording_id: str, seconds: float) -> str:
    """Where a second of a recording can be heard."""
    return (
        f"{public_url.rstrip('/')}/recordings/{quote(_clean(recording_id), safe='')}?t={max(int(seconds), 0)}"
    )


def clock(seconds: float) -> str:
    """`m:ss`, or `h:mm:ss` from the first hour on."""
    minutes, second = divmod(max(int(seconds), 0), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"


def _spoken(page: MinutesPage) -> dict[str, object]:
    """What both templates need to write what was said."""
    utterances = _that_fit(page.transcript.utterances, page.max_transcript_chars)
    return {
        "page": page,
        "utterances": utterances,
        "n_utterances_left": len(page.transcript.utterances) - len(utterances),
        "moment_url": lambda seconds: moment_url(page.public_url, page.recording_id, seconds),
        "clock": clock,
    }


def _sections(page: MinutesPage) -> dict[Section, list[_Line]]:
    accounts = {name.casefold().strip(): account for name, account in page.account_ids.items()}
    sections: dict[Section, list[_Line]] = {}
    n_same: dict[str, int] = {}
    for line in page.draft.lines:
        first_id = line_id(line.section, line.text)
        n_same[first_id] = n_before = n_same.get(first_id, -1) + 1
        own_id = line_id(line.section, line.text, n_before)
        account = accounts.get(line.owner.casefold().strip()) if line.owner else None
        sections.setdefault(line.section, []).append(
            _line(line, own_id, account, page.earlier.get(line.text) if line.section == "decision" else None)
        )
    return sections


def _line(line: MinutesLine, own_id: str, account_id: str | None, earlier: Earlier | None) -> _Line:
    text, goes_on = _task_words(line)
    return _Line(
        id=own_id,
        task_id=task_number(own_id),
        text=text,
        goes_on=goes_on,
        moments_s=tuple(dict.fromkeys(int(evidence.start_s) for evidence in line.evidence))[:MAX_MOMENTS],
        is_flagged=line.is_flagged,
        owner=line.owner,
        account_id=account_id,
        due=line.due,
        due_text=line.due_text,
        earlier=earlier,
    )


def _task_words(line: MinutesLine) -> tuple[str, bool]:
    """The line's text as it reads between its owner and its due date, and whether it goes on from the owner's name.

    "Ben will send it." of Ben Okafor reads "@Ben Okafor will send it, due …".
    """
    text = line.text
    if line.due or line.due_text:
        text = text.rstrip(" .")
    if line.owner:
        for name in (line.owner, line.owner.partition(" ")[0]):
            if text.startswith(f"{name} will "):
                return text.removeprefix(f"{name} "), True
    return text, False


def _facts(page: MinutesPage) -> list[tuple[str, str | Markup]]:
    """The rows above the minutes, those that are known: what a reader of any meeting wants first."""
    n_flagged = sum(line.is_flagged for line in page.draft.lines)
    facts: list[tuple[str, str | Markup]] = [
        ("Date", _moment(page.started_at)),
        ("Duration", clock(page.duration_s) if page.duration_s else ""),
        ("Attendees", ", ".join(page.participants)),
        (
            "To check",
            f"{n_flagged} of {len(page.draft.lines)} lines are marked “please check”" if n_flagged else "",
        ),
    ]
    return [(name, value) for name, value in facts if value]


def _making(page: MinutesPage) -> list[tuple[str, str]]:
    """The rows below the minutes, those that are known: where they come from and how far to trust them."""
    making = [
        ("Source", page.source),
        ("Transcribed by", page.transcript.engine),
        ("Drafted by", page.draft.engine),
        ("Confidence", _confidence(page.transcript)),
        (
            "Editing",
            "Drafted by a machine. What people change here is kept when the minutes are drafted again.",
        ),
    ]
    return [(name, value) for name, value in making if value]


def _moment(started_at: datetime | None) -> Markup | str:
    if started_at is None:
        return ""
    moment = started_at.astimezone(UTC)
    return Markup('<time datetime="{}" /> {} UTC').format(f"{moment:%Y-%m-%d}", f"{moment:%H:%M}")


def _confidence(transcript: Transcript) -> str:
    """Mean confidence of the speech recognition, each utterance weighted by its length."""
    spoken = [
        (u.confidence, max(u.end_s - u.start_s, 0.1))
        for u in transcript.utterances
        if u.confidence is not None
    ]
    if not spoken:
        return "not measured: the transcript came with none" if transcript.utterances else ""
    mean = sum(confidence * duration for confidence, duration in spoken) / sum(
        duration for _, duration in spoken
    )
    return f"{mean:.0%} mean confidence of the speech recognition"


def _that_fit(utterances: Sequence[Utterance], max_chars: int) -> Sequence[Utterance]:
    n_chars = 0
    for n_taken, utterance in enumerate(utterances):
        n_chars += len(utterance.text) + len(utterance.speaker or "")
        if n_chars > max_chars:
            return utterances[:n_taken]
    return utterances


def _clean(value: str) -> str:
    return _UNWANTED.sub("", value)


def _printable(value: object) -> object:
    """Each value the template prints: markup as it is, text without what XML forbids, on one line."""
    return value if isinstance(value, Markup) else " ".join(_clean(str(value)).split())


@lru_cache(maxsize=2)
def _template(name: str) -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
