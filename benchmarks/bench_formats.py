"""How do GIF, WebP and AVIF compare with their own tools, on one thread each?

No pytest file: it prints one row for each pair of a job and a peer. Bytes are ours over the
peer's at the peer's SSIMULACRA2, from a sweep of our qualities, image by image; where even the
lowest of them scores better, its bytes count. Scores of animations are the mean over composed
frames. Speed is in CPU time of one thread: of this process, of the peer's child processes, or of
sharp's process, by medians of rounds in turns.

Images are cut and shrunk from the named folders, and animations are drawn too, other ones for
each seed.
"""

from __future__ import annotations

import argparse
import io
import math
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from comparison import interpolation
from comparison.inputs import evenly, find
from comparison.score import METRICS
from drawn_animations import all_kinds
from interleaved import in_turns, medians
from peers.avifenc import Avifenc
from peers.cpu_time import run_timed
from peers.cwebp import Cwebp
from peers.gifsicle import Gifsicle
from peers.job import Adapter, Job
from peers.pixpress import Pixpress
from peers.sharp import Sharp
from PIL import Image, ImageSequence

_SAMPLES = Path(__file__).parents[1] / "tests" / "data"
_FRAMES_SCORED = 6
Blob = tuple[str, bytes]


@dataclass(frozen=True)
class Row:
    """One job against one peer; ``ladder`` are our qualities around the peer's ``job.quality``."""

    material: str
    job: Job
    peer: str
    effort: str
    ladder: tuple[int, ...] = ()


def _webp(source: str, *, lossless: bool = False) -> Job:
    name = f"WebP {'lossless' if lossless else 'q80'} from {source.upper()}"
    return Job(name, source=source, format="webp", is_lossless=lossless)


_GIF = Job("GIF lossless", source="gif", format="gif", is_lossless=True)
_LOSSY_GIF = Job("GIF lossy", source="gif", format="gif", quality=80)
_AVIF = Job("AVIF", source="png", format="avif", quality=60)
_WEBP_LADDER, _AVIF_LADDER = (66, 74, 80, 85, 90), (46, 54, 60, 66, 72)
ROWS = (
    Row("animations", _GIF, "gifsicle", "-O3"),
    # From what nobody wants to exact colors, so that every file has a ratio.
    Row("animations", _LOSSY_GIF, "gifsicle", "-O3", (1, 10, 25, 40, 50, 60, 70, 80)),
    *(
        Row(material, _webp(material.split()[-1]), peer, effort, _WEBP_LADDER)
        for material in ("photographs png", "graphics png", "photographs jpeg")
        for peer, effort in (("cwebp", "-m 4"), ("sharp", "default"))
    ),
    *(
        Row(material, _webp("png", lossless=True), peer, effort)
        for material in ("photographs png", "graphics png")
        for peer, effort in (("cwebp", "-m 4"), ("sharp", "default"))
    ),
    *(
        Row(material, _AVIF, peer, effort, _AVIF_LADDER)
        for material in ("photographs png", "graphics png")
        for peer, effort in (("avifenc", "speed 6"), ("sharp", "default"))
    ),
)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, nargs="+", default=[_SAMPLES])
    parser.add_argument("--graphics", type=Path, nargs="+", default=[])
    parser.add_argument("--animations", type=Path, nargs="+", default=[])
    parser.add_argument("--images", type=int, default=5, help="of each material")
    parser.add_argument("--side", type=int, default=640, help="pixels of their longer side")
    parser.add_argument("--seed", type=int, default=1, help="other crops, other drawings")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--effort", type=int, default=5)
    parser.add_argument("--only", default="", help="rows with this in their name or material")
    parser.add_argument("--each", action="store_true", help="print each image's ratio as well")
    return parser.parse_args()


def pictures(paths: Sequence[Path], side_px: int, random: np.random.Generator) -> list[Image.Image]:
    """Return crops, and of every other image a shrunk copy."""
    made = []
    for number, path in enumerate(paths):
        with Image.open(path) as image:
            whole = image.convert("RGBA" if image.has_transparency_data else "RGB")
        if number % 2 == 1:
            whole.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
        left, top = (int(random.integers(0, max(1, length - side_px))) for length in whole.size)
        part = whole.crop(
            (left, top, min(whole.width, left + side_px), min(whole.height, top + side_px))
        )
        part.info.clear()
        made.append(part)
    return made


def stored(image: Image.Image, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, **options)
    return out.getvalue()


def materials(options: argparse.Namespace) -> dict[str, list[Blob]]:
    random = np.random.default_rng(options.seed)
    suffixes = (".jpg", ".jpeg", ".png", ".webp")
    photo_paths = evenly(find(options.photos, *suffixes), options.images)
    graphic_paths = evenly(find(options.graphics, ".png"), options.images)
    photos = [image.convert("RGB") for image in pictures(photo_paths, options.side, random)]
    graphics = pictures(graphic_paths, options.side, random)
    animated = [(path.name, path.read_bytes()) for path in find(options.animations, ".gif")]
    names = [path.name for path in photo_paths]
    jpegs = [stored(photo, format="JPEG", quality=95, subsampling="4:2:0") for photo in photos]
    return {
        "animations": animated + list(all_kinds(options.seed, photos[:2])),
        "photographs png": list(
            zip(names, [stored(photo, format="PNG") for photo in photos], strict=True)
        ),
        "photographs jpeg": list(zip(names, jpegs, strict=True)),
        "graphics png": [
            (path.name, stored(image, format="PNG"))
            for path, image in zip(graphic_paths, graphics, strict=True)
        ],
    }


