"""Correct once, right everywhere: a word, an utterance or a speaker mended in transcript, passages, minutes, glossary.

Each function works in the caller's transaction and may be called again with the same arguments: it then changes
nothing. What the passages of search and a published page need is enqueued, not done here.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import jobs
from core.errors import BadInput, Conflict, NotFound
from core.settings import Settings
from core.tables.jobs import Job
from core.tables.meetings import Minutes, Recording, Segment
from core.transcript import Utterance
from workers import glossary, minutes, voices
from workers.recordings import UNKNOWN_SPEAKER, rewrite_document
from workers.replace_words import learned_pairs, pattern_of, replaced, replaced_in_words, retimed

logger = logging.getLogger(__name__)

MOST_TEXT_CHARS = 20_000
MOST_NAME_CHARS = 120
# The parts of a line of minutes that hold words; all others are numbers, dates and marks.
WORDED = ("text", "owner", "title")


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a correction changed; `minutes_id` is the version that was mended, `learned` the terms remembered."""

    n_utterances: int = 0
    n_lines: int = 0
    minutes_id: int | None = None
    learned: tuple[str, ...] = field(default=())


def correct_word(
    session: Session,
    settings: Settings,
    recording_id: int,
    wrong: str,
    right: str,
    *,
    learn: bool = True,
    person_id: int | None = None,
) -> Corrected:
    """Write `right` wherever the recording says `wrong`, as whole words whatever their case.

    Args:
        learn: remember it in the glossary, for meetings to come.

    Raises:
        NotFound: no such recording.
        BadInput: nothing to look for, or one of the two is too long.
        Conflict: the recording is being transcribed.
    """
    wrong, right = wrong.strip(), right.strip()
    if (
        not any(char.isalnum() for char in wrong)
        or not right
        or max(len(wrong), len(right)) > MOST_NAME_CHARS
    ):
        raise BadInput(f"say which words to replace by which, at most {MOST_NAME_CHARS} characters each")
    recording = _locked(session, recording_id)
    n_utterances = _replace_in_segments(session, recording_id, [(wrong, right)])
    learned = _learn(session, recording_id, [(wrong, right)], person_id) if learn else ()
    return _carry_on(session, settings, recording, n_utterances, _replacing([(wrong, right)]), learned)


def correct_utterance(
    session: Session,
    settings: Settings,
    recording_id: int,
    position: int,
    text: str,
    *,
    learn: bool = True,
    person_id: int | None = None,
) -> Corrected:
    """Write what somebody really said. Names and terms mended in it are mended in the whole recording.

    Raises:
        NotFound: no such recording or utterance.
        BadInput: empty or too long.
        Conflict: the recording is being transcribed.
    """
    text = " ".join(text.replace("\x00", "").split())
    if not text or len(text) > MOST_TEXT_CHARS:
        raise BadInput(f"an utterance has 1 to {MOST_TEXT_CHARS} characters")
    recording = _locked(session, recording_id)
    row = session.get(Segment, (recording_id, position))
    if row is None:
        raise NotFound(f"recording {recording_id} has no utterance {position}")
    if row.text == text:
        return Corrected()
    before = row.text
    people = _people_in(session, recording)
    pairs = (
        [pair for pair in learned_pairs(before, text) if pair[0].casefold() not in people] if learn else []
    )
    _write(row, text, retimed(row.words, text) if row.words else None)
    n_others = _replace_in_segments(session, recording_id, pairs)
    learned = _learn(session, recording_id, pairs, person_id)
    return _carry_on(session, settings, recording, 1 + n_others, _replacing(pairs), learned)


