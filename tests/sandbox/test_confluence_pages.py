"""What a person sees in a browser: rendering, permissions of the chosen pair of eyes, ticking, editing."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from bs4 import BeautifulSoup

from sandbox.confluence.process import ConfluenceSandbox
from sandbox.confluence.render import Rendering
from sandbox.confluence.seed import SeedError, load_company, load_folder
from sandbox.confluence.storage import is_well_formed, plain, tick
from sandbox.confluence.store import Store
from tests.sandbox.confluence_company import ADMIN, ANN, BOB, company

RICH = """
<h2>Plan</h2><h2>Plan</h2><ac:structured-macro ac:name="toc"/>
<p><ac:link><ri:user ri:account-id="acc-ann"/></ac:link> see <ac:link><ri:page ri:content-title="Runbook"/></ac:link>
and <ac:link><ri:page ri:content-title="Nowhere"/><ac:plain-text-link-body><![CDATA[gone]]></ac:plain-text-link-body></ac:link></p>
<ac:structured-macro ac:name="warning"><ac:parameter ac:name="title">Mind</ac:parameter>
<ac:rich-text-body><p>the gap</p></ac:rich-text-body></ac:structured-macro>
<ac:structured-macro ac:name="code"><ac:parameter ac:name="language">py</ac:parameter>
<ac:plain-text-body><![CDATA[if a < b: pass]]></ac:plain-text-body></ac:structured-macro>
<ac:structured-macro ac:name="status"><ac:parameter ac:name="colour">Green</ac:parameter>
<ac:parameter ac:name="title">Done</ac:parameter></ac:structured-macro>
<ac:structured-macro ac:name="expand"><ac:parameter ac:name="title">More</ac:parameter>
<ac:rich-text-body><p>inside</p></ac:rich-text-body></ac:structured-macro>
<ac:adf-extension><ac:adf-node type="decision-list"><ac:adf-node type="decision-item">
<ac:adf-attribute key="state">DECIDED</ac:adf-attribute><ac:adf-content>We go</ac:adf-content></ac:adf-node></ac:adf-node>
<ac:adf-fallback><ul><li>We go</li></ul></ac:adf-fallback></ac:adf-extension>
<ac:image ac:alt="a plan"><ri:attachment ri:filename="plan.png"/></ac:image>
<ac:structured-macro ac:name="made-up"><ac:rich-text-body><p>kept</p></ac:rich-text-body></ac:structured-macro>
<ac:placeholder>type here</ac:placeholder><script>alert(1)</script><a href="javascript:alert(1)" onclick="x()">bad</a>
"""


@pytest.fixture
def store() -> Store:
    made = Store()
    load_company(made, company())
    return made


def read(text: str) -> BeautifulSoup:
    return BeautifulSoup(text, "html.parser")


def drawn(store: Store, body: str) -> BeautifulSoup:
    return read(Rendering(store, store.content("1001")).html(body))


def test_rich_page_is_drawn(store: Store) -> None:
    page = drawn(store, RICH)
    assert [heading.get("id") for heading in page.select("h2")] == ["Plan", "Plan.1"]
    assert [link.get("href") for link in page.select(".toc a")] == ["#Plan", "#Plan.1"]
    assert page.select(".mention")[0].text == "@Ann Able"
    links = {link.text: link for link in page.select("a")}
    assert links["Runbook"].get("href") == "/wiki/spaces/ENG/pages/1002/Runbook"
    assert links["gone"].get("class") == ["missing"]
    assert page.select(".box.warning .box-title")[0].text == "Mind"
    assert page.select("pre code")[0].text == "if a < b: pass"
    assert page.select(".status.green")[0].text == "Done"
    assert page.select("details summary")[0].text == "More"
    assert [item.text for item in page.select(".decision-list .decided")] == ["We go"]
    assert page.select("img")[0].get("src") == "/wiki/download/attachments/1001/plan.png"
    assert "kept" in page.text
    assert "type here" not in page.text


def test_nothing_in_a_page_runs(store: Store) -> None:
    page = drawn(store, RICH)
    assert page.select("script") == []
    assert "onclick" not in str(page)
    assert "javascript:" not in str(page)


def test_every_real_page_is_drawn_with_its_words(store: Store, shared_data: Callable[[str], Path]) -> None:
    """Whatever visible word a real storage body has (outside of parameters) is on the drawn page."""
    files = sorted(shared_data("atlassian/storage").glob("*/*.xml"))
    assert len(files) > 40
    for file in files:
        body = file.read_text()
        shown = drawn(store, body).text
        words = [word for word in plain(body).split() if word.isalpha() and len(word) > 3]
        missing = [word for word in words if word not in shown]
        assert len(missing) <= len(words) // 20, (file.name, missing[:10])


def test_include_rings_come_to_an_end(store: Store) -> None:
    ring = '<ac:structured-macro ac:name="include"><ac:parameter ac:name=""><ac:link><ri:page ri:content-title="{}"/></ac:link></ac:parameter></ac:structured-macro>'
    store.run("UPDATE content SET body = ? WHERE id = '1002'", ring.format("Home"))
    store.run("UPDATE content SET body = ? WHERE id = '1001'", ring.format("Runbook"))
    assert len(Rendering(store, store.content("1001")).html(store.content("1001").body)) < 1000


@pytest.mark.parametrize(
    ("body", "good"),
    [
        ("<p>a &amp; b&nbsp;&eacute;</p>", True),
        ("plain", True),
        ("<p>", False),
        ("<p>a & b</p>", False),
        ("", True),
    ],
)
def test_well_formedness(body: str, good: bool) -> None:
    assert is_well_formed(body) is good


def test_tick_touches_one_task_only() -> None:
    task = "<ac:task><ac:task-id>{}</ac:task-id><ac:task-status>incomplete</ac:task-status><ac:task-body>x</ac:task-body></ac:task>"
    body = task.format(1) + task.format(11)
    ticked = tick(body, "1", True)
    assert ticked.count("<ac:task-status>complete<") == 1
    assert tick(ticked, "1", False) == body
    assert tick(body, "7", True) == body


def see(sandbox: ConfluenceSandbox, path: str, who: str) -> requests.Response:
    return requests.get(f"{sandbox.url}{path}", cookies={"view_as": who}, timeout=10)


def test_view_as_respects_permissions(confluence_sandbox: ConfluenceSandbox) -> None:
    salaries = "/wiki/spaces/ENG/pages/1003/Salaries"
    assert "Restricted" in see(confluence_sandbox, salaries, ANN).text
    hidden = see(confluence_sandbox, salaries, BOB)
    assert hidden.status_code == 404
    assert "anchor" not in hidden.text
    home = see(confluence_sandbox, "/", BOB).text
    assert "Engineering" in home
    assert "Secrets" not in home
    tree = read(see(confluence_sandbox, "/wiki/spaces/ENG/pages/1002", BOB).text).select(".tree a")
    assert [one.text.strip("▸ ") for one in tree] == ["Home", "Runbook", "Shelf", "On the shelf"]
    assert see(confluence_sandbox, "/search?q=anchor", "anonymous").text.count('class="hit"') == 1


def test_states_of_a_page_are_told(confluence_sandbox: ConfluenceSandbox) -> None:
    assert "Archived." in see(confluence_sandbox, "/pages/viewpage.action?pageId=1005", ADMIN).text
    assert "In the trash." in see(confluence_sandbox, "/spaces/ENG/pages/1006", ADMIN).text
    page = read(see(confluence_sandbox, "/spaces/ENG/pages/1002", ADMIN).text)
    assert [one.text for one in page.select(".labels span")] == ["howto", "ops"]


def test_ticking_a_box_writes_a_version(confluence_sandbox: ConfluenceSandbox) -> None:
    url = f"{confluence_sandbox.url}/tick/1002/1?done=true"
    assert requests.post(url, cookies={"view_as": BOB}, timeout=10).json() == {"version": 2}
    page = read(see(confluence_sandbox, "/spaces/ENG/pages/1002", BOB).text)
    assert page.select("input[data-task='1']")[0].get("checked") is not None
    confluence_sandbox.restrict("1002", f"user:{ANN}", operation="update")
    assert requests.post(url, cookies={"view_as": BOB}, timeout=10).status_code == 403


def test_edit_form_saves_refuses_and_notices_conflicts(confluence_sandbox: ConfluenceSandbox) -> None:
    url = f"{confluence_sandbox.url}/edit/1002"
    form = {"title": "Runbook", "body": "<p>by hand</p>", "version": "1"}
    saved = requests.post(url, data=form, cookies={"view_as": BOB}, timeout=10)
    assert "by hand" in saved.text
    assert "version 2" in saved.text
    stale = requests.post(url, data=form, cookies={"view_as": BOB}, timeout=10)
    assert (stale.status_code, "Not saved." in stale.text) == (409, True)
    broken = requests.post(url, data=form | {"body": "<p>"}, cookies={"view_as": BOB}, timeout=10)
    assert (broken.status_code, "Not saved." in broken.text) == (400, True)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"pages": [{"id": "x", "space": "ENG", "title": "t", "author": ANN}]}, "pages.0.id"),
        ({"spaces": [{"key": "Z", "name": "Z", "permissions": ["group:nobody"]}]}, "unknown principal"),
        ({"pages": [{"id": "9", "space": "ENG", "title": "t", "author": ANN, "parent": "None such"}]}, "no parent titled"),
        ({"pages": [{"id": "9", "space": "ENG", "title": "t", "author": "who"}]}, "unknown author"),
        ({"pages": [{"id": "9", "space": "ENG", "title": "t", "author": ANN, "file": "../x"}]}, "lies outside"),
    ],
)  # fmt: skip
def test_bad_seeds_say_what_is_wrong(
    store: Store, tmp_path: Path, change: dict[str, object], told: str
) -> None:
    with pytest.raises(SeedError, match=told):
        load_company(store, change, tmp_path)


def test_a_bad_seed_leaves_nothing_behind(store: Store, tmp_path: Path) -> None:
    before = store.counts()
    bad = {
        "spaces": [{"key": "Z", "name": "Z"}],
        "pages": [{"id": "9", "space": "Z", "title": "t", "author": "who"}],
    }
    with pytest.raises(SeedError):
        load_company(store, bad)
    assert store.counts() == before


def test_the_seed_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.xml").write_text("<p>see {{id:B}}</p>")
    pages = [
        {"id": "5", "space": "S", "title": "B", "parent": "A", "author": "x", "body": "", "status": "draft"},
        {
            "id": "4",
            "space": "S",
            "title": "A",
            "file": "pages/a.xml",
            "author": "x",
            "updated": "2026-01-01",
        },
    ]
    people = [{"account_id": "x", "username": "x", "name": "X", "slack_id": "U1"}]
    seed = {
        "people": people,
        "spaces": [{"key": "S", "name": "S"}],
        "pages": pages,
        "slack": {"any": "thing"},
    }
    (tmp_path / "company.yaml").write_text(json.dumps(seed))
    made = Store()
    load_folder(made, tmp_path)
    assert made.content("4").body == "<p>see 5</p>"
    assert made.content("4").updated == "2026-01-01T00:00:00.000Z"
    assert (made.content("5").parent_id, made.space("S").homepage_id) == ("4", "4")
