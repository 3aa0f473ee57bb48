"""Never raises, never loses a text, stays linear: on real pages, generated ones, and both damaged at random.

A *text run* is a maximal piece of text between two tags that is not only white space. It must appear in the
Markdown line by line, white space normalized, with or without Markdown's backslashes, unless it is
- a setting: inside `ac:parameter`, `ac:adf-attribute`, `ac:task-id`, `ac:task-uuid`, `ac:task-status`;
- an instruction to the editor: inside `ac:placeholder`;
- the second telling of an ADF extension: its fallback, when its node says something.
"""

import re
import sys
from html.entities import html5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from connectors.confluence.storage_format.convert import to_markdown
from connectors.confluence.storage_format.escape import plain_text
from connectors.confluence.storage_format.parse import parse
from connectors.confluence.storage_format.references import has_adf_content
from connectors.confluence.storage_format.tree import Element, Text
from tests.connectors.confluence.samples import SAMPLES, needs_samples

SETTINGS = {
    "ac:parameter", "ac:adf-attribute", "ac:task-id", "ac:task-uuid", "ac:task-status", "ac:placeholder", "ac:adf-mark",
    "col", "colgroup",
}  # fmt: skip


def text_runs(storage: str) -> list[str]:
    """The text runs of a page after the tolerant reader, settings left out."""
    runs: list[str] = []
    stack: list[tuple[Element, bool]] = [(parse(storage).root, False)]
    while stack:
        element, skips_fallback = stack.pop()
        if element.name == "ac:adf-extension":
            skips_fallback = has_adf_content(element)
        for child in element.children:
            if isinstance(child, Text):
                runs += [line for line in (_flat(part) for part in child.value.split("\n")) if line]
            elif child.name not in SETTINGS and not (child.name == "ac:adf-fallback" and skips_fallback):
                stack.append((child, skips_fallback))
    return runs


def _flat(text: str) -> str:
    return " ".join(text.split())


def _unescaped(text: str) -> str:
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)


def assert_nothing_is_lost(storage: str) -> None:
    markdown = _flat(to_markdown(storage).markdown)
    shown = _unescaped(markdown)
    for run in text_runs(storage):
        assert run in shown or _unescaped(run) in shown or run in markdown, run


# ---- real pages


@needs_samples
@pytest.mark.parametrize("name", SAMPLES)
def test_no_text_of_a_real_page_is_lost(name: str) -> None:
    assert_nothing_is_lost(SAMPLES[name])


@needs_samples
def test_the_tolerant_reader_sees_the_text_that_an_xml_parser_sees() -> None:
    n_compared = 0
    for name, storage in SAMPLES.items():
        expected = _text_by_xml_parser(storage)
        if expected is not None:
            root = parse(storage).root
            assert _flat("".join(_all_text(root))) == _flat(expected), name
            n_compared += 1
    assert n_compared > len(SAMPLES) * 0.8


def _text_by_xml_parser(storage: str) -> str | None:
    """All text by lxml, entities declared and prefixes bound; None for a page that is not well formed."""
    entities = "".join(
        f'<!ENTITY {name[:-1]} "{"".join(f"&#{ord(c)};" for c in value)}">'
        for name, value in html5.items()
        if name.endswith(";")
        and name[:-1] not in ("lt", "gt", "amp", "quot", "apos")
        and f"&{name}" in storage
    )
    page = f'<!DOCTYPE r [{entities}]><r xmlns:ac="urn:ac" xmlns:ri="urn:ri">{storage}</r>'
    try:
        return "".join(etree.fromstring(page).itertext(tag=etree.Element))
    except (etree.XMLSyntaxError, ValueError):
        return None


def _all_text(element: Element) -> list[str]:
    return [t for c in element.children for t in ([c.value] if isinstance(c, Text) else _all_text(c))]


# ---- damaged pages

fragments = st.sampled_from(
    ["<", ">", "</", "/>", "<!--", "-->", "<![CDATA[", "]]>", "&", "&nbsp;", "&#0;", "&#xD800;", '"', "'", "<p>", "</p>",
     "<td>", "</table>", "<li>", "<ac:link>", "</ac:link>", "<ac:task-list>", "<ac:plain-text-body>", "<code>", "<br>",
     '<ac:structured-macro ac:name="code">', "</ac:structured-macro>", '<ac:structured-macro ac:name="info">', "<strong>",
     "<ac:rich-text-body>", "<ac:adf-extension>", "<ac:adf-content>", "<ac:adf-fallback>", "<h1>", "<pre>", "<a href='x'>",
     "<ri:page ri:content-title='t'>", "<ac:image>", "<time datetime='x'>", "<tr>", "\x00", "\ud800", "|", "\\", "`", "# ",
     "<table>", "<ac:task>", "<ac:parameter ac:name='title'>", "</ac:parameter>", "<ac:emoticon>", "<ul>", "word ", "\n"]
)  # fmt: skip


