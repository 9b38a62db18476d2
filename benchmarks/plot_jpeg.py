"""Draw how JPEG does: throughput of each job by each library, and bytes against SSIMULACRA2.

``python benchmarks/plot_jpeg.py --photos F...`` measures and writes ``docs/comparison/jpeg.json``
and its two drawings; ``--render`` draws again what was measured. Throughput is by CPU time: other
work on the machine disturbs it less.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ.setdefault("VIPS_CONCURRENCY", "1")  # Read once, when libvips is loaded.

import peers
from bench_jpeg_bytes import curve_of, encoded, mozjpeg, ours, picture
from comparison import plot
from comparison.inputs import find
from comparison.results import OURS, Found, Row, found_of
from comparison.score import METRICS
from comparison.sweep import Scorer
from interleaved import in_turns
from peers.cpu_time import run_timed
from peers.job import FROM_FINER, JOBS, Job
from peers.jpeg_facts import read_facts
from peers.libjpeg_loop import LibjpegLoop
from peers.pyvips import PyVips
from peers.sharp import Sharp

_ROOT = Path(__file__).parents[1]
_EFFORTS = (2, 5, 7, 10)
_LADDER = (30, 45, 58, 68, 76, 83, 89, 94)
_TITLE = "JPEG: source megapixels per CPU second; more is better; numbers are efforts"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, nargs="+", default=[_ROOT / "tests" / "data"])
    parser.add_argument("--out", type=Path, default=_ROOT / "docs" / "comparison")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=6, help="crops whose bytes are compared")
    parser.add_argument("--side", type=int, default=448, help="pixels of their sides")
    parser.add_argument("--render", action="store_true", help="only draw again")
    return parser.parse_args()


def throughput(job: Job, libraries: dict[str, Any], photos: list[bytes], rounds: int) -> Found:
    """Return the CPU seconds of all libraries at one job."""
    facts = [read_facts(photo) for photo in photos]
    megapixels = sum(each.width * each.height for each in facts) / 1e6
    names = [name for name in libraries if name != LibjpegLoop.name or LibjpegLoop.does(job)]

    seconds = in_turns(
        {name: lambda name=name: run_timed(libraries[name], job, photos)[0] for name in names},
        rounds,
    )
    effort = "effort 5" if job.effort else "effort 2"
    rows = [
        Row(name, effort if name == OURS else "default", seconds=seconds[name]) for name in names
    ]
    return _found(job.name, len(photos), megapixels, rows)


def bytes_at_scores(photos: list[Path], side_px: int) -> Found:
    """Return the sweeps of our efforts, libjpeg-turbo and mozjpeg over crops and shrunk copies."""
    pictures = [picture(path, number, side_px, 0) for number, path in enumerate(photos)]
    images = [encoded(image, number, "png") for number, image in enumerate(pictures)]
    megapixels = sum(image.width * image.height for image in pictures) / 1e6
    metric = next(metric for metric in METRICS if metric.name == "SSIMULACRA2")
    # Not forked: this process has the threads of a pool.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context) as executor:
        scorer = Scorer(executor, [metric])
        rows = []
        for library, effort, encode in _contenders():
            rows.append(Row(library, effort))
            rows[-1].curve, _ = curve_of(encode, images, _LADDER, scorer)
    return _found("JPEG", len(images), megapixels, rows)


def _contenders() -> Iterator[tuple[str, str, Any]]:
    for effort in _EFFORTS:
        yield OURS, f"effort {effort}", ours(effort)
    vips = PyVips(1)
    yield "libjpeg-turbo", "default", lambda data, quality: vips.encode(Job("", quality), data)
    yield "mozjpeg", "pyvips", mozjpeg()
    if Sharp.available():
        sharp = Sharp(1)
        yield (
            "sharp",
            "mozjpeg",
            lambda data, quality: sharp.run(Job("", quality, effort="mozjpeg"), [data])[0],
        )
        sharp.close()


def _found(name: str, images: int, megapixels: float, rows: list[Row]) -> Found:
    return Found(
        name=name,
        format="jpeg",
        is_lossless=False,
        material="photographs",
        round_images=images,
        round_megapixels=megapixels,
        input_bytes=0,
        sweep_images=images,
        sweep_megapixels=megapixels,
        rows=rows,
    )


def measure(options: argparse.Namespace) -> list[Found]:
    paths = find(options.photos, ".jpg", ".jpeg", ".png")
    cameras = [path.read_bytes() for path in paths if path.suffix in (".jpg", ".jpeg")]
    kinds = (*peers.ALL, LibjpegLoop)
    libraries: dict[str, Any] = {kind.name: kind(1) for kind in kinds if kind.available()}
    jobs = [job for job in JOBS if job != FROM_FINER]  # Of other photographs.
    made = [throughput(job, libraries, cameras, options.rounds) for job in jobs]
    for library in libraries.values():
        library.close()
    step = max(1, len(paths) // options.images)
    return [*made, bytes_at_scores(paths[::step][: options.images], options.side)]


def main() -> None:
    options = parse()
    kept = options.out / "jpeg.json"
    if not options.render:
        found = measure(options)
        text = json.dumps([asdict(each) for each in found], separators=(",", ":"))
        kept.write_text(text + "\n")
    found = [found_of(plain) for plain in json.loads(kept.read_text())]
    metric = next(metric for metric in METRICS if metric.name == "SSIMULACRA2")
    (options.out / "jpeg_throughput.svg").write_text(plot.throughput(found[:-1], _TITLE))
    (options.out / "jpeg_bytes.svg").write_text(plot.bytes_against_score(found[-1], metric))


if __name__ == "__main__":
    main()
