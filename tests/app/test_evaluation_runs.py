"""Runs are kept, found again, compared fairly and shown on one page; bad question files are named by line."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from app import evaluation_runs
from app.evaluation_report import report
from app.svg_charts import histogram, line_chart
from core.errors import BadInput, NotFound
from core.settings import load_settings
from workers.own_questions import read_questions


def row(question: str, rank: int | None, **more: Any) -> dict[str, Any]:
    hit = {"title": "<b>Kiln</b>", "place": "p", "text": "Coils & <script>alert(1)</script>", "score": 1.0}
    return {
        "question": question, "expected": ["Kiln"], "rank": rank, "is_ranked": True, "is_answerable": True, "answer": None,
        "confidence": 0.5, "hits": [hit], "search_s": 0.01, "answer_s": 0.03, **more,
    }  # fmt: skip


def save(
    folder: Path, ranks: list[int | None], kind: str = "questions", **figures: Any
) -> evaluation_runs.Run:
    path = folder / "set.jsonl"
    path.write_text("{}")
    rows = [row(f"q{at}", rank) for at, rank in enumerate(ranks)]
    return evaluation_runs.save(folder / "runs", kind, path, {"IMP_EMBEDDER": "m"}, figures, rows)


def test_a_run_is_found_by_id_by_age_and_by_file(tmp_path: Path) -> None:
    first, second = save(tmp_path, [1], hit_at_5=1.0), save(tmp_path, [None], hit_at_5=0.0)
    folder = tmp_path / "runs"
    assert first.id != second.id
    assert evaluation_runs.load(folder, "last") == second and evaluation_runs.load(folder, "last~1") == first
    assert evaluation_runs.load(folder, first.id) == evaluation_runs.load(
        folder, str(folder / f"{first.id}.json")
    )
    assert [run.id for run in evaluation_runs.saved(folder)] == [second.id, first.id]
    with pytest.raises(NotFound, match=first.id):
        evaluation_runs.load(folder, "last~2")
    (folder / "broken.json").write_text("[]")
    with pytest.raises(BadInput, match="broken"):
        evaluation_runs.load(folder, "broken")


def test_a_difference_comes_with_its_interval(tmp_path: Path) -> None:
    before = save(tmp_path, [None] * 20 + [1] * 20, hit_at_5=0.5)
    after = save(tmp_path, [1] * 40, hit_at_5=1.0)
    by_name = {one["figure"]: one for one in evaluation_runs.compare(before, after)}
    assert by_name["hit_at_5"]["difference"] == 0.5
    hits = by_name["hit_at_5 a question"]
    assert (hits["better"], hits["worse"]) == (20, 0) and 0 < hits["low"] < 0.5 < hits["high"] < 1
    same = {one["figure"]: one for one in evaluation_runs.compare(before, before)}
    assert same["reciprocal_rank a question"]["low"] == same["reciprocal_rank a question"]["high"] == 0
    with pytest.raises(BadInput, match="different questions"):
        evaluation_runs.compare(before, save(tmp_path, [1]))


def test_settings_of_a_run_hold_models_and_no_secret() -> None:
    shown = evaluation_runs.engine_settings(
        load_settings(imp_embedder="ours", imp_engine_api_key="hush", database_url="postgresql://u:hush@h/d")
    )
    assert shown["IMP_EMBEDDER"] == "ours" and shown["version"]
    assert "hush" not in json.dumps(shown, default=str)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)


def test_the_page_shows_curves_and_the_worst_questions_and_runs_nothing(tmp_path: Path) -> None:
    run = save(tmp_path, [1, 3, None, 12], hit_at_5=0.5)
    refused = row(
        "no answer anywhere", None, is_ranked=False, is_answerable=False, answer="Made up.", confidence=0.7
    )
    run.rows.append(refused)
    html = report([run, save(tmp_path, [1, 1, 1, 1], hit_at_5=1.0)])
    tags = _Tags()
    tags.feed(html)
    assert tags.found.count("svg") == 4 and "script" not in tags.found and "b" in tags.found
    assert html.index("q2") < html.index("q3") < html.index("q1"), "worst first"
    assert (
        "&lt;script&gt;" in html
        and "Made up." in html
        and "http" not in html.replace("http://www.w3.org", "")
    )
    assert report([save(tmp_path, [])])


def test_charts_stand_empty_and_single_values() -> None:
    for chart in (line_chart({}, x="x", y="y"), line_chart({"a": [(1, 1)]}, x="x", y="y", is_log=True),
                  histogram([], x="x", y="y"), histogram([0.0], x="x", y="y")):  # fmt: skip
        assert chart.startswith("<svg") and "nan" not in chart


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: the line: "),
        ('{"question": "x"}', "line 2: question: .*at least 3"),
        (
            '{"query": "who is it?"}',
            r"line 2: (question: Field required|query: ).*fields: question, documents",
        ),
        ('{"question": "who is it?", "documents": 3}', "line 2: documents"),
    ],
)
def test_a_bad_line_is_named_with_what_is_wrong(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(f'{{"question": "Who is it?"}}\n{line}\n')
    with pytest.raises(BadInput, match=says):
        read_questions(path)


def test_a_file_of_questions_is_read_forgivingly_where_it_may(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(
        '\ufeff{"question": "Who is it?", "documents": "Kiln", "as": "a@b.c"}\n\n', encoding="utf-8"
    )
    [only] = read_questions(path)
    assert (only.documents, only.as_email, only.is_answerable) == (("Kiln",), "a@b.c", True)
    for content, says in ((b"\n", "holds no question"), (b"\xff\xfe\x00", "not UTF-8")):
        path.write_bytes(content)
        with pytest.raises(BadInput, match=says):
            read_questions(path)
    with pytest.raises(BadInput, match="cannot be read"):
        read_questions(tmp_path / "missing.jsonl")
