"""Lines pushed to the right: list items and quotes. Knows no element."""

from connectors.confluence.storage_format.context import Context

MAX_INDENTS = 16
"""Deeper nesting is written flat: a line's prefix must not outgrow the line (a page nested 1,000 deep)."""


def indent(ctx: Context, text: str, n_spaces: int) -> str:
    """Every line after `n_spaces` spaces; empty lines stay empty."""
    if ctx.n_indents >= MAX_INDENTS:
        return text
    pad = " " * n_spaces
    return "\n".join(pad + line if line else line for line in text.split("\n"))


def prefix(ctx: Context, blocks: list[str]) -> list[str]:
    """Blocks as one quote; plain in a table cell, where no quote can stand."""
    if not blocks or ctx.in_cell or ctx.n_indents >= MAX_INDENTS:
        return blocks
    lines = "\n\n".join(blocks).split("\n")
    return ["\n".join(f"> {line}" if line else ">" for line in lines)]
