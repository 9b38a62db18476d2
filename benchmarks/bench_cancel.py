"""How soon does a cancelled job of 24 megapixels let go? Of each codec, in and out.

A job is cancelled at a random moment of its run. The caller is released when the thread that waits
for the future has its CancelledError; the slot, when the pool runs and reserves nothing any more.
The worker's CPU time until then is a finding too: on a loaded machine it is what the codec needs,
without what it waits for a CPU. DESIGN rule 6 says how long each may take.
"""

from __future__ import annotations

import io
import math
import random
import re
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interleaved import TAPE
from PIL import Image

import pixpress

WIDTH, HEIGHT = 6000, 4000
RELEASE_MS = 100
# Nothing but the library's return ends these; the slot stays taken until then.
NEVER = math.inf


@dataclass(frozen=True)
class Case:
    """A job, and how long it may hold its slot."""

    source: str
    settings: dict[str, Any]
    slot_ms: float = 100


TINY = {"format": "png", "effort": 1, "width": 64}
CASES = {
    "decode JPEG": Case("baseline.jpg", {**TINY, "width": 4000}),
    "decode progressive JPEG": Case("progressive.jpg", {**TINY, "width": 4000}),
    "decode PNG": Case("image.png", TINY),
    "decode WebP": Case("lossy.webp", TINY),
    "decode lossless WebP": Case("lossless.webp", TINY),
    "decode GIF": Case("image.gif", TINY),
    "decode AVIF": Case("image.avif", TINY, NEVER),
    "requantize JPEG": Case("baseline.jpg", {"quality": 60}),
    "encode JPEG": Case("pixels", {"format": "jpeg"}),
    "encode JPEG, effort 9": Case("pixels", {"format": "jpeg", "effort": 9}),
    "encode PNG, effort 2": Case("pixels", {"format": "png", "effort": 2}),
    "encode PNG": Case("pixels", {"format": "png"}),
    "encode PNG, effort 8": Case("pixels", {"format": "png", "effort": 8}),
    "encode PNG, effort 10": Case("pixels", {"format": "png", "effort": 10}),
    "encode WebP": Case("pixels", {"format": "webp"}, 300),
    "encode WebP, effort 9": Case("pixels", {"format": "webp", "effort": 9}, 300),
    "encode lossless WebP": Case("pixels", {"format": "webp", "lossless": True}, NEVER),
    "encode GIF": Case("pixels", {"format": "gif"}),
    "encode AVIF": Case("pixels", {"format": "avif", "effort": 1}, NEVER),
}


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """Smooth shapes with noise, which takes codecs as long as a photograph."""
    rng = np.random.default_rng(5)
    small = rng.integers(0, 256, (80, 120, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(small).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR))
    return smooth ^ rng.integers(0, 8, smooth.shape, dtype=np.uint8)


@pytest.fixture(scope="module")
def source(pixels: np.ndarray) -> Callable[[str], Any]:
    """Make the named source once."""
    options: dict[str, dict[str, Any]] = {
        "baseline.jpg": {"quality": 90},
        "progressive.jpg": {"quality": 90, "progressive": True},
        "image.png": {"compress_level": 1},
        "lossy.webp": {"quality": 80, "method": 0},
        "lossless.webp": {"lossless": True, "quality": 0, "method": 0},
        "image.gif": {},
        "image.avif": {"speed": 10},
    }
    made: dict[str, Any] = {"pixels": pixels}

    def make(name: str) -> Any:
        if name not in made:
            out = io.BytesIO()
            kind = name.partition(".")[2].replace("jpg", "jpeg")
            image = Image.fromarray(pixels)
            if kind == "gif":
                image = image.quantize(256, Image.Quantize.FASTOCTREE)
            image.save(out, kind, **options[name])
            made[name] = out.getvalue()
        return made[name]

    return make


@pytest.fixture(scope="module")
def pool() -> Iterator[pixpress.Pool]:
    with pixpress.Pool(max_workers=1, task_timeout=None, worker_nice=0) as pool:
        yield pool


def worker_cpu_ms() -> float:
    """Return the CPU time of the one worker thread of this process."""
    for task in Path("/proc/self/task").iterdir():
        if re.match(r"pixpress-\d", (task / "comm").read_text()):
            return int((task / "schedstat").read_text().split()[0]) * 1e-6
    return math.nan


def cancel_one(pool: pixpress.Pool, source: Any, settings: Any, after: float) -> list[float] | None:
    """Return the ms until caller and slot were free, and the worker's; None if it ended first."""
    future = pool.submit(source, **settings)
    while not future.running() and not future.done():
        time.sleep(0.0005)
    released: list[float] = []

    def wait() -> None:
        try:
            future.result()
        except CancelledError:
            released.append(time.perf_counter())

    waiter = threading.Thread(target=wait)
    waiter.start()
    time.sleep(after)
    cpu_ms, start = worker_cpu_ms(), time.perf_counter()
    is_cancelled = future.cancel()
    while (stats := pool.stats())["running"] or stats["reserved_memory"]:
        time.sleep(0.0002)
    slot_ms = 1000 * (time.perf_counter() - start)
    cpu_ms = worker_cpu_ms() - cpu_ms
    waiter.join()
    return [1000 * (released[0] - start), slot_ms, cpu_ms] if is_cancelled else None


def rank(values: list[float], share: float) -> float:
    """Return the value that this share of all does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


@pytest.mark.benchmark(timer=TAPE.clock, disable_gc=False)
@pytest.mark.parametrize("name", CASES)
def test_cancel(
    name: str,
    pool: pixpress.Pool,
    source: Callable[[str], Any],
    rounds: int,
    benchmark: Any,
    finding: Callable[[str], None],
) -> None:
    case = CASES[name]
    image, pick = source(case.source), random.Random(1)
    start = time.perf_counter()
    pool.submit(image, **case.settings).result()
    duration = time.perf_counter() - start
    taken: list[list[float]] = []
    for _ in range(4 * rounds):
        moment = pick.uniform(0, 0.95) * duration
        if len(taken) < rounds and (one := cancel_one(pool, image, case.settings, moment)):
            taken.append(one)
    caller, slot, cpu = (list(column) for column in zip(*taken, strict=True))
    TAPE.play(benchmark, [value / 1000 for value in slot])
    exceeds = [
        text
        for text, values, most in (
            ("the caller", caller, RELEASE_MS),
            ("the slot", slot, case.slot_ms),
            ("the worker's CPU time", cpu, case.slot_ms),
        )
        if rank(values, 0.99) > most
    ]
    limit = "when the library returns" if case.slot_ms == NEVER else f"{case.slot_ms:.0f} ms"
    finding(
        f"{name:24} of {duration:5.2f} s: caller p50 {statistics.median(caller):.1f} "
        f"p99 {rank(caller, 0.99):.1f} ms; slot p50 {statistics.median(slot):.1f} "
        f"p99 {rank(slot, 0.99):.1f} ms, CPU p99 {rank(cpu, 0.99):.1f} ms; may: {limit}; "
        + (f"EXCEEDED by {' and '.join(exceeds)}" if exceeds else "kept")
    )
