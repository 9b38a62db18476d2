"""How many source megapixels per second do pixpress and its peers reach on photographs?"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import peers
import pytest
from interleaved import TAPE, Seconds, in_turns, medians
from peers.job import JOBS, Job
from peers.jpeg_facts import STANDARD_TABLES, JpegFacts, read_facts
from PIL import Image

# What the project asks of itself, in source pixels per second over the best peer's.
TARGETS = {"re-encode": 2.5, "fit 1600": 2.0, "thumbnail 256": 1.8}
# PSNR may fall this far below the best peer's.
MOST_LOSS = 0.01


@dataclass
class Measurement:
    """One job by all libraries: their seconds per round, and what each made."""

    job: Job
    megapixels: float
    seconds: Seconds = field(default_factory=dict)
    outputs: dict[str, list[bytes]] = field(default_factory=dict)

    def rate(self, name: str) -> float:
        """Return the median of megapixels per second."""
        return self.megapixels / medians(self.seconds)[name]


@pytest.fixture(scope="module")
def libraries(workers: int) -> Iterator[dict[str, object]]:
    made = {kind.name: kind(workers) for kind in peers.ALL if kind.available()}
    yield made
    for library in made.values():
        library.close()


@pytest.fixture(scope="module", params=JOBS, ids=lambda job: job.name)
def measurement(
    request: pytest.FixtureRequest,
    libraries: dict,
    photos: list[bytes],
    rounds: int,
) -> Measurement:
    sizes = [Image.open(io.BytesIO(photo)).size for photo in photos]
    found = Measurement(request.param, sum(width * height for width, height in sizes) / 1e6)

    def contender(name: str):
        def run() -> float:
            start = time.perf_counter()
            found.outputs[name] = libraries[name].run(found.job, photos)
            seconds = time.perf_counter() - start
            # A library in another process reports its own time: transport does not count.
            return getattr(libraries[name], "last_seconds", seconds)

        return run

    found.seconds = in_turns({name: contender(name) for name in libraries}, rounds)
    return found


@pytest.mark.benchmark(timer=TAPE.clock, disable_gc=False)
@pytest.mark.parametrize("library", [kind.name for kind in peers.ALL])
def test_rate(library: str, measurement: Measurement, benchmark, finding) -> None:
    if library not in measurement.seconds:
        pytest.skip(f"not installed: {library}")
    job = measurement.job.name
    benchmark.group = job
    TAPE.play(benchmark, measurement.seconds[library])
    rate = measurement.rate(library)
    benchmark.extra_info["megapixels_per_second"] = round(rate, 1)
    line = f"{job:14} {library:9} {rate:7.1f} MP/s"
    others = [measurement.rate(name) for name in measurement.seconds if name != "pixpress"]
    if library == "pixpress" and others:
        ratio = rate / max(others)
        benchmark.extra_info["ratio_to_best_peer"] = round(ratio, 3)
        line += f"   {ratio:.2f} x the best peer (aim: {TARGETS[job]:.1f})"
    finding(line)


def psnr(output: bytes, photo: bytes) -> float:
    """Return the output's PSNR in dB against the photograph, shrunk by Lanczos to its size."""
    made = Image.open(io.BytesIO(output)).convert("RGB")
    reference = Image.open(io.BytesIO(photo)).convert("RGB")
    if reference.size != made.size:
        reference = reference.resize(made.size, Image.Resampling.LANCZOS)
    difference = np.subtract(made, reference, dtype=np.int16)
    return float(10 * np.log10(255**2 / np.mean(np.square(difference, dtype=np.int32))))


def test_nobody_saves_time_by_other_output(
    measurement: Measurement, photos: list[bytes], finding
) -> None:
    side = measurement.job.side_px
    quality: dict[str, float] = {}
    sizes: dict[str, float] = {}
    for library, outputs in measurement.outputs.items():
        assert len(outputs) == len(photos)
        for photo, output in zip(photos, outputs, strict=True):
            facts, original = read_facts(output), read_facts(photo)
            assert_same_work(library, facts)
            longest = max(facts.width, facts.height)
            whole = max(original.width, original.height)
            assert longest == (whole if side is None else min(side, whole)), library
        pairs = zip(outputs, photos, strict=True)
        quality[library] = float(np.mean([psnr(output, photo) for output, photo in pairs]))
        sizes[library] = sum(map(len, outputs)) / 1e6
    told = ", ".join(f"{name} {dB:.2f} dB {sizes[name]:.2f} MB" for name, dB in quality.items())
    finding(f"{measurement.job.name:14} output: {told}")
    best = max((dB for name, dB in quality.items() if name != "pixpress"), default=0.0)
    assert quality["pixpress"] >= (1 - MOST_LOSS) * best, told


def assert_same_work(library: str, facts: JpegFacts) -> None:
    """Check what costs time in an encoder: kind, sampling, optimized Huffman tables.

    Optimized tables only cost time: ours has them where it re-encodes from coefficients.
    """
    assert facts.is_baseline, library
    assert facts.sampling == ((2, 2), (1, 1), (1, 1)), f"{library}: sampling {facts.sampling}"
    has_standard_tables = facts.huffman == STANDARD_TABLES
    assert has_standard_tables or library == "pixpress", f"{library}: Huffman tables of its own"
