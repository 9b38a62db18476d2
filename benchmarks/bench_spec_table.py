"""How long do the specification's batches take on each number of workers, and in what memory?

The table of the specification's section on benchmarks: 100 JPEG of 5 MB, 50 PNG of 10 MB, 200
images of several formats, and one JPEG of 50 MB. Files in, files out, each batch in a process of
its own. Beside it Pillow re-encodes the batches in as many processes that share nothing, whose
scaling tells what the machine gives.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bare_processes import bare_seconds
from interleaved import TAPE, Seconds, in_turns, medians
from spec_inputs import Row, make_rows

ROWS = range(4)


def worker_counts() -> list[int]:
    """Return 1, 2, 4 and so on up to the CPUs that this process may use."""
    most = len(os.sched_getaffinity(0))
    return sorted({1, *(2**i for i in range(1, 10) if 2**i < most), most})


def name_of(kind: str, workers: int) -> str:
    return f"{kind} {workers}"


class Batch:
    """Runs a row of the table with pixpress, and keeps how far memory grew."""

    def __init__(self, row: Row, workers: int, effort: int) -> None:
        script = Path(__file__).with_name("batch_process.py")
        self._command = [sys.executable, str(script), str(workers), str(effort), *row.paths]
        self.growth_bytes: list[int] = []

    def __call__(self) -> float:
        done = subprocess.run(self._command, check=True, stdout=subprocess.PIPE)
        report = json.loads(done.stdout)
        self.growth_bytes.append(report["growth_bytes"])
        return report["seconds"]


@pytest.fixture(scope="module")
def rows(
    photo_paths: list[Path], pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Row]]:
    made = make_rows(photo_paths, tmp_path_factory.mktemp("spec"), pytestconfig.option.scale)
    yield made
    for row in made:
        for path in row.paths:
            path.unlink(missing_ok=True)


def measure(row: Row, rounds: int, effort: int) -> tuple[Seconds, dict[str, Batch]]:
    """Run the row on all numbers of workers; a row of one image is nothing to share for Pillow."""
    batches = {name_of("pool", n): Batch(row, n, effort) for n in worker_counts()}
    contenders: dict[str, Callable[[], float]] = dict(batches)
    if len(row.paths) > 1:
        for count in worker_counts():
            contenders[name_of("bare", count)] = lambda n=count: bare_seconds(row.paths, n)
    return in_turns(contenders, rounds), batches


@pytest.mark.benchmark(timer=TAPE.clock, disable_gc=False)
@pytest.mark.parametrize("index", ROWS)
def test_row(
    index: int, rows: list[Row], rounds: int, pytestconfig: pytest.Config, benchmark, finding
) -> None:
    row = rows[index]
    effort = pytestconfig.option.effort
    seconds, batches = measure(row, rounds, effort)
    middle = medians(seconds)
    finding(f"{row.name}, {row.megabytes:.0f} MB, effort {effort}")
    for workers in worker_counts():
        pool, bare = name_of("pool", workers), name_of("bare", workers)
        peak_mb = statistics.median(batches[pool].growth_bytes) / 2**20
        line = f"  {workers} workers {middle[pool]:7.2f} s {peak_mb:6.0f} MB"
        if workers > 1:
            scaling = middle["pool 1"] / middle[pool]
            benchmark.extra_info[f"scaling on {workers}"] = round(scaling, 3)
            line += f"   {scaling:.2f} x 1 worker"
            if bare in middle:
                ratio = scaling / (middle["bare 1"] / middle[bare])
                line += f", {ratio:.3f} of the scaling of bare processes (aim: 0.95)"
            else:
                line += " (aim: 1.7 on 2)"
        finding(line)
    TAPE.play(benchmark, seconds[name_of("pool", worker_counts()[-1])])
