"""The Markdown is read back by an independent parser: text stays text, structure is the structure of the page."""

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from connectors.confluence.storage_format.convert import to_markdown

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])

bits = [*"ab1 #*_-+.)(>|[]!`~\\&;=:<", "&amp;", "--", "1.", "  ", "a|b"]
literal = st.lists(st.sampled_from(bits), min_size=1, max_size=10).map("".join)


def stored(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def flat(text: str) -> str:
    return " ".join(text.split())


def tokens(storage: str) -> list[Token]:
    return READER.parse(to_markdown(storage).markdown)


def texts(parsed: list[Token]) -> Iterator[str]:
    """The plain text of each inline run; anything but text in one fails the test."""
    for token in parsed:
        if token.type == "inline":
            kinds = {child.type for child in token.children or ()}
            assert kinds <= {"text", "softbreak", "text_special"}, kinds
            yield flat("".join(child.content for child in token.children or ()))


@settings(max_examples=500, deadline=None)
@given(literal)
@example("a ==")
@example("1) b")
@example("+")
@example(":--")
@example("-- -")
def test_a_paragraph_is_one_paragraph_of_that_text(text: str) -> None:
    if flat(text):
        parsed = tokens(f"<p>{stored(text)}</p>")
        assert [t.type for t in parsed] == ["paragraph_open", "inline", "paragraph_close"]
        assert list(texts(parsed)) == [flat(text)]


@settings(max_examples=300, deadline=None)
@given(literal, literal)
def test_lines_and_neighbours_stay_apart(first: str, second: str) -> None:
    if flat(first) and flat(second):
        parsed = tokens(f"<p>{stored(first)}<br/>{stored(second)}</p><p>{stored(first)}</p>")
        assert [t.type for t in parsed if t.type != "inline"] == ["paragraph_open", "paragraph_close"] * 2


@settings(max_examples=300, deadline=None)
@given(literal)
def test_a_heading_an_item_a_quote_and_a_cell_hold_that_text(text: str) -> None:
    if flat(text):
        words = stored(text)
        assert list(texts(tokens(f"<h2>{words}</h2>"))) == [flat(text)]
        assert list(texts(tokens(f"<ul><li>{words}</li></ul>"))) == [flat(text)]
        assert list(texts(tokens(f"<blockquote>{words}</blockquote>"))) == [flat(text)]
        cells = tokens(f"<table><tr><th>h</th><th>i</th></tr><tr><td>{words}</td><td>x</td></tr></table>")
        assert sum(t.type == "td_open" for t in cells) == 2
        assert list(texts(cells)) == ["h", "i", flat(text), "x"]


@settings(max_examples=300, deadline=None)
@given(literal)
def test_code_is_verbatim(text: str) -> None:
    if text.strip():
        body = text.replace("]]>", "]]]]><![CDATA[>")
        macro = f'<ac:structured-macro ac:name="code"><ac:plain-text-body><![CDATA[{body}]]></ac:plain-text-body></ac:structured-macro>'
        (fence,) = tokens(macro)
        assert fence.content == text + "\n"
        parsed = tokens(f"<p>x<code>{stored(text)}</code>y</p>")
        (code,) = [c for t in parsed for c in t.children or () if c.type == "code_inline"]
        assert flat(code.content) == flat(text)


@pytest.mark.parametrize(
    ("storage", "types"),
    [
        ("<ul><li>a<ol><li>b</li></ol></li></ul>", ["bullet_list", "list_item", "paragraph", "ordered_list", "list_item", "paragraph"]),
        ("<ol><li><p>a</p><p>b</p></li></ol>", ["ordered_list", "list_item", "paragraph", "paragraph"]),
        ("<ul><li><table><tr><th>a</th></tr></table></li></ul>", ["bullet_list", "list_item", "table", "thead", "tr", "th"]),
        ("<blockquote><ul><li>a</li></ul></blockquote>", ["blockquote", "bullet_list", "list_item", "paragraph"]),
    ],
)  # fmt: skip
def test_nesting_is_kept(storage: str, types: list[str]) -> None:
    assert [t.type.removesuffix("_open") for t in tokens(storage) if t.type.endswith("_open")] == types
