"""Builds what the tiny Whisper hears and must write: windows of spoken lines with pauses, noise and a curriculum.

It knows the tokens of Whisper's answers, and nothing of the model.
"""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from string import ascii_lowercase

import numpy as np
from tiny_whisper_sentences import normalized, sentence
from tiny_whisper_voices import N_MELS, Spoken
from transformers import PreTrainedTokenizerFast

WINDOW_FRAMES = 3_000
SILENCE = -10.0  # log10 of the floor 1e-10 that Whisper's features put under digital silence


@dataclass(frozen=True)
class TokenIds:
    """The tokenizer with the ids of Whisper's special tokens that training writes."""

    tokenizer: PreTrainedTokenizerFast
    end: int
    start: int
    before: int
    no_speech: int
    no_times: int
    time_zero: int

    def text(self, texts: list[str]) -> list[int]:
        return self.tokenizer(" " + " ".join(texts), add_special_tokens=False)["input_ids"]


@dataclass(frozen=True)
class Kind:
    """What the windows of one batch hold: lines of at most so many words, how many, within how many frames."""

    max_words: int
    n_lines: tuple[int, int]
    max_frames: int
    batch_size: int
    padded: float = (
        0.0  # share of batches kept at full length, as faster-whisper sends them; others end with speech
    )
    with_text_before: float = 0.0


KINDS = {
    "word": Kind(2, (1, 1), 300, 48),
    "line": Kind(8, (1, 1), 600, 24),
    "short lines": Kind(3, (1, 6), 700, 20, with_text_before=0.1),
    "lines": Kind(20, (1, 4), 1_200, 12, with_text_before=0.1),
    "full": Kind(20, (1, 14), WINDOW_FRAMES, 6, padded=0.3, with_text_before=0.25),
}
# Until which share of the time, which kinds how often. Many short lines teach the decoder to listen on after a
# pause at little cost; a model fed single sentences recites the grammar and stops after the first.
CURRICULUM = [
    (0.04, {"word": 1.0}),
    (0.30, {"word": 0.4, "line": 0.6}),
    (0.78, {"short lines": 0.65, "lines": 0.25, "full": 0.1}),
    (1.00, {"short lines": 0.4, "lines": 0.3, "full": 0.3}),
]


@dataclass(frozen=True)
class Window:
    """Normalised features `(n_frames, 80)`, the tokens with how many of them are given, and the lines heard.

    `texts` is empty where the last line is cut, for then the features hold more than the lines.
    """

    mel: np.ndarray
    tokens: list[int]
    n_given: int
    texts: list[str]


def window(rng: random.Random, pool: list[Spoken], kind: Kind, tokens: TokenIds) -> Window:
    """Lines of the pool with pauses between, in noise; sometimes cut inside the last line as real windows are."""
    mel = np.full((kind.max_frames, N_MELS), SILENCE, np.float32)
    with_times, cut = rng.random() < 0.6, False
    n_wanted = 0 if rng.random() < 0.02 else rng.randint(*kind.n_lines)
    position = rng.randint(0, 30 if rng.random() < 0.7 else 200)
    heard: list[tuple[int, int, str]] = []
    while len(heard) < n_wanted and not cut:
        line, room = rng.choice(pool), kind.max_frames - position
        cut = line.n_frames > room
        if cut and heard and not (with_times and room > 30):
            cut = False
            break
        if cut and not heard:
            position, cut = 0, False
            continue
        piece = line.mel[:room].astype(np.float32) + rng.uniform(-1.0, 0.3)
        mel[position : position + len(piece)] = np.maximum(piece, SILENCE)
        heard.append((position, position + len(piece), line.text))
        position += len(piece) + round(10 + min(300, rng.expovariate(1 / 50)))
    sounding = min(position, kind.max_frames)
    mel[:sounding] = in_noise(rng, mel[:sounding])
    given = text_before(rng, tokens) if rng.random() < kind.with_text_before else []
    given.append(tokens.start)
    texts = [] if cut else [text for _, _, text in heard]
    return Window(normalize(mel), given + target(heard, cut, with_times, tokens), len(given), texts)


def in_noise(rng: random.Random, mel: np.ndarray) -> np.ndarray:
    """Adds noise of a random colour, 40 to 75 dB below the loudest value, to six windows in ten."""
    if rng.random() < 0.4 or not len(mel):
        return mel
    noise = np.random.default_rng(rng.getrandbits(32))
    loudest = max(float(mel.max()), -3.0)
    colour = np.interp(np.arange(N_MELS), [0, 20, 50, 79], noise.uniform(-0.7, 0.7, 4))
    level = loudest - rng.uniform(4.0, 7.5) + colour + 0.3 * noise.standard_normal(mel.shape, np.float32)
    return (np.logaddexp(mel * math.log(10), level * math.log(10)) / math.log(10)).astype(np.float32)


def normalize(mel: np.ndarray) -> np.ndarray:
    """Whisper's own scaling: 80 dB below the loudest value are kept."""
    return (np.maximum(mel, mel.max() - 8.0) + 4.0) / 4.0


def text_before(rng: random.Random, tokens: TokenIds) -> list[int]:
    """What faster-whisper gives as the text of earlier windows, or as hot words: up to 220 tokens after a mark."""
    if rng.random() < 0.3:
        names = [
            "".join(rng.choices(ascii_lowercase, k=rng.randint(2, 9))).title()
            for _ in range(rng.randint(1, 6))
        ]
        return [tokens.before, *tokens.text([", ".join(names)])]
    lines = [sentence(rng) for _ in range(rng.choice([1, 2, 4, 8, 24]))]
    return [tokens.before, *tokens.text(lines)[-220:]]


def target(heard: list[tuple[int, int, str]], cut: bool, with_times: bool, tokens: TokenIds) -> list[int]:
    """The tokens to write for lines heard between two frames.

    A line cut by the window's end gets its start time only, which sends Whisper's reader back to it.
    """
    if not heard:
        return [tokens.no_speech, tokens.end]
    if not with_times:
        return [tokens.no_times, *tokens.text([text for _, _, text in heard]), tokens.end]
    written = []
    for index, (start, end, text) in enumerate(heard):
        # Whisper's rules allow no first time above one second, which is the fiftieth step of 20 ms
        written.append(tokens.time_zero + (start // 2 if index else min(50, start // 2)))
        if not (cut and index == len(heard) - 1):
            written += [*tokens.text([text]), tokens.time_zero + end // 2]
    return [*written, tokens.end]


def batches(
    rng: random.Random, pool: list[Spoken], tokens: TokenIds, share: Callable[[], float]
) -> Iterator[list[Window]]:
    """Batches of the curriculum at the share of time used, until all is used; one length per batch."""
    pools = {
        name: [line for line in pool if len(normalized(line.text)) <= kind.max_words]
        for name, kind in KINDS.items()
    }
    while (now := share()) < 1:
        mix = next(mix for until, mix in CURRICULUM if now < until)
        name = rng.choices(list(mix), weights=list(mix.values()))[0]
        kind = KINDS[name]
        batch = [window(rng, pools[name], kind, tokens) for _ in range(kind.batch_size)]
        yield batch if rng.random() < kind.padded else trimmed(batch)


def trimmed(batch: list[Window]) -> list[Window]:
    """The windows without the silence that all have at their end, an even number of frames."""
    silent = [int((w.mel > w.mel.min() + 0.01).any(axis=1)[::-1].argmax()) for w in batch]
    n_frames = max(100, len(batch[0].mel) - min(silent) + 10) // 2 * 2
    return [Window(w.mel[:n_frames], w.tokens, w.n_given, w.texts) for w in batch]
