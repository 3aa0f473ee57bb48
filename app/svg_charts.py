"""Line and bar charts as inline SVG, for reports that are one file; knows no figure's meaning."""

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 300, 56, 44, 16, 150
COLOURS = ("#1f6feb", "#d1661d", "#2da44e", "#8250df", "#bf3989", "#57606a")

Points = Sequence[tuple[float, float]]


def line_chart(
    series: Mapping[str, Points], *, x: str, y: str, is_log: bool = False, y_max: float | None = None
) -> str:
    """Lines over a common axis, with a dot a point and the name beside the last one.

    Args:
        is_log: both axes logarithmic; all values must be above 0.
    """
    scale = math.log10 if is_log else float
    xs = [scale(px) for points in series.values() for px, _ in points] or [0.0]
    ys = [scale(py) for points in series.values() for _, py in points] or [0.0]
    low_y = math.floor(min(ys)) if is_log else min(0.0, *ys)
    high_y = math.ceil(max(ys)) if is_log else (y_max if y_max is not None else max(ys) * 1.05 or 1.0)
    area = _Area(min(xs), max(xs), low_y, high_y if high_y > low_y else low_y + 1)
    parts = [area.frame(x, y, is_log=is_log)]
    for at, (name, points) in enumerate(series.items()):
        colour = COLOURS[at % len(COLOURS)]
        places = [area.place(scale(px), scale(py)) for px, py in points]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{colour}"><title>{escape(name)}: {vx:g}, {vy:.4g}</title></circle>'
            for (px, py), (vx, vy) in zip(places, points, strict=True)
        ]
        parts.append(
            f'<text x="{WIDTH - RIGHT + 10}" y="{TOP + 14 + 18 * at}" fill="{colour}">{escape(name)}</text>'
        )
    return _svg(parts, f"{y} over {x}")


def histogram(
    values: Sequence[float], *, x: str, y: str, n_bars: int = 30, marks: Mapping[str, float] | None = None
) -> str:
    """How often values fall into each of `n_bars` equal ranges, with named upright lines at `marks`."""
    if not values:
        return _svg(['<text x="20" y="40">nothing was measured</text>'], x)
    high = max(values) or 1.0
    counts = [0] * n_bars
    for value in values:
        counts[min(int(value / high * n_bars), n_bars - 1)] += 1
    area = _Area(0.0, high, 0.0, max(counts) * 1.05)
    parts = [area.frame(x, y, is_log=False)]
    for at, count in enumerate(counts):
        (x0, y0), (x1, y1) = area.place(at * high / n_bars, count), area.place((at + 1) * high / n_bars, 0)
        parts.append(
            f'<rect x="{x0:.1f}" y="{y0:.1f}" width="{max(x1 - x0 - 1, 1):.1f}" height="{y1 - y0:.1f}" fill="{COLOURS[0]}">'
            f"<title>{count}</title></rect>"
        )
    for at, (name, value) in enumerate((marks or {}).items()):
        px, _ = area.place(min(value, high), 0)
        parts.append(
            f'<line x1="{px:.1f}" x2="{px:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="{COLOURS[1]}" stroke-dasharray="4"/>'
            f'<text x="{WIDTH - RIGHT + 10}" y="{TOP + 14 + 18 * at}" fill="{COLOURS[1]}">{escape(name)}: {value:.4g}</text>'
        )
    return _svg(parts, f"{y} over {x}")


class _Area:
    """Values to places within the frame."""

    def __init__(self, low_x: float, high_x: float, low_y: float, high_y: float) -> None:
        self._x, self._y = (low_x, high_x if high_x > low_x else low_x + 1), (low_y, high_y)

    def place(self, x: float, y: float) -> tuple[float, float]:
        (x0, x1), (y0, y1) = self._x, self._y
        width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        return LEFT + (x - x0) / (x1 - x0) * width, HEIGHT - BOTTOM - (y - y0) / (y1 - y0) * height

    def frame(self, x: str, y: str, *, is_log: bool) -> str:
        parts = []
        for at in range(5):
            vy = self._y[0] + (self._y[1] - self._y[0]) * at / 4
            vx = self._x[0] + (self._x[1] - self._x[0]) * at / 4
            _, py = self.place(self._x[0], vy)
            px, _ = self.place(vx, self._y[0])
            shown_y, shown_x = (10**vy, 10**vx) if is_log else (vy, vx)
            parts.append(
                f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{py:.1f}" y2="{py:.1f}" stroke="#d0d7de"/>'
                f'<text x="{LEFT - 6}" y="{py + 4:.1f}" text-anchor="end">{_short(shown_y)}</text>'
                f'<text x="{px:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{_short(shown_x)}</text>'
            )
        middle = (LEFT + WIDTH - RIGHT) / 2
        parts.append(f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x)}</text>')
        parts.append(
            f'<text x="14" y="{HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 14 {HEIGHT / 2})">{escape(y)}</text>'
        )
        return "".join(parts)


def _short(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:.3g} M"
    return f"{value / 1e3:.3g} k" if value >= 10_000 else f"{value:.3g}"


def _svg(parts: Sequence[str], title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="12" fill="#24292f"><title>{escape(title)}</title>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>{"".join(parts)}</svg>'
    )
