"""Which spaces of a site are synced: all, those named, those with a label; never the excluded ones. Knows no HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.confluence.facts import SpaceFacts
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class SpaceChoice:
    """Keys and labels as an admin gave them. No key and no label means every space; what is excluded stays out."""

    keys: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    excluded_keys: frozenset[str] = frozenset()
    excluded_labels: frozenset[str] = frozenset()

    def wants(self, space: SpaceFacts) -> bool:
        """Archived spaces only when they are named."""
        labels = set(space.labels)
        if space.key in self.excluded_keys or labels & self.excluded_labels:
            return False
        if space.key in self.keys:
            return True
        is_any = not (self.keys or self.labels)
        return space.status == "current" and (is_any or bool(labels & self.labels))

    @property
    def is_by_label(self) -> bool:
        """A space's key alone does not tell whether it is wanted."""
        return bool(self.labels or self.excluded_labels)

    def wants_key(self, key: str) -> bool:
        """The same by the key alone; True where only the space's labels could tell."""
        if key in self.excluded_keys:
            return False
        return key in self.keys or not self.keys or bool(self.labels)


def choice_of(stored: Mapping[str, Any], settings: Settings) -> SpaceChoice:
    """The source's own settings where it has them, else the environment's."""

    def told(name: str, otherwise: tuple[str, ...]) -> frozenset[str]:
        return frozenset(str(one) for one in stored.get(name) or otherwise)

    return SpaceChoice(
        told("spaces", settings.confluence_spaces),
        told("space_labels", settings.confluence_space_labels),
        told("exclude_spaces", settings.confluence_exclude_spaces),
        told("exclude_space_labels", settings.confluence_exclude_space_labels),
    )