def rename_speaker(
    session: Session,
    settings: Settings,
    recording_id: int,
    old: str | None,
    new: str,
    *,
    positions: Iterable[int] | None = None,
) -> Corrected:
    """Give a speaker their name, in the transcript and in the minutes; kept when the recording is heard again.

    Args:
        old: as the transcript shows it; None or `Speaker ?` for whoever nobody knows.
        positions: only these utterances (then minutes and later hearings are left alone).

    Raises:
        NotFound: no such recording, or nobody of that name speaks in it.
        BadInput: the new name is empty or too long.
        Conflict: the recording is being transcribed.
    """
    new = " ".join(new.replace("\x00", "").split())
    if not any(char.isalnum() for char in new) or len(new) > MOST_NAME_CHARS or new == UNKNOWN_SPEAKER:
        raise BadInput(f"a speaker's name has 1 to {MOST_NAME_CHARS} characters, not {new[:20]!r}")
    known = None if old in (None, "", UNKNOWN_SPEAKER) else old
    recording = _locked(session, recording_id)
    query = select(Segment).where(
        Segment.recording_id == recording_id, Segment.speaker.is_not_distinct_from(known)
    )
    if positions is not None:
        query = query.where(Segment.position.in_(list(positions)))
    rows = session.execute(query).scalars().all()
    if not rows:
        # A second call finds the name given already.
        renamed = recording.origin.get("speakers", {})
        if renamed.get(known or UNKNOWN_SPEAKER) == new:
            return Corrected()
        raise NotFound(f"nobody called {old or UNKNOWN_SPEAKER} speaks in recording {recording_id}")
    for row in rows:
        row.speaker = new
    session.flush()
    if positions is not None:
        return _carry_on(session, settings, recording, len(rows), None, ())
    shown = known or UNKNOWN_SPEAKER
    recording.origin = {
        **recording.origin,
        "speakers": _chained(recording.origin.get("speakers", {}), shown, new),
    }
    if settings.imp_match_voices:
        voices.enqueue_learning(session, recording.id, new)
    recording.participants = list(
        dict.fromkeys(new if one == known else one for one in recording.participants)
    )
    return _carry_on(session, settings, recording, len(rows), _renaming(shown, new), ())


def mend(session: Session, recording: Recording, spoken: Sequence[Utterance]) -> tuple[Utterance, ...]:
    """Utterances as this house writes them: names given to speakers before, and the glossary's words.

    Called when a transcript is finished; `heard` of the mended ones is kept by the caller's comparison.
    """
    pairs = [(pattern_of(wrong), right) for wrong, right in glossary.replacements(session)]
    names = recording.origin.get("speakers", {})
    return tuple(_mended(one, pairs, names) for one in spoken)


def apply_term(
    session: Session, settings: Settings, recording_id: int, term: str, heard_as: Sequence[str]
) -> Corrected:
    """Write a glossary term wherever this recording says what it is misheard as."""
    recording = _locked(session, recording_id)
    pairs = [(wrong, term) for wrong in sorted(heard_as, key=len, reverse=True)]
    return _carry_on(
        session,
        settings,
        recording,
        _replace_in_segments(session, recording_id, pairs),
        _replacing(pairs),
        (),
    )


def _mended(one: Utterance, pairs: Sequence[tuple[Any, str]], names: dict[str, str]) -> Utterance:
    text = one.text
    for pattern, right in pairs:
        text = pattern.sub(partial(_said, right), text)
    speaker = names.get(one.speaker or UNKNOWN_SPEAKER, one.speaker)
    return one if (text, speaker) == (one.text, one.speaker) else replace(one, text=text, speaker=speaker)


def _said(right: str, _: object) -> str:
    """A replacement taken as it is: `re` would read backslashes in a plain one."""
    return right


def _locked(session: Session, recording_id: int) -> Recording:
    recording = session.get(Recording, recording_id, with_for_update=True)
    if recording is None:
        raise NotFound(f"recording {recording_id} does not exist")
    if recording.state == "transcribing":
        raise Conflict(f"recording {recording_id} is being transcribed; correct it when that is done")
    return recording


def _people_in(session: Session, recording: Recording) -> set[str]:
    """Names of who was there, and their parts: somebody's name for another's is a fact, not a mishearing."""
    query = select(Segment.speaker).where(Segment.recording_id == recording.id).distinct()
    names = [name for name in (*recording.participants, *session.execute(query).scalars()) if name]
    return {part.casefold() for name in names for part in (name, *name.split())}


