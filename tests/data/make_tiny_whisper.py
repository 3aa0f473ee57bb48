"""Trains the tiny Whisper of `tiny_whisper/` from nothing: synthesized speech in, a CTranslate2 int8 folder out.

A test instrument for the faster-whisper road, offline and in minutes; it must never serve as a speech engine.
Needs espeak-ng, flite and scipy. Run: `python tests/data/make_tiny_whisper.py --minutes 40 --out DIR`.
"""

import argparse
import json
import math
import random
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from ctranslate2.converters import TransformersConverter
from tiny_whisper_sentences import normalized, words
from tiny_whisper_voices import CACHE, N_MELS, Spoken, corpus
from tiny_whisper_windows import WINDOW_FRAMES, TokenIds, Window, batches
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import (
    GenerationConfig,
    PreTrainedTokenizerFast,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
)
from transformers.models.whisper.tokenization_whisper import LANGUAGES

# --- tokenizer ---------------------------------------------------------------------------------------------------


def special_tokens() -> list[str]:
    """Whisper's special tokens in its order; the end of text comes directly after the text tokens."""
    names = ["endoftext", "startoftranscript", *LANGUAGES]
    names += ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
    return [f"<|{name}|>" for name in names] + [f"<|{step * 0.02:.2f}|>" for step in range(1_501)]


def make_tokenizer() -> TokenIds:
    """A byte-level BPE in which each word of the grammar, with and without its capital, is one token."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=4_000, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False
    )
    bpe.train_from_iterator([f" {word} {word[0].upper()}{word[1:]}. ?," for word in words()] * 2, trainer)
    bpe.add_special_tokens(special_tokens())
    end, start = "<|endoftext|>", "<|startoftranscript|>"
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token=end, eos_token=end, unk_token=end, pad_token=end, model_max_length=448
    )
    names = [end, start, "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>", "<|0.00|>"]
    return TokenIds(tokenizer, *tokenizer.convert_tokens_to_ids(names))


# --- model -------------------------------------------------------------------------------------------------------


class Listener(nn.Module):
    """A Whisper with two helpers that only train its encoder: letters from the middle, words from the top (CTC)."""

    def __init__(self, tokens: TokenIds, width: int = 128) -> None:
        super().__init__()
        config = WhisperConfig(
            vocab_size=len(tokens.tokenizer),
            num_mel_bins=N_MELS,
            d_model=width,
            encoder_layers=3,
            decoder_layers=2,
            encoder_attention_heads=2,
            decoder_attention_heads=4,
            encoder_ffn_dim=4 * width,
            decoder_ffn_dim=4 * width,
            max_source_positions=WINDOW_FRAMES // 2,
            decoder_start_token_id=tokens.start,
            **dict.fromkeys(["bos_token_id", "eos_token_id", "pad_token_id"], tokens.end),
            begin_suppress_tokens=[tokens.end],
        )
        # on a CPU plain attention in bf16 trains up to twice as fast as torch's fused one
        config._attn_implementation = "eager"
        self.whisper = WhisperForConditionalGeneration(config)
        self.words = {word.lower(): index for index, word in enumerate(words(), start=1)}
        self.letters_head = nn.Linear(width, 27)
        self.words_head = nn.Linear(width, len(self.words) + 1)

    def encode(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Features `(n, 80, n_frames)` to the middle and top layer `(n, n_frames / 2, width)`; any even length."""
        encoder = self.whisper.model.encoder
        hidden = functional.gelu(encoder.conv2(functional.gelu(encoder.conv1(mel)))).transpose(1, 2)
        hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
        middle = hidden
        for index, layer in enumerate(encoder.layers):
            hidden = layer(hidden, None)
            middle = hidden if index == 1 else middle
        return middle, encoder.layer_norm(hidden)

    def forward(self, batch: list[Window]) -> dict[str, Tensor]:
        """The losses of one batch by name."""
        mel = torch.tensor(np.stack([w.mel for w in batch])).transpose(1, 2)
        longest = max(len(w.tokens) for w in batch)
        end = self.whisper.config.eos_token_id
        ids = torch.tensor([w.tokens + [end] * (longest - len(w.tokens)) for w in batch])
        wanted = ids[:, 1:].clone()
        for row, w in zip(wanted, batch, strict=True):
            row[: w.n_given - 1] = -100
            row[len(w.tokens) - 1 :] = -100
        middle, top = self.encode(mel)
        decoded = self.whisper.model.decoder(
            input_ids=ids[:, :-1], encoder_hidden_states=top, use_cache=False
        ).last_hidden_state
        rows = [row for row, w in enumerate(batch) if w.texts]
        texts = [normalized(" ".join(batch[row].texts)) for row in rows]
        spelled = [[ord(letter) - 96 for letter in "".join(text)] for text in texts]
        return {
            "tokens": functional.cross_entropy(
                self.whisper.proj_out(decoded).float().flatten(0, 1), wanted.flatten()
            ),
            "letters": ctc(self.letters_head(middle[rows]), spelled),
            "words": ctc(self.words_head(top[rows]), [[self.words[word] for word in text] for text in texts]),
        }


