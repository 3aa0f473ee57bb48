"""The sample company's questions: what is asked, by whom, and how an honest answer is told from another."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from connectors.slack.phrases import LANGUAGES
from core.errors import BadInput

# How the bot signs an answer, in each language it speaks.
ANSWERED_BY = tuple(phrases.answered_by.partition("{")[0] for phrases in LANGUAGES.values())


@dataclass(frozen=True, slots=True)
class DemoQuestion:
    """`expect` is answered, refused (exists, but not for this person) or no_answer."""

    user: str
    name: str
    channel: str
    via: str
    text: str
    expect: str
    must_cite: str | None
    must_contain: tuple[str, ...]
    why: str

    def problem(self, answer: str) -> str | None:
        """What is wrong with this answer; None when it is what it should be."""
        said = answer.casefold()
        is_answer = any(words.casefold() in said for words in ANSWERED_BY)
        if self.expect != "answered":
            if not is_answer:
                return None
            return "answered, although there is nothing this person may open"
        if not is_answer:
            return "not answered"
        if missing := [words for words in self.must_contain if words.casefold() not in said]:
            return f"the answer lacks {', '.join(missing)}"
        if self.must_cite and self.must_cite.casefold() not in said:
            return f"does not cite {self.must_cite!r}"
        return None


def load_questions(company: Path) -> list[DemoQuestion]:
    """The questions of a sample company, in the order they are asked. Raises BadInput."""
    try:
        listed = yaml.safe_load((company / "questions.yaml").read_text())["questions"]
        people = {
            one["email"]: one for one in yaml.safe_load((company / "company.yaml").read_text())["people"]
        }
        return [
            DemoQuestion(
                user=people[one["as"]]["slack_id"],
                name=people[one["as"]]["name"],
                channel=one["channel"],
                via=one["via"],
                text=one["text"],
                expect=one["expect"],
                must_cite=one["must_cite"],
                must_contain=tuple(one["must_contain"]),
                why=one["why"],
            )
            for one in listed
        ]
    except (OSError, KeyError, TypeError, yaml.YAMLError) as exc:
        raise BadInput(f"the sample company in {company} cannot be read: {exc}") from exc
