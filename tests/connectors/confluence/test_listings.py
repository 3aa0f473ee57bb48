"""Going through listings whose servers count, cap and link in every way they do."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.confluence.facts import Batch, Position
from connectors.confluence.listings import batches, items
from connectors.confluence.refusals import MAX_PAUSE_S, retry_after_s
from core.errors import Unavailable

Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Server:
    """Answers `get` from a list of ids, in the way of `answer`."""

    def __init__(self, answer: Answer, *, is_cloud: bool = False) -> None:
        self.answer, self.is_cloud, self.n_asked = answer, is_cloud, 0

    def get(self, path: str, params: dict[str, Any], *, what: str, n_tries: int = 1) -> Any:
        self.n_asked += 1
        return self.answer(params)


def entries(*ids: int) -> list[dict[str, Any]]:
    return [{"id": str(one), "type": "page"} for one in ids]


def ids_of(some: list[Batch]) -> list[str]:
    return [str(one["id"]) for batch in some for one in batch.items]


def walk(server: Server, **more: Any) -> list[Batch]:
    return list(batches(server, "x", {}, what="things", limit=10, **more))  # type: ignore[arg-type]


def test_a_server_that_caps_the_limit_is_read_to_its_end() -> None:
    def answer(params: dict[str, Any]) -> dict[str, Any]:
        start = params["start"]
        found = list(range(start, min(start + 3, 8)))
        links = {"next": f"/x?start={start + 3}"} if start + 3 < 8 else {}
        return {"results": entries(*found), "limit": 3, "_links": links}

    assert ids_of(walk(Server(answer))) == [str(one) for one in range(8)]


def test_a_server_that_counts_start_by_the_asked_limit_loses_nothing() -> None:
    """It gives 3 at a time but links on by 10; nothing was filtered, so 10 would skip seven."""

    def answer(params: dict[str, Any]) -> dict[str, Any]:
        start = params["start"]
        found = list(range(start, min(start + 3, 8)))
        return {
            "results": entries(*found),
            "limit": 3,
            "_links": {"next": "/x?start=10"} if start + 3 < 8 else {},
        }

    assert ids_of(walk(Server(answer))) == [str(one) for one in range(8)]


def test_a_server_that_filters_after_cutting_loses_nothing() -> None:
    def answer(params: dict[str, Any]) -> dict[str, Any]:
        start, limit = params["start"], params["limit"]
        window = [one for one in range(start, min(start + limit, 40)) if one % 10 >= 7]
        links = {"next": f"/x?start={start + limit}"} if start + limit < 40 else {}
        return {"results": entries(*window), "limit": limit, "_links": links}

    assert len(ids_of(walk(Server(answer)))) == 12


def test_a_next_link_without_results_ends_the_listing_and_is_not_trusted() -> None:
    def answer(params: dict[str, Any]) -> dict[str, Any]:
        first = params["start"] == 0
        return {"results": entries(1, 2) if first else [], "_links": {"next": "/x?start=2"}}

    found = walk(Server(answer))
    assert ids_of(found) == ["1", "2"]
    assert not found[-1].is_whole
    with pytest.raises(Unavailable, match="broke off"):
        items(Server(answer), "x", what="things", limit=10)  # type: ignore[arg-type]


def test_a_server_that_repeats_itself_is_left() -> None:
    server = Server(lambda params: {"results": entries(1, 2), "_links": {"next": "/x?start=0"}})
    found = walk(server)
    assert ids_of(found) == ["1", "2"]
    assert not found[-1].is_whole
    assert server.n_asked == 2


def test_a_listing_without_next_is_looked_after_once_more() -> None:
    def answer(params: dict[str, Any]) -> dict[str, Any]:
        start = params["start"]
        return {"results": entries(*range(start, min(start + 10, 25)))}

    assert len(ids_of(walk(Server(answer)))) == 25


def test_cursors_are_followed() -> None:
    def answer(params: dict[str, Any]) -> dict[str, Any]:
        if params.get("cursor") == "abc":
            return {"results": entries(3)}
        return {"results": entries(1, 2), "_links": {"next": "/x?cursor=abc&start=2"}}

    found = walk(Server(answer, is_cloud=True))
    assert ids_of(found) == ["1", "2", "3"]
    assert found[0].following == Position(2, "abc")


def test_a_site_that_fails_altogether_is_unavailable_and_no_item_is_blamed() -> None:
    def answer(params: dict[str, Any]) -> dict[str, Any]:
        raise Unavailable("503")

    with pytest.raises(Unavailable):
        walk(Server(answer), light={"expand": "version"})


def test_one_bad_item_is_reported_and_the_rest_is_read() -> None:
    def answer(params: dict[str, Any]) -> dict[str, Any]:
        start, limit = params["start"], params["limit"]
        window = range(start, min(start + limit, 9))
        if 5 in window and "light" not in params:
            raise Unavailable("500")
        links = {"next": f"/x?start={start + limit}"} if start + limit < 9 else {}
        return {"results": entries(*window), "limit": limit, "_links": links}

    found = walk(Server(answer), light={"light": 1})
    assert ids_of(found) == ["0", "1", "2", "3", "4", "6", "7", "8"]
    assert [item.id for batch in found for item in batch.failed] == ["5"]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("-3", 0.0),
        ("1e9", MAX_PAUSE_S),
        ("inf", MAX_PAUSE_S),
        ("nan", None),
        ("soon", None),
        (None, None),
        ("Mon, 02 Nov 2026 10:00:30 GMT", 30.0),
        ("Mon, 02 Nov 2026 09:00:00 GMT", 0.0),
    ],
)
def test_retry_after_in_every_form(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, now=datetime(2026, 11, 2, 10, 0, tzinfo=UTC)) == seconds
