"""Compare pixpress with its peers, and write the page of it: docs/comparison.md.

``python benchmarks/compare.py --photos F G --graphics F --animations F --out docs``
"""

from __future__ import annotations

import argparse
import datetime
import multiprocessing
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("VIPS_CONCURRENCY", "1")  # Read once, when libvips is loaded.

from comparison import machine, memory_growth, page, plot, sweep, throughput
from comparison.inputs import Inputs, find
from comparison.libraries import Libraries
from comparison.results import Found, Results, Row, load
from comparison.score import METRICS, Metric, chosen
from comparison.tasks import TASKS, Task

_BUSY = (
    "the machine had other work, so that throughput is rough, and better for whoever runs more "
    "threads; bytes and memory do not depend on it"
)
_SAMPLES = Path(__file__).parents[1] / "tests" / "data"


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    folder: dict[str, Any] = {"type": Path, "nargs": "+", "default": [_SAMPLES]}
    parser.add_argument("--photos", **folder, help="JPEG and PNG photographs")
    parser.add_argument("--graphics", **folder, help="PNG graphics")
    parser.add_argument("--animations", **folder, help="GIF files")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of comparison.md")
    parser.add_argument("--workers", type=int, default=2, help="threads of each contender")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=6, help="images of a sweep")
    parser.add_argument("--side", type=int, default=640, help="pixels of their longer side")
    parser.add_argument("--scale", type=float, default=1.0, help="of the megapixels of a round")
    parser.add_argument("--memory-megapixels", type=float, default=24)
    parser.add_argument("--libraries", nargs="+", help="only these contenders")
    parser.add_argument("--tasks", nargs="+", help="only tasks whose name has one of these words")
    parser.add_argument("--render", action="store_true", help="only write the page again")
    parser.add_argument("--quick", action="store_true", help="a smoke run; the figures say nothing")
    parser.set_defaults(round_side=1600)
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds, options.images, options.side, options.round_side = 1, 1, 96, 160
        options.scale, options.memory_megapixels = 0.02, 0.1
    return options


class Comparison:
    """A run: tasks one after the other, each swept, timed in rounds, and weighed."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self._options = options
        self._inputs = Inputs(
            find(options.photos, ".jpg", ".jpeg", ".png"),
            find(options.graphics, ".png"),
            find(options.animations, ".gif"),
            options.side,
            options.images,
            options.scale,
            options.round_side,
        )
        self._libraries = Libraries(options.workers, options.libraries)
        self._metrics: tuple[Metric, ...] = chosen(options.quick)
        self._large = memory_growth.LargeImages(self._inputs, options.memory_megapixels, folder)
        self._start = time.monotonic()

    def run(self, scorer: sweep.Scorer, results: Results, data: Path) -> None:
        """Add what is found to the results, and keep them after each task."""
        for task in TASKS:
            words = self._options.tasks
            if words is None or any(word in task.job.name for word in words):
                self._task(task, scorer, results)
                results.facts["Load at the end"] = machine.load()
                results.save(data)
        self._libraries.close()

    def results(self) -> Results:
        """Return results without findings."""
        facts = machine.describe() | {
            "Date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
            "Command": f"`python {shlex.join(sys.argv)}`",
            "Photographs": self._told(self._inputs.photos),
            "Graphics": self._told(self._inputs.graphics),
            "Animations": self._told(self._inputs.animations),
            "Load at the start": machine.load(),
        }
        if machine.is_busy():
            facts["Caution"] = _BUSY
        made = self._libraries.made
        return Results(
            facts,
            {name: {"version": a.version(), "threads": a.threads} for name, a in made.items()},
            self._libraries.missing,
            {metric.name: metric.version() for metric in self._metrics},
            self._options.memory_megapixels,
            self._options.rounds,
            self._options.workers,
            self._options.side,
        )

    @staticmethod
    def _told(paths: list[Path]) -> str:
        folders = dict.fromkeys(path.parent.name for path in paths)
        return f"{len(paths)} files of {', '.join(folders)}" if paths else "none"

    def _task(self, task: Task, scorer: sweep.Scorer, results: Results) -> None:
        blobs = self._inputs.round_blobs(task)
        rows = self._libraries.rows(task)
        small = self._inputs.sweep_blobs(task) if task.has_sweep else []
        if not blobs or not rows or (task.has_sweep and not small):
            self._say(task, "left out: no input, or nobody to do it")
            return
        if task.has_sweep:
            self._say(task, f"sweep of {len(rows)} contenders")
            swept = task.swept(self._options.side)
            sweep.sweep(self._libraries, swept, rows, small, scorer)
            self._match(task, rows)
        self._say(task, f"{self._options.rounds} rounds of {len(rows)} contenders")
        throughput.measure(self._libraries, task, rows, blobs, self._options.rounds)
        self._say(task, "memory")
        memory_growth.measure(self._libraries, task, rows, self._large, self._options.workers)
        results.found.append(
            Found(
                task.job.name,
                task.job.format,
                task.job.is_lossless,
                task.material.value,
                len(blobs),
                sum(blob.megapixels for blob in blobs),
                sum(len(blob.data) for blob in blobs),
                len(small),
                sum(blob.megapixels for blob in small),
                rows,
            )
        )

    def _match(self, task: Task, rows: list[Row]) -> None:
        """Choose the qualities of the rounds: those of the same score."""
        metric = self._metrics[0]
        for row in rows:
            assert row.curve is not None
            ladder = self._libraries.made[row.library].ladder(task.job)
            matched = sweep.matched_quality(row.curve, metric.name, metric.matched)
            row.quality = ladder[-1] if task.job.has_palette else matched

    def _say(self, task: Task, text: str) -> None:
        seconds = time.monotonic() - self._start
        print(f"{seconds:6.0f} s  {task.job.name}: {text}", file=sys.stderr, flush=True)


def render(results: Results, out: Path) -> None:
    """Write the page and its plots."""
    folder = out / "comparison"
    metric = next(metric for metric in METRICS if metric.name in results.metrics)
    (folder / "throughput.svg").write_text(plot.throughput(results.found))
    for found in results.found:
        if not found.is_lossless:
            drawing = plot.bytes_against_score(found, metric)
            (folder / f"{page.slug(found.name)}.svg").write_text(drawing)
    (out / "comparison.md").write_text(page.write(results))


def main() -> None:
    options = parse(sys.argv[1:])
    data = options.out / "comparison" / "results.json"
    if options.render:
        render(load(data), options.out)
        return
    # Not forked: this process has the threads of pools.
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(options.workers, context) as executor,
    ):
        comparison = Comparison(options, Path(folder))
        results = comparison.results()
        data.parent.mkdir(parents=True, exist_ok=True)
        comparison.run(sweep.Scorer(executor, chosen(options.quick)), results, data)
    render(results, options.out)


if __name__ == "__main__":
    main()
