"""What do PNG files take in bytes and CPU time of one thread, over the specialists?

No pytest file: it prints a row for each job and peer, over photographs, graphics and both, as
geometric means over images that it varies itself (``png_inputs.py``; ``--seed`` gives others).
Times are medians of interleaved rounds. A palette's bytes are compared at the peer's SSIMULACRA2,
read off between numbers of colors; at 256 where that does not reach it, and those are counted.
"""

from __future__ import annotations

import argparse
import io
import math
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

os.environ["VIPS_CONCURRENCY"] = "1"  # These two are read once.
os.environ["RAYON_NUM_THREADS"] = "1"

from comparison.inputs import find
from comparison.score import METRICS
from interleaved import in_turns, medians
from peers.cpu_time import run_timed
from peers.job import Adapter, Job
from peers.oxipng import Oxipng
from peers.pngquant import Pngquant
from peers.pyvips import PyVips
from peers.sharp import Sharp
from PIL import Image
from png_inputs import Input, make_inputs

import pixpress

_SAMPLES = Path(__file__).parents[1] / "tests" / "data"
_COLORS = (256, 240, 224, 208, 192, 176, 160, 144, 128, 112, 96, 80, 64)


@dataclass(frozen=True)
class Row:
    """A job of ours, the peers that do it, and the speed that is asked for."""

    name: str
    effort: int
    has_palette: bool
    peers: tuple[tuple[type[Adapter], str], ...]
    aim: float


_ROWS = {
    "5": Row("effort 5", 5, False, ((Oxipng, "level 2"),), 2),
    "8": Row("effort 8", 8, False, ((Oxipng, "level 4"),), 2),
    "2": Row(
        "effort 2",
        2,
        False,
        ((Sharp, "level 9, adaptive"), (PyVips, "compression 9, all filters")),
        5,
    ),
    "256": Row("256 colors", 5, True, ((Pngquant, "speed 4"), (Sharp, "default")), 3),
}


