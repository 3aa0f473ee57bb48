"""What each element of the storage format becomes, case by case."""

from datetime import date

import pytest

from connectors.confluence.storage_format.convert import find_excerpt, to_markdown
from connectors.confluence.storage_format.escape import plain_text
from connectors.confluence.storage_format.values import Converted, Include, Link, PageRef, Task


class Wiki:
    """A resolver over two dicts."""

    def __init__(self, pages: dict[str, str] | None = None) -> None:
        self.pages = pages or {}
        self.n_asked = 0

    def user_name(self, account_id: str) -> str | None:
        return {"5b10": "Mia Krystof", "key1": "Jo [Ops]"}.get(account_id)

    def page(self, title: str, space_key: str | None) -> PageRef | None:
        return PageRef("7", title, "https://wiki/pages/7") if title in self.pages else None

    def include(self, title: str, space_key: str | None, excerpt_name: str | None) -> str | None:
        self.n_asked += 1
        body = self.pages.get(title)
        return body if body is None or excerpt_name is None else find_excerpt(body, excerpt_name)

    def attachment_url(self, filename: str) -> str | None:
        return f"https://wiki/download/{filename}" if filename.endswith(".pdf") else None


def macro(macro_name: str, body: str = "", /, **parameters: str) -> str:
    written = "".join(f'<ac:parameter ac:name="{k}">{v}</ac:parameter>' for k, v in parameters.items())
    return f'<ac:structured-macro ac:name="{macro_name}">{written}{body}</ac:structured-macro>'


def rich(text: str) -> str:
    return f"<ac:rich-text-body>{text}</ac:rich-text-body>"


def plain(text: str) -> str:
    return f"<ac:plain-text-body><![CDATA[{text}]]></ac:plain-text-body>"


def md(storage: str) -> str:
    return to_markdown(storage, resolve=Wiki({"Plan": "<p>plan</p>"})).markdown


