"""The images to work on, made from the folders that the user names."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from PIL import Image

from comparison.tasks import Material, Task

Item = TypeVar("Item")

_LANCZOS = Image.Resampling.LANCZOS
# Smaller ones would measure how long a process takes to start, larger ones take too long.
_LEAST_MEGAPIXELS, _MOST_PNG_MEGAPIXELS = 0.15, 3.2
_JPEG_QUALITY = 95


@dataclass(frozen=True)
class Blob:
    """An encoded image."""

    name: str
    data: bytes
    megapixels: float  # Over all frames.


def encode(image: Image.Image, kind: str) -> bytes:
    """Return an image as JPEG of quality 95 in 4:2:0, or as PNG."""
    out = io.BytesIO()
    if kind == "jpeg":
        image.save(out, "JPEG", quality=_JPEG_QUALITY, subsampling="4:2:0")
    else:
        image.save(out, "PNG", compress_level=6)
    return out.getvalue()


def shrunk(path: Path, side_px: int) -> Image.Image:
    """Return a photograph that fits a square, without profile."""
    with Image.open(path) as image:
        image.draft("RGB", (2 * side_px, 2 * side_px))
        made = image.convert("RGB")
    made.thumbnail((side_px, side_px), _LANCZOS)
    made.info.clear()
    return made


def evenly(items: Sequence[Item], count: int) -> list[Item]:
    """Return ``count`` of the items, evenly spaced, or all if there are less."""
    count = min(count, len(items))
    return [items[(2 * i + 1) * len(items) // (2 * count)] for i in range(count)]


def _megapixels(image: Image.Image) -> float:
    return image.width * image.height * getattr(image, "n_frames", 1) / 1e6


def _as_it_is(path: Path) -> Blob:
    with Image.open(path) as image:
        return Blob(path.name, path.read_bytes(), _megapixels(image))


def _plain_png(path: Path) -> bool:
    """Tell whether all peers keep a PNG's pixels: 8 bits at most, still, of a useful size."""
    with Image.open(path) as image:
        is_useful = (
            _LEAST_MEGAPIXELS * 1e6 <= image.width * image.height <= _MOST_PNG_MEGAPIXELS * 1e6
        )
        depth = path.read_bytes()[24]
        return is_useful and depth <= 8 and not getattr(image, "is_animated", False)


def _center(path: Path, side_px: int) -> Image.Image:
    """Return the middle of a graphic, on white."""
    with Image.open(path) as image:
        rgba = image.convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    left, top = (max(0, (length - side_px) // 2) for length in flat.size)
    box = (left, top, min(flat.width, left + side_px), min(flat.height, top + side_px))
    return flat.crop(box)


@dataclass
class Inputs:
    """The files of the named folders, and what jobs make of them."""

    photos: list[Path]
    graphics: list[Path]
    animations: list[Path]
    sweep_side_px: int
    sweep_images: int
    scale: float = 1.0  # Of the megapixels of a round.
    round_side_px: int = 1600  # Of the shrunk photographs of a round.
    _made: dict[tuple[Material, str], Blob] = field(default_factory=dict)

    @cached_property
    def pngs(self) -> list[Path]:
        """PNG photographs and graphics that every peer can keep exactly."""
        paths = [path for path in (*self.photos, *self.graphics) if path.suffix == ".png"]
        return [path for path in dict.fromkeys(paths) if _plain_png(path)]

    @cached_property
    def gifs(self) -> list[Path]:
        """GIF files of a useful size, over all frames."""
        return [path for path in self.animations if _as_it_is(path).megapixels >= _LEAST_MEGAPIXELS]

    def paths(self, material: Material) -> list[Path]:
        """Return the files that a material is made from."""
        if material is Material.CAMERA:
            return [path for path in self.photos if path.suffix != ".png"]
        if material is Material.PNG:
            return self.pngs
        return self.gifs if material is Material.GIF else self.photos

    def round_blobs(self, task: Task) -> list[Blob]:
        """Return as many of the inputs, evenly spaced, as its megapixels allow; at least one.

        None takes more than half of the megapixels unless all do.
        """
        most = task.megapixels * self.scale
        blobs = [self._blob(task.material, path) for path in self.paths(task.material)]
        blobs = [blob for blob in blobs if blob.megapixels <= most / 2] or blobs[:1]
        for count in range(len(blobs), 1, -1):
            chosen = evenly(blobs, count)
            if sum(blob.megapixels for blob in chosen) <= most:
                return chosen
        return blobs[:1]

    def sweep_blobs(self, task: Task) -> list[Blob]:
        """Return the small inputs of a quality sweep."""
        side = self.sweep_side_px * (1 if task.job.side_px is None else 2)
        is_graphic = task.material is Material.PNG
        paths = [path for path in self.graphics if path in self.pngs] if is_graphic else self.photos
        blobs = []
        for path in evenly(paths, self.sweep_images):
            image = _center(path, side) if is_graphic else shrunk(path, side)
            blobs.append(Blob(path.name, encode(image, task.job.source), _megapixels(image)))
        return blobs

    def _blob(self, material: Material, path: Path) -> Blob:
        key = (material, str(path))
        if key not in self._made:
            if material in (Material.PHOTO_JPEG, Material.PHOTO_PNG):
                image = shrunk(path, self.round_side_px)
                kind = "jpeg" if material is Material.PHOTO_JPEG else "png"
                self._made[key] = Blob(path.name, encode(image, kind), _megapixels(image))
            else:
                self._made[key] = _as_it_is(path)
        return self._made[key]


def find(folders: Iterable[Path], *suffixes: str) -> list[Path]:
    """Return the files of folders with the suffixes, by name."""
    return [
        path
        for folder in folders
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in suffixes
    ]
