"""Tables as GitHub tables: merged cells filled, what stands in a cell on one line."""

from collections.abc import Iterator
from dataclasses import dataclass

from connectors.confluence.storage_format.context import Context
from connectors.confluence.storage_format.tree import Element, Node

MAX_SPAN = 200
"""Columns or rows one cell may cover; the editor allows far less."""
MAX_REPEATED_CHARS = 200
"""A merged cell is repeated so that each row can be read alone; a longer text would drown the others."""
_PARTS = ("thead", "tbody", "tfoot")


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    is_header: bool
    n_columns: int
    n_rows: int


_EMPTY = _Cell("", False, 1, 1)


def table(ctx: Context, element: Element) -> list[str]:
    """A table, after whatever stood in it outside of its rows (a caption, broken markup)."""
    rows: list[Element] = []
    strays: list[Node] = []
    _collect(element, rows, strays)
    before = ctx.blocks(strays)
    if not ctx.in_cell and all(_is_frame(row) for row in rows):
        return before + [block for row in rows for block in ctx.blocks(row.children)]
    cells = [_cells(ctx, row) for row in rows]
    grid = [row for row in _grid(ctx, cells) if any(cell.text for cell in row)]
    if not grid:
        return before
    if ctx.in_cell:
        return [*before, "\n".join("; ".join(cell.text for cell in row if cell.text) for row in grid)]
    return [*before, _github_table(grid)]


def _collect(element: Element, rows: list[Element], strays: list[Node]) -> None:
    for child in element.children:
        if isinstance(child, Element) and child.name == "tr":
            rows.append(child)
        elif isinstance(child, Element) and child.name in _PARTS:
            _collect(child, rows, strays)
        else:
            strays.append(child)


def _is_frame(row: Element) -> bool:
    """A row of one plain cell: the table only draws a frame around it."""
    return len(row.elements()) == 1 and row.first("td") is not None


def _cells(ctx: Context, row: Element) -> list[_Cell]:
    """The cells of a row; what stands between cells makes a cell of its own when it says something."""
    cells: list[_Cell] = []
    for child in row.children:
        if isinstance(child, Element) and child.name in ("td", "th"):
            text = cell_text(ctx, child.children)
            spans = _span(child.get("colspan")), _span(child.get("rowspan"))
            cells.append(_Cell(text, child.name == "th", *spans))
        elif text := cell_text(ctx, [child]):
            cells.append(_Cell(text, False, 1, 1))
    return cells


def _span(value: str) -> int:
    return min(max(int(value), 1), MAX_SPAN) if value.isascii() and value.isdigit() and len(value) < 9 else 1


def cell_text(ctx: Context, nodes: list[Node]) -> str:
    """Block content on one line, its lines parted by `<br>`."""
    lines = (line.strip() for block in ctx.cell().blocks(nodes) for line in block.split("\n"))
    return "<br>".join(line for line in lines if line)


_Covering = dict[int, tuple[_Cell, int]]
"""For a column, the cell that reaches down into it and the last row it covers."""


def _grid(ctx: Context, rows: list[list[_Cell]]) -> Iterator[list[_Cell]]:
    """Rows with every covered place filled: by the merged cell's text when it is short, else left empty."""
    covering: _Covering = {}
    for n_row, row in enumerate(rows):
        covering = {column: above for column, above in covering.items() if above[1] >= n_row}
        n_covered = max(covering, default=-1) + 1
        filled: list[_Cell] = []
        for cell in row:
            _fill_from_above(ctx, covering, filled, len(filled))
            for copy in range(cell.n_columns if _may_fill(ctx, cell) else 1):
                if cell.n_rows > 1:
                    covering[len(filled)] = (cell, n_row + cell.n_rows - 1)
                filled.append(cell if copy == 0 else _copy(cell))
        _fill_from_above(ctx, covering, filled, n_covered)
        yield filled


def _may_fill(ctx: Context, cell: _Cell) -> bool:
    ctx.findings.n_cells_left -= cell.n_columns - 1
    return ctx.findings.n_cells_left >= 0


def _fill_from_above(ctx: Context, covering: _Covering, filled: list[_Cell], n_columns: int) -> None:
    """Copy the cells that reach down into the next places, over gaps too until the row has `n_columns`."""
    while len(filled) in covering or len(filled) < n_columns:
        ctx.findings.n_cells_left -= 1
        if ctx.findings.n_cells_left < 0:
            covering.clear()
            return
        above = covering.get(len(filled))
        filled.append(_copy(above[0]) if above else _EMPTY)


def _copy(cell: _Cell) -> _Cell:
    text = cell.text if len(cell.text) <= MAX_REPEATED_CHARS else ""
    return _Cell(text, cell.is_header, 1, 1)


def _github_table(grid: list[list[_Cell]]) -> str:
    """The first row heads the table when all its cells are headings; else the head is empty."""
    n_columns = max(map(len, grid))
    has_head = all(cell.is_header for cell in grid[0])
    head = [cell.text for cell in grid[0]] if has_head else []
    lines = [_line([*head, *[""] * (n_columns - len(head))]), "|" + " --- |" * n_columns]
    for row in grid[1:] if has_head else grid:
        lines.append(_line([_emphasized(cell) for cell in row]))
    return "\n".join(lines)


def _emphasized(cell: _Cell) -> str:
    is_plain = cell.text and "*" not in cell.text and "<br>" not in cell.text
    return f"**{cell.text}**" if cell.is_header and is_plain else cell.text


def _line(texts: list[str]) -> str:
    return "| " + " | ".join(texts) + " |"
