"""Summaries by a language model: kept where the evidence carries them, asked for again when unreadable, else refused."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.errors import BadInput, Unavailable
from core.transcript import Transcript, Utterance
from rag.chat_endpoint import ChatEndpoint
from rag.generation import Summarizer
from rag.minutes.draft import draft
from rag.t5 import T5
from tests.rag.minutes.test_narrative import TALK

TRUE = "Bob said that the production budget is too small for rubber."
SAID = [
    ("Ann", "Shall we use rubber?"),
    ("Bob", "The production budget is too small for rubber cases."),
    *TALK,
]


def _transcript(n_rounds: int = 1) -> Transcript:
    turns = SAID * n_rounds
    said = tuple(Utterance(5.0 * i, 5.0 * i + 4, text, who) for i, (who, text) in enumerate(turns))
    return Transcript(said, engine="written by hand", language="en")


def _completion(text: str) -> httpx.Response:
    return httpx.Response(200, json={"choices": [{"message": {"content": text}}]})


def _lines(*lines: tuple[str, list[int]]) -> str:
    return json.dumps({"lines": [{"text": text, "evidence": evidence} for text, evidence in lines]})


def _endpoint(replies: Sequence[httpx.Response], seen: list[Any]) -> ChatEndpoint:
    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(json.loads(request.content))
        return replies[min(len(seen), len(replies)) - 1]

    return ChatEndpoint("http://llm.example/v1", "tiny", transport=httpx.MockTransport(handle))


def test_a_carried_sentence_is_kept_and_an_invented_one_left_out() -> None:
    reply = _lines((TRUE, [2]), ("Zoe agreed to pay nine million dollars.", [2]), ("No such passage.", [99]))
    seen: list[Any] = []
    model = _endpoint([_completion(reply)], seen)
    minutes = draft(_transcript(), started_at=None, summarizer=model)
    assert [line.text for line in minutes.section("summary")] == [TRUE]
    assert [(e.first, e.last) for e in minutes.section("summary")[0].evidence] == [(1, 1)]
    assert minutes.engine == "extractive + openai:tiny"
    assert any("nobody said so" in warning for warning in minutes.warnings)
    assert seen[0]["response_format"]["type"] == "json_schema"
    assert "[2] Bob: The production budget" in seen[0]["messages"][1]["content"]


def test_a_fenced_reply_is_repaired_and_a_broken_one_asked_for_again() -> None:
    seen: list[Any] = []
    fenced = f"Here it is:\n```json\n{_lines((TRUE, [2]))}\n```"
    minutes = draft(
        _transcript(), started_at=None,
        summarizer=_endpoint([_completion('{"lines": "none"}'), _completion(fenced)], seen),
    )  # fmt: skip
    assert [line.text for line in minutes.section("summary")] == [TRUE]
    assert len(seen) == 2 and "not JSON of the schema" in seen[1]["messages"][-1]["content"]


def test_what_stays_malformed_is_refused_within_limits_and_said() -> None:
    seen: list[Any] = []
    model = _endpoint([_completion("I cannot do that.")], seen)
    with pytest.raises(BadInput, match="3 times"):
        model.summarize(["Ann: hello"])
    assert len(seen) == 3
    minutes = draft(_transcript(10), started_at=None, summarizer=model)
    assert minutes.engine == "extractive" and minutes.section("summary")
    assert any("no summary that can be read" in warning for warning in minutes.warnings)


def test_an_endpoint_that_is_down_lets_the_job_try_again() -> None:
    with pytest.raises(Unavailable):
        draft(_transcript(), started_at=None, summarizer=_endpoint([httpx.Response(503)], []))


def test_a_long_meeting_is_written_part_by_part() -> None:
    seen: list[Any] = []
    model = _endpoint([_completion(_lines((TRUE, [2])))], seen)
    minutes = draft(_transcript(200), started_at=None, summarizer=model)
    assert 2 <= len(seen) <= 12
    assert 1 <= len(minutes.section("summary")) <= 9


@pytest.fixture
def tiny_t5(tmp_path: Path) -> Path:
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    letters = [
        ("<pad>", 0.0),
        ("</s>", 0.0),
        ("<unk>", 0.0),
        *((c, -2.0) for c in "▁abcdefghijklmnopqrstuvwxyz"),
    ]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.Unigram(letters, unk_id=2))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    config = transformers.T5Config(
        vocab_size=32, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, decoder_start_token_id=0
    )
    transformers.T5ForConditionalGeneration(config).save_pretrained(tmp_path / "base")
    fast.save_pretrained(tmp_path / "base")
    return tmp_path / "base"


def test_t5_reads_all_passages_in_parts_and_invents_no_line(
    tiny_t5: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = T5(str(tiny_t5))
    assert isinstance(model, Summarizer)
    prompts: list[str] = []
    monkeypatch.setattr(
        model, "_generate", lambda prompt: prompts.append(prompt) or "the train leaves at nine."
    )
    passages = [f"ann: the train leaves at nine {'x' * 300}" for _ in range(6)]
    summary = model.summarize(passages)
    assert len(prompts) > 1 and sum(prompt.count("ann:") for prompt in prompts) == 6
    assert all(sentence.evidence == (1,) for sentence in summary.sentences)
    monkeypatch.setattr(model, "_generate", lambda prompt: "zebra unicorn parliament")
    minutes = draft(_transcript(10), started_at=None, summarizer=model)
    assert minutes.engine == "extractive" and minutes.section("summary")


@pytest.mark.filterwarnings("ignore::FutureWarning")  # peft and transformers disagree on a name
def test_a_lora_adapter_is_merged_into_its_base(tiny_t5: Path, tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    transformers = pytest.importorskip("transformers")
    base = transformers.AutoModelForSeq2SeqLM.from_pretrained(tiny_t5)
    config = peft.LoraConfig(
        task_type="SEQ_2_SEQ_LM", r=2, target_modules=["q", "v"], init_lora_weights=False
    )
    peft.get_peft_model(base, config).save_pretrained(tmp_path / "adapter")
    plain, tuned = T5(str(tiny_t5)), T5(str(tmp_path / "adapter"))
    weight = "encoder.block.0.layer.0.SelfAttention.q.weight"
    a, b = plain._loaded[1].state_dict()[weight], tuned._loaded[1].state_dict()[weight]
    assert a.shape == b.shape and not a.equal(b)
    assert tuned.summarize(["ann: hello"]).engine == "t5:adapter"
