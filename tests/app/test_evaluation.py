"""`imp eval` on sets made here: real database, real jobs, the embedder of the tests; lines as outside scorers read them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app import evaluation
from core.db import make_engine, make_session_factory
from core.doorbell import SilentBell
from core.errors import BadInput
from core.settings import load_settings
from rag.embedding import HashedWordsEmbedder
from workers.context import Context

KILN = [
    ("Ann", "Let us talk about the kiln in the basement today."),
    ("Bob", "The kiln needs new heating coils, the old coils are broken."),
    ("Ann", "Yeah."),
    ("Ann", "We will order the heating coils from the supplier in Leeds."),
]
ORCHARD = [
    ("Cid", "The orchard has two hundred apple trees."),
    ("Dora", "Frost killed the blossoms of the apple trees in April."),
    ("Cid", "We decided to buy frost candles for the orchard before next spring."),
]


def qmsum_meeting(turns: list[tuple[str, str]], query: str, first: int, last: int) -> str:
    return json.dumps(
        {
            "meeting_transcripts": [{"speaker": speaker, "content": said} for speaker, said in turns],
            "specific_query_list": [
                {"query": query, "answer": "", "relevant_text_span": [[str(first), str(last)]]}
            ],
        }
    )


@pytest.fixture
def meetings(tmp_path: Path) -> Path:
    folder = tmp_path / "set" / "val"
    folder.mkdir(parents=True)
    (folder / "kiln.json").write_text(qmsum_meeting(KILN, "Which heating coils are broken?", 1, 1))
    (folder / "orchard.json").write_text(
        qmsum_meeting(ORCHARD, "What did frost do to the apple trees?", 1, 1)
    )
    return folder


@pytest.fixture(autouse=True)
def _own_database(monkeypatch: pytest.MonkeyPatch, fresh_database_url: str, tmp_path: Path) -> Iterator[None]:
    """The tests' server in place of a server of its own, which takes seconds to start."""
    engine = make_engine(fresh_database_url)

    @contextmanager
    def context(**overrides: Any) -> Iterator[Context]:
        settings = load_settings(database_url=fresh_database_url, imp_home=tmp_path / "home", **overrides)
        made = Context(settings, make_session_factory(engine), SilentBell())
        made.embedder = HashedWordsEmbedder()
        yield made

    monkeypatch.setattr(evaluation, "temporary_context", context)
    yield
    engine.dispose()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_qmsum_lines_hold_hits_context_and_citations(meetings: Path, tmp_path: Path) -> None:
    dump = tmp_path / "lines.jsonl"
    figures = evaluation.qmsum(meetings, dump)
    kiln, orchard = lines(dump)
    assert kiln.keys() == {"meeting", "query", "hits", "context", "answer", "citations"}
    assert (kiln["meeting"], kiln["query"]) == ("kiln", "Which heating coils are broken?")
    assert kiln["hits"][0].keys() == {"meeting", "start_turn", "end_turn", "score", "text"}
    assert kiln["hits"][0]["meeting"] == "kiln" and "coils" in kiln["hits"][0]["text"]
    assert orchard["hits"][0]["meeting"] == "orchard"
    assert {"meeting": "kiln", "start_turn": 0, "end_turn": 3} in kiln["context"]
    for line in (kiln, orchard):
        assert (line["answer"] is None) == (not line["citations"])
        assert all(one["meeting"] == line["meeting"] for one in line["citations"])
    assert figures["hit_at_1"] == 1.0 and figures["n_queries"] == 2 and figures["turn_recall"] == 1.0


def test_queries_without_gold_turns_are_asked_all_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "test"
    folder.mkdir()
    held_back = json.loads(qmsum_meeting(KILN, "Who orders coils?", 0, 0))
    del held_back["specific_query_list"][0]["relevant_text_span"]
    (folder / "kiln.json").write_text(json.dumps(held_back))
    evaluation.qmsum(folder, tmp_path / "lines.jsonl")
    assert [line["query"] for line in lines(tmp_path / "lines.jsonl")] == ["Who orders coils?"]


