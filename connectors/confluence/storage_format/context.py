"""What one conversion carries from element to element: its resolver, its findings and its budgets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from connectors.confluence.storage_format.tree import Node
from connectors.confluence.storage_format.values import Heading, Link, Resolver, Task

MAX_FILLED_CELLS = 50_000
"""Copies of merged cells in one document; beyond them a merged cell is written once."""


@dataclass(slots=True)
class Findings:
    """What the page points at, in order; dicts are ordered sets."""

    links: dict[Link, None] = field(default_factory=dict)
    mentions: dict[str, None] = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)
    attachments: dict[str, None] = field(default_factory=dict)
    headings: list[Heading] = field(default_factory=list)
    warnings: dict[str, None] = field(default_factory=dict)
    n_placeholders: int = 0
    n_cells_left: int = MAX_FILLED_CELLS


@dataclass(frozen=True, slots=True)
class Context:
    """Where in a document the writer stands. The two writers are handed in so that no module needs another.

    `write_blocks` gives Markdown blocks (each without blank lines around it), `write_inline` gives text of one
    line in the making (breaks are `escape.BREAK`).
    """

    resolver: Resolver
    findings: Findings
    write_blocks: Callable[["Context", Sequence[Node]], list[str]]
    write_inline: Callable[["Context", Sequence[Node]], str]
    marks: frozenset[str] = frozenset()
    n_indents: int = 0
    in_cell: bool = False
    in_link: bool = False
    skips_fallback: bool = False

    def blocks(self, nodes: Sequence[Node]) -> list[str]:
        return self.write_blocks(self, nodes)

    def inline(self, nodes: Sequence[Node]) -> str:
        return self.write_inline(self, nodes)

    def warn(self, sentence: str) -> None:
        self.findings.warnings.setdefault(sentence)

    def marked(self, mark: str) -> "Context":
        return replace(self, marks=self.marks | {mark})

    def indented(self) -> "Context":
        return replace(self, n_indents=self.n_indents + 1)

    def cell(self) -> "Context":
        return replace(self, in_cell=True)

    def link(self) -> "Context":
        return replace(self, in_link=True)

    def aside(self) -> "Context":
        """For an included page, whose links, mentions and tasks are not this page's; warnings and budgets are."""
        own = Findings(warnings=self.findings.warnings, n_cells_left=self.findings.n_cells_left)
        return replace(self, findings=own)
