"""Three-way merge of a minutes page: a new draft goes in, what people did to the page stays.

Works on pieces (blocks, list items, tasks, decisions), never inside a line. Knows no HTTP and no minutes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from connectors.confluence.page_align import Alignment, align
from connectors.confluence.page_pieces import Piece, decision_list_tail, marks_done, pieces_of
from connectors.confluence.page_pieces import task_states as task_states
from connectors.confluence.storage_format.parse import parse


@dataclass(frozen=True, slots=True)
class Conflict:
    """A line that people and the new draft both changed: `kept` is theirs ("" when they deleted it)."""

    section: str
    base: str
    kept: str
    dropped: str


@dataclass(frozen=True, slots=True)
class Merged:
    """The page to publish. `changed` is False when it says what the page says already."""

    storage: str
    conflicts: tuple[Conflict, ...]
    changed: bool


def merge(base: str, theirs: str, ours: str) -> Merged:
    """Bring the changes from `base` to `ours` into `theirs`.

    What people changed stays, what they deleted stays deleted, what they added stays where it is; lines of the
    draft they did not touch follow the new draft; a task that is ticked stays ticked. Never raises: when a page
    cannot be taken apart or put together safely, theirs is kept whole and that is the one conflict.

    Args:
        base: the draft as it was rendered last time, before it was merged (not the merged page: a line that
            people added would then look as if the new draft had removed it).
        theirs: the page as it is now.
        ours: the new draft as it is rendered now.
    """
    cut = [pieces_of(storage) for storage in (base, theirs, ours)]
    b, t, o = cut
    if b is None or t is None or o is None:
        return _untouched(base, theirs, ours, "the markup of the page is broken")
    merging = _Merging()
    storage = "".join(piece.source for piece in merging.sequence(b, t, o))
    if parse(storage).n_repairs:
        return _untouched(base, theirs, ours, "the page was taken apart in a way that cannot be merged")
    return Merged(storage, tuple(merging.conflicts), storage != theirs)


def _untouched(base: str, theirs: str, ours: str, reason: str) -> Merged:
    if theirs == base:
        return Merged(ours, (), ours != theirs)
    if ours in (base, theirs):
        return Merged(theirs, (), False)
    return Merged(theirs, (Conflict("", "", "the whole page", reason),), False)


_Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A piece at its place in one page's order; None where the other page's order brings it, or where it goes."""

    key: _Key
    piece: Piece | None