def shown(data: bytes) -> list[tuple[float, Image.Image]]:
    """Return what an image shows on white, with the ends of its frames in ms."""
    frames, now_ms = [], 0.0
    with Image.open(io.BytesIO(data)) as image:
        for frame in ImageSequence.Iterator(image):
            now_ms += frame.info.get("duration", 0) or 1
            rgba = frame.convert("RGBA")
            white = Image.new("RGBA", rgba.size, "white")
            frames.append((now_ms, Image.alpha_composite(white, rgba).convert("RGB")))
    return frames


def score(source: bytes, output: bytes) -> float:
    """Return the mean SSIMULACRA2 of frames that are seen at the same times."""
    before, after = shown(source), shown(output)
    total_ms = before[-1][0]
    ssimulacra2 = METRICS[0].score
    count = min(len(before), _FRAMES_SCORED)
    scores = []
    for number in range(count):
        at_ms = total_ms * (number + 0.5) / count
        pair = [
            next(f for end, f in frames if at_ms < end or end == frames[-1][0])
            for frames in (before, after)
        ]
        scores.append(ssimulacra2(*pair))
    return sum(scores) / count


def least_at(frontier: Sequence[interpolation.Point], score: float) -> float | None:
    """Return the cost of a score; of the cheapest point if that one has a better score."""
    return frontier[0][1] if score <= frontier[0][0] else interpolation.at(frontier, score)


def timed(adapter: Adapter, job: Job, blobs: Sequence[bytes]) -> Callable[[], float]:
    return lambda: run_timed(adapter, job, blobs)[0]


class Comparison:
    def __init__(self, options: argparse.Namespace, executor: ProcessPoolExecutor) -> None:
        self._options = options
        self._executor = executor
        self._ours = Pixpress(1)
        self._effort = f"effort {options.effort}"
        kinds = (Gifsicle, Cwebp, Avifenc, Sharp)
        self._peers: dict[str, Adapter] = {k.name: k(1) for k in kinds if k.available()}
        self.missing = [kind.name for kind in kinds if not kind.available()]

    def close(self) -> None:
        for adapter in (self._ours, *self._peers.values()):
            adapter.close()

    def row(self, row: Row, blobs: Sequence[Blob]) -> str | None:
        """Return a row of the table."""
        if row.peer not in self._peers or not blobs:
            return None
        data = [blob for _, blob in blobs]
        peer = self._peers[row.peer]
        peer_job = replace(row.job, effort=row.effort)
        theirs = peer.run(peer_job, data)
        ratios, quality = self._ratios(row, data, theirs)
        if self._options.each:
            for (name, _), ratio in zip(blobs, ratios, strict=True):
                print(f"    {name}: {'-' if ratio is None else f'{ratio:.3f}'}")
        job = replace(row.job, effort=self._effort, quality=quality)
        contenders = {
            "ours": timed(self._ours, job, data),
            "peer": timed(peer, peer_job, data),
        }
        seconds = medians(in_turns(contenders, self._options.rounds))
        logs = [math.log(ratio) for ratio in ratios if ratio is not None]
        mean = f"{math.exp(sum(logs) / len(logs)):.3f} ({len(logs)})" if logs else "-"
        lossy = f" at {row.job.quality}" if row.job.format == "gif" and row.ladder else ""
        return (
            f"| {row.job.name} | {row.material} | {row.peer} {row.effort}{lossy} | {mean} "
            f"| {seconds['peer'] / seconds['ours']:.2f} |"
        )

    def _ratios(
        self, row: Row, data: Sequence[bytes], theirs: Sequence[bytes]
    ) -> tuple[list[float | None], int]:
        """Return our bytes over the peer's for each image, and the quality that matches."""
        if row.job.is_lossless:
            made = self._ours.run(replace(row.job, effort=self._effort), data)
            return [len(a) / len(b) for a, b in zip(made, theirs, strict=True)], row.job.quality
        targets = list(self._executor.map(score, data, theirs))
        sizes, scores = [], []
        for quality in row.ladder:
            job = replace(row.job, effort=self._effort, quality=quality)
            made = self._ours.run(job, data)
            sizes.append([len(each) for each in made])
            scores.append(list(self._executor.map(score, data, made)))
        ratios: list[float | None] = []
        qualities = []
        for i, target in enumerate(targets):
            points = [(s[i], math.log(b[i])) for s, b in zip(scores, sizes, strict=True)]
            value = least_at(interpolation.frontier(points), target)
            ratios.append(None if value is None else math.exp(value) / len(theirs[i]))
            best = min(range(len(row.ladder)), key=lambda k: abs(scores[k][i] - target))
            qualities.append(row.ladder[best])
        return ratios, sorted(qualities)[len(qualities) // 2]


def main() -> None:
    options = parse()
    made = materials(options)
    # Not forked: this process has the threads of a pool.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context) as executor:
        comparison = Comparison(options, executor)
        for name in comparison.missing:
            print(f"{name} is left out: it is not there")
        print("| job | material | peer | bytes (images) | speed |\n|---|---|---|---:|---:|")
        for row in ROWS:
            if options.only in f"{row.job.name} {row.material} {row.peer}":
                line = comparison.row(row, made[row.material])
                if line is not None:
                    print(line, flush=True)
        comparison.close()


if __name__ == "__main__":
    main()
