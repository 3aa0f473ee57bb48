"""Where minutes go: the first rule that fits the meeting, else the space and parent of the settings.

Rules are a YAML file (CONFLUENCE_MINUTES_RULES): a list of `title` (a pattern such as `Weekly*`; default any),
`space`, and `parent` (a page's id or title) or `parent_label` (the one page of the space with that label).
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from connectors.confluence import publishing
from connectors.confluence.client import ConfluenceClient
from connectors.confluence.publishing import Place
from core.errors import NotConfigured
from core.settings import Settings

MAX_RULES_BYTES = 1_000_000


class PlaceRule(BaseModel):
    """One rule of the file; a field it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)
    title: str = Field("*", min_length=1)
    space: str = Field(min_length=1)
    parent: str | None = None
    parent_label: str | None = None

    @model_validator(mode="after")
    def _has_one_parent(self) -> "PlaceRule":
        if self.parent and self.parent_label:
            raise ValueError("give parent or parent_label, not both")
        return self

    def fits(self, title: str) -> bool:
        """Patterns are compared without regard to case."""
        return fnmatchcase(title.casefold(), self.title.casefold())


@dataclass(frozen=True, slots=True)
class Chosen:
    """A place and why: `why` names the rule."""

    place: Place
    why: str


def read_rules(path: Path | None) -> tuple[PlaceRule, ...]:
    """The rules of a file. Raises NotConfigured, which names the rule and what is wrong with it."""
    if path is None:
        return ()
    try:
        if path.stat().st_size > MAX_RULES_BYTES:
            raise NotConfigured(f"CONFLUENCE_MINUTES_RULES {path} is larger than 1 MB")
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        return tuple(TypeAdapter(list[PlaceRule]).validate_python(found or []))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise NotConfigured(f"CONFLUENCE_MINUTES_RULES {path} cannot be read: {exc}") from exc
    except ValidationError as exc:
        problems = "; ".join(
            f"{'.'.join(f'rule {part + 1}' if isinstance(part, int) else part for part in error['loc'])}: {error['msg']}"
            for error in exc.errors(include_url=False)[:10]
        )
        raise NotConfigured(f"CONFLUENCE_MINUTES_RULES {path}: {problems}") from exc


def choose_place(settings: Settings, client: ConfluenceClient, title: str) -> Chosen:
    """Where the minutes of a meeting of this title go.

    Raises:
        NotConfigured: no rule fits and no space is set, or the rules are wrong.
        NotFound, Conflict: the parent a rule names is not there, or several pages carry its label.
    """
    for number, rule in enumerate(read_rules(settings.confluence_minutes_rules), 1):
        if not rule.fits(title):
            continue
        parent_id = (
            publishing.parent_by_label(client, rule.space, rule.parent_label)
            if rule.parent_label
            else publishing.resolve_parent(
                client, rule.space, rule.parent, said_in=f"the parent of rule {number},"
            )
        )
        return Chosen(Place(rule.space, parent_id), f"rule {number} (title {rule.title})")
    space_key = settings.confluence_minutes_space
    if not space_key:
        raise NotConfigured(
            "CONFLUENCE_MINUTES_SPACE is not set: name the space that minutes are published in"
        )
    parent_id = publishing.resolve_parent(client, space_key, settings.confluence_minutes_parent)
    return Chosen(Place(space_key, parent_id), "CONFLUENCE_MINUTES_SPACE")
