"""How far resident memory grows over one large image, in a fresh process each."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from PIL import Image

from comparison.inputs import Inputs, encode
from comparison.libraries import Libraries
from comparison.results import Row
from comparison.tasks import Task

_CHILD = Path(__file__).parents[1] / "memory_process.py"
_FRAMES = 24
_SMALL = (64, 64)


class LargeImages:
    """One large image per format, made from the largest photograph, in a folder."""

    def __init__(self, inputs: Inputs, megapixels: float, folder: Path) -> None:
        self._inputs = inputs
        self._pixels = megapixels * 1e6
        self._folder = folder

    def path(self, task: Task, is_small: bool = False) -> Path:
        """Return the file, made at the first call."""
        kind = task.job.source
        path = self._folder / f"{'small' if is_small else 'large'}.{kind}"
        if not path.exists():
            photo = self._photo(_FRAMES if kind == "gif" else 1)
            if is_small:
                photo = photo.resize(_SMALL)
            path.write_bytes(_animation(photo) if kind == "gif" else encode(photo, kind))
        return path

    def _photo(self, frames: int) -> Image.Image:
        largest = max(self._inputs.photos, key=_pixels)
        with Image.open(largest) as image:
            scale = (self._pixels / frames / (image.width * image.height)) ** 0.5
            size = round(image.width * scale), round(image.height * scale)
            made = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
        made.info.clear()
        return made


def _pixels(path: Path) -> int:
    with Image.open(path) as image:
        return image.width * image.height


def _animation(photo: Image.Image) -> bytes:
    """Return a GIF in which the photograph moves to the left."""
    first = photo.quantize(255)
    step = max(1, photo.width // _FRAMES)
    frames = []
    for number in range(_FRAMES):
        frame = first.copy()
        frame.paste(first.crop((number * step, 0, *first.size)), (0, 0))
        frames.append(frame)
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=50)
    return out.getvalue()


def measure(
    libraries: Libraries, task: Task, rows: Sequence[Row], images: LargeImages, workers: int
) -> None:
    """Give each library's row of middle effort its growth; ``workers`` processes at a time."""
    files = images.path(task, is_small=True), images.path(task)

    def grow(row: Row) -> None:
        job = libraries.job(task, row, row.quality)
        command = [sys.executable, str(_CHILD), row.library, json.dumps(asdict(job))]
        done = subprocess.run([*command, *map(str, files)], stdout=subprocess.PIPE, check=True)
        row.growth_bytes = int(done.stdout)

    with ThreadPoolExecutor(workers) as executor:
        for _ in executor.map(grow, _middle(rows)):
            pass


def _middle(rows: Sequence[Row]) -> list[Row]:
    by_library: dict[str, list[Row]] = {}
    for row in rows:
        by_library.setdefault(row.library, []).append(row)
    return [each[(len(each) - 1) // 2] for each in by_library.values()]
