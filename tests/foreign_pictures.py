"""Pictures in the formats that Pillow reads for us."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

SAVED = {"bmp": "BMP", "tif": "TIFF", "tiff": "TIFF", "ppm": "PPM", "ico": "ICO", "tga": "TGA"}


def gradient(mode: str = "RGB", size: tuple[int, int] = (48, 32)) -> Image.Image:
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    planes = np.stack([x * 5, y * 7, 255 - x * 5], -1).astype(np.uint8)
    image = Image.fromarray(planes)
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.fromarray((x * 5).astype(np.uint8)))
    return image.convert(mode)


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def opened(data: bytes | None) -> Image.Image:
    with Image.open(io.BytesIO(data or b"")) as image:
        image.load()
        return image.copy()
