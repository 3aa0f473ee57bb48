"""Which piece of one page is which piece of another: by id, by what it says, by where it stands, by likeness."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

from connectors.confluence.page_pieces import Piece

MIN_LIKENESS = 0.5
"""Shared words (Dice) from which two lines of one section count as the same line reworded."""
MAX_COMPARISONS = 200_000


@dataclass(slots=True)
class Alignment:
    """Pairs of positions, each used once: `forth` from base to the other page, `back` the other way."""

    forth: dict[int, int] = field(default_factory=dict)
    back: dict[int, int] = field(default_factory=dict)

    @property
    def is_in_order(self) -> bool:
        """Whether the pieces both pages have stand in the same order."""
        places = [self.forth[n] for n in sorted(self.forth)]
        return all(a < b for a, b in zip(places, places[1:], strict=False))

    def pair(self, n_base: int, n_other: int) -> None:
        self.forth[n_base], self.back[n_other] = n_other, n_base


def align(base: Sequence[Piece], other: Sequence[Piece]) -> Alignment:
    """Pair the pieces of two runs of siblings; the surest kind of sameness pairs first."""
    found = Alignment()
    for key in (_by_id, _by_place_and_words, _by_words):
        _pair_equal(found, base, other, key)
    _pair_lists_by_items(found, base, other)
    _pair_equal(found, base, other, _by_list_place)
    _pair_alike(found, base, other)
    return found


def _by_id(piece: Piece) -> Hashable:
    return (piece.kind, piece.id) if piece.id else None


def _by_place_and_words(piece: Piece) -> Hashable:
    return piece.section, piece.kind, piece.says


def _by_words(piece: Piece) -> Hashable:
    return piece.kind, piece.says


def _by_list_place(piece: Piece) -> Hashable:
    return (piece.section, piece.kind) if piece.is_list else None


def _pair_equal(
    found: Alignment, base: Sequence[Piece], other: Sequence[Piece], key: Callable[[Piece], Hashable]
) -> None:
    """Pair the first with the first, the second with the second of those whose keys are equal."""
    waiting: dict[Hashable, deque[int]] = defaultdict(deque)
    for n, piece in enumerate(other):
        if n not in found.back and (k := key(piece)) is not None:
            waiting[k].append(n)
    for n, piece in enumerate(base):
        if n not in found.forth and (places := waiting.get(key(piece))):
            found.pair(n, places.popleft())


def _pair_lists_by_items(found: Alignment, base: Sequence[Piece], other: Sequence[Piece]) -> None:
    """A list is the one that holds most of its items, wherever it was moved."""
    holder_of: dict[tuple[str, str], int] = {}
    for n, piece in enumerate(other):
        if n not in found.back:
            holder_of.update(
                {(item.kind, name): n for item in piece.items for name in (item.says, item.id) if name}
            )
    for n, piece in enumerate(base):
        if n in found.forth or not piece.is_list:
            continue
        held = Counter(
            holder_of.get((item.kind, name), -1) for item in piece.items for name in (item.says, item.id)
        )
        candidates = [place for place, _ in held.most_common() if place >= 0 and place not in found.back]
        same_kind = next((place for place in candidates if other[place].kind == piece.kind), None)
        if same_kind is not None:
            found.pair(n, same_kind)


def _pair_alike(found: Alignment, base: Sequence[Piece], other: Sequence[Piece]) -> None:
    """Pair what is left in the same section and of the same kind by the words it shares."""
    left: dict[tuple[str, str], list[tuple[int, Counter[str]]]] = defaultdict(list)
    for n, piece in enumerate(other):
        if n not in found.back and piece.text and not piece.is_list:
            left[piece.section, piece.kind].append((n, _words(piece)))
    n_left = MAX_COMPARISONS
    for n, piece in enumerate(base):
        candidates = left.get((piece.section, piece.kind))
        if n in found.forth or not piece.text or piece.is_list or not candidates or n_left <= 0:
            continue
        n_left -= len(candidates)
        words = _words(piece)
        best = max(range(len(candidates)), key=lambda i: _likeness(words, candidates[i][1]))
        if _likeness(words, candidates[best][1]) >= MIN_LIKENESS:
            found.pair(n, candidates.pop(best)[0])


def _words(piece: Piece) -> Counter[str]:
    """The words of a piece; the clock readings that link to the recording say nothing about it."""
    return Counter(
        word for word in piece.text[:4000].casefold().split() if ":" not in word or not word[0].isdigit()
    )


def _likeness(a: Counter[str], b: Counter[str]) -> float:
    """Dice's coefficient of two bags of words, 0..1."""
    total = sum(a.values()) + sum(b.values())
    return 2 * sum((a & b).values()) / total if total else 0.0
