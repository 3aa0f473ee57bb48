"""How far a job is, in words: the same in the terminal, in Slack and on the dashboard. Knows no job."""

import time
from collections.abc import Mapping
from typing import Any


def progress_words(progress: Mapping[str, Any], *, spent_s: float | None) -> str:
    """`12:30 of 1:02:00 heard, about 5 min left`, `3 of 10 files`.

    Args:
        progress: `done`, `total` (None where unknown), `unit`; `before` is what an earlier run had done and `since`
            (epoch seconds) when this one began with it, `file` which of several files it is.
        spent_s: how long the present run has worked; None gives no estimate.
    """
    done, total, unit = float(progress["done"]), progress.get("total"), str(progress["unit"])
    shown = clock if unit.startswith("s ") else _plain
    words = f"{shown(done)} of {shown(float(total))}" if total else shown(done)
    words += f" {unit.removeprefix('s ')}"
    if progress.get("file"):
        words += f" (file {progress['file']})"
    left = time_left(progress, spent_s=spent_s)
    return f"{words}, about {left} left" if left else words


def time_left(progress: Mapping[str, Any], *, spent_s: float | None) -> str:
    """`40 s`, `5 min`, `1 h 20 min`; empty where nothing can be said yet, or nothing is left."""
    done, total = float(progress["done"]), progress.get("total")
    if progress.get("since"):
        spent_s = time.time() - float(progress["since"])
    done_now = done - float(progress.get("before") or 0.0)
    if not total or spent_s is None or spent_s <= 0 or done_now <= 0 or float(total) <= done:
        return ""
    left_s = spent_s * (float(total) - done) / done_now
    if left_s < 90:
        return f"{left_s:.0f} s"
    minutes = round(left_s / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def clock(seconds: float) -> str:
    """`0:05`, `12:30`, `1:02:00`."""
    minutes, second = divmod(int(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"


def _plain(number: float) -> str:
    return f"{number:g}"