@pytest.mark.parametrize(
    ("storage", "expected"),
    [
        ("<h2>One <em>two</em></h2><p>text</p>", "## One *two*\n\ntext"),
        ("<p>a<strong> b </strong>c</p>", "a **b** c"),
        ("<p><strong>a</strong><strong>b</strong></p>", "**ab**"),
        ("<p>a&nbsp;&ouml; &lt;b&gt; &amp;amp; &hellip;</p>", "a ö \\<b> \\&amp; …"),
        ("<p>one<br/>two</p>", "one  \ntwo"),
        ("<p>x<sup>2</sup></p>", "x<sup>2</sup>"),
        ("<p>run <code>a*b`c</code></p>", "run ``a*b`c``"),
        ("<ul><li>a<ul><li>b</li></ul></li><li><p>c</p></li></ul>", "- a\n  - b\n- c"),
        ("<ul><li>a</li><ul><li>b</li></ul></ul>", "- a\n  - b"),
        ('<ol start="3"><li>a<ol><li>b</li></ol></li></ol>', "3. a\n   1. b"),
        ("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n>\n> b"),
        ("<hr/>", "---"),
        ("<pre>a\n  b</pre>", "```\na\n  b\n```"),
        ('<p>due <time datetime="2026-03-01"/></p>', "due 2026-03-01"),
        ("<p>a <ac:inline-comment-marker ac:ref='x'>b</ac:inline-comment-marker> c</p>", "a b c"),
        (macro("code", plain("if a < b:\n    x"), language="python"), "```python\nif a < b:\n    x\n```"),
        (macro("code", plain("a]]]]><![CDATA[>b ```")), "````\na]]>b ```\n````"),
        (macro("noformat", plain("x")), "```\nx\n```"),
        (macro("info", rich("<p>b</p>"), title="T"), "> **Info: T**\n>\n> b"),
        (macro("expand", rich("<p>b</p>"), title="More"), "**More**\n\nb"),
        ("<p>is " + macro("status", title="IN PROGRESS") + "</p>", "is **IN PROGRESS**"),
        (macro("unknown-thing", rich("<p>kept</p>")), "kept"),
        ("<p>" + macro("drawio", diagramName="flow") + "</p>", "*drawio:* flow"),
        (macro("toc") + "<p>a</p>", "a"),
        ("<p>" + macro("jira", key="IMP-12") + "</p>", "IMP-12"),
        ("<p>" + macro("anchor", **{"": "here"}) + "x</p>", '<a id="here"></a>x'),
        ('<p><ac:emoticon ac:name="tick"/><ac:emoticon ac:emoji-id="1f642"/></p>', "✅🙂"),
        ('<p><ac:image ac:alt="A"><ri:attachment ri:filename="a b.png"/></ac:image></p>', "![A](a%20b.png)"),
        (
            '<p><ac:image ac:alt="A"><ri:attachment ri:filename="a.pdf"/></ac:image></p>',
            '![A](https://wiki/download/a.pdf "a.pdf")',
        ),
        ('<p>Look!<a href="https://x.io">here</a></p>', "Look\\![here](https://x.io)"),
        ('<p><a href="javascript:alert(1)">x</a></p>', "x"),
        ('<p><a href="https://x.io/a_(b)">x</a></p>', "[x](https://x.io/a_%28b%29)"),
        ('<p><ac:link><ri:user ri:account-id="5b10"/></ac:link></p>', "@Mia Krystof"),
        ('<p><ac:link><ri:user ri:userkey="key1"/></ac:link></p>', "@Jo \\[Ops\\]"),
        ('<p><ac:link><ri:user ri:account-id="zz"/></ac:link></p>', "@zz"),
        ('<p><ac:link><ri:page ri:content-title="Plan"/></ac:link></p>', "[Plan](https://wiki/pages/7)"),
        ('<p><ac:link><ri:page ri:content-title="Gone"/></ac:link></p>', "Gone"),
        (
            '<p><ac:link ac:anchor="s1"><ri:page ri:content-title="Plan"/>'
            "<ac:plain-text-link-body><![CDATA[the plan]]></ac:plain-text-link-body></ac:link></p>",
            "[the plan](https://wiki/pages/7#s1)",
        ),
        ("<dl><dt>a</dt><dd>b</dd></dl>", "**a**\n\nb"),
        (
            "<ac:layout><ac:layout-section><ac:layout-cell><p>a</p></ac:layout-cell></ac:layout-section></ac:layout>",
            "a",
        ),
    ],
)
def test_element_becomes_markdown(storage: str, expected: str) -> None:
    assert md(storage) == expected


