"""The plots of the page: throughput of all tasks, and bytes against score of each lossy one."""

from __future__ import annotations

import math
import statistics

from comparison.results import OURS, Curve, Found, Row
from comparison.score import Metric
from comparison.svg import Axis, Drawing, log_ticks
from comparison.sweep import mean_scores

_COLORS = {
    OURS: "#e03131",
    "pyvips": "#228be6",
    "OpenCV": "#2f9e44",
    "Pillow": "#e8890c",
    "sharp": "#ae3ec9",
    "oxipng": "#0c9aa8",
    "imagequant": "#a0740f",
    "pngquant": "#e64980",
    "gifsicle": "#66a80f",
    "cwebp": "#748091",
    "avifenc": "#4c6ef5",
    "mozjpeg": "#228be6",
    "libjpeg-turbo": "#2f9e44",
}
_DASHES = ("", "7 3", "2 3", "9 3 2 3")
_WIDTH = 900.0
_LEGEND_PX = 250.0
_ROW_PX = 34.0
_THROUGHPUT = "Source megapixels per second; more is better; numbers are efforts"


def _color(library: str) -> str:
    return _COLORS.get(library, "#748091")


def throughput(found: list[Found], title: str = _THROUGHPUT) -> str:
    """Return a drawing with a line of dots for each task: megapixels per second, logarithmic."""
    top = 64.0
    bottom = top + _ROW_PX * len(found)
    drawing = Drawing(_WIDTH, bottom + 44, title)
    rates = [rate_of(task, row) for task in found for row in task.rows]
    low, high = min(rates) / 1.2, max(rates) * 1.2
    axis = Axis(low, high, 190, _WIDTH - 130, is_log=True)
    for tick in log_ticks(low, high):
        drawing.grid(axis(tick), top - 16, axis(tick), bottom)
        drawing.label(axis(tick), bottom + 18, f"{tick:g}", "middle")
    for number, task in enumerate(found):
        y = top + _ROW_PX * number
        drawing.label(16, y + 4, task.name)
        drawing.grid(190, y, _WIDTH - 130, y)
        for row in reversed(task.rows):  # Ours on top.
            rate = rate_of(task, row)
            told = f"{row.label}: {rate:.1f} MP/s"
            drawing.dot(axis(rate), y, _color(row.library), row.is_ours, told)
            if row.is_ours:
                drawing.label(axis(rate), y - 8, row.effort.removeprefix("effort "), "middle")
    names = list(dict.fromkeys(row.library for task in found for row in task.rows))
    for number, name in enumerate(names):
        drawing.dot(_WIDTH - 104, top + 20 * number, _color(name), name == OURS, name)
        drawing.label(_WIDTH - 90, top + 4 + 20 * number, name)
    return drawing.text()


def rate_of(task: Found, row: Row) -> float:
    """Return the median of source megapixels per second."""
    return task.round_megapixels / statistics.median(row.seconds)


def _bits_per_pixel(task: Found, curve: Curve) -> list[float]:
    """Return the geometric mean over the images at each quality."""
    pixels = task.sweep_megapixels * 1e6 / task.sweep_images
    return [8 * statistics.geometric_mean(sizes) / pixels for sizes in curve.sizes_bytes]


def _points(task: Found, row: Row, metric: Metric) -> list[tuple[float, float]]:
    """Return mean scores with bits per pixel, but for those far below any target."""
    if row.curve is None:
        return []
    scores = mean_scores(row.curve, metric.name)
    least = metric.targets[0] - (metric.targets[-1] - metric.targets[0]) / 2
    pairs = zip(scores, _bits_per_pixel(task, row.curve), strict=True)
    return [(score, bits) for score, bits in pairs if score >= least]


def bytes_against_score(task: Found, metric: Metric) -> str:
    """Return a drawing of the sweeps: bits per pixel, logarithmic, over the mean score."""
    curves = [(row, _points(task, row, metric)) for row in task.rows]
    height = max(460.0, 90 + 20 * len(curves))
    drawing = Drawing(
        _WIDTH, height, f"{task.name}: bits per pixel over {metric.name} (less is better)"
    )
    left, right, top, bottom = 60.0, _WIDTH - _LEGEND_PX, 44.0, height - 50
    scores = [score for _, points in curves for score, _ in points]
    bits = [value for _, points in curves for _, value in points]
    across = Axis(min(scores), max(scores), left, right)
    up = Axis(min(bits), max(bits), bottom, top, is_log=True)
    for tick in _even_ticks(min(scores), max(scores)):
        drawing.grid(across(tick), top, across(tick), bottom)
        drawing.label(across(tick), bottom + 18, f"{tick:g}", "middle")
    for tick in log_ticks(min(bits), max(bits)):
        drawing.grid(left, up(tick), right, up(tick))
        drawing.label(left - 8, up(tick) + 4, f"{tick:g}", "end")
    drawing.label((left + right) / 2, bottom + 38, f"mean {metric.name}", "middle")
    seen: dict[str, int] = {}
    for number, (row, points) in enumerate(curves):
        dash = _DASHES[min(seen.setdefault(row.library, 0), len(_DASHES) - 1)]
        seen[row.library] += 1
        places = [(across(score), up(value)) for score, value in points]
        drawing.line(places, _color(row.library), dash, row.label)
        y = top + 10 + 20 * number
        drawing.line([(right + 14, y), (right + 44, y)], _color(row.library), dash, row.label)
        drawing.label(right + 52, y + 4, row.label)
    return drawing.text()


def _even_ticks(low: float, high: float) -> list[float]:
    """Return about six round values in a range."""
    raw = (high - low) / 6 or 1.0
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    return [step * i for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
