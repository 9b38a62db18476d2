"""How soon is a job that can never fit the memory limit refused? An image of 24 megapixels."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

import pytest
from interleaved import TAPE
from PIL import Image

import pixpress

JOBS = 100
AIM_MS = 10


@pytest.mark.benchmark(timer=TAPE.clock, disable_gc=False)
def test_refusal(benchmark: Any, finding: Callable[[str], None]) -> None:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((6000, 4000)).convert("RGB").save(out, "PNG")
    seconds = []
    with pixpress.Pool(max_workers=1, min_workers=1, memory_limit="32MB") as pool:
        for _ in range(JOBS + 1):
            start = time.perf_counter()
            error = pool.submit(out.getvalue(), format="webp").exception()
            seconds.append(time.perf_counter() - start)
            assert isinstance(error, pixpress.MemoryLimitError)
    del seconds[0]  # Starts the worker.
    seconds.sort()
    TAPE.play(benchmark, seconds)
    finding(
        f"refused after p50 {1000 * seconds[JOBS // 2]:.2f} ms, "
        f"p99 {1000 * seconds[JOBS * 99 // 100 - 1]:.2f} ms (aim: {AIM_MS} ms): {error}"
    )
