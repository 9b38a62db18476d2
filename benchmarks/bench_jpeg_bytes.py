"""How many bytes do JPEG files take at equal score, over those of mozjpeg?

No pytest file: it prints the tables of ``docs/jpeg.md``. Images are crops in the middle of the
photographs, and shrunk copies, as PNG or as JPEG of the qualities that cameras have. mozjpeg is
libvips with its trellis, scan search, deringing and tables.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from comparison import sweep
from comparison.inputs import find
from comparison.results import Curve
from comparison.score import METRICS
from comparison.sweep import Scorer
from peers.job import Job
from peers.pyvips import PyVips
from PIL import Image

import pixpress

_SAMPLES = Path(__file__).parents[1] / "tests" / "data"
_LADDER = (34, 50, 62, 72, 80, 87, 92, 96)
_SOURCE_QUALITIES = (95, 98, 93, 97)

Encode = Callable[[bytes, int], bytes]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, nargs="+", default=[_SAMPLES])
    parser.add_argument("--source", choices=("jpeg", "png"), default="png")
    parser.add_argument("--images", type=int, default=6)
    parser.add_argument("--side", type=int, default=512, help="pixels of their longer side")
    parser.add_argument("--shift", type=int, default=0, help="other crops: pixels off the middle")
    parser.add_argument("--efforts", type=int, nargs="+", default=[2, 5, 7, 9, 10])
    parser.add_argument("--qualities", type=int, nargs="+", default=list(_LADDER))
    parser.add_argument("--metrics", nargs="+", default=["SSIMULACRA2", "butteraugli"])
    return parser.parse_args()


def picture(path: Path, number: int, side_px: int, shift_px: int) -> Image.Image:
    """Return a crop of an image, or of every other one a shrunk copy."""
    with Image.open(path) as image:
        whole = image.convert("RGB")
    if number % 2 == 1:
        whole.thumbnail((2 * side_px, 2 * side_px), Image.Resampling.LANCZOS)
    left, top = (max(0, min((n - side_px) // 2 + shift_px, n - side_px)) for n in whole.size)
    box = (left, top, min(whole.width, left + side_px), min(whole.height, top + side_px))
    made = whole.crop(box)
    made.info.clear()
    return made


def encoded(image: Image.Image, number: int, source: str) -> bytes:
    out = io.BytesIO()
    if source == "png":
        image.save(out, "PNG")
    else:
        quality = _SOURCE_QUALITIES[number % len(_SOURCE_QUALITIES)]
        image.save(out, "JPEG", quality=quality, subsampling="4:2:0")
    return out.getvalue()


def ours(effort: int) -> Encode:
    def encode(data: bytes, quality: int) -> bytes:
        result = pixpress.compress(
            data,
            format="jpeg",
            quality=quality,
            effort=effort,
            subsampling="4:2:0",
            metadata="none",
            auto_orient=False,
        )
        assert result.data is not None
        return result.data

    return encode


def mozjpeg() -> Encode:
    adapter = PyVips(1)
    return lambda data, quality: adapter.encode(
        Job("bytes", quality=quality, effort="mozjpeg"), data
    )


def curve_of(
    encode: Encode, images: Sequence[bytes], qualities: Sequence[int], scorer: Scorer
) -> tuple[Curve, float]:
    """Return a contender's sweep and its CPU seconds."""
    start = time.process_time()  # Of all threads.
    made = [[encode(data, quality) for data in images] for quality in qualities]
    seconds = time.process_time() - start
    curve = Curve(list(qualities), [[len(each) for each in row] for row in made], {})
    waiting = [[scorer.score(*pair) for pair in zip(images, row, strict=True)] for row in made]
    scores = [[future.result() for future in row] for row in waiting]
    for name in scores[0][0]:
        curve.scores[name] = [[score[name] for score in row] for row in scores]
    return curve, seconds


def told(mean: tuple[float | None, int], images: int) -> str:
    value, count = mean
    if value is None:
        return ""
    return f"{value:.3f}" + (f" ({count})" if count < images else "")


def main() -> None:
    options = parse()
    paths = find(options.photos, ".jpg", ".jpeg", ".png")
    step = max(1, len(paths) // options.images)
    chosen = paths[::step][: options.images]
    images = [
        encoded(picture(path, i, options.side, options.shift), i, options.source)
        for i, path in enumerate(chosen)
    ]
    print(f"{len(images)} {options.source} images: {', '.join(path.name for path in chosen)}\n")
    metrics = [m for m in METRICS if m.name in options.metrics and m.available()]
    contenders = {f"effort {effort}": ours(effort) for effort in options.efforts}
    # Not forked: this process has the threads of a pool.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context) as executor:
        scorer = Scorer(executor, metrics)
        peer, peer_seconds = curve_of(mozjpeg(), images, options.qualities, scorer)
        targets = [(metric.name, target) for metric in metrics for target in metric.targets]
        heads = [f"{name} {target:g}" for name, target in targets]
        print("| | CPU time | " + " | ".join(heads) + " |")
        print("|---|---:|" + "---:|" * len(targets))
        for name, encode in contenders.items():
            curve, seconds = curve_of(encode, images, options.qualities, scorer)
            cells = [told(sweep.ratio(curve, peer, *target), len(images)) for target in targets]
            print(f"| {name} | {seconds / peer_seconds:.2f} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
