"""Builds a Whisper with random weights in CTranslate2's format: it proves roads and errors, it hears nothing."""

from pathlib import Path

import torch
from ctranslate2.converters import TransformersConverter
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    PreTrainedTokenizerFast,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
)
from transformers.models.whisper.tokenization_whisper import LANGUAGES

TEXT = ["Ask not what your country can do for you.", "We decided to ship the release on Friday."] * 20


def build(folder: Path) -> Path:
    """Write the model to `folder / "ct2"` (about 2 MB) and return that path."""
    torch.manual_seed(7)
    tokenizer = _tokenizer()
    first = tokenizer.token_to_id("<|endoftext|>")
    config = WhisperConfig(
        vocab_size=tokenizer.get_vocab_size(),
        d_model=32,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_target_positions=448,
        decoder_start_token_id=first + 1,
        bos_token_id=first,
        eos_token_id=first,
        pad_token_id=first,
    )
    model = WhisperForConditionalGeneration(config).eval()
    # Without weight on them no times and no end are ever written: the model babbles text, which is to be caught.
    model.model.decoder.embed_tokens.weight.data[first:] = 0
    model.generation_config.suppress_tokens = []
    model.generation_config.begin_suppress_tokens = [first]
    source, target = folder / "hf", folder / "ct2"
    model.save_pretrained(source)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>").save_pretrained(source)
    WhisperFeatureExtractor(80).save_pretrained(source)
    converter = TransformersConverter(str(source), copy_files=["tokenizer.json", "preprocessor_config.json"])
    converter.convert(str(target), quantization="int8")
    return target


def _tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(TEXT, trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet))
    tasks = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
    names = ["endoftext", "startoftranscript", *list(LANGUAGES)[:100], *tasks]
    tokenizer.add_special_tokens([f"<|{name}|>" for name in names])
    tokenizer.add_special_tokens([f"<|{step * 0.02:.2f}|>" for step in range(1501)])
    return tokenizer
