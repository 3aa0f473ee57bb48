"""Escaping and cutting: worked examples, and properties that hold for any text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.slack.answer_text import PIECE_CHARS, pieces
from connectors.slack.mrkdwn import escape, link, shorten, split
from tests.connectors.slack.hostile import HOSTILE

ANY_TEXT = st.text(st.characters(codec=None), max_size=400) | st.sampled_from(
    [text for text in HOSTILE if len(text) < 2_000]
)
ESCAPED = st.lists(
    st.sampled_from(
        [
            "word",
            "word. ",
            "[1]",
            " [12]",
            "&amp;",
            "&lt;",
            "\n",
            "\n\n",
            "<https://a.example/b|[3]>",
            "x" * 30,
        ]
    ),
    max_size=120,
).map("".join)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<!channel>", "&lt;!channel&gt;"),
        ("a & b", "a &amp; b"),
        ("&lt;!here&gt;", "&amp;lt;!here&amp;gt;"),
        ("a\u202eb\u200bc\x00d", "abcd"),
        ("👩‍👩‍👧 می‌خواهم", "👩‍👩‍👧 می‌خواهم"),
    ],
)
def test_escape(text: str, expected: str) -> None:
    assert escape(text) == expected


@given(ANY_TEXT)
def test_nothing_escaped_is_markup(text: str) -> None:
    assert not re.search(r"[<>]", escape(text))
    escape(text).encode()


@pytest.mark.parametrize(
    ("url", "label", "expected"),
    [
        ("https://a.example/x?y=1&z=2", "Page", "<https://a.example/x?y=1&amp;z=2|Page>"),
        ("javascript:alert(1)", "Page", "Page"),
        ("https://a.example/|x>y", "A|B>", "<https://a.example/%7Cx%3Ey|A¦B&gt;>"),
        ("https://[broken", "Page", "Page"),
        ("https://a.example/" + "x" * 2000, "Page", "Page"),
        ("https://a.example/a\nb", "", "<https://a.example/ab|link>"),
    ],
)
def test_link(url: str, label: str, expected: str) -> None:
    assert link(url, label) == expected


@given(ANY_TEXT, ANY_TEXT)
def test_a_link_is_one_link_or_none(url: str, label: str) -> None:
    made = link(url, label)
    assert made.count("<") == made.count(">") <= 1
    assert made.count("|") == made.count("<")


def test_a_citation_stays_with_its_words() -> None:
    text = "One two three four. Five six seven eight. [1] Nine ten."
    assert split(text, 44) == ["One two three four. Five six seven", "eight. [1] Nine ten."]


@given(ESCAPED, st.integers(40, 200))
def test_split_loses_nothing_and_breaks_nothing(text: str, n_chars: int) -> None:
    parts = split(text, n_chars)
    assert all(0 < len(part) <= n_chars for part in parts)
    assert re.sub(r"\s", "", "".join(parts)) == re.sub(r"\s", "", text)
    for part in parts:
        assert part.count("<") == part.count(">")
        assert not re.search(r"&[a-z]{0,4}$|\[\d{0,3}$", part)


@given(ANY_TEXT, st.integers(10, 300))
def test_shorten(text: str, n_chars: int) -> None:
    short = shorten(escape(text), n_chars)
    assert len(short) <= n_chars
    assert not re.search(r"&[a-z]{0,4}…$", short) or len(escape(text)) <= n_chars


def test_a_table_is_aligned_between_fences() -> None:
    text = "Prices:\n\n| Item | Price |\n|---|---|\n| Tea | 2 |\n| Coffee | 3 |\n\n[1]"
    assert pieces(text, {1: "https://a.example"}) == [
        "Prices:",
        "```\nItem    Price\nTea     2\nCoffee  3\n```",
        "<https://a.example|[1]>",
    ]


def test_code_keeps_its_lines_and_cannot_close_its_fence() -> None:
    code = "\n".join(f"print({n}) and <!channel> '''" for n in range(400))
    found = pieces(f"```python\n{code}\n```\n[1]", {})
    assert len(found) > 4
    for piece in found[:-1]:
        assert piece.startswith("```\n") and piece.endswith("\n```") and piece.count("```") == 2
        assert len(piece) <= PIECE_CHARS
        assert "<" not in piece
    assert sum(piece.count("print(") for piece in found) == 400


def test_markdown_reads_as_slack_writes_it() -> None:
    text = "## Plan\n- **first** of [all](https://a.example/x)\n- then"
    assert pieces(text, {}) == ["*Plan*\n• *first* of all\n• then"]


@given(st.lists(st.integers(0, len(HOSTILE) - 1), max_size=4))
def test_pieces_fit_whatever_stands_in_them(numbers: list[int]) -> None:
    text = "\n".join(HOSTILE[number] for number in numbers)
    for piece in pieces(text, {1: "https://wiki.example/a", 2: "javascript:x"}):
        assert len(piece) <= PIECE_CHARS
        assert set(re.findall(r"<([^|>]*)", piece)) <= {"https://wiki.example/a"}


@pytest.mark.parametrize(
    "unit", ["[", " **a", "|", "| a |\n", "```\n", "[a](", "<", "[1", "[1]", "z\u0351", " \n"]
)
@pytest.mark.timeout(60)
def test_repetition_ends_within_the_limits(unit: str) -> None:
    found = pieces(unit * (40_000 // len(unit)), {1: "https://a.example/" + "x" * 900})
    assert all(len(piece) <= PIECE_CHARS for piece in found)