@needs_samples
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_damaged_real_pages_lose_nothing(data: st.DataObject) -> None:
    short = [name for name, storage in SAMPLES.items() if len(storage) < 4000]
    storage = SAMPLES[data.draw(st.sampled_from(short))]
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(storage)))
        end = min(len(storage), start + data.draw(st.integers(0, 40)))
        storage = storage[:start] + data.draw(fragments) + storage[end:]
    assert_nothing_is_lost(storage)


@settings(max_examples=400, deadline=None)
@given(st.lists(fragments | st.text(max_size=6), max_size=40).map("".join))
def test_any_text_is_read(storage: str) -> None:
    assert_nothing_is_lost(storage)
    found = to_markdown(storage).markdown
    found.encode()  # no lone surrogate
    assert "\x00" not in found
    assert "\x01" not in found
    plain_text(found)


# ---- generated pages: every word is written exactly once

_WRAPS = [
    "<p>{}</p>", "<div>{}</div>", "<strong>{}</strong>", "<em>{}</em>", "<code>{}</code>", "<h3>{}</h3>", "<span>{}</span>",
    "<ul><li>{}</li></ul>", "<ol><li><p>{}</p></li></ol>", "<blockquote>{}</blockquote>", "<pre>{}</pre>", "<del>{}</del>",
    "<table><tr><th>{}</th><td>x</td></tr></table>", "<td>{}</td>", "<li>{}</li>", "<a href='https://x.io'>{}</a>", "<sub>{}</sub>",
    "<ac:link><ac:link-body>{}</ac:link-body></ac:link>", "<ac:inline-comment-marker>{}</ac:inline-comment-marker>",
    "<ac:task-list><ac:task><ac:task-id>1</ac:task-id><ac:task-body>{}</ac:task-body></ac:task></ac:task-list>",
    "<ac:image><ac:caption>{}</ac:caption></ac:image>", "<ac:unheard-of>{}</ac:unheard-of>", "<dl><dt>{}</dt></dl>",
    *(f'<ac:structured-macro ac:name="{n}"><ac:rich-text-body>{{}}</ac:rich-text-body></ac:structured-macro>'
      for n in ("info", "panel", "expand", "excerpt", "details", "newfangled", "status", "jira", "toc", "include")),
    '<ac:structured-macro ac:name="code"><ac:plain-text-body>{}</ac:plain-text-body></ac:structured-macro>',
    "<ac:adf-extension><ac:adf-node type='panel'><ac:adf-content>{}</ac:adf-content></ac:adf-node></ac:adf-extension>",
    "<ac:adf-extension><ac:adf-node type='decision-item'></ac:adf-node><ac:adf-fallback>{}</ac:adf-fallback></ac:adf-extension>",
]  # fmt: skip
_pages = st.recursive(
    st.sampled_from(["W", "W &amp; ", " W*", "#W", "<br/>", "W_", "|W", "[W]", "1. W"]),
    lambda inner: st.builds(
        lambda wrap, parts: wrap.format("".join(parts)),
        st.sampled_from(_WRAPS),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=25,
)


@settings(max_examples=400, deadline=None)
@given(_pages)
def test_every_word_is_written_exactly_once(page: str) -> None:
    words = [f"word{n}q" for n in range(page.count("W"))]
    counter = iter(words)
    markdown = to_markdown(re.sub("W", lambda _: next(counter), page)).markdown
    assert sorted(re.findall(r"word\d+q", markdown)) == sorted(words)


# ---- bounds


@pytest.mark.parametrize(
    "tag", ["div", "em", "ul", "blockquote", "table", "ac:link", "ac:structured-macro", "ac:task-list"]
)
def test_ten_thousand_levels_are_no_recursion_error(tag: str) -> None:
    found = to_markdown(f"<{tag}>" * 10_000 + "deep" + f"</{tag}>" * 10_000)
    assert "deep" in found.markdown
    assert any("too deep" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    "unit",
    ["<", "<!--", "<![CDATA[", "<a b='", '<a "', "&", "[", "`", "<p>a</p>", "<td rowspan='9999' colspan='9999'>x</td>", "</x>",
     "<strong>a", "<blockquote>x<br/>", "<h1>#", "#", "<ul><li>a", "_", "<code>`</code>", "<a href='x'>y</a>", "\\|", "<?", "!["],
)  # fmt: skip
@pytest.mark.parametrize("head", ["", "<ul><li>a</li>", "<ac:task-list>", "<table><tr>", "<p><code>"])
@pytest.mark.timeout(60)
def test_work_is_linear(head: str, unit: str) -> None:
    def n_steps(n: int) -> int:
        """Lines of Python executed: the same on every machine, however busy it is."""
        storage, count = head + unit * n, 0

        def step(*_: object) -> object:
            nonlocal count
            count += 1
            return step

        before = sys.gettrace()
        sys.settrace(step)  # type: ignore[arg-type]
        try:
            plain_text(to_markdown(storage).markdown)
        finally:
            sys.settrace(before)
        return count

    n_steps(10)
    small, large = n_steps(150), n_steps(1_200)
    # Quadratic work would be 64 times; 8 is linear.
    assert large < 16 * small, (small, large)
