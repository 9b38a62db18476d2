"""A monotone curve through measured points."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

Point = tuple[float, float]


def frontier(points: Sequence[Point]) -> list[Point]:
    """Return the points (score, cost) that no other beats in both, by rising score."""
    best: list[Point] = []
    for score, cost in sorted(points, key=lambda point: (point[1], -point[0])):
        if not best or score > best[-1][0]:
            best.append((score, cost))
    return best


def at(points: Sequence[Point], x: float) -> float | None:
    """Return the value at ``x`` of the monotone cubic curve through points of rising x and y.

    It is that of Fritsch and Carlson, without overshoot. None beyond the points.
    """
    if len(points) < 2 or not points[0][0] <= x <= points[-1][0]:
        return None
    slopes = _slopes(points)
    index = next(i for i in range(len(points) - 1) if x <= points[i + 1][0])
    (x0, y0), (x1, y1) = points[index : index + 2]
    width = x1 - x0
    t = (x - x0) / width
    return (
        (1 + 2 * t) * (1 - t) ** 2 * y0
        + t * (1 - t) ** 2 * width * slopes[index]
        + t * t * (3 - 2 * t) * y1
        + t * t * (t - 1) * width * slopes[index + 1]
    )


def _slopes(points: Sequence[Point]) -> list[float]:
    """Return the slopes at the points: weighted harmonic means of those beside them."""
    widths = [x1 - x0 for (x0, _), (x1, _) in pairwise(points)]
    secants = [(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in pairwise(points)]
    slopes = [secants[0]]
    for (h0, h1), (d0, d1) in zip(pairwise(widths), pairwise(secants), strict=True):
        if d0 <= 0 or d1 <= 0:
            slopes.append(0.0)
        else:
            slopes.append(3 * (h0 + h1) / ((2 * h1 + h0) / d0 + (h1 + 2 * h0) / d1))
    return [*slopes, secants[-1]]
