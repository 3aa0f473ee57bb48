"""What every diarization engine promises: who spoke when, as turns of voices without names; knows no engine."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from connectors.recordings.speakers import Turn


class Diarizer(Protocol):
    """A model that tells voices apart, made once per process."""

    @property
    def name(self) -> str:
        """Shown to people: engine and models."""

    def turns(self, path: Path, *, track: int = 0) -> tuple[Turn, ...]:
        """Turns ordered by start, voices called `Speaker 1`, `Speaker 2`, … in the order in which they begin.

        Raises:
            BadInput: the sound cannot be decoded, or nobody speaks.
            NotConfigured: the model does not work.
        """

    def voices(
        self, path: Path, turns: Sequence[Turn], *, track: int = 0
    ) -> Mapping[str, NDArray[np.float32]]:
        """One vector a voice, of length 1 and shape (dim,), to find the same voice in other recordings.

        Voices heard too briefly are left out; an engine without such vectors gives none.
        """


def numbered(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Turns with the voices renamed `Speaker 1`, … in the order in which they begin; whatever an engine called them."""
    names: dict[str, str] = {}
    ordered = sorted(turns)
    for turn in ordered:
        names.setdefault(turn.speaker, f"Speaker {len(names) + 1}")
    return tuple(Turn(turn.start_s, turn.end_s, names[turn.speaker]) for turn in ordered)
