"""How long does a tiny job take from submit to its resolved future?

Ours is a real job (a small JPEG re-encoded); the peer is ThreadPoolExecutor that does nothing but
call a C function.
"""

from __future__ import annotations

import io
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from interleaved import TAPE, Seconds, in_turns, medians
from PIL import Image

import pixpress

JOBS = 2000
Submit = Callable[[], Future]


def tiny_jpeg() -> bytes:
    """Return a JPEG of 16 x 16 pixels."""
    out = io.BytesIO()
    Image.radial_gradient("L").resize((16, 16)).convert("RGB").save(out, "JPEG", quality=95)
    return out.getvalue()


def round_trips(submit: Submit) -> float:
    """Return the seconds per job when each is waited for before the next."""
    start = time.perf_counter()
    for _ in range(JOBS):
        submit().result()
    return (time.perf_counter() - start) / JOBS


def burst(submit: Submit) -> float:
    """Return the seconds per job when all are submitted, then all are waited for."""
    start = time.perf_counter()
    for future in [submit() for _ in range(JOBS)]:
        future.result()
    return (time.perf_counter() - start) / JOBS


@pytest.fixture(scope="module")
def submitters(workers: int) -> Iterator[dict[str, Submit]]:
    blob = tiny_jpeg()
    with (
        pixpress.Pool(max_workers=workers, worker_nice=0) as pool,
        ThreadPoolExecutor(workers) as executor,
    ):
        yield {
            "pixpress": lambda: pool.submit(blob, effort=1),
            "ThreadPoolExecutor": lambda: executor.submit(zlib.crc32, blob),
        }


@pytest.fixture(scope="module", params=[round_trips, burst], ids=["round trips", "burst"])
def measurement(request: pytest.FixtureRequest, submitters: dict, rounds: int) -> Seconds:
    how = request.param
    contenders = {name: lambda submit=submit: how(submit) for name, submit in submitters.items()}
    return in_turns(contenders, rounds)


@pytest.mark.benchmark(timer=TAPE.clock, disable_gc=False)
@pytest.mark.parametrize("library", ["pixpress", "ThreadPoolExecutor"])
def test_handover(
    library: str, measurement: Seconds, request: pytest.FixtureRequest, benchmark, finding
) -> None:
    how = request.node.callspec.id.split("-")[0]
    benchmark.group = how
    TAPE.play(benchmark, measurement[library])
    middle = medians(measurement)
    line = f"{how:12} {library:19} {middle[library] * 1e6:6.1f} us per job"
    if library == "pixpress":
        ratio = middle["ThreadPoolExecutor"] / middle["pixpress"]
        benchmark.extra_info["speed_over_ThreadPoolExecutor"] = round(ratio, 3)
        line += f"   {ratio:.2f} x the speed of ThreadPoolExecutor (aim: 1.0)"
    finding(line)