@dataclass(slots=True)
class _Merging:
    """One merge; collects its conflicts."""

    conflicts: list[Conflict] = field(default_factory=list)

    def sequence(self, base: Sequence[Piece], theirs: Sequence[Piece], ours: Sequence[Piece]) -> list[Piece]:
        """Merge three runs of siblings.

        The order is the draft's while people kept the old order, else theirs; what only the other side has
        follows the piece it followed there.
        """
        to_theirs, to_ours = align(base, theirs), align(base, ours)
        same = _added_by_both(theirs, to_theirs, ours, to_ours)
        their_pieces = list(self._theirs(base, theirs, ours, to_theirs, to_ours))
        our_pieces = list(self._ours(base, theirs, ours, to_theirs, to_ours, same))
        wraps = any(p.kind in ("open", "close") and n not in to_theirs.back for n, p in enumerate(theirs))
        if to_theirs.is_in_order and (to_ours.is_in_order or not wraps):
            return _woven(our_pieces, their_pieces)
        return _woven(their_pieces, our_pieces)

    def _theirs(
        self,
        base: Sequence[Piece],
        theirs: Sequence[Piece],
        ours: Sequence[Piece],
        to_theirs: Alignment,
        to_ours: Alignment,
    ) -> Iterator[_Placed]:
        """Their pieces in their order: those the draft still has as keys only, those it dropped when people own them."""
        for n, piece in enumerate(theirs):
            b = to_theirs.back.get(n)
            if b is None:
                yield _Placed(("theirs", n), piece)
            elif b in to_ours.forth:
                yield _Placed(("base", b), self._resolved(base[b], piece, ours[to_ours.forth[b]]))
            else:
                yield _Placed(("gone", n), self._dropped_by_draft(base[b], piece))

    def _ours(
        self,
        base: Sequence[Piece],
        theirs: Sequence[Piece],
        ours: Sequence[Piece],
        to_theirs: Alignment,
        to_ours: Alignment,
        same: dict[int, int],
    ) -> Iterator[_Placed]:
        """The draft's pieces in its order; those that people deleted give nothing."""
        sections = frozenset(piece.section for piece in theirs)
        for n, piece in enumerate(ours):
            b = to_ours.back.get(n)
            if b is None and n in same:
                yield _Placed(("theirs", same[n]), theirs[same[n]])
            elif b is None:
                yield _Placed(("ours", n), piece)
            elif b in to_theirs.forth:
                yield _Placed(("base", b), None)
            elif piece.says != base[b].says:
                yield _Placed(("ours", n), self._deleted_by_people(base[b], piece, sections))

    def _resolved(self, base: Piece, theirs: Piece, ours: Piece) -> Piece:
        """One piece that all three have."""
        if base.is_list and theirs.is_list and ours.is_list:
            return self._list(base, theirs, ours)
        if theirs.says == base.says:
            is_ours = ours.says != base.says or theirs.source == base.source
            chosen = ours if is_ours else theirs
        else:
            chosen = theirs
            if ours.says not in (base.says, theirs.says):
                self._conflict(base, theirs.text, ours.text)
        if theirs.is_done and not chosen.is_done:
            return _with_source(chosen, marks_done(chosen.source))
        return chosen

    def _list(self, base: Piece, theirs: Piece, ours: Piece) -> Piece:
        items = self.sequence(base.items, theirs.items, ours.items)
        head = ours.head if theirs.head == base.head else theirs.head
        source = "".join(item.source for item in items)
        if not items:
            empty = next((page.source for page in (theirs, ours) if not page.items), "")
            return _with_source(theirs, empty)
        return _with_source(theirs, head + source + _tail(source, base, theirs, ours))

    def _deleted_by_people(self, base: Piece, ours: Piece, sections: frozenset[str]) -> Piece | None:
        """A piece the draft changed and people deleted stays deleted, but a list whose section they kept takes new lines."""
        if not (base.is_list and ours.is_list and ours.section in sections):
            self._conflict(base, "", ours.text)
            return None
        items = "".join(item.source for item in self.sequence(base.items, (), ours.items))
        if not items:
            return None
        return _with_source(ours, ours.head + items + _tail(items, base, ours, ours))

    def _dropped_by_draft(self, base: Piece, theirs: Piece) -> Piece | None:
        """A piece the new draft no longer has: gone, unless people changed it."""
        if theirs.says == base.says:
            return theirs if theirs.is_done and not base.is_done else None
        if base.is_list and theirs.is_list:
            items = "".join(item.source for item in self.sequence(base.items, theirs.items, ()))
            return (
                _with_source(theirs, theirs.head + items + _tail(items, base, theirs, theirs))
                if items
                else None
            )
        self._conflict(base, theirs.text, "")
        return theirs

    def _conflict(self, base: Piece, kept: str, dropped: str) -> None:
        self.conflicts.append(Conflict(base.section, base.text, kept, dropped))


def _added_by_both(
    theirs: Sequence[Piece], to_theirs: Alignment, ours: Sequence[Piece], to_ours: Alignment
) -> dict[int, int]:
    """Lines that people and the draft both added alike: written once, at their place."""
    new_theirs = [n for n in range(len(theirs)) if n not in to_theirs.back]
    new_ours = [n for n in range(len(ours)) if n not in to_ours.back]
    pairs = align([theirs[n] for n in new_theirs], [ours[n] for n in new_ours])
    equal = ((t, o) for t, o in pairs.forth.items() if theirs[new_theirs[t]].says == ours[new_ours[o]].says)
    return {new_ours[o]: new_theirs[t] for t, o in equal}


def _woven(frame: Sequence[_Placed], other: Sequence[_Placed]) -> list[Piece]:
    """The pieces in the order of `frame`; what only `other` has follows the piece it follows there."""
    pieces = {placed.key: placed.piece for placed in (*frame, *other) if placed.piece is not None}
    keys = {placed.key for placed in frame}
    following: dict[_Key | None, list[_Key]] = {}
    anchor: _Key | None = None
    for placed in other:
        if placed.key in keys:
            anchor = placed.key
        else:
            following.setdefault(anchor, []).append(placed.key)
    order = list(following.get(None, ()))
    for placed in frame:
        order += [placed.key, *following.get(placed.key, ())]
    return [pieces[key] for key in order if key in pieces]


def _with_source(piece: Piece, source: str) -> Piece:
    return replace(piece, source=source)


def _tail(items: str, base: Piece, theirs: Piece, ours: Piece) -> str:
    """What closes a list of these items. A decision list tells its items twice, so its second telling must follow."""
    is_theirs, is_ours = (items == "".join(i.source for i in page.items) for page in (theirs, ours))
    if theirs.kind != "ac:adf-extension" or (is_theirs and is_ours):
        return ours.tail if theirs.tail == base.tail else theirs.tail
    if is_theirs or is_ours:
        return theirs.tail if is_theirs else ours.tail
    return decision_list_tail(items)
