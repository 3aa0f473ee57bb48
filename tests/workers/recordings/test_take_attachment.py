"""Audio and video attached to a page: one recording behind the page's doors, wherever those go."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import Unavailable
from tests.workers.conftest import Worker

PAGE = "210010"


@pytest.fixture
def film(make_sound: Callable[..., Path]) -> bytes:
    return make_sound("page.mp4", "-f", "lavfi", "-i", "sine=d=4", "-ar", "16000").read_bytes()


@pytest.fixture
def worker(cloud: Worker, tmp_path: Path) -> Worker:
    settings = cloud.context.settings.model_copy(update={"imp_home": tmp_path / "home"})
    cloud.context.settings = settings
    cloud.sync()
    return cloud


def _attach(worker: Worker, content: bytes, name: str = "rec.mp4", media_type: str = "video/mp4") -> None:
    worker.site.act(
        PAGE, "attach", filename=name, media_type=media_type, base64=base64.b64encode(content).decode()
    )
    worker.run("sync_page", f"{worker.source_id}:{PAGE}", page_id=PAGE)


def _take(worker: Worker) -> dict[str, object]:
    [job_id] = worker.waiting("take_attachment")
    return worker.run_job(job_id)


def _rows(worker: Worker, query: str) -> list[object]:
    from sqlalchemy import text

    with worker.context.factory.begin() as session:
        return list(session.execute(text(query)).all())


def test_a_film_on_a_page_is_heard_behind_its_doors(worker: Worker, film: bytes) -> None:
    _attach(worker, film)
    outcome = _take(worker)
    [row] = _rows(worker, "SELECT id, gate_ids, title, origin FROM recordings")
    page = worker.document(PAGE)
    assert (row.id, row.gate_ids) == (outcome["recording_id"], page.gate_ids)  # type: ignore[attr-defined]
    assert row.title == page.title  # type: ignore[attr-defined]
    worker.run("sync_page", f"{worker.source_id}:{PAGE}", page_id=PAGE)
    assert worker.waiting("take_attachment") == []


def test_the_doors_follow_the_page(worker: Worker, film: bytes) -> None:
    from core.access import set_gate
    from workers.take_attachment import follow_pages

    _attach(worker, film)
    _take(worker)
    with worker.context.factory.begin() as session:
        from sqlalchemy import text

        narrow = set_gate(session, worker.source_id, "page:narrow", ["user:nobody"])
        session.execute(
            text("UPDATE documents SET gate_ids = gate_ids || :gate WHERE title = 'rec.mp4'"),
            {"gate": narrow},
        )
        follow_pages(session)
    [row] = _rows(worker, "SELECT gate_ids FROM recordings")
    assert narrow in row.gate_ids  # type: ignore[attr-defined]


def test_unknown_doors_keep_it_out_and_no_media_is_said(worker: Worker, film: bytes) -> None:
    _attach(worker, b"not really a film" * 9)
    assert "rec.mp4: the file is cut off" in str(_take(worker)["why"])
    [row] = _rows(worker, "SELECT error FROM documents WHERE title = 'rec.mp4'")
    assert "the file is cut off" in row.error  # type: ignore[attr-defined]
    _attach(worker, film, "other.mp4")
    _rows(worker, "UPDATE documents SET gate_ids = NULL WHERE title = 'other.mp4' RETURNING 1")
    with pytest.raises(Unavailable):
        _take(worker)
    assert _rows(worker, "SELECT 1 FROM recordings") == []


def test_switched_off_nothing_is_taken(worker: Worker, film: bytes) -> None:
    worker.context.settings = worker.context.settings.model_copy(update={"confluence_recordings": False})
    _attach(worker, film)
    assert worker.waiting("take_attachment") == []
