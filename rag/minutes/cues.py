"""The cue tables of `cues.yaml`, compiled once a language; knows no transcript and decides nothing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

NEVER = re.compile(r"(?!)")
NAME_GROUP = "NAME"


@dataclass(frozen=True, slots=True)
class DecisionCues:
    """`strong` stands alone, `medium` nearly; `proposal` needs assent; `ratify` closes the proposal before it."""

    strong: re.Pattern[str]
    medium: re.Pattern[str]
    proposal: re.Pattern[str]
    ratify: re.Pattern[str]
    announce: re.Pattern[str]
    denied: re.Pattern[str]
    denied_before: re.Pattern[str]
    past: re.Pattern[str]
    undone: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class ActionCues:
    """Patterns that capture the task as `do` (or `ing`, `noun`, `what`); `assign` still holds the word NAME.

    `offer` is a promise only with a date or an answer, `order` a request only to a person called by name.
    """

    commit: tuple[re.Pattern[str], ...]
    offer: tuple[re.Pattern[str], ...]
    receive: re.Pattern[str]
    assign: tuple[str, ...]
    request: tuple[re.Pattern[str], ...]
    order: tuple[re.Pattern[str], ...]
    need: tuple[re.Pattern[str], ...]
    item: re.Pattern[str]
    volunteer: re.Pattern[str]
    tasks: re.Pattern[str]
    idle: re.Pattern[str]
    denied: re.Pattern[str]
    pronoun: re.Pattern[str]
    done: re.Pattern[str]
    will: str | None
    third_person: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cues:
    """Everything one language needs. `has_lines` is False for a language without a table."""

    language: str
    stopwords: frozenset[str]
    backchannels: frozenset[str]
    fillers: re.Pattern[str]
    accept: re.Pattern[str]
    firm_accept: re.Pattern[str]
    refuse: re.Pattern[str]
    unknown: re.Pattern[str]
    question_start: re.Pattern[str]
    open_question: re.Pattern[str]
    not_a_question: re.Pattern[str]
    decision: DecisionCues
    action: ActionCues
    dates: Mapping[str, Any]
    has_lines: bool


def known_languages() -> tuple[str, ...]:
    return tuple(name for name in _tables() if len(name) == 2)


def never_names() -> frozenset[str]:
    """Lower-cased words that no language takes for a person's name."""
    return frozenset(str(_tables()["never_names"]).split())


@lru_cache(maxsize=16)
def cues_for(language: str) -> Cues:
    """The table of an ISO 639-1 code; an unknown one gets empty cues that match nothing."""
    tables = _tables()
    table = tables[language] if language in known_languages() else {}
    return Cues(
        language=language,
        stopwords=frozenset(str(table.get("stopwords", "")).split()),
        backchannels=frozenset(str(table.get("backchannels", "")).split()),
        fillers=_pattern(table.get("fillers")),
        accept=_pattern(table.get("accept")),
        firm_accept=_pattern(table.get("firm_accept")),
        refuse=_pattern(table.get("refuse")),
        unknown=_pattern(table.get("unknown")),
        question_start=_pattern(table.get("question_start")),
        open_question=_pattern(table.get("open_question")),
        not_a_question=_pattern(table.get("not_a_question")),
        decision=_decision_cues(table.get("decision", {})),
        action=_action_cues(table.get("action", {})),
        dates=table.get("dates", {}),
        has_lines=language in known_languages(),
    )


def language_of(declared: str | None, sample: Sequence[str]) -> str:
    """The declared language's code, else the one whose stopwords cover most of `sample` (lower-cased words)."""
    if declared:
        return re.split(r"[-_]", declared.strip().lower())[0][:8]
    counts = {code: sum(word in cues_for(code).stopwords for word in sample) for code in known_languages()}
    best = max(counts, key=lambda code: (counts[code], code == "en"))
    return best if counts[best] else "en"


@lru_cache(maxsize=1)
def _tables() -> Mapping[str, Any]:
    text = resources.files(__package__).joinpath("cues.yaml").read_text(encoding="utf-8")
    tables: Mapping[str, Any] = yaml.safe_load(text)
    return tables


def _decision_cues(table: Mapping[str, Any]) -> DecisionCues:
    return DecisionCues(
        strong=_pattern(table.get("strong")),
        medium=_pattern(table.get("medium")),
        proposal=_pattern(table.get("proposal")),
        ratify=_pattern(table.get("ratify")),
        announce=_pattern(table.get("announce")),
        denied=_pattern(table.get("not")),
        denied_before=_pattern(table.get("not_before")),
        past=_pattern(table.get("past")),
        undone=_pattern(table.get("undone")),
    )


def _action_cues(table: Mapping[str, Any]) -> ActionCues:
    return ActionCues(
        commit=tuple(_pattern(entry) for entry in table.get("commit", ())),
        offer=tuple(_pattern(entry) for entry in table.get("offer", ())),
        receive=_pattern(table.get("receive")),
        assign=tuple(table.get("assign", ())),
        request=tuple(_pattern(entry) for entry in table.get("request", ())),
        order=tuple(_pattern(entry) for entry in table.get("order", ())),
        need=tuple(_pattern(entry) for entry in table.get("need", ())),
        item=_pattern(table.get("item")),
        volunteer=_pattern(table.get("volunteer")),
        tasks=_verbs(table.get("tasks")),
        idle=_verbs(table.get("idle")),
        denied=_pattern(table.get("not")),
        pronoun=_pattern(table.get("pronoun")),
        done=_pattern(table.get("done")),
        will=table.get("will"),
        third_person=table.get("me", {}),
    )


def _pattern(entries: str | Sequence[str] | None) -> re.Pattern[str]:
    if not entries:
        return NEVER
    joined = entries if isinstance(entries, str) else "|".join(f"(?:{entry})" for entry in entries)
    return re.compile(joined, re.IGNORECASE)


def _verbs(listed: str | None) -> re.Pattern[str]:
    if not listed:
        return NEVER
    verbs = "|".join(re.sub(r"\s*\|\s*", "|", listed.strip()).split("|"))
    return re.compile(rf"(?:{verbs})(?!\w)", re.IGNORECASE)
