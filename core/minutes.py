"""Minutes as plain values: sections of lines, each tied to the utterances that prove it.

Knows neither how they are drafted (rag) nor how a page is written (connectors).
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Section = Literal["summary", "topic", "decision", "action", "question"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The utterances `first..last` (positions, inclusive) and their time span in the recording."""

    first: int
    last: int
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class MinutesLine:
    """One line of minutes.

    `evidence` is never empty in a draft: a line nobody said is not a line. `support` is in 0..1, how well the
    evidence carries the text; `is_flagged` asks the reviewer to look. `owner` and `due` only where said.
    `is_edited`: a person wrote it and stands for it, so nothing is measured (`support` 0), and a line they added
    has no evidence.
    """

    section: Section
    text: str
    evidence: tuple[Evidence, ...]
    support: float
    owner: str | None = None
    due: date | None = None
    due_text: str | None = None
    is_flagged: bool = False
    is_edited: bool = False


@dataclass(frozen=True, slots=True)
class MinutesDraft:
    """Everything the minutes of one recording say, lines in the order they are to be read."""

    lines: tuple[MinutesLine, ...]
    engine: str
    warnings: tuple[str, ...] = ()

    def section(self, name: Section) -> tuple[MinutesLine, ...]:
        return tuple(line for line in self.lines if line.section == name)
