"""Who will do what by when: promises, orders and accepted requests, with the due date where one was said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from rag.minutes import wording
from rag.minutes.candidates import Candidate
from rag.minutes.cues import Cues
from rag.minutes.dates import Due, find_due
from rag.minutes.names import People
from rag.minutes.promises import Promise, is_idle, is_task, promise_in
from rag.minutes.replies import following, reply_to
from rag.minutes.utterances import Sentence, is_term
from rag.sentences import words

BASE = {
    "commit": 0.4,
    "offer": 0.15,
    "receive": 0.4,
    "assign": 0.45,
    "request": 0.4,
    "need": 0.25,
    "item": 0.8,
}
EXPLICIT, TASK_VERB, HAS_DUE, ACCEPTED, TAKEN_UP = 0.85, 0.25, 0.2, 0.1, 0.8
ENOUGH = 0.55
LOOK_BACK = 6  # sentences between a need and the person who takes it
NAME_UNSURE = 0.2
MERGE_WITHIN = 5
MAX_OTHER_TERMS = 2
SHORT = 12  # words of a sentence that only adds a date


@dataclass(frozen=True, slots=True)
class _Talk:
    spoken: Sequence[Sentence]
    people: People
    cues: Cues
    meeting_day: date | None


def actions(
    spoken: Sequence[Sentence], people: People, cues: Cues, meeting_day: date | None
) -> list[Candidate]:
    """Every action found, unranked, in spoken order."""
    talk = _Talk(spoken, people, cues, meeting_day)
    promises = [promise_in(sentence, people, cues) for sentence in spoken]
    found: list[Candidate] = []
    for index, promise in enumerate(promises):
        if promise is None or _is_called_off(talk, index):
            continue
        candidate = _action(talk, promises, index, promise)
        if candidate and wording.dangles(candidate.text):
            continue  # "the R&D people will make the, okay?"
        if candidate and not _merged(found, candidate, promise, talk):
            found.append(_with_later_due(talk, promises, candidate))
    return found


def _action(talk: _Talk, promises: list[Promise | None], index: int, promise: Promise) -> Candidate | None:
    if promise.kind == "volunteer":
        return _taken_up(talk, promises, index)
    if is_idle(promise, talk.cues) or wording.dangles(talk.spoken[index].text):
        return None
    if promise.kind in ("commit", "offer", "receive"):
        return _promised(talk, index, promise)
    if promise.kind in ("assign", "item"):
        return _assigned(talk, index, promise)
    if promise.kind == "request":
        return _requested(talk, promises, index, promise)
    return _needed(talk, index, promise)


def _promised(talk: _Talk, index: int, promise: Promise) -> Candidate | None:
    sentence = talk.spoken[index]
    due = _due_of(talk, index)
    reply = reply_to(talk.spoken, index, talk.cues)
    confidence = _confidence(talk, promise, due) + (ACCEPTED if reply and reply.verdict != "refuse" else 0)
    if confidence < ENOUGH or not _says_what(promise, talk.cues):
        return None
    if promise.kind == "receive":
        text = wording.quoted(sentence.speaker, sentence.text)
    else:
        text = wording.promise(sentence.speaker, promise.do, sentence.text, talk.cues.action)
    return Candidate("action", text, (index,), min(confidence, 0.99), sentence.speaker, due)


def _assigned(talk: _Talk, index: int, promise: Promise) -> Candidate | None:
    due = _due_of(talk, index)
    confidence = max(_confidence(talk, promise, due), EXPLICIT if promise.is_explicit else 0.0)
    if promise.named and not talk.people.is_sure(promise.named) and not promise.is_explicit:
        confidence -= NAME_UNSURE
    if confidence < ENOUGH:
        return None
    if promise.form == "do" and promise.named:
        asker = talk.spoken[index].speaker
        text = wording.request(promise.named, asker, promise.do, talk.spoken[index].text, talk.cues.action)
    else:
        text = wording.as_line(talk.spoken[index].text)
    return Candidate("action", text, (index,), min(confidence, 0.99), promise.named, due)


def _requested(talk: _Talk, promises: list[Promise | None], index: int, promise: Promise) -> Candidate | None:
    sentence = talk.spoken[index]
    owner, confidence = promise.named, _confidence(talk, promise, None)
    reply = reply_to(talk.spoken, index, talk.cues, by=promise.named)
    if reply and reply.verdict == "refuse":
        return None
    carriers: tuple[int, ...] = (index,)
    if reply:
        owner, carriers = promise.named or reply.speaker, (index, reply.index)
        confidence += ACCEPTED
    elif promise.named is None:
        return None  # nobody was asked and nobody answered
    due = _due_of(talk, index)
    confidence += HAS_DUE if due else 0
    if confidence < ENOUGH:
        return None
    text = wording.request(owner, sentence.speaker, promise.do, sentence.text, talk.cues.action)
    return Candidate("action", text, carriers, min(confidence, 0.99), owner, due)


def _needed(talk: _Talk, index: int, promise: Promise) -> Candidate | None:
    """A need nobody has taken yet; worth a line of its own only with a date."""
    due = _due_of(talk, index)
    if due is None or talk.spoken[index].is_question or not is_task(promise, talk.cues):
        return None
    text = wording.as_line(talk.spoken[index].text)
    return Candidate("action", text, (index,), _confidence(talk, promise, due), None, due)


def _taken_up(talk: _Talk, promises: list[Promise | None], index: int) -> Candidate | None:
    """ "I'll do that" after a need or a request: the task is what was needed, the owner who speaks."""
    owner = talk.spoken[index].speaker
    for i in range(index - 1, max(-1, index - 1 - LOOK_BACK), -1):
        wanted = promises[i]
        if wanted is None or wanted.kind not in ("need", "request") or is_idle(wanted, talk.cues):
            continue
        text = wording.request(
            owner, talk.spoken[i].speaker, wanted.do, talk.spoken[i].text, talk.cues.action
        )
        due = _due_of(talk, i) or _due_of(talk, index)
        return Candidate("action", text, (i, index), TAKEN_UP, owner, due)
    return None


def _merged(found: list[Candidate], new: Candidate, promise: Promise, talk: _Talk) -> bool:
    """Folds "I'll have them ready by Monday" into the action it completes; True when it did."""
    for position in range(len(found) - 1, max(-1, len(found) - 4), -1):
        old = found[position]
        if new.carriers[0] - old.carriers[-1] > MERGE_WITHIN or not _same_owner(old, new):
            continue
        is_repeated = _says_again(new, old, talk)
        if set(new.carriers) & set(old.carriers) or is_repeated or _refers_back(promise, old, talk):
            carriers = tuple(sorted({*old.carriers, *new.carriers}))
            better = new if old.owner is None and new.owner else old
            due = old.due or new.due
            found[position] = replace(
                better,
                carriers=carriers,
                due=due,
                confidence=max(old.confidence, new.confidence),
                owner=old.owner or new.owner,
            )
            return True
    return False


def _says_again(new: Candidate, old: Candidate, talk: _Talk) -> bool:
    """Whether "I will add the alarm by Friday" only dates "Can you add an alarm for the second server?"."""
    if old.due is not None or old.owner is None:
        return False
    dated = set(words(new.due.text)) if new.due else set()
    said = {term for index in new.carriers for term in talk.spoken[index].terms} - dated
    wanted = {term for index in old.carriers for term in talk.spoken[index].terms}
    return bool(said) and said <= wanted


def _same_owner(old: Candidate, new: Candidate) -> bool:
    return old.owner is None or new.owner is None or old.owner == new.owner


def _refers_back(promise: Promise, old: Candidate, talk: _Talk) -> bool:
    if promise.kind == "volunteer" or (promise.kind == "receive" and len(old.carriers) > 1):
        return True
    return promise.kind in ("commit", "offer", "assign") and bool(talk.cues.action.pronoun.match(promise.do))


def _with_later_due(talk: _Talk, promises: list[Promise | None], candidate: Candidate) -> Candidate:
    """Adopts the date of a short remark that follows ("by when?" "by the 15th of April")."""
    if candidate.due is not None:
        return candidate
    for i in [*candidate.carriers, *following(talk.spoken, candidate.carriers[-1], 3)]:
        sentence, promise = talk.spoken[i], promises[i]
        is_other_task = (
            promise is not None
            and promise.kind not in ("volunteer", "receive")
            and i not in candidate.carriers
        )
        if is_other_task or sentence.n_words > SHORT:
            continue
        due = _due_of(talk, i)
        if due and _is_about_date(sentence, due, talk):
            return replace(candidate, due=due, carriers=tuple(sorted({*candidate.carriers, i})))
    return candidate


def _is_about_date(sentence: Sentence, due: Due, talk: _Talk) -> bool:
    """Whether a remark says little besides a day ("First draft on the 16th?")."""
    other = [term for term in sentence.terms if term not in words(due.text)]
    return len(other) <= MAX_OTHER_TERMS and (due.day is not None or talk.meeting_day is None)


def _is_called_off(talk: _Talk, index: int) -> bool:
    done = talk.cues.action.done
    return any(done.search(talk.spoken[i].text) for i in (index, *following(talk.spoken, index, 2)))


def _says_what(promise: Promise, cues: Cues) -> bool:
    """Whether the task holds a word of content besides its verb ("I'll do that" alone does not)."""
    said = words(promise.do)
    return any(is_term(word, cues) for word in (said[1:] if cues.action.will else said))


def _confidence(talk: _Talk, promise: Promise, due: Due | None) -> float:
    return BASE[promise.kind] + (TASK_VERB if is_task(promise, talk.cues) else 0) + (HAS_DUE if due else 0)


def _due_of(talk: _Talk, index: int) -> Due | None:
    return find_due(talk.spoken[index].text, talk.cues.language, talk.meeting_day)