@dataclass
class Ratios:
    """Ours over a peer's, image by image."""

    bytes: dict[str, float] = field(default_factory=dict)
    speed: dict[str, float] = field(default_factory=dict)
    scores: dict[str, tuple[float, float]] = field(default_factory=dict)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, nargs="+", default=[_SAMPLES])
    parser.add_argument("--graphics", type=Path, nargs="+", default=[_SAMPLES])
    parser.add_argument("--rows", nargs="+", choices=_ROWS, default=list(_ROWS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1, help="other images")
    parser.add_argument("--verbose", action="store_true", help="a line for each image, too")
    return parser.parse_args()


def compress(data: bytes, effort: int, colors: int | None) -> bytes:
    settings = {} if colors is None else {"colors": colors}
    result = pixpress.compress(
        data, format="png", effort=effort, metadata="none", auto_orient=False, **settings
    )
    assert result.data is not None
    return result.data


def _flat(data: bytes) -> Image.Image:
    rgba = Image.open(io.BytesIO(data)).convert("RGBA")
    white = Image.new("RGBA", rgba.size, "white")
    return Image.alpha_composite(white, rgba).convert("RGB")


def bytes_at(score: float, curve: Sequence[tuple[float, int]]) -> float:
    """Return the bytes at a score between points of falling score; the first's above them all."""
    above = curve[0]
    for point in curve:
        if point[0] < score:
            if above[0] <= score:
                return above[1]
            part = (above[0] - score) / (above[0] - point[0])
            return math.exp((1 - part) * math.log(above[1]) + part * math.log(point[1]))
        above = point
    return above[1]


def measure(row: Row, image: Input, rounds: int, adapters: dict[str, Adapter]) -> dict[str, Ratios]:
    colors = 256 if row.has_palette else None
    outputs: dict[str, bytes] = {}

    def ours() -> float:
        start = time.process_time()
        outputs["pixpress"] = compress(image.data, row.effort, colors)
        return time.process_time() - start

    def of_peer(name: str, adapter: Adapter, job: Job) -> Callable[[], float]:
        def run() -> float:
            seconds, (outputs[name],) = run_timed(adapter, job, [image.data])
            return seconds

        return run

    contenders: dict[str, Callable[[], float]] = {"pixpress": ours}
    for peer, effort in row.peers:
        if peer.name not in adapters:
            continue
        quality = 100 if peer is Sharp else 256
        job = Job("png", quality, None, "png", "png", not row.has_palette, row.has_palette, effort)
        contenders[peer.name] = of_peer(peer.name, adapters[peer.name], job)
    seconds = medians(in_turns(contenders, rounds))
    found = {name: Ratios() for name in contenders if name != "pixpress"}
    curve: list[tuple[float, int]] = []
    for name, ratios in found.items():
        ratios.speed[image.name] = seconds[name] / seconds["pixpress"]
        if not row.has_palette:
            ratios.bytes[image.name] = len(outputs["pixpress"]) / len(outputs[name])
            continue
        reference = _flat(image.data)
        score = METRICS[0].score(reference, _flat(outputs[name]))
        for number in _COLORS[len(curve) :]:
            if curve and curve[-1][0] < score:
                break
            made = compress(image.data, row.effort, number)
            curve.append((METRICS[0].score(reference, _flat(made)), len(made)))
        ratios.scores[image.name] = (curve[0][0], score)
        ratios.bytes[image.name] = bytes_at(score, curve) / len(outputs[name])
    return found


def mean(values: Sequence[float]) -> float:
    return statistics.geometric_mean(values)


def told(row: Row, peer: str, ratios: Ratios, images: Sequence[Input]) -> list[str]:
    lines = []
    for kind in ("photograph", "graphic", ""):
        names = [image.name for image in images if kind in ("", image.kind)]
        if not names:
            continue
        sizes = [ratios.bytes[name] for name in names]
        speed = mean([ratios.speed[name] for name in names])
        line = (
            f"| {row.name} | {peer} | {kind or 'all'} ({len(names)}) | {mean(sizes):.4f} "
            f"({min(sizes):.3f} to {max(sizes):.3f}) | {speed:.2f} | {row.aim:g} |"
        )
        if row.has_palette:
            scores = [ratios.scores[name] for name in names]
            gain = statistics.fmean(ours - theirs for ours, theirs in scores)
            worse = sum(ours < theirs for ours, theirs in scores)
            line += f" {gain:+.2f}, {worse} lower |"
        lines.append(line)
    return lines


def main() -> None:
    options = parse()
    photos = find(options.photos, ".jpg", ".jpeg", ".png")
    graphics = [path for path in find(options.graphics, ".png") if path.stat().st_size > 50_000]
    images = make_inputs(photos, graphics, options.seed)
    pixpress.configure(max_workers=1, worker_nice=0)
    wanted = {peer for key in options.rows for peer, _ in _ROWS[key].peers}
    missing = [peer.name for peer in wanted if not peer.available()]
    if missing:
        print(f"left out, as they are missing: {', '.join(missing)}")
    adapters = {peer.name: peer(1) for peer in wanted if peer.available()}
    print("| job | peer | images | bytes (range) | speed | aim | score at 256 colors |")
    print("|---|---|---|---:|---:|---:|---:|")
    for key in options.rows:
        row = _ROWS[key]
        whole: dict[str, Ratios] = {}
        for image in images:
            for peer, found in measure(row, image, options.rounds, adapters).items():
                ratios = whole.setdefault(peer, Ratios())
                ratios.bytes |= found.bytes
                ratios.speed |= found.speed
                ratios.scores |= found.scores
                if options.verbose:
                    score = found.scores.get(image.name)
                    print(
                        f"{row.name}, {peer}, {image.name}: {found.bytes[image.name]:.4f}, "
                        f"{found.speed[image.name]:.2f}{f', {score}' if score else ''}",
                        flush=True,
                    )
        for peer, ratios in whole.items():
            print("\n".join(told(row, peer, ratios, images)), flush=True)
    for adapter in adapters.values():
        adapter.close()


if __name__ == "__main__":
    main()