def test_squad_lines_say_where_and_whether(tmp_path: Path) -> None:
    questions = [
        {"id": "a", "question": "How tall is the Gant tower?", "answers": [{"text": "90 metres"}], "is_impossible": False},
        {"id": "b", "question": "Zebra quantum yogurt?", "answers": [], "is_impossible": True},
    ]  # fmt: skip
    paragraphs = [
        {"context": "The harbour was dug in 1804.", "qas": []},
        {"context": "The Gant tower is 90 metres tall.", "qas": questions},
    ]
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": [{"title": "Gant_Town", "paragraphs": paragraphs}]}))
    figures = evaluation.squad(path, tmp_path / "lines.jsonl")
    tower, nonsense = lines(tmp_path / "lines.jsonl")
    assert tower.keys() == {"id", "hits", "answer", "refused", "confidence"}
    assert tower["hits"][0]["title"] == "Gant_Town" and tower["hits"][0]["paragraph"] == 1
    assert nonsense["refused"] and nonsense["answer"] is None
    assert figures["recall_at_1"] == 1.0 and figures["refused_right"] == 1.0


def test_minutes_lines_point_to_turns(meetings: Path, tmp_path: Path) -> None:
    evaluation.drafted_minutes(meetings, tmp_path / "lines.jsonl")
    kiln, orchard = lines(tmp_path / "lines.jsonl")
    assert (kiln["meeting"], orchard["meeting"]) == ("kiln", "orchard")
    assert any(line["section"] == "decision" for line in orchard["lines"])
    for one in orchard["lines"]:
        assert one.keys() == {"section", "text", "evidence", "support"}
        assert all(0 <= first <= last < len(ORCHARD) for first, last in one["evidence"])


@pytest.mark.parametrize("content", ['{"data": 3}', "no json", '{"data": [{"title": "x"}]}'])
def test_bad_squad_file_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(BadInput, match=r"bad\.json"):
        evaluation.squad(path, tmp_path / "lines.jsonl")


def test_empty_folder_and_unwritable_dump_are_said(meetings: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no meetings"):
        evaluation.qmsum(tmp_path / "nothing", tmp_path / "lines.jsonl")
    with pytest.raises(BadInput, match="cannot be written"):
        evaluation.qmsum(meetings, tmp_path / "no" / "such" / "lines.jsonl")


def test_a_temporary_database_is_made_on_the_installations_server_and_dropped(
    postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg
    from sqlalchemy import text

    from app.temporary_database import temporary_context

    def names() -> set[str]:
        with psycopg.connect(f"{postgres_server}/postgres") as admin:
            return {row[0] for row in admin.execute("SELECT datname FROM pg_database")}

    monkeypatch.setenv("DATABASE_URL", f"{postgres_server}/postgres")
    before = names()
    with temporary_context() as context, context.factory() as session:
        assert session.scalar(text("SELECT count(*) FROM documents")) == 0
        assert len(names() - before) == 1
    assert names() == before


def test_own_questions_are_asked_of_the_index_and_leave_no_trace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import text

    from app.commands import eval as commands
    from workers.evaluation_corpus import index, load_articles

    pages = [{"title": title, "paragraphs": [{"context": words, "qas": []}]} for title, words in (
        ("Gant_Town", "The Gant tower is 90 metres tall."), ("Harbour", "The harbour was dug in 1804 by hand."))]  # fmt: skip
    file = tmp_path / "questions.jsonl"
    file.write_text(
        '{"question": "How tall is the Gant tower?", "documents": "gant town", "answers": "90 metres"}\n'
        '{"question": "Zebra quantum yogurt?", "is_answerable": false}\n'
        '{"question": "When was the harbour dug?", "documents": ["http://127.0.0.1/1/0/", "elsewhere"]}\n'
    )
    with evaluation.temporary_context(imp_recordings_audience=("anyone",)) as context:
        load_articles(context, pages)
        index(context)
        rows: list[dict[str, Any]] = []
        figures = evaluation.own_questions(context, file, as_email=None, rows=rows)
        with context.factory() as session:
            assert session.scalar(text("SELECT count(*) FROM questions")) == 0
    assert (figures["n_questions"], figures["n_ranked"], figures["hit_at_1"], figures["refused_right"]) == (
        3,
        2,
        1.0,
        1.0,
    )
    assert rows[0]["is_answer_right"] and rows[1]["rank"] is None and rows[2]["rank"] == 1
    monkeypatch.setenv("IMP_HOME", str(tmp_path / "home"))
    for _ in range(2):
        commands._keep("questions", file, figures, rows, as_json=False)
    commands.compare("last~1", "last")
    commands.report(["last", "last~1"], out=tmp_path / "page.html")
    commands.list_runs()
    told = capsys.readouterr().out
    assert told.count("-questions") >= 4 and "hit_at_5 a question" in told.replace("\n", " ")
    assert "How tall is the Gant tower?" not in (tmp_path / "page.html").read_text(), (
        "found first: not among the worst"
    )
