"""A passage: the unit that is embedded, searched and cited. Knows neither pages nor speech nor tables."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

CountTokens = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Passage:
    """One stretch of a document, in the document's own words.

    `context` is what a reader would know before reading on (title, headings, meeting, speakers); it is
    searched and embedded together with `text`, never shown as if it stood there. `anchor` is the page
    fragment to open, without `#`. Speech carries `speakers`, seconds and utterance positions (inclusive).
    `n_tokens` counts the embedder's tokens of `text` alone.
    """

    position: int
    text: str
    context: str
    n_tokens: int
    heading_path: tuple[str, ...] = ()
    anchor: str | None = None
    speakers: tuple[str, ...] = ()
    start_s: float | None = None
    end_s: float | None = None
    first_position: int | None = None
    last_position: int | None = None

    @property
    def embedded_text(self) -> str:
        """What the embedder reads."""
        return f"{self.context}\n{self.text}" if self.context else self.text

    @property
    def content_hash(self) -> str:
        """sha256 over what is embedded: equal hash, equal vector, whatever the position."""
        return hashlib.sha256(self.embedded_text.encode("utf-8", "surrogatepass")).hexdigest()
