"""Finds the words of a task in one sentence: a promise, an order, a request or a need; judges nothing yet."""

import re
from dataclasses import dataclass
from typing import Literal

from rag.minutes.cues import Cues
from rag.minutes.names import People
from rag.minutes.utterances import Sentence

Kind = Literal["volunteer", "item", "commit", "offer", "receive", "assign", "request", "need"]
EXPLICIT = re.compile(
    r"^\W*(?:next )?(?:action|to ?-?do|task|follow-?up|aufgabe|tâche|tarea|acción)\b", re.IGNORECASE
)
_DO_IS = re.compile(r"^do is (?:just |to )*", re.IGNORECASE)  # "what I'll do is check it"


@dataclass(frozen=True, slots=True)
class Promise:
    """`do` is what is to be done as said; `named` the person given the task aloud; `form` its grammar."""

    kind: Kind
    do: str
    named: str | None = None
    form: str = "do"
    is_explicit: bool = False


def promise_in(sentence: Sentence, people: People, cues: Cues) -> Promise | None:
    """The task a sentence speaks of, or None."""
    text = sentence.text
    if sentence.is_reaction:
        return None
    found = _found(sentence, people, cues)
    return found if found and not cues.action.denied.search(text) else None


def _found(sentence: Sentence, people: People, cues: Cues) -> Promise | None:
    text = sentence.text
    if cues.action.volunteer.search(text):
        return Promise("volunteer", text)
    if not sentence.is_question:
        found = _commitment(text, cues) or _assignment(text, people, cues)
        if found:
            return found
    found = _first("request", cues.action.request, text)
    if not found and people.addressed(text):  # "you'll tell them" may mean anybody unless a name is called
        found = _first("request", cues.action.order, text)
    if found:
        return Promise("request", found.do, people.addressed(text), found.form)
    return _first("need", cues.action.need, text)


def is_task(promise: Promise, cues: Cues) -> bool:
    """Whether the verb is one people put on lists; languages without a verb list trust their cues."""
    if cues.action.will is None:
        return True
    return bool(cues.action.tasks.match(promise.do)) or promise.form in ("ing", "noun", "what")


def is_idle(promise: Promise, cues: Cues) -> bool:
    """Whether it is about the conversation itself ("I'll start", "can you hear me")."""
    return bool(cues.action.idle.match(promise.do))


def _commitment(text: str, cues: Cues) -> Promise | None:
    found = _first("commit", cues.action.commit, text)
    if found:
        return Promise("commit", found.do, is_explicit=bool(EXPLICIT.search(text)))
    found = _first("offer", cues.action.offer, text)
    if found:
        return found
    match = cues.action.receive.search(text)
    return Promise("receive", match.group("do")) if match else None


def _assignment(text: str, people: People, cues: Cues) -> Promise | None:
    if people.mentioned(text):
        for cue in cues.action.assign:
            match = people.compile(cue).search(text)
            if match:
                form, do = _task(match)
                return Promise(
                    "assign", do, people.canonical(match.group("name")), form, bool(EXPLICIT.search(text))
                )
    match = cues.action.item.search(text)
    return Promise("item", match.group("do"), is_explicit=True) if match else None


def _first(kind: Kind, patterns: tuple[re.Pattern[str], ...], text: str) -> Promise | None:
    for pattern in patterns:
        match = pattern.search(text)
        if match:
            form, do = _task(match)
            return Promise(kind, _DO_IS.sub("", do), form=form)
    return None


def _task(match: re.Match[str]) -> tuple[str, str]:
    groups = match.groupdict()
    return next((form, groups[form]) for form in ("do", "ing", "noun", "what") if groups.get(form))