def _replace_in_segments(session: Session, recording_id: int, pairs: Sequence[tuple[str, str]]) -> int:
    if not pairs:
        return 0
    n_changed = 0
    query = select(Segment).where(Segment.recording_id == recording_id).order_by(Segment.position)
    for row in session.execute(query).scalars():
        text, words = row.text, row.words
        for wrong, right in pairs:
            text = replaced(text, wrong, right)
            words = replaced_in_words(words, wrong, right) if words else words
        if text != row.text:
            _write(row, text, words)
            n_changed += 1
    session.flush()
    return n_changed


def _write(row: Segment, text: str, words: list[list[Any]] | None) -> None:
    row.heard = row.heard or row.text
    row.text, row.words = text, words


def _learn(
    session: Session, recording_id: int, pairs: Sequence[tuple[str, str]], person_id: int | None
) -> tuple[str, ...]:
    """Remember pairs; one the glossary does not take (too short, part of the right word) is simply not learned."""
    learned = []
    for wrong, right in pairs:
        try:
            glossary.add_term(
                session, right, [wrong], origin="correction", person_id=person_id, recording_id=recording_id,
                apply=False,
            )  # fmt: skip
        except BadInput as exc:
            logger.info("correction_not_learned", extra={"why": type(exc).__name__})
            continue
        learned.append(right)
    return tuple(learned)


def _carry_on(
    session: Session,
    settings: Settings,
    recording: Recording,
    n_utterances: int,
    reword: Callable[[str], str] | None,
    learned: tuple[str, ...],
) -> Corrected:
    """After the transcript: its document with the passages, and the minutes that stand."""
    session.flush()
    if n_utterances:
        rewrite_document(session, settings, recording)
        _draft_again_if_drafting(session, recording.id)
    n_lines, minutes_id = _reword_minutes(session, recording.id, reword) if reword else (0, None)
    logger.info(
        "recording_corrected",
        extra={"recording_id": recording.id, "n_utterances": n_utterances, "n_lines": n_lines},
    )
    return Corrected(n_utterances, n_lines, minutes_id, learned)


def _draft_again_if_drafting(session: Session, recording_id: int) -> None:
    """Minutes that are being drafted this moment read the old words; they are drafted once more after that."""
    is_drafting = session.execute(
        select(Job.id).where(
            Job.kind == "draft_minutes", Job.key == str(recording_id), Job.state.in_(("queued", "running"))
        )
    ).first()
    if is_drafting is not None:
        jobs.enqueue(session, "draft_minutes", str(recording_id), recording_id=recording_id)


def _reword_minutes(
    session: Session, recording_id: int, reword: Callable[[str], str]
) -> tuple[int, int | None]:
    """Mend the newest version that nobody rejected; one that is on a page is published again, merged as always."""
    row = session.execute(
        select(Minutes)
        .where(Minutes.recording_id == recording_id, Minutes.state.in_(minutes.UNREJECTED))
        .order_by(Minutes.version.desc()).limit(1).with_for_update()
    ).scalar_one_or_none()  # fmt: skip
    if row is None:
        return 0, None
    lines = [
        {
            key: reword(value) if key in WORDED and isinstance(value, str) else value
            for key, value in line.items()
        }
        for line in row.lines
    ]
    n_lines = sum(old != new for old, new in zip(row.lines, lines, strict=True))
    if not n_lines:
        return 0, None
    row.lines = lines
    if row.state == "published":
        minutes.enqueue_publication(session, row)
    return n_lines, row.id


def _replacing(pairs: Sequence[tuple[str, str]]) -> Callable[[str], str]:
    def reword(text: str) -> str:
        for wrong, right in pairs:
            text = replaced(text, wrong, right)
        return text

    return reword


def _renaming(old: str, new: str) -> Callable[[str], str]:
    return lambda text: replaced(text, old, new)


def _chained(renamed: dict[str, str], old: str, new: str) -> dict[str, str]:
    """Names by what the engine or file calls the speaker, whatever they were called in between."""
    chained = {heard: new if given == old else given for heard, given in renamed.items()}
    return chained if old in renamed.values() else {**chained, old: new}
