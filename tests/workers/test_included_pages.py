"""Include macros: text of other pages stands in a page only as long as everyone who reads it may read them."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.workers.conftest import Worker
from workers.included import name_key

ALICE, BOT = "user:5f2a11ce0c4d5e6f70819201", "user:5f2b07000c4d5e6f70819200"


def macro(title: str, space: str = "", name: str | None = None) -> str:
    kind = "include" if name is None else "excerpt-include"
    space_key = f' ri:space-key="{space}"' if space else ""
    named = f'<ac:parameter ac:name="name">{name}</ac:parameter>' if name else ""
    page = f'<ac:link><ri:page ri:content-title="{title}"{space_key} /></ac:link>'
    return (
        f'<ac:structured-macro ac:name="{kind}"><ac:parameter ac:name="">{page}</ac:parameter>{named}'
        "</ac:structured-macro>"
    )


def excerpt(name: str, words: str) -> str:
    return (
        f'<ac:structured-macro ac:name="excerpt"><ac:parameter ac:name="name">{name}</ac:parameter>'
        f"<ac:rich-text-body><p>{words}</p></ac:rich-text-body></ac:structured-macro>"
    )


class Pair:
    """A page that is included and one that includes it, synced."""

    def __init__(self, worker: Worker, inner: str = "<p>Kettles whistle.</p>", around: str = "") -> None:
        self.worker, site = worker, worker.site
        self.inner = site.add(space="ENG", title="Kettle facts", body=inner)["id"]
        body = f"<p>Facts:</p>{around or macro('Kettle facts')}"
        self.outer = site.add(space="ENG", title="All facts", body=body)["id"]
        worker.sync("full")

    def text(self) -> str:
        return str(self.worker.document(self.outer).markdown)

    def read(self, page_id: str) -> None:
        """One page read by a job, and nothing else: what follows from it stays in the queue."""
        self.worker.run("sync_page", f"{self.worker.source_id}:{page_id}", page_id=page_id)

    def waits(self) -> bool:
        statement = text("SELECT 1 FROM jobs WHERE kind = 'sync_page' AND state = 'queued' AND key LIKE :key")
        with self.worker.context.factory() as session:
            return session.execute(statement, {"key": f"%:{self.outer}"}).first() is not None


@pytest.mark.parametrize("flavour", ["cloud", "data_center"])
def test_an_included_page_is_read_where_it_stands(flavour: str, request: pytest.FixtureRequest) -> None:
    pair = Pair(request.getfixturevalue(flavour))
    assert "Kettles whistle." in pair.text()
    found = pair.worker.document(pair.outer)
    assert set(found.included) == {pair.inner, name_key("ENG", "Kettle facts")}
    assert pair.worker.doors(pair.outer) == {"space:ENG"}


def test_a_page_that_comes_later_is_shown_then(cloud: Worker) -> None:
    outer = cloud.site.add(space="ENG", title="All facts", body=macro("Kettle facts"))["id"]
    cloud.sync("full")
    assert "whistle" not in cloud.document(outer).markdown
    assert "Kettle facts" in cloud.document(outer).markdown
    inner = cloud.site.add(space="ENG", title="Kettle facts", body="<p>Kettles whistle.</p>")["id"]
    cloud.run("sync_page", f"{cloud.source_id}:{inner}", page_id=inner)
    cloud.drain()
    assert "Kettles whistle." in cloud.document(outer).markdown


def test_changed_text_follows(cloud: Worker) -> None:
    pair = Pair(cloud)
    cloud.site.edit(pair.inner, body="<p>Kettles sing.</p>")
    pair.read(pair.inner)
    assert pair.waits()
    cloud.drain()
    assert "Kettles sing." in pair.text()
    assert "whistle" not in pair.text()


def test_only_the_named_excerpt_is_shown(cloud: Worker) -> None:
    inner = "<p>Aside.</p>" + excerpt("short", "Kettles boil.") + excerpt("long", "Kettles boil water.")
    pair = Pair(cloud, inner, macro("Kettle facts", name="long"))
    assert "Kettles boil water." in pair.text()
    assert "Aside." not in pair.text()
    assert "Kettles boil.\n" not in pair.text()


def test_a_loop_is_shown_once_and_comes_to_rest(cloud: Worker) -> None:
    pair = Pair(cloud, "<p>Kettles whistle.</p>" + macro("All facts"))
    assert pair.text().count("Kettles whistle.") == 1
    assert cloud.drain() == 0
    cloud.site.edit(pair.inner, body="<p>Kettles sing.</p>" + macro("All facts"))
    pair.read(pair.inner)
    assert cloud.drain() < 6
    assert pair.text().count("Kettles sing.") == 1


def test_a_page_including_itself(cloud: Worker) -> None:
    page_id = cloud.site.add(space="ENG", title="Mirror", body="<p>Once.</p>" + macro("Mirror"))["id"]
    cloud.sync("full")
    assert cloud.document(page_id).markdown.count("Once.") == 1


def test_a_restricted_page_stays_a_name(cloud: Worker) -> None:
    site = cloud.site
    inner = site.add(space="ENG", title="Kettle facts", body="<p>Kettles whistle.</p>")["id"]
    site.act(inner, "restrict", principals=[ALICE, BOT])
    outer = site.add(space="ENG", title="All facts", body=macro("Kettle facts"))["id"]
    cloud.sync("full")
    cloud.drain()
    found = cloud.document(outer)
    assert "whistle" not in found.markdown
    assert "Kettle facts" in found.markdown
    assert inner not in found.included
    assert cloud.doors(outer) == {"space:ENG"}


def test_a_later_restriction_closes_at_once_and_takes_the_text_away(cloud: Worker) -> None:
    pair = Pair(cloud)
    cloud.site.act(pair.inner, "restrict", principals=[ALICE, BOT])
    cloud.run("refresh_gates", f"{cloud.source_id}:page:{pair.inner}", page_id=pair.inner)
    assert "whistle" in pair.text(), "not read again yet"
    assert cloud.doors(pair.outer) == {"space:ENG", f"page:{pair.inner}"}
    cloud.drain()
    assert "whistle" not in pair.text()
    assert cloud.doors(pair.outer) == {"space:ENG"}
    cloud.site.act(pair.inner, "restrict", principals=[])
    cloud.run("refresh_gates", f"{cloud.source_id}:page:{pair.inner}", page_id=pair.inner)
    assert cloud.doors(pair.inner) == {"space:ENG"}
    assert pair.waits()
    cloud.drain()
    assert "whistle" in pair.text(), "open again"


def test_a_look_at_the_doors_opens_nothing_that_still_shows_it(cloud: Worker) -> None:
    pair = Pair(cloud)
    cloud.site.act(pair.inner, "restrict", principals=[ALICE, BOT])
    cloud.run("sync_source", f"{cloud.source_id}:gates", mode="gates")
    if "whistle" in pair.text():
        assert f"page:{pair.inner}" in cloud.doors(pair.outer)
    cloud.drain()
    assert "whistle" not in pair.text()


@pytest.mark.parametrize("action", ["trash", "archive"])
def test_a_page_put_away_is_shown_to_nobody(cloud: Worker, action: str) -> None:
    pair = Pair(cloud)
    cloud.site.act(pair.inner, action)
    pair.read(pair.inner)
    assert cloud.document(pair.outer).gate_ids is None
    cloud.drain()
    assert "whistle" not in pair.text()
    assert cloud.doors(pair.outer) == {"space:ENG"}


def test_a_renamed_page_is_shown_where_it_is_named_so(cloud: Worker) -> None:
    pair = Pair(cloud)
    cloud.site.edit(pair.outer, body=macro("Kettle lore"))
    pair.read(pair.outer)
    assert "whistle" not in pair.text()
    cloud.site.edit(pair.inner, title="Kettle lore")
    pair.read(pair.inner)
    cloud.drain()
    assert "Kettles whistle." in pair.text()


def test_a_page_of_another_space_stays_a_name(cloud: Worker) -> None:
    site = cloud.site
    site.add(space="DOCS", title="Kettle facts", body="<p>Kettles whistle.</p>")
    outer = site.add(space="ENG", title="All facts", body=macro("Kettle facts", "DOCS"))["id"]
    cloud.sync("full")
    found = cloud.document(outer)
    assert "whistle" not in found.markdown
    assert found.included == [name_key("DOCS", "Kettle facts")]


def test_a_missing_page_stays_a_name(cloud: Worker) -> None:
    outer: Any = cloud.site.add(space="ENG", title="All facts", body=macro("Nowhere"))
    cloud.sync("full")
    assert "Nowhere" in cloud.document(outer["id"]).markdown


def test_a_second_sync_reads_nothing_again(cloud: Worker) -> None:
    pair = Pair(cloud)
    cloud.index_all()
    before = cloud.documents()
    outcome = cloud.sync("full")
    assert (outcome["added"], outcome["changed"], outcome["moved"]) == (0, 0, 0)
    assert cloud.documents() == before
    assert not pair.waits()
