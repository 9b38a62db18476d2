"""How late does an asyncio loop wake up while a pool in its process saturates all workers?

The control is plain C loops, hashing without the GIL, on as many threads at the same OS priority:
what any work on all cores costs the loop.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import statistics
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from interleaved import TAPE

import pixpress

TICK_SECONDS = 0.002
NICE = 10
BLOCK = bytes(1 << 20)


async def lags_for(seconds: float) -> list[float]:
    """Return how late each tick of the loop came, in seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    lags = []
    while loop.time() < end:
        due = loop.time() + TICK_SECONDS
        await asyncio.sleep(TICK_SECONDS)
        lags.append(loop.time() - due)
    return lags


@contextmanager
def hashing(threads: int) -> Iterator[None]:
    """Hash on threads until the end."""
    is_over = threading.Event()

    def work() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        while not is_over.is_set():
            hashlib.sha256(BLOCK)

    running = [threading.Thread(target=work) for _ in range(threads)]
    for thread in running:
        thread.start()
    yield
    is_over.set()
    for thread in running:
        thread.join()


async def beside_hashing(seconds: float, workers: int) -> list[float]:
    with hashing(workers):
        return await lags_for(seconds)


async def beside_pool(seconds: float, workers: int, photos: list[bytes]) -> list[float]:
    with pixpress.Pool(max_workers=workers, worker_nice=NICE) as pool:
        is_over = False

        async def keep_busy(number: int) -> None:
            while not is_over:
                await pool.compress(photos[number % len(photos)])
                number += 1

        # Two jobs per worker, so that none is ever idle.
        busy = [asyncio.create_task(keep_busy(number)) for number in range(2 * workers)]
        lags = await lags_for(seconds)
        is_over = True
        await asyncio.gather(*busy)
    return lags


def percentile_ms(lags: list[float], percent: float) -> float:
    return sorted(lags)[min(int(len(lags) * percent / 100), len(lags) - 1)] * 1e3


@pytest.mark.benchmark(timer=TAPE.clock, disable_gc=False)
def test_lag(
    photo_paths: list[Path], workers: int, rounds: int, pytestconfig, benchmark, finding
) -> None:
    photos = [path.read_bytes() for path in photo_paths]
    seconds = 20 * pytestconfig.option.scale
    contenders: dict[str, Callable[[], Awaitable[list[float]]]] = {
        "idle": lambda: lags_for(seconds),
        "C loops": lambda: beside_hashing(seconds, workers),
        "pool": lambda: beside_pool(seconds, workers, photos),
    }
    p99_ms: dict[str, list[float]] = {name: [] for name in contenders}
    for round_number in range(rounds):
        names = list(contenders)
        first = round_number % len(names)
        for name in names[first:] + names[:first]:
            p99_ms[name].append(percentile_ms(asyncio.run(contenders[name]()), 99))
    for name, values in p99_ms.items():
        finding(f"{name:8} p99 lag {statistics.median(values):6.3f} ms")
    over = [ours - control for ours, control in zip(p99_ms["pool"], p99_ms["C loops"], strict=True)]
    finding(f"pool over C loops {statistics.median(over):.3f} ms (aims: 1 ms, and p99 <= 5 ms)")
    TAPE.play(benchmark, [value / 1e3 for value in p99_ms["pool"]])
