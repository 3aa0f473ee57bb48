"""Puts included pages and excerpts under the macros that show them, before anything is written.

Loops, depth, number and size are bounded here; a page that is not shown stays named by its macro.
"""

from dataclasses import dataclass, field

from connectors.confluence.storage_format.kinds import BLOCK_MACROS
from connectors.confluence.storage_format.parse import parse
from connectors.confluence.storage_format.tree import Element, find, parameter, parameter_text
from connectors.confluence.storage_format.values import Include, Resolver

NAMES = BLOCK_MACROS
INCLUDED = "(included)"
"""The element an included page stands in; no markup can spell this name."""

Wanted = tuple[str, str | None, str | None]


@dataclass(slots=True)
class Budget:
    """What may still be included, and what was."""

    max_depth: int
    max_include_depth: int
    n_left: int
    n_chars_left: int
    includes: list[Include] = field(default_factory=list)
    warnings: dict[str, None] = field(default_factory=dict)


def wanted_page(macro: Element) -> Wanted:
    """The title, space key and excerpt name (None for a whole page) that an include macro names."""
    default = parameter(macro, "", "page", "pagetitle")
    page = find(default, "ri:page", "ri:blog-post") if default is not None else None
    title = (
        page.get("ri:content-title") if page is not None else parameter_text(macro, "", "page", "pagetitle")
    )
    space = (page.get("ri:space-key") if page is not None else "") or parameter_text(macro, "spacekey")
    is_excerpt = macro.get("ac:name").lower() != "include"
    return title, space or None, parameter_text(macro, "name") if is_excerpt else None


def splice(root: Element, resolver: Resolver, budget: Budget) -> None:
    """Fill every include macro below `root`, and those of the pages it brings, in document order.

    What is included stands as deep as its macro, so the depth of the whole tree stays within `max_depth`.
    """
    stack: list[tuple[Element, int, tuple[Wanted, ...]]] = [(root, 0, ())]
    while stack:
        element, depth, around = stack.pop()
        if element.get("ac:name").lower() in NAMES:
            wanted = wanted_page(element)
            storage = _fetch(wanted, around, resolver, budget) if wanted[0] else None
            if storage is not None:
                inside = parse(storage, max_depth=max(budget.max_depth - depth - 1, 0)).root
                inside.name, inside.is_block = INCLUDED, True
                element.children.append(inside)
                stack.append((inside, depth + 1, (*around, wanted)))
        children = [c for c in element.elements() if c.name != INCLUDED]
        stack.extend((child, depth + 1, around) for child in reversed(children))


def _fetch(wanted: Wanted, around: tuple[Wanted, ...], resolver: Resolver, budget: Budget) -> str | None:
    title, space_key, excerpt_name = wanted
    storage = None
    if wanted in around:
        budget.warnings.setdefault(f"“{title[:200]}” includes itself: shown once")
    elif len(around) >= budget.max_include_depth or budget.n_left <= 0:
        budget.warnings.setdefault("too many pages are included in one another: some are only named")
    else:
        budget.n_left -= 1
        storage = resolver.include(title, space_key, excerpt_name)
    if storage is not None and len(storage) > budget.n_chars_left:
        budget.warnings.setdefault("the included pages are too long: some are only named")
        storage = None
    budget.n_chars_left -= len(storage or "")
    budget.includes.append(Include(title, space_key, excerpt_name, storage is not None))
    return storage
