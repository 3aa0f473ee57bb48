"""Confluence storage format to Markdown that keeps what the page says and what it points at.

Knows neither HTTP nor tables: what lies outside of the page is asked from a `Resolver`.
"""

from connectors.confluence.storage_format.blocks import write_blocks
from connectors.confluence.storage_format.context import Context, Findings
from connectors.confluence.storage_format.includes import Budget, splice
from connectors.confluence.storage_format.inline import write_inline
from connectors.confluence.storage_format.parse import MAX_DEPTH, Parsed, parse
from connectors.confluence.storage_format.tree import Element, parameter_text, walk
from connectors.confluence.storage_format.values import Converted, NoResolver, Resolver

FORM = 2
"""To be raised when the same page becomes other Markdown than before: syncs then convert it anew."""
MAX_CHARS = 10_000_000
MAX_INCLUDE_DEPTH = 5
MAX_INCLUDES = 100


def to_markdown(
    storage: str,
    *,
    resolve: Resolver | None = None,
    max_chars: int = MAX_CHARS,
    max_depth: int = MAX_DEPTH,
    max_include_depth: int = MAX_INCLUDE_DEPTH,
    max_includes: int = MAX_INCLUDES,
) -> Converted:
    """Convert one page body. Raises on no text of any kind; takes time linear in its length.

    Every text of the page is in the Markdown, but for editor placeholders and macro settings.

    Args:
        storage: the body as Confluence stores it, well formed or not.
        resolve: names people, pages and files; whatever it raises goes through to the caller.
        max_chars: what lies beyond is cut off, with a warning; included pages share as much again.
        max_depth: elements nested deeper are dissolved into their parent (at most `MAX_DEPTH`, the text is kept).
        max_include_depth: pages included by included pages; deeper ones keep their name only.
        max_includes: included pages in all.
    """
    findings, resolver = Findings(), resolve or NoResolver()
    parsed = _read(findings, storage, max_chars, min(max_depth, MAX_DEPTH))
    budget = Budget(min(max_depth, MAX_DEPTH), max_include_depth, max_includes, max_chars)
    splice(parsed.root, resolver, budget)
    ctx = Context(resolver, findings, write_blocks, write_inline)
    blocks = write_blocks(ctx, parsed.root.children)
    if findings.n_placeholders:
        ctx.warn(f"left out {findings.n_placeholders} instructions for the editor (placeholders)")
    return Converted(
        markdown="\n\n".join(blocks),
        links=tuple(findings.links),
        mentions=tuple(findings.mentions),
        tasks=tuple(findings.tasks),
        attachments=tuple(findings.attachments),
        includes=tuple(budget.includes),
        headings=tuple(findings.headings),
        warnings=tuple(findings.warnings | budget.warnings),
    )


def find_excerpt(storage: str, name: str | None = None) -> str | None:
    """The storage format inside a page's excerpt of that name (the first one when empty); None without one."""
    wanted = (name or "").strip().lower()
    for node in walk(parse(storage).root):
        if not isinstance(node, Element) or node.get("ac:name") not in ("excerpt", "multiexcerpt"):
            continue
        own = parameter_text(node, "name", "multiexcerptname").lower()
        body = node.first("ac:rich-text-body")
        if body is not None and (not wanted or own == wanted):
            return storage[body.inner_start : body.inner_end]
    return None


def _read(findings: Findings, storage: str, max_chars: int, max_depth: int) -> Parsed:
    if len(storage) > max_chars:
        findings.warnings.setdefault(
            f"the page is too long: only its first {max_chars:,} characters were read"
        )
        storage = storage[:max_chars]
    parsed = parse(storage, max_depth=max_depth)
    if parsed.n_repairs:
        findings.warnings.setdefault(
            f"the markup was broken in {parsed.n_repairs} places and was read as well as it went"
        )
    if parsed.n_dissolved:
        findings.warnings.setdefault(
            f"{parsed.n_dissolved} elements are nested too deep and were written flat"
        )
    return parsed
