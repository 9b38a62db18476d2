"""Are efforts 5, 7 and 10 faster and smaller than mozjpeg, through sharp and through libvips?

No pytest file: it prints tables. Crops and shrunk copies of the photographs, which the seed
chooses, are written at a range of qualities by each contender; bytes are compared at equal score.
With ``--source camera`` whole photographs are re-encoded instead, and scored in three squares each,
with ``--source joint`` crops from PNG and whole photographs.
Then whole photographs are re-encoded in turns, at the quality with which each contender scores the
same, on one thread, and CPU time is compared.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import random
import statistics
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench_jpeg_bytes import curve_of, encoded, told
from comparison import sweep
from comparison.inputs import find
from comparison.results import Curve
from comparison.score import METRICS
from comparison.sweep import Scorer
from interleaved import in_turns
from peers.cpu_time import run_timed
from peers.job import Adapter, Job
from peers.pixpress import Pixpress
from peers.pyvips import PyVips
from peers.sharp import Sharp
from PIL import Image

_SAMPLES = Path(__file__).parents[1] / "tests" / "data"
_LADDER = (30, 42, 54, 63, 70, 75, 80, 85, 89, 92, 95, 97)
_SHRINKING = (1.0, 0.7, 0.5, 0.35)
_SQUARES = 3


@dataclass
class Contender:
    """An adapter at one of its efforts."""

    name: str
    adapter: Adapter
    effort: str
    curve: Curve | None = None
    quality: int = 80

    def job(self, quality: int) -> Job:
        return Job("mozjpeg class", quality=quality, effort=self.effort)

    def encode(self, data: bytes, quality: int) -> bytes:
        return self.adapter.run(self.job(quality), [data])[0]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, nargs="+", default=[_SAMPLES])
    parser.add_argument("--source", choices=("jpeg", "png", "camera", "joint"), default="png")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--images", type=int, default=8, help="crops")
    parser.add_argument("--side", type=int, default=384, help="pixels of their sides")
    parser.add_argument("--efforts", type=int, nargs="+", default=[5, 7, 10])
    parser.add_argument("--qualities", type=int, nargs="+", default=list(_LADDER))
    parser.add_argument("--metrics", nargs="+", default=["SSIMULACRA2", "butteraugli", "DSSIM"])
    parser.add_argument("--timed", type=int, default=2, help="photographs that are timed")
    parser.add_argument("--peers", nargs="+", default=["sharp", "pyvips"])
    parser.add_argument("--score", type=float, default=75.0, help="SSIMULACRA2 of what is timed")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def crop(path: Path, side_px: int, dice: random.Random) -> Image.Image:
    """Return a square of a photograph, which may be shrunk before."""
    with Image.open(path) as image:
        whole = image.convert("RGB")
    scale = max(dice.choice(_SHRINKING), (side_px + 1) / min(whole.size))
    if scale < 1:
        size = round(whole.width * scale), round(whole.height * scale)
        whole = whole.resize(size, Image.Resampling.LANCZOS)
    left, top = (dice.randrange(max(1, length - side_px + 1)) for length in whole.size)
    box = (left, top, min(whole.width, left + side_px), min(whole.height, top + side_px))
    made = whole.crop(box)
    made.info.clear()
    return made


def squares(data: bytes, side_px: int) -> bytes:
    """Return squares of an image, in places that its size decides, one above the other as PNG."""
    whole = sweep.rgb(data)
    dice = random.Random(repr(whole.size))
    made = Image.new("RGB", (side_px, _SQUARES * side_px))
    for i in range(_SQUARES):
        left, top = (dice.randrange(max(1, length - side_px + 1)) for length in whole.size)
        square = whole.crop((left, top, left + side_px, top + side_px))
        made.paste(square, (0, i * side_px))
    out = io.BytesIO()
    made.save(out, "PNG", compress_level=0)
    return out.getvalue()


class SquareScorer(Scorer):
    """Scores squares of large images, and small ones as a whole."""

    side_px = 512

    def score(self, source: bytes, output: bytes) -> Future[dict[str, float]]:
        with Image.open(io.BytesIO(source)) as image:
            is_large = min(image.size) > 2 * self.side_px
        if is_large:
            source, output = (squares(data, self.side_px) for data in (source, output))
        return super().score(source, output)


def cameras(paths: list[Path], count: int, dice: random.Random) -> list[bytes]:
    """Return some of the files that are JPEG."""
    files = [path for path in paths if path.suffix.lower() != ".png"]
    return [path.read_bytes() for path in dice.sample(files, min(count, len(files)))]


def inputs(options: argparse.Namespace, paths: list[Path], dice: random.Random) -> list[bytes]:
    """Return what bytes are compared on: crops, then whole files."""
    files = cameras(paths, options.images, dice) if options.source in ("camera", "joint") else []
    if options.source == "camera":
        return files
    if options.source == "joint":
        paths = [path for path in paths if path.suffix.lower() == ".png"]
    kind = "jpeg" if options.source == "jpeg" else "png"
    enough = len(paths) >= options.images
    chosen = dice.sample(paths, options.images) if enough else dice.choices(paths, k=options.images)
    crops = [encoded(crop(path, options.side, dice), i, kind) for i, path in enumerate(chosen)]
    return crops + files


def contenders(
    efforts: Sequence[int], names: Sequence[str]
) -> tuple[list[Contender], list[Contender]]:
    """Return ours and the peers that are there."""
    ours = Pixpress(1)
    mine = [Contender(f"effort {effort}", ours, f"effort {effort}") for effort in efforts]
    peers = [
        Contender(kind.name, kind(1), "mozjpeg")
        for kind in (Sharp, PyVips)
        if kind.name in names and kind.available()
    ]
    if not peers:
        raise SystemExit("no peer is there")
    return mine, peers


def print_bytes(mine: list[Contender], peers: list[Contender], kinds: dict[str, slice]) -> None:
    targets = [
        (metric, target)
        for metric in METRICS
        if peers[0].curve and metric.name in peers[0].curve.scores
        for target in metric.targets
    ]
    print("Bytes over the peer's at equal score, how many images reach it if not all do:\n")
    print("| | " + " | ".join(f"{m.name} {target:g}" for m, target in targets) + " |")
    print("|---|" + "---:|" * len(targets))
    for kind, images in kinds.items():
        for peer in peers:
            for each in mine:
                assert each.curve is not None
                assert peer.curve is not None
                own, other = (sweep.part_of(curve, images) for curve in (each.curve, peer.curve))
                count = len(own.sizes_bytes[0])
                means = [sweep.ratio_near(own, other, m.name, at) for m, at in targets]
                cells = " | ".join(told(mean, count) for mean in means)
                print(f"| {kind}: {each.name} over {peer.name} | {cells} |")


def print_rates(
    mine: list[Contender], peers: list[Contender], blobs: list[bytes], rounds: int
) -> None:
    sizes = [Image.open(io.BytesIO(blob)).size for blob in blobs]
    megapixels = sum(width * height for width, height in sizes) / 1e6
    written: dict[str, int] = {}

    def run(each: Contender) -> float:
        seconds, outputs = run_timed(each.adapter, each.job(each.quality), blobs)
        written[each.name] = sum(map(len, outputs))
        return seconds

    every = [*mine, *peers]
    seconds = in_turns({each.name: lambda each=each: run(each) for each in every}, rounds)
    rates = {name: megapixels / statistics.median(taken) for name, taken in seconds.items()}
    print(
        f"\nRe-encoding {megapixels:.0f} megapixels of JPEG, medians of {rounds} rounds in turns:\n"
    )
    heads = "".join(f" times {peer.name} |" for peer in peers)
    print(f"| | quality | bytes | megapixels per CPU second |{heads}")
    print("|---|---:|---:|---:|" + "---:|" * len(peers))
    for each in every:
        over = "".join(f" {rates[each.name] / rates[peer.name]:.1f} |" for peer in peers)
        row = f"| {each.name} | {each.quality} | {written[each.name]:,} | {rates[each.name]:.1f} |"
        print(row + over)


def main() -> None:
    options = parse()
    dice = random.Random(options.seed)
    paths = find(options.photos, ".jpg", ".jpeg", ".png")
    images = inputs(options, paths, dice)
    timed = cameras(paths, options.timed, dice)
    mine, peers = contenders(options.efforts, options.peers)
    print(f"{len(images)} {options.source} images of seed {options.seed}\n")
    metrics = [m for m in METRICS if m.name in options.metrics and m.available()]
    context = multiprocessing.get_context("spawn")  # This process has the threads of a pool.
    with ProcessPoolExecutor(os.cpu_count(), context) as executor:
        scorer = SquareScorer(executor, metrics)
        for each in (*mine, *peers):
            each.curve, _ = curve_of(each.encode, images, options.qualities, scorer)
            if metrics and metrics[0].name == "SSIMULACRA2":
                each.quality = sweep.matched_quality(each.curve, metrics[0].name, options.score)
    kinds = {options.source: slice(None)}
    if options.source == "joint":
        kinds |= {"crops": slice(options.images), "whole files": slice(options.images, None)}
    print_bytes(mine, peers, kinds)
    if timed:
        print_rates(mine, peers, timed, options.rounds)
    mine[0].adapter.close()
    for peer in peers:
        peer.adapter.close()


if __name__ == "__main__":
    main()
