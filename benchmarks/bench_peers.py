"""How do pixpress and its peers do on photographs: source megapixels per second, bytes, memory?"""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import peers
import pytest
from bench_jpeg_bytes import curve_of, encoded, picture
from comparison import sweep
from comparison.score import METRICS
from comparison.sweep import Scorer
from interleaved import TAPE, Seconds, in_turns, medians
from peers.cpu_time import run_timed
from peers.job import DEFAULT_JOB, DEFAULTS, FROM_FINER, JOBS, Job
from peers.jpeg_facts import STANDARD_TABLES, JpegFacts, read_facts
from peers.libjpeg_loop import LibjpegLoop
from PIL import Image

OURS = "pixpress"
# What the project asks of itself, in source pixels per second over the best peer's.
TARGETS = {"re-encode": 2.5, "sampling kept": 2.5, "4:2:0 of finer": 2.0}
TARGETS |= {"fit 1600": 2.0, "thumbnail 256": 1.8, "fit 1600 WebP": 1.3}
# PSNR may fall this far below the best peer's.
MOST_LOSS = 0.01
MEMORY_CHILD = Path(__file__).with_name("memory_process.py")
# For bytes at equal score: crops of so many pixels on a side, at these qualities.
SIDE_PX = 448
QUALITIES = (40, 55, 68, 78, 86, 93)


@dataclass
class Measurement:
    """One job by all libraries: their seconds per round, and what each made."""

    job: Job
    photos: list[bytes]
    megapixels: float
    seconds: Seconds = field(default_factory=dict)
    cpu_seconds: Seconds = field(default_factory=dict)
    outputs: dict[str, list[bytes]] = field(default_factory=dict)

    def rate(self, name: str) -> float:
        """Return the median of megapixels per second."""
        return self.megapixels / medians(self.seconds)[name]

    def cpu_rate(self, name: str) -> float:
        """Return the same per second of processor time, which other processes disturb less."""
        return self.megapixels / medians(self.cpu_seconds)[name]

    def peers(self) -> list[str]:
        return [name for name in self.seconds if name not in (OURS, LibjpegLoop.name)]


def is_finer(photo: bytes) -> bool:
    """Has a JPEG more chroma than 4:2:0?"""
    sampling = read_facts(photo).sampling
    return len(sampling) == 3 and sampling[0] != (2, 2)


@pytest.fixture(scope="module")
def libraries(workers: int) -> Iterator[dict[str, object]]:
    kinds = (*peers.ALL, LibjpegLoop)
    made = {kind.name: kind(workers) for kind in kinds if kind.available()}
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
    job = request.param
    chosen = [photo for photo in photos if job != FROM_FINER or is_finer(photo)]
    if not chosen:
        pytest.skip("no photograph is 4:2:2 or 4:4:4")
    sizes = [Image.open(io.BytesIO(photo)).size for photo in chosen]
    found = Measurement(job, chosen, sum(width * height for width, height in sizes) / 1e6)

    def contender(name: str) -> Callable[[], float]:
        library = libraries[name]
        found.cpu_seconds[name] = []

        def run() -> float:
            start = time.perf_counter()
            cpu_seconds, outputs = run_timed(library, job, chosen)
            seconds = time.perf_counter() - start
            found.cpu_seconds[name].append(cpu_seconds)
            if outputs:
                found.outputs[name] = outputs
            # A library in another process reports its own time: transport does not count.
            return getattr(library, "last_seconds", seconds)

        return run

    names = [name for name in libraries if name != LibjpegLoop.name or LibjpegLoop.does(job)]
    found.seconds = in_turns({name: contender(name) for name in names}, rounds)
    found.cpu_seconds = {name: each[1:] for name, each in found.cpu_seconds.items()}
    return found


@pytest.mark.benchmark(timer=TAPE.clock, disable_gc=False)
@pytest.mark.parametrize("library", [kind.name for kind in (*peers.ALL, LibjpegLoop)])
def test_rate(library: str, measurement: Measurement, benchmark, finding) -> None:
    if library not in measurement.seconds:
        pytest.skip(f"not installed, or not of this job: {library}")
    job = measurement.job.name
    benchmark.group = job
    TAPE.play(benchmark, measurement.seconds[library])
    rate, cpu_rate = measurement.rate(library), measurement.cpu_rate(library)
    benchmark.extra_info["megapixels_per_second"] = round(rate, 1)
    line = f"{job:14} {library:9} {rate:7.1f} MP/s {cpu_rate:7.1f} per CPU second"
    others = measurement.peers()
    if library == OURS and others:
        ratio = rate / max(map(measurement.rate, others))
        cpu_ratio = cpu_rate / max(map(measurement.cpu_rate, others))
        benchmark.extra_info["ratio_to_best_peer"] = round(ratio, 3)
        aim = f", aim: {TARGETS[job]:.1f}" if job in TARGETS else ""
        line += f"   {ratio:.2f} x the best peer, {cpu_ratio:.2f} by CPU time{aim}"
    if library == OURS and LibjpegLoop.name in measurement.seconds:
        loop_ratio = rate / measurement.rate(LibjpegLoop.name)
        loop_cpu_ratio = cpu_rate / measurement.cpu_rate(LibjpegLoop.name)
        line += f"; {loop_ratio:.2f} and {loop_cpu_ratio:.2f} x the bare loop"
    finding(line)


