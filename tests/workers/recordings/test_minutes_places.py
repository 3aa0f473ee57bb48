"""Where minutes go: the first rule that fits, clear words for a rule that cannot hold, and a look without writing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import Conflict, ImpError, NotConfigured, NotFound
from tests.workers.confluence_site import SERVICE_EMAIL, SERVICE_TOKEN, StandIn
from tests.workers.recordings.conftest import Studio
from tests.workers.recordings.test_publish_minutes import PARENT, Press
from workers.minutes_places import read_rules
from workers.publish_minutes import preview

RULES = """
- {title: "Weekly*", space: ENG, parent: "Engineering"}
- {title: "LAUNCH *", space: MTG, parent_label: minutes-home}
- {space: HB}
"""


@pytest.fixture
def press(make_studio: Callable[..., Studio], site: StandIn, tmp_path: Path) -> Press:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    studio = make_studio(
        confluence_url=site.url + "/wiki", confluence_username=SERVICE_EMAIL, confluence_api_token=SERVICE_TOKEN,
        confluence_minutes_space="MTG", confluence_minutes_rules=rules,
    )  # fmt: skip
    press = Press(studio.context)
    press.ready(site)
    return press


def test_the_first_rule_that_fits_places_the_page(press: Press) -> None:
    press.site.act(PARENT, "label", names=["minutes-home"])
    minutes_id = press.approve()
    seen = preview(press.context, minutes_id)
    assert (seen.space_key, seen.parent_id, seen.page_url) == ("MTG", PARENT, None)
    assert "rule 2" in seen.why
    assert press.pages() == [], "looking wrote nothing"
    press.run("publish_minutes")
    assert press.only_page()["ancestors"][-1]["id"] == PARENT
    again = preview(press.context, minutes_id)
    assert again.page_url
    assert not again.is_change


def test_a_label_nobody_or_two_carry_is_named(press: Press) -> None:
    minutes_id = press.approve()
    with pytest.raises(NotFound, match="minutes-home"):
        preview(press.context, minutes_id)
    press.site.act(PARENT, "label", names=["minutes-home"])
    other = press.site.add(space="MTG", title="Another home", body="<p>x</p>")
    press.site.act(other["id"], "label", names=["minutes-home"])
    with pytest.raises(Conflict, match=other["id"]):
        preview(press.context, minutes_id)
    assert press.pages() == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- {title: X}", "rule 1.space"),
        ("- {space: A}\n- {space: B, parnt: x}", "rule 2.parnt"),
        ("- {space: A, parent: x, parent_label: y}", "not both"),
        ("space: A", "list"),
        ("- {space: [", "cannot be read"),
    ],
)
def test_a_rule_that_cannot_hold_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    with pytest.raises(NotConfigured, match=says) as caught:
        read_rules(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImpError, match="absent.yaml"):
        read_rules(tmp_path / "absent.yaml")