@pytest.mark.parametrize(
    "text",
    ["# a", "- a", "+ a", "1. a", "12) a", "> a", "---", "***", "===", "```", "~~~", "| a | b |", "[a](b)", "[a]: b",
     "![a](b)", "<b>", "a*b*", "_a_", "&amp;", "`x`", "~~x~~", "\\", "\\*", "<!-- x -->", "https://a.b/c_d", "a\\|b"],
)  # fmt: skip
def test_literal_text_is_escaped_and_read_back(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    assert plain_text(md(f"<p>{escaped}</p>")) == text
    assert text in plain_text(md(f"<table><tr><th>h</th></tr><tr><td>{escaped}</td></tr></table>"))


class TestTables:
    def test_heads_and_rows(self) -> None:
        storage = "<table><tbody><tr><th>A</th><th>B</th></tr><tr><td>1 | 2</td><td><p>x</p><p>y</p></td></tr></tbody></table>"
        assert md(storage) == "| A | B |\n| --- | --- |\n| 1 \\| 2 | x<br>y |"

    def test_merged_cells_are_filled(self) -> None:
        storage = (
            '<table><tr><th>Q</th><th colspan="2">2026</th></tr>'
            '<tr><td rowspan="2">north</td><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>'
        )
        assert md(storage).split("\n") == [
            "| Q | 2026 | 2026 |",
            "| --- | --- | --- |",
            "| north | 1 | 2 |",
            "| north | 3 | 4 |",
        ]

    def test_rows_shorter_than_what_reaches_into_them_are_padded(self) -> None:
        storage = '<table><tr><th>a</th><th>b</th><th rowspan="2">c</th></tr><tr><td>1</td></tr></table>'
        assert md(storage).split("\n")[-1] == "| 1 |  | **c** |"

    def test_header_column_is_marked(self) -> None:
        assert md("<table><tr><th>Date</th><td>1 May</td></tr></table>").endswith("| **Date** | 1 May |")

    def test_code_lists_and_tables_in_cells_stay_on_the_line(self) -> None:
        inner = (
            macro("code", plain("a|b\nc")) + "<ul><li>x</li></ul><table><tr><td>n</td><td>m</td></tr></table>"
        )
        last = md(f"<table><tr><th>h</th></tr><tr><td>{inner}</td></tr></table>").split("\n")[-1]
        assert last == "| `a\\|b`<br>`c`<br>- x<br>n; m |"

    def test_huge_spans_are_bounded(self) -> None:
        row = '<td rowspan="99999999" colspan="99999">x</td>' * 50
        assert len(md(f"<table><tr>{row}</tr>{'<tr><td>y</td></tr>' * 500}</table>")) < 2_000_000


class TestTasks:
    STORAGE = (
        "<ac:task-list><ac:task><ac:task-id>7</ac:task-id><ac:task-status>complete</ac:task-status>"
        '<ac:task-body><ac:link><ri:user ri:account-id="5b10"/></ac:link> ships <em>it</em> by '
        '<time datetime="2026-05-04"/><ac:task-list><ac:task><ac:task-id>8</ac:task-id>'
        "<ac:task-status>incomplete</ac:task-status><ac:task-body>sub</ac:task-body></ac:task></ac:task-list>"
        "</ac:task-body></ac:task></ac:task-list>"
    )

    def test_state_assignee_and_date(self) -> None:
        found = to_markdown(self.STORAGE, resolve=Wiki())
        assert found.markdown == "- [x] @Mia Krystof ships *it* by 2026-05-04\n  - [ ] sub"
        assert found.tasks == (
            Task("7", "@Mia Krystof ships it by 2026-05-04", True, "5b10", date(2026, 5, 4)),
            Task("8", "sub", False),
        )
        assert found.mentions == ("5b10",)


class TestAdf:
    def node(self, kind: str, inside: str) -> str:
        return f'<ac:adf-node type="{kind}">{inside}</ac:adf-node>'

    def test_panel_is_told_once(self) -> None:
        content = '<ac:adf-attribute key="panel-type">note</ac:adf-attribute><ac:adf-content><p>a</p></ac:adf-content>'
        fallback = '<ac:adf-fallback><div class="panel"><p>a</p></div></ac:adf-fallback>'
        storage = f"<ac:adf-extension>{self.node('panel', content)}{fallback}</ac:adf-extension>"
        assert md(storage) == "> **Note:**\n>\n> a"

    def test_fallback_speaks_for_an_empty_node(self) -> None:
        fallback = "<ac:adf-fallback><p>only here</p></ac:adf-fallback>"
        assert md(f"<ac:adf-extension>{self.node('chart', '')}{fallback}</ac:adf-extension>") == "only here"

    def test_decisions_keep_their_state(self) -> None:
        def item(state: str, text: str) -> str:
            fact = f'<ac:adf-attribute key="state">{state}</ac:adf-attribute>'
            return self.node("decision-item", f"{fact}<ac:adf-content>{text}</ac:adf-content>")

        inside = item("DECIDED", "ship") + item("UNDECIDED", "name")
        storage = f"<ac:adf-extension>{self.node('decision-list', inside)}</ac:adf-extension>"
        assert md(storage) == "- **Decision:** ship\n- **To decide:** name"


class TestIncludes:
    def include(self, title: str) -> str:
        return macro("include", **{"": f'<ac:link><ri:page ri:content-title="{title}"/></ac:link>'})

    def convert(self, storage: str, pages: dict[str, str], **limits: int) -> Converted:
        return to_markdown(storage, resolve=Wiki(pages), **limits)

    def test_page_and_excerpt_are_shown(self) -> None:
        named = macro("excerpt", rich("<p>short</p>"), name="s")
        pages = {"A": f"<p>long</p>{named}{TestTasks.STORAGE}"}
        excerpt = macro(
            "excerpt-include", **{"": '<ac:link><ri:page ri:content-title="A"/></ac:link>', "name": "s"}
        )
        found = self.convert(excerpt + self.include("A"), pages)
        assert found.markdown.startswith("short\n\nlong\n\nshort\n\n- [x]")
        assert found.includes == (Include("A", None, "s", True), Include("A", None, None, True))
        assert found.tasks == ()

    def test_loop_is_shown_once(self) -> None:
        found = self.convert(
            self.include("A"), {"A": "<p>a</p>" + self.include("B"), "B": "<p>b</p>" + self.include("A")}
        )
        assert found.markdown == "a\n\nb\n\n*Shows the page “A”*"
        assert "includes itself" in found.warnings[0]

    def test_depth_and_number_are_bounded(self) -> None:
        chain = {str(n): f"<p>p{n}</p>" + self.include(str(n + 1)) for n in range(100)}
        assert self.convert(self.include("0"), chain).markdown.split("\n\n")[-1] == "*Shows the page “5”*"
        fan = {str(n): self.include(str(n + 1)) * 9 for n in range(100)}
        assert len(self.convert(self.include("0"), fan).includes) <= 1 + 100 * 9

    def test_unresolved_keeps_its_name(self) -> None:
        found = self.convert(self.include("Lost"), {})
        assert found.markdown == "*Shows the page “Lost”*"
        assert found.includes == (Include("Lost", None, None, False),)


def test_findings_of_a_page() -> None:
    found = to_markdown(
        '<h1>Top <ac:structured-macro ac:name="anchor"><ac:parameter ac:name="">t</ac:parameter></ac:structured-macro></h1>'
        "<h2>Open  points</h2>"
        '<p><a href="https://x.atlassian.net/browse/IMP-3">fix</a> <a href="#t">up</a>'
        '<ac:link><ri:attachment ri:filename="a.pdf"/></ac:link>'
        '<ac:link><ri:space ri:space-key="OPS"/></ac:link>'
        '<ac:link><ri:blog-post ri:content-title="News" ri:posting-day="2026/01/02"/></ac:link></p>'
        "<p><ac:placeholder>Type here</ac:placeholder></p>"
    )
    assert [(h.level, h.text, h.anchor) for h in found.headings] == [
        (1, "Top", "t"),
        (2, "Open points", "Open-points"),
    ]
    assert [(link.kind, link.target) for link in found.links] == [
        ("jira", "IMP-3"), ("anchor", "t"), ("attachment", "a.pdf"), ("space", "OPS"), ("blog", "News"),
    ]  # fmt: skip
    assert found.links[1] == Link("anchor", "t", "up", url="#t")
    assert found.attachments == ("a.pdf",)
    assert "Type here" not in found.markdown
    assert "1 instructions" in found.warnings[0]


def test_excerpt_is_found_by_name() -> None:
    storage = macro("excerpt", rich("<p>first</p>")) + macro("excerpt", rich("second"), name="Two")
    assert find_excerpt(storage) == "<p>first</p>"
    assert find_excerpt(storage, "two") == "second"
    assert find_excerpt(storage, "three") is None


def test_too_long_a_page_is_cut_with_a_warning() -> None:
    found = to_markdown("<p>abc</p>" * 10, max_chars=25)
    assert found.markdown.startswith("abc\n\nabc")
    assert "too long" in found.warnings[0]
