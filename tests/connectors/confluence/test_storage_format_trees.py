"""Trees of everything Confluence stores, and of what it should not: nothing raises, no text is lost, whole or cut.

Text is what `test_storage_format_properties` says it is; here trees are made of elements with attributes, of CDATA,
of prefixes nobody declared and of tables that do not add up, and then broken.
"""

from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.confluence.storage_format.convert import find_excerpt, to_markdown
from connectors.confluence.storage_format.escape import plain_text
from tests.connectors.confluence.samples import SAMPLES, needs_samples
from tests.connectors.confluence.test_storage_format_properties import assert_nothing_is_lost

MACROS = st.sampled_from(
    ["code", "noformat", "info", "warning", "tip", "note", "panel", "expand", "excerpt", "excerpt-include", "include",
     "details", "detailssummary", "status", "jira", "toc", "children", "anchor", "view-file", "multimedia", "html", "column",
     "section", "ui-tabs", "drawio", "math", "never-heard-of", ""]
)  # fmt: skip
NAMES = st.sampled_from(
    ["p", "div", "span", "strong", "em", "u", "s", "sub", "sup", "code", "pre", "blockquote", "h1", "h6", "ul", "ol", "li",
     "dl", "dt", "dd", "a", "table", "thead", "tbody", "tr", "th", "td", "caption", "ac:link", "ac:link-body", "ac:image",
     "ac:caption", "ac:task-list", "ac:task", "ac:task-body", "ac:layout", "ac:layout-section", "ac:layout-cell",
     "ac:rich-text-body", "ac:inline-comment-marker", "ac:adf-extension", "ac:adf-node", "ac:adf-content",
     "ac:adf-fallback", "ac:emoticon", "ri:page", "ri:user", "time", "at:var", "x:y", "svg:text", "unknown", "o:p"]
)  # fmt: skip
ATTRIBUTES = st.dictionaries(
    st.sampled_from(
        ["href", "class", "rowspan", "colspan", "start", "datetime", "ac:anchor", "ac:name", "ac:emoji-fallback", "type",
         "ri:content-title", "ri:account-id", "local-id", "xml:lang", "q:r", "style"]
    ),
    st.sampled_from(["", "1", "-3", "999999999", "x y", "<&>\"'", "2026-02-31", "javascript:alert(1)", "\u202e", "#top"])
    | st.text(max_size=8),
    max_size=3,
)  # fmt: skip
WORDS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc")) | st.sampled_from("|*_`[]()#>\\~\n"), max_size=14
)


def _element(name: str, attributes: dict[str, str], children: list[str]) -> str:
    written = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{name}{written}>{''.join(children)}</{name}>" if children else f"<{name}{written} />"


def _macro(name: str, body: str, children: list[str], value: str) -> str:
    parameter = f'<ac:parameter ac:name="title">{escape(value)}</ac:parameter>'
    inside = f"<ac:{body}>{''.join(children)}</ac:{body}>"
    return f"<ac:structured-macro ac:name={quoteattr(name)}>{parameter}{inside}</ac:structured-macro>"


def _code(name: str, value: str) -> str:
    safe = value.replace("]]>", "]]]]><![CDATA[>")
    return f'<ac:structured-macro ac:name="{name}"><ac:plain-text-body><![CDATA[{safe}]]></ac:plain-text-body></ac:structured-macro>'


def _table(rows: list[list[tuple[str, int, int]]]) -> str:
    written = "".join(
        "<tr>" + "".join(f'<td rowspan="{r}" colspan="{c}">{cell}</td>' for cell, r, c in row) + "</tr>"
        for row in rows
    )
    return f"<table><tbody>{written}</tbody></table>"


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    children = st.lists(inner, max_size=4)
    cells = st.lists(st.tuples(inner, st.integers(-1, 4), st.integers(0, 5)), max_size=4)
    return st.one_of(
        st.builds(_element, NAMES, ATTRIBUTES, children),
        st.builds(
            _macro, MACROS, st.sampled_from(["rich-text-body", "plain-text-body", "body"]), children, WORDS
        ),
        st.builds(_code, st.sampled_from(["code", "noformat", "html", "math"]), WORDS),
        st.builds(_table, st.lists(cells, max_size=4)),
    )


LEAVES = WORDS.map(escape) | st.sampled_from(
    ["&nbsp;", "&eacute;t&eacute;", "&bogus;", "&#x1F600;", "<br/>", "<hr/>", "<!-- aside -->", "<?php x ?>", "<![CDATA[a<b]]>"]
)  # fmt: skip
TREES = st.lists(st.recursive(LEAVES, _grow, max_leaves=18), min_size=1, max_size=4).map("".join)


@settings(max_examples=150, deadline=None)
@given(TREES)
def test_trees_lose_nothing(storage: str) -> None:
    assert_nothing_is_lost(storage)


@settings(max_examples=120, deadline=None)
@given(TREES, st.data())
def test_broken_trees_lose_nothing(storage: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(storage)))
        end = min(len(storage), start + data.draw(st.integers(0, 12)))
        storage = (
            storage[:start]
            + data.draw(st.sampled_from(["", "<", "</p>", "]]>", "&", "<td>"]))
            + storage[end:]
        )
    assert_nothing_is_lost(storage)


class _Everywhere:
    """A resolver that shows one tree wherever something is included, itself with all its macros."""

    def __init__(self, storage: str) -> None:
        self.storage = storage

    def include(self, title: str, space_key: str | None, excerpt_name: str | None) -> str | None:
        return self.storage if excerpt_name is None else find_excerpt(self.storage, excerpt_name)

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


@settings(max_examples=50, deadline=None)
@given(TREES)
def test_trees_that_include_themselves_come_to_an_end(storage: str) -> None:
    me = '<ac:structured-macro ac:name="include"><ac:parameter ac:name="">Me</ac:parameter></ac:structured-macro>'
    found = to_markdown(storage + me, resolve=_Everywhere(storage + me))
    plain_text(found.markdown).encode()
    assert len(found.includes) <= 101


@needs_samples
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_samples_cut_off_anywhere_lose_nothing(share: float) -> None:
    for storage in SAMPLES.values():
        if len(storage) < 40_000:
            assert_nothing_is_lost(storage[: int(len(storage) * share)])
