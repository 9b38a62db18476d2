"""How far does resident memory grow over the start of the pool while a batch re-encodes?

Files in, files out, in a fresh process per round: what a command-line batch does.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
from interleaved import TAPE


@pytest.mark.benchmark(timer=TAPE.clock, disable_gc=False)
def test_growth(photo_paths: list[Path], workers: int, rounds: int, benchmark, finding) -> None:
    command = [sys.executable, str(Path(__file__).with_name("batch_process.py"))]
    command += [str(workers), "2"]
    seconds, growth_mb = [], []
    for _ in range(rounds):
        done = subprocess.run([*command, *photo_paths], check=True, stdout=subprocess.PIPE)
        report = json.loads(done.stdout)
        seconds.append(report["seconds"])
        growth_mb.append(report["growth_bytes"] / 2**20)
    TAPE.play(benchmark, seconds)
    benchmark.extra_info["growth_mb"] = [round(value, 1) for value in growth_mb]
    finding(
        f"resident memory grew by {statistics.median(growth_mb):.1f} MB, at most "
        f"{max(growth_mb):.1f} MB (aim: 100 MB), over {len(photo_paths)} photographs"
    )
