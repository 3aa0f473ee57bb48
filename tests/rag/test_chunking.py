"""Pages become passages: nothing lost, nothing too long, cut where a reader would cut."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from rag.chunking import chunk_markdown
from rag.passage import Passage


def count_words(text: str) -> int:
    return len(text.split())


def chunk(markdown: str, **options: int) -> list[Passage]:
    return chunk_markdown("Title", markdown, count_tokens=count_words, **options)


def test_heading_path_context_and_anchor() -> None:
    page = "Intro.\n\n# Set up\n\nHow.\n\n## The *server*\n\nRun it.\n\n# Set up\n\nAgain."
    intro, setup, server, again = chunk_markdown("Guide", page, count_tokens=count_words, space="ENG")
    assert (intro.heading_path, intro.anchor, intro.context) == ((), None, "Guide (ENG)")
    assert (setup.heading_path, setup.anchor) == (("Set up",), "Set-up")
    assert server.heading_path == ("Set up", "The server")
    assert server.context == "Guide > Set up > The server (ENG)"
    assert server.anchor == "The-server"
    assert again.anchor == "Set-up.1"


def test_heading_without_text_is_kept() -> None:
    passages = chunk("# Decisions\n\n# Owners\n\nAnn.\n\n# Last")
    assert [passage.text for passage in passages] == ["Decisions", "Ann.", "Last"]


def test_hash_sign_in_code_is_no_heading() -> None:
    (passage,) = chunk("```sh\n# comment\nrun\n```")
    assert passage.heading_path == ()
    assert passage.text == "```sh\n# comment\nrun\n```"


def test_prose_is_cut_at_sentences_with_overlap() -> None:
    sentences = [f"Sentence number {n} stands here." for n in range(9)]
    passages = chunk(" ".join(sentences), max_tokens=15, overlap=5)
    assert passages[0].text == " ".join(sentences[:3])
    assert passages[1].text == " ".join(sentences[2:5])
    assert all(passage.n_tokens <= 15 for passage in passages)


def test_long_table_repeats_its_header() -> None:
    header = "| Name | Port |\n| --- | --- |"
    rows = [f"| service{n} | {n} |" for n in range(30)]
    passages = chunk("Before.\n\n" + "\n".join([header, *rows]) + "\n\nAfter.", max_tokens=40, overlap=0)
    tables = [passage.text for passage in passages if "service" in passage.text]
    assert len(tables) > 3
    assert all(header in text for text in tables)
    assert [row for text in tables for row in re.findall(r"\| service\d+ \| \d+ \|", text)] == rows


def test_table_and_code_that_fit_stay_whole() -> None:
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    code = "```\nx = 1\n\ny = 2\n```"
    text = "\n".join(passage.text for passage in chunk(f"Text.\n\n{table}\n\n{code}"))
    assert table in text
    assert code in text


def test_list_items_keep_their_lines() -> None:
    (passage,) = chunk("Steps:\n\n1. Open it.\n2. Close it. Then wait.\n")
    assert passage.text == "Steps:\n\n1. Open it.\n2. Close it. Then wait."


_line = st.sampled_from(["# ", "## ", "| a | b |", "|---|---|", "```", "- ", "1. ", "", "  "])
_markdown = st.lists(
    st.one_of(_line, st.text(max_size=60), st.tuples(_line, st.text(max_size=20)).map("".join))
).map("\n".join)


@settings(deadline=None)
@given(_markdown, st.integers(8, 30), st.integers(0, 7))
def test_no_word_is_lost_and_no_passage_too_long(markdown: str, max_tokens: int, overlap: int) -> None:
    passages = chunk(markdown, max_tokens=max_tokens, overlap=overlap)
    found = set(" ".join(part for p in passages for part in (p.text, *p.heading_path)).split())
    expected = set(re.findall(r"[^\W_]+", markdown, re.ASCII))
    assert expected <= set(re.findall(r"[^\W_]+", " ".join(found), re.ASCII))
    assert all(passage.n_tokens <= max_tokens for passage in passages)
    assert passages == chunk(markdown, max_tokens=max_tokens, overlap=overlap)
    assert [passage.position for passage in passages] == list(range(len(passages)))


def test_one_giant_word_is_cut_not_dropped() -> None:
    text = "x" * 5_000
    passages = chunk_markdown("T", text, count_tokens=len, max_tokens=400, overlap=0)
    assert "".join(passage.text for passage in passages) == text
    assert all(len(passage.text) <= 400 for passage in passages)
