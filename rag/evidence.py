"""What an answer may rest on: the best passages within a budget, neighbours joined. Knows no model and no table."""

from collections.abc import Sequence
from dataclasses import dataclass

from rag.search import Hit


@dataclass(frozen=True, slots=True)
class Evidence:
    """Adjacent passages of one document, to be cited as `[number]`; `hits` are in reading order, never empty."""

    number: int
    hits: tuple[Hit, ...]

    @property
    def title(self) -> str:
        return self.hits[0].title

    @property
    def context(self) -> str:
        return self.hits[0].context

    @property
    def text(self) -> str:
        """The passages as one text, the overlap between neighbours once."""
        text = self.hits[0].text
        for hit in self.hits[1:]:
            text += "\n\n" + hit.text[_overlap_chars(text, hit.text) :].lstrip()
        return text

    @property
    def n_tokens(self) -> int:
        return sum(hit.n_tokens for hit in self.hits)


def gather(hits: Sequence[Hit], budget_tokens: int) -> list[Evidence]:
    """Hits, best first, until the budget is spent; a hit too long for the rest is passed over, the first never.

    Numbered by each group's best hit, from 1.
    """
    chosen: list[Hit] = []
    left = budget_tokens
    for hit in hits:
        if hit.n_tokens <= left or not chosen:
            chosen.append(hit)
            left -= hit.n_tokens
    return [
        Evidence(number, tuple(sorted(group, key=lambda hit: hit.position)))
        for number, group in enumerate(_adjacent(chosen), start=1)
    ]


def _adjacent(hits: Sequence[Hit]) -> list[list[Hit]]:
    """Groups of neighbouring positions in one document, ordered by their best hit."""
    groups: list[list[Hit]] = []
    for hit in hits:
        near = [group for group in groups if any(_are_neighbours(hit, other) for other in group)]
        if not near:
            groups.append([hit])
            continue
        near[0].append(hit)
        for other in near[1:]:
            near[0].extend(other)
            groups.remove(other)
    return groups


def _are_neighbours(left: Hit, right: Hit) -> bool:
    return left.document_id == right.document_id and abs(left.position - right.position) == 1


def _overlap_chars(left: str, right: str) -> int:
    """How much of `right`'s start repeats `left`'s end; chunks overlap by some sentences."""
    for length in range(min(len(left), len(right), 1_000), 10, -1):
        if left.endswith(right[:length]):
            return length
    return 0
