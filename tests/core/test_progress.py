"""Progress in words: seconds of sound as clocks, everything else as numbers, an estimate where there can be one."""

import time

import pytest

from core.progress import progress_words


@pytest.mark.parametrize(
    ("progress", "spent_s", "words"),
    [
        ({"done": 750, "total": 3720, "unit": "s heard"}, 75, "12:30 of 1:02:00 heard, about 5 min left"),
        ({"done": 10, "total": 20, "unit": "s heard"}, 4, "0:10 of 0:20 heard, about 4 s left"),
        ({"done": 60, "total": 21600, "unit": "s heard"}, 60, "1:00 of 6:00:00 heard, about 5 h 59 min left"),
        ({"done": 20, "total": 20, "unit": "s heard"}, 4, "0:20 of 0:20 heard"),
        ({"done": 3, "total": 10, "unit": "files"}, None, "3 of 10 files"),
        ({"done": 3, "total": None, "unit": "files fetched"}, 5, "3 files fetched"),
        ({"done": 0, "total": 9, "unit": "files"}, 5, "0 of 9 files"),
        (
            {"done": 80, "total": 100, "unit": "s heard", "before": 60},
            10,
            "1:20 of 1:40 heard, about 10 s left",
        ),
        (
            {"done": 5, "total": 6, "unit": "s heard", "file": "2 of 3"},
            None,
            "0:05 of 0:06 heard (file 2 of 3)",
        ),
    ],
)
def test_words(progress: dict[str, object], spent_s: float | None, words: str) -> None:
    assert progress_words(progress, spent_s=spent_s) == words


def test_a_second_file_is_timed_from_its_own_beginning() -> None:
    progress = {"done": 50, "total": 100, "unit": "s heard", "since": time.time() - 20}
    assert "about 20 s left" in progress_words(progress, spent_s=9999)