def ctc(scores: Tensor, targets: list[list[int]]) -> Tensor:
    """Mean CTC loss per target symbol of scores `(n, n_steps, n_symbols)`; symbol 0 is the blank."""
    if not targets:
        return scores.sum()
    lengths = torch.tensor([len(target) for target in targets])
    flat = torch.tensor([symbol for target in targets for symbol in target], dtype=torch.long)
    steps = torch.full((len(targets),), scores.shape[1])
    log_probs = scores.float().log_softmax(-1).transpose(0, 1)
    return functional.ctc_loss(log_probs, flat, steps, lengths, zero_infinity=True)


# --- train -------------------------------------------------------------------------------------------------------


class Training:
    """A model on its way: its optimizer, the running mean of its weights (what is exported) and the time spent."""

    def __init__(self, model: Listener, minutes: float, checkpoint: Path) -> None:
        self.model = model
        self.mean = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.995))
        self.optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), weight_decay=0.01)
        self.length_s = 60 * minutes
        self.checkpoint = checkpoint
        self.begin = time.monotonic()
        if checkpoint.exists():
            state = torch.load(checkpoint)
            self.model.load_state_dict(state["model"])
            self.mean.load_state_dict(state["mean"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.begin -= state["spent_s"]

    @property
    def spent_s(self) -> float:
        return time.monotonic() - self.begin

    def save(self) -> None:
        state = {name: getattr(self, name).state_dict() for name in ("model", "mean", "optimizer")}
        torch.save(state | {"spent_s": self.spent_s}, self.checkpoint)

    def learn(self, batch: list[Window]) -> dict[str, float]:
        """One step on one batch, at a rate that rises for a minute and falls to nearly nothing; gives the losses."""
        falling = 0.02 + 0.98 * math.cos(math.pi / 2 * min(1.0, self.spent_s / self.length_s))
        for group in self.optimizer.param_groups:
            group["lr"] = 2e-3 * min(1.0, self.spent_s / 60) * falling
        with torch.autocast("cpu", torch.bfloat16):
            losses = self.model(batch)
        self.optimizer.zero_grad()
        (losses["tokens"] + 0.3 * losses["letters"] + 0.3 * losses["words"]).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.mean.update_parameters(self.model)
        return {name: value.item() for name, value in losses.items()}


def train(
    model: Listener, pool: list[Spoken], tokens: TokenIds, minutes: float, seed: int, checkpoint: Path
) -> Listener:
    """The model after the minutes given, those that the checkpoint has spent included.

    Saves every two minutes and when interrupted; a second call goes on from there.
    """
    training = Training(model, minutes, checkpoint)
    rng = random.Random(seed + int(training.spent_s))
    saved, sums = time.monotonic(), Counter[str]()
    try:
        for step, batch in enumerate(
            batches(rng, pool, tokens, lambda: training.spent_s / training.length_s), start=1
        ):
            sums.update(training.learn(batch))
            if step % 50 == 0:
                means = ", ".join(f"{name} {value / 50:.3f}" for name, value in sums.items())
                print(f"{training.spent_s:5.0f} s, {step} steps, losses: {means}", flush=True)
                sums.clear()
            if time.monotonic() - saved > 120:
                training.save()
                saved = time.monotonic()
    finally:
        training.save()
    return training.mean.module


# --- export ------------------------------------------------------------------------------------------------------


def export(model: Listener, tokens: TokenIds, out: Path) -> None:
    """Writes what `faster_whisper.WhisperModel(str(out))` reads, as int8, and the list of words."""
    model.whisper.generation_config = GenerationConfig(
        **model.whisper.generation_config.to_diff_dict()
        | {"suppress_tokens": [], "begin_suppress_tokens": [tokens.end]}
    )
    with tempfile.TemporaryDirectory() as folder:
        model.whisper.save_pretrained(folder)
        tokens.tokenizer.save_pretrained(folder)
        WhisperFeatureExtractor(N_MELS).save_pretrained(folder)
        files = ["tokenizer.json", "preprocessor_config.json"]
        TransformersConverter(folder, copy_files=files).convert(str(out), quantization="int8", force=True)
    for name in ("tokenizer.json", "vocabulary.json"):  # one line each instead of twenty thousand
        compact = json.dumps(json.loads((out / name).read_text()), ensure_ascii=False, separators=(",", ":"))
        (out / name).write_text(compact + "\n")
    (out / "words.txt").write_text("\n".join(words()) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=40, help="of training; synthesizing takes five more")
    parser.add_argument("--out", type=Path, required=True, help="folder for the model")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    tokens = make_tokenizer()
    model = Listener(tokens)
    pool = corpus(options.seed, n_words=2_000, n_salads=3_000, n_sentences=6_500)
    checkpoint = CACHE / f"checkpoint_{options.seed}.pt"
    export(train(model, pool, tokens, options.minutes, options.seed, checkpoint), tokens, options.out)
    checkpoint.unlink()


if __name__ == "__main__":
    main()
