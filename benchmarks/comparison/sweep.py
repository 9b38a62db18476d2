"""Bytes and scores of each contender over a range of qualities, and bytes at equal score."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor

from PIL import Image

from comparison import interpolation
from comparison.inputs import Blob
from comparison.libraries import Libraries
from comparison.results import Curve, Row
from comparison.score import METRICS, Metric
from comparison.tasks import Task

Scores = dict[str, float]

_NEAR = (0.97, 0.985, 1.0, 1.015, 1.03)  # Of a score.


def rgb(data: bytes) -> Image.Image:
    """Return what an encoded image shows."""
    with Image.open(io.BytesIO(data)) as image:
        whole = image.convert("RGBA") if image.has_transparency_data else image
        return whole.convert("RGB")


def _scores_of(names: Sequence[str], size: tuple[int, int], *pixels: bytes) -> Scores:
    reference, output = (Image.frombytes("RGB", size, each) for each in pixels)
    return {
        metric.name: metric.score(reference, output) for metric in METRICS if metric.name in names
    }


class Scorer:
    """Scores outputs in other processes, and equal pixels once."""

    def __init__(self, executor: ProcessPoolExecutor, metrics: Sequence[Metric]) -> None:
        self._executor = executor
        self._names = [metric.name for metric in metrics]
        self._known: dict[bytes, Future[Scores]] = {}

    def score(self, source: bytes, output: bytes) -> Future[Scores]:
        """Compare an output with its input, shrunk by Lanczos if the output is smaller."""
        reference, made = rgb(source), rgb(output)
        if made.size != reference.size:
            reference = reference.resize(made.size, Image.Resampling.LANCZOS)
        pixels = reference.tobytes(), made.tobytes()
        key = hashlib.sha256(b"".join(pixels)).digest()
        if key not in self._known:
            self._known[key] = self._executor.submit(_scores_of, self._names, made.size, *pixels)
        return self._known[key]


def sweep(
    libraries: Libraries, task: Task, rows: Sequence[Row], blobs: Sequence[Blob], scorer: Scorer
) -> None:
    """Give each row its curve."""
    data = [blob.data for blob in blobs]
    waiting: list[list[list[Future[Scores]]]] = []
    for row in rows:
        adapter = libraries.made[row.library]
        qualities = list(adapter.ladder(task.job))
        made = [adapter.run(libraries.job(task, row, each), data) for each in qualities]
        row.curve = Curve(qualities, [[len(output) for output in each] for each in made], {})
        waiting.append(
            [[scorer.score(*pair) for pair in zip(data, each, strict=True)] for each in made]
        )
    for row, futures in zip(rows, waiting, strict=True):
        scores = [[future.result() for future in each] for each in futures]
        assert row.curve is not None
        for name in scores[0][0]:
            row.curve.scores[name] = [[score[name] for score in each] for each in scores]


def bytes_at(curve: Curve, metric: str, score: float) -> list[float | None]:
    """Return each image's bytes at a score; None where the sweep does not reach it."""
    found: list[float | None] = []
    for image in range(len(curve.sizes_bytes[0])):
        points = [
            (scores[image], math.log(sizes[image]))
            for scores, sizes in zip(curve.scores[metric], curve.sizes_bytes, strict=True)
        ]
        value = interpolation.at(interpolation.frontier(points), score)
        found.append(None if value is None else math.exp(value))
    return found


def ratio(ours: Curve, peer: Curve, metric: str, score: float) -> tuple[float | None, int]:
    """Return the geometric mean of bytes at a score, ours over the peer's, and of how many images.

    Images at which one of the two does not reach the score do not count.
    """
    pairs = zip(bytes_at(ours, metric, score), bytes_at(peer, metric, score), strict=True)
    logs = [math.log(a / b) for a, b in pairs if a is not None and b is not None]
    return (math.exp(sum(logs) / len(logs)) if logs else None), len(logs)


def ratio_near(ours: Curve, peer: Curve, metric: str, score: float) -> tuple[float | None, int]:
    """Return what ``ratio`` does, each image's part being its mean over scores near ``score``.

    Curves are not smooth, most of all those of what was JPEG before, and depend on the qualities
    of the sweep; the mean evens that out a little.
    """
    found: list[list[float]] = [[] for _ in ours.sizes_bytes[0]]
    for part in _NEAR:
        at = (bytes_at(curve, metric, score * part) for curve in (ours, peer))
        for logs, a, b in zip(found, *at, strict=True):
            if a is not None and b is not None:
                logs.append(math.log(a / b))
    means = [sum(logs) / len(logs) for logs in found if logs]
    return (math.exp(sum(means) / len(means)) if means else None), len(means)


def part_of(curve: Curve, images: slice) -> Curve:
    """Return the curve of some of its images."""
    sizes = [row[images] for row in curve.sizes_bytes]
    scores = {name: [row[images] for row in rows] for name, rows in curve.scores.items()}
    return Curve(curve.qualities, sizes, scores)


def mean_scores(curve: Curve, metric: str) -> list[float]:
    """Return the mean over the images at each quality."""
    return [sum(each) / len(each) for each in curve.scores[metric]]


def matched_quality(curve: Curve, metric: str, score: float) -> int:
    """Return the quality whose mean score is nearest to ``score``, between those of the sweep."""
    means = mean_scores(curve, metric)
    points = interpolation.frontier(list(zip(means, map(float, curve.qualities), strict=True)))
    value = interpolation.at(points, score)
    if value is None:
        return min(zip(means, curve.qualities, strict=True), key=lambda p: abs(p[0] - score))[1]
    return round(value)