def psnr(output: bytes, photo: bytes) -> float:
    """Return the output's PSNR in dB against the photograph, shrunk by Lanczos to its size."""
    made = Image.open(io.BytesIO(output)).convert("RGB")
    reference = Image.open(io.BytesIO(photo)).convert("RGB")
    if reference.size != made.size:
        reference = reference.resize(made.size, Image.Resampling.LANCZOS)
    difference = np.subtract(made, reference, dtype=np.int16)
    return float(10 * np.log10(255**2 / np.mean(np.square(difference, dtype=np.int32))))


def test_nobody_saves_time_by_other_output(measurement: Measurement, finding) -> None:
    job, photos = measurement.job, measurement.photos
    side = job.side_px
    quality: dict[str, float] = {}
    sizes: dict[str, float] = {}
    for library, outputs in measurement.outputs.items():
        assert len(outputs) == len(photos)
        for photo, output in zip(photos, outputs, strict=True):
            if job.format == "jpeg" and job.effort != DEFAULTS:
                assert_same_work(library, job, read_facts(output), read_facts(photo))
            longest, whole = (max(Image.open(io.BytesIO(data)).size) for data in (output, photo))
            assert longest == (whole if side is None else min(side, whole)), library
        pairs = zip(outputs, photos, strict=True)
        quality[library] = float(np.mean([psnr(output, photo) for output, photo in pairs]))
        sizes[library] = sum(map(len, outputs)) / 1e6
    told = ", ".join(f"{name} {dB:.2f} dB {sizes[name]:.2f} MB" for name, dB in quality.items())
    finding(f"{job.name:14} output: {told}")
    best = max((dB for name, dB in quality.items() if name != OURS), default=0.0)
    # Efforts weigh errors by what is seen, which PSNR does not.
    assert job.effort == DEFAULTS or quality[OURS] >= (1 - MOST_LOSS) * best, told


def assert_same_work(library: str, job: Job, facts: JpegFacts, original: JpegFacts) -> None:
    """Check what costs time in an encoder: kind, sampling, optimized Huffman tables.

    Optimized tables only cost time: ours has them where it re-encodes from coefficients.
    """
    keeps = job.keeps_sampling and library == OURS
    sampling = original.sampling if keeps else ((2, 2), (1, 1), (1, 1))
    assert facts.is_baseline, library
    assert facts.sampling == sampling, f"{library}: sampling {facts.sampling}"
    has_standard_tables = facts.huffman == STANDARD_TABLES
    assert has_standard_tables or library == OURS, f"{library}: Huffman tables of its own"


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_memory(job: Job, photos: list[bytes], tmp_path: Path, finding) -> None:
    """Print how far a fresh process grows over the largest photograph after a tiny one."""
    chosen = [photo for photo in photos if job != FROM_FINER or is_finer(photo)]
    if not chosen:
        pytest.skip("no photograph is 4:2:2 or 4:4:4")
    (tmp_path / "large.jpg").write_bytes(max(chosen, key=_pixels))
    Image.new("RGB", (64, 64), "teal").save(tmp_path / "small.jpg")
    files = [str(tmp_path / f"{name}.jpg") for name in ("small", "large")]
    grown: dict[str, float] = {}
    for kind in peers.ALL:
        if kind.available():
            command = [sys.executable, str(MEMORY_CHILD), kind.name, json.dumps(asdict(job))]
            done = subprocess.run([*command, *files], stdout=subprocess.PIPE, check=True)
            grown[kind.name] = int(done.stdout) / 2**20
    told = ", ".join(f"{name} {growth:.1f}" for name, growth in grown.items())
    finding(f"{job.name:14} MiB for {_pixels(max(chosen, key=_pixels)) / 1e6:.0f} MP: {told}")


def _pixels(photo: bytes) -> int:
    with Image.open(io.BytesIO(photo)) as image:
        return image.width * image.height


def test_bytes_of_defaults_at_equal_score(
    photo_paths: list[Path], libraries: dict, finding
) -> None:
    """Print what our defaults take over those of each peer, on crops and shrunk copies."""
    crops = [
        encoded(picture(path, number, SIDE_PX, 0), number, "jpeg")
        for number, path in enumerate(photo_paths)
    ]

    def encoder(name: str) -> Callable[[bytes, int], bytes]:
        return lambda data, quality: libraries[name].run(
            replace(DEFAULT_JOB, quality=quality), [data]
        )[0]

    metric = next(metric for metric in METRICS if metric.name == "SSIMULACRA2")
    if not metric.available():
        pytest.skip("ssimulacra2 is not installed")
    # Not forked: this process has the threads of a pool.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context) as executor:
        scorer = Scorer(executor, [metric])
        names = [name for name in libraries if name != LibjpegLoop.name]
        curves = {name: curve_of(encoder(name), crops, QUALITIES, scorer)[0] for name in names}
    for name in names:
        if name != OURS:
            ratios = (
                sweep.ratio(curves[OURS], curves[name], metric.name, target)
                for target in metric.targets
            )
            pairs = zip(metric.targets, ratios, strict=True)
            told = ", ".join(f"{ratio:.3f} at {to:g} ({n})" for to, (ratio, n) in pairs if n)
            finding(f"{DEFAULT_JOB.name:14} bytes over those of {name} at equal score: {told}")
