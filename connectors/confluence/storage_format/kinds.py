"""Which elements and macros of the storage format stand on lines of their own; knows no Markdown."""

from connectors.confluence.storage_format.tree import Element, parameter_text


def words(text: str) -> frozenset[str]:
    """A set of names, written as one string: forty names of one line each would hide what surrounds them."""
    return frozenset(text.split())


HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
VOID = frozenset({"br", "hr", "img", "col", "wbr", "input"})

BLOCKS = HEADINGS | words(
    "p div section article blockquote pre hr ul ol li dl dt dd table thead tbody tfoot tr td th "
    "caption ac:layout ac:layout-section ac:layout-cell ac:task-list ac:task ac:task-body "
    "ac:adf-extension ac:rich-text-body ac:adf-node ac:adf-fallback"
)

# What these hold is written as one line (or not at all), so a block inside them opens no new line outside.
OPAQUE = HEADINGS | words(
    "a ac:link ac:image ac:parameter code time ac:placeholder ac:adf-attribute ac:emoticon"
)

INLINE_MACROS = words(
    "status jira jiraissues anchor profile mathinline mathinline-ref eazy-math-inline unit emoji "
    "view-file viewfile date contributors"
)


BLOCK_MACROS = frozenset({"include", "excerpt-include"})
MACROS = ("ac:structured-macro", "ac:macro")


def is_block(element: Element) -> bool:
    """Whether a finished element (its children are known) stands on its own lines."""
    return _is_block_macro(element) if element.name in MACROS else element.name in BLOCKS


def is_one_line(element: Element) -> bool:
    """Whether whatever this element holds is written within the line around it."""
    return element.name in OPAQUE or (element.name in MACROS and not element.is_block)


def _is_block_macro(macro: Element) -> bool:
    name = macro.get("ac:name").lower()
    if name in INLINE_MACROS or name in BLOCK_MACROS:
        return name in BLOCK_MACROS
    rich = macro.first("ac:rich-text-body")
    if rich is None:
        return macro.first("ac:plain-text-body") is not None
    is_inline = parameter_text(macro, "atlassian-macro-output-type").upper() == "INLINE"
    return not (is_inline and len(rich.elements()) <= 1)
