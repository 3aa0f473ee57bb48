"""The Markdown that is streamed: whole, harmless, in few pieces."""

import pytest

from connectors.slack.answer_markdown import MAX_PIECES, stream_pieces
from connectors.slack.answer_message import AnswerMessage, Source
from tests.connectors.slack.hostile import HOSTILE


def message(text: str, url: str = "https://wiki.example/a", **fields: str) -> AnswerMessage:
    source = Source(1, "Page", url, "ENG")
    return AnswerMessage(7, "Why?", text, (source,), True, 0.9, "extractive", **fields)  # type: ignore[arg-type]


def test_pieces_join_to_the_whole_text() -> None:
    text = " ".join(f"Sentence number {n} is here. [1]" for n in range(100))
    pieces = stream_pieces(message(text))
    assert 1 < len(pieces) <= MAX_PIECES
    joined = "".join(pieces)
    assert joined == text.replace("[1]", "[[1](https://wiki.example/a)]")
    assert not any(piece.rstrip().endswith("[") or piece.startswith("](") for piece in pieces)


def test_tables_and_code_stay_as_they_are() -> None:
    text = "Do this:\n\n| a | b |\n|---|---|\n| 1 | 2 |\n[1]\n\n```\nrm -rf build\n```"
    assert "| a | b |\n|---|---|\n| 1 | 2 |" in "".join(stream_pieces(message(text)))
    assert "```\nrm -rf build\n```" in "".join(stream_pieces(message(text)))


def test_links_in_the_text_lead_nowhere() -> None:
    joined = "".join(
        stream_pieces(message("[Log in](https://evil.example) ![x](https://evil.example/p) now [1]"))
    )
    assert "evil.example" not in joined and joined.startswith("Log in x now")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://a.example/)](https://evil.example", "ftp://x", ""]
)
def test_a_bad_address_is_no_link(url: str) -> None:
    joined = "".join(stream_pieces(message("So it is. [1]", url=url)))
    assert ")](" not in joined and "javascript" not in joined and "ftp" not in joined


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_neither_ping_nor_break(text: str) -> None:
    for one in (message(f"{text} [1]"), message("Fine. [1]", understood=text)):
        joined = "".join(stream_pieces(one))
        assert "<!" not in joined and "<@" not in joined and "<#" not in joined and "<http" not in joined
        joined.encode("utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "[payroll](https://evil.example/a(1))",
        "[payroll][x]\n\n[x]: https://evil.example",
        "[a[b]](https://evil.example)",
    ],
)
def test_links_of_other_shapes_are_none_either(text: str) -> None:
    joined = "".join(stream_pieces(message(text)))
    assert "](" not in joined and "]:" not in joined and "][" not in joined


def test_code_is_left_as_it_is() -> None:
    joined = "".join(stream_pieces(message("Run: [1]\n```\nitems[1](x) if a < b else d[0][1]\n```")))
    assert "items[1](x) if a &lt; b else d[0][1]" in joined and "[[1](https://wiki.example/a)]" in joined
