"""The images of the specification's table, made of photographs; the same ones in each run.

Photographs are cropped at random, enlarged where they are too small, mirrored, and given the noise
of a sensor: each image is another one, and none is smoother than a camera's.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

NOISE_SIDE_PX = 1024
NOISE_SIGMA = 3.0
STRIPE_PX = 256
MB = 1_000_000
# Sizes are this far off at most, as far as quality and area can bring them there.
TOLERANCE = 0.05


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    name: str
    paths: tuple[Path, ...]

    @property
    def megabytes(self) -> float:
        return sum(path.stat().st_size for path in self.paths) / MB


class Maker:
    """Makes images in a folder from photographs."""

    def __init__(self, photos: Sequence[Path], folder: Path) -> None:
        self._photos = list(photos)
        self._folder = folder
        self._noise = np.round(
            np.random.default_rng(1).normal(0, NOISE_SIGMA, (NOISE_SIDE_PX, NOISE_SIDE_PX, 3))
        ).astype(np.int16)

    def jpeg(self, number: int, wanted_bytes: int) -> Path:
        """Write a JPEG photograph of about ``wanted_bytes``, 2.8 bits a pixel."""
        area_px = wanted_bytes * 8 / 2.8
        image = self._picture(
            number, round((area_px * 4 / 3) ** 0.5), round((area_px * 0.75) ** 0.5)
        )
        return self._write(number, "jpg", jpeg_of_size(image, wanted_bytes))

    def png(self, number: int, wanted_bytes: int) -> Path:
        """Write a PNG photograph of about ``wanted_bytes``."""
        area_px = wanted_bytes / 2.2
        for _ in range(3):
            side_px = area_px**0.5
            image = self._picture(number, round(side_px * 1.2), round(side_px / 1.2))
            stream = io.BytesIO()
            image.save(stream, "PNG", compress_level=4)
            ratio = len(stream.getvalue()) / wanted_bytes
            if abs(ratio - 1) <= TOLERANCE:
                break
            area_px /= ratio
        return self._write(number, "png", stream.getvalue())

    def webp(self, number: int, wanted_bytes: int) -> Path:
        """Write a lossy WebP photograph of roughly ``wanted_bytes``."""
        side_px = (wanted_bytes * 8 / 2.8) ** 0.5
        stream = io.BytesIO()
        self._picture(number, round(side_px * 1.2), round(side_px / 1.2)).save(
            stream, "WEBP", quality=92, method=0
        )
        return self._write(number, "webp", stream.getvalue())

    def large_jpeg(self, wanted_bytes: int) -> Path:
        """Write one JPEG, a wall of photographs, of 2 pixels per byte."""
        width_px = round((wanted_bytes * 2 * 1.5) ** 0.5)
        height_px = round((wanted_bytes * 2 / 1.5) ** 0.5)
        wall = Image.new("RGB", (width_px, height_px))
        for row in range(3):
            for column in range(3):
                left, right = (width_px * i // 3 for i in (column, column + 1))
                top, bottom = (height_px * i // 3 for i in (row, row + 1))
                cell = self._picture(1000 + row * 3 + column, right - left, bottom - top)
                wall.paste(cell, (left, top))
        return self._write(0, "large.jpg", jpeg_of_size(wall, wanted_bytes))

    def _picture(self, number: int, width_px: int, height_px: int) -> Image.Image:
        random = np.random.default_rng(number)
        with Image.open(self._photos[number % len(self._photos)]) as photo:
            image = ImageOps.exif_transpose(photo).convert("RGB")
        scale = min(image.width / width_px, image.height / height_px) * random.uniform(0.6, 1)
        across, down = width_px * scale, height_px * scale
        left = random.uniform(0, image.width - across)
        top = random.uniform(0, image.height - down)
        image = image.resize(
            (width_px, height_px),
            Image.Resampling.BICUBIC,
            (left, top, left + across, top + down),
            reducing_gap=2,
        )
        if random.random() < 0.5:
            image = ImageOps.mirror(image)
        return self._with_noise(image, random)

    def _with_noise(self, image: Image.Image, random: np.random.Generator) -> Image.Image:
        pixels = np.array(image)
        across = -(-image.width // NOISE_SIDE_PX)
        for top in range(0, image.height, STRIPE_PX):
            rows = pixels[top : top + STRIPE_PX]
            noise = np.roll(self._noise, random.integers(0, NOISE_SIDE_PX, 2), (0, 1))
            noise = np.tile(noise[: len(rows)], (1, across, 1))[:, : image.width]
            rows[:] = np.clip(rows + noise, 0, 255)
        return Image.fromarray(pixels)

    def _write(self, number: int, extension: str, data: bytes) -> Path:
        path = self._folder / f"{number:04}.{extension}"
        path.write_bytes(data)
        return path


def jpeg_of_size(image: Image.Image, wanted_bytes: int) -> bytes:
    """Encode with the quality, 75 to 98, that comes closest to the size."""
    least, most = 75, 98
    while True:
        quality = (least + most) // 2
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=quality, subsampling="4:2:0")
        data = stream.getvalue()
        if abs(len(data) / wanted_bytes - 1) <= TOLERANCE or least >= most:
            return data
        if len(data) > wanted_bytes:
            most = max(quality - 1, least)
        else:
            least = quality + 1


def make_rows(photos: Sequence[Path], folder: Path, scale: float) -> list[Row]:
    """Make the images of all rows. ``scale`` 1 is the specification's, less is fewer of them."""
    folder.mkdir(parents=True, exist_ok=True)
    maker = Maker(photos, folder)

    def count(full: int) -> int:
        return max(round(full * scale), 4)

    jpegs = tuple(maker.jpeg(number, 5 * MB) for number in range(count(100)))
    pngs = tuple(maker.png(number, 10 * MB) for number in range(count(50)))
    webps = tuple(maker.webp(number, 2 * MB) for number in range(count(50)))
    large = maker.large_jpeg(50 * MB)
    return [
        Row(f"{len(jpegs)} JPEG of 5 MB", jpegs),
        Row(f"{len(pngs)} PNG of 10 MB", pngs),
        Row(f"mixed {len(jpegs) + len(pngs) + len(webps)}", jpegs + pngs + webps),
        Row(f"one JPEG of {large.stat().st_size / MB:.0f} MB", (large,)),
    ]
