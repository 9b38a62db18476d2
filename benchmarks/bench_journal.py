"""What does a journal cost per job: to submit it, and from its submission to its end?

Tiny JPEGs, so that nothing but the overhead is seen. Threads that submit at the same time share
commits.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from bench_handover import tiny_jpeg
from interleaved import TAPE, Seconds, in_turns, medians

import pixpress

JOBS = 400
KINDS = {"none": None, "safe from kill": False, "safe from power loss": True}


def seconds_per_job(pool: pixpress.Pool, source: Path, threads: int, is_whole: bool) -> float:
    """Submit from several threads; the time until all are queued, or until all are done."""

    def submit(number: int) -> list[pixpress.JobFuture]:
        target = source.parent / f"{number}.jpg"
        return [pool.submit(source, target, effort=1) for _ in range(JOBS // threads)]

    with ThreadPoolExecutor(threads) as callers:
        start = time.perf_counter()
        futures = [future for made in callers.map(submit, range(threads)) for future in made]
        queued = time.perf_counter() - start
    for future in futures:
        future.result()
    whole = time.perf_counter() - start
    return (whole if is_whole else queued) / len(futures)


@pytest.fixture(scope="module")
def pools(workers: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple]]:
    made = {}
    for kind, durable in KINDS.items():
        folder = tmp_path_factory.mktemp("journal")
        source = folder / "tiny.jpg"
        source.write_bytes(tiny_jpeg())
        journal = None if durable is None else folder / "queue.db"
        pool = pixpress.Pool(max_workers=workers, journal=journal, durable=bool(durable))
        made[kind] = (pool, source)
    yield made
    for pool, _ in made.values():
        pool.shutdown()


@pytest.fixture(
    scope="module",
    params=[(1, False), (8, False), (1, True), (8, True)],
    ids=["submit, 1 thread", "submit, 8 threads", "whole, 1 thread", "whole, 8 threads"],
)
def measurement(request: pytest.FixtureRequest, pools: dict[str, tuple], rounds: int) -> Seconds:
    threads, is_whole = request.param
    contenders = {
        kind: lambda pool=pool, source=source: seconds_per_job(pool, source, threads, is_whole)
        for kind, (pool, source) in pools.items()
    }
    return in_turns(contenders, rounds)


@pytest.mark.benchmark(timer=TAPE.clock, disable_gc=False)
@pytest.mark.parametrize("journal", list(KINDS))
def test_journal(
    journal: str, measurement: Seconds, request: pytest.FixtureRequest, benchmark, finding
) -> None:
    what = request.node.callspec.id.rsplit("-", 1)[0]
    benchmark.group = what
    TAPE.play(benchmark, measurement[journal])
    middle = medians(measurement)
    ratio = middle[journal] / middle["none"]
    finding(f"{what:18} {journal:21} {middle[journal] * 1e6:7.1f} us per job   {ratio:5.2f} x none")
