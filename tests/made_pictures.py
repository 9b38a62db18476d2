"""Pictures that tests make, and what they ask of outputs."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

import pixpress


def photo(height: int = 192, width: int = 256) -> np.ndarray:
    """Shapes of two sizes with noise, of saturated colors."""
    rng = np.random.default_rng(11)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    planes = [128 + 80 * np.sin(x / 9 + 2 * p) * np.cos(y / 13 - p) for p in range(3)]
    noisy = np.stack(planes, axis=-1) + rng.normal(0, 14, (height, width, 3))
    noisy[40:90, 60:140] = (230, 10, 20)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def saved(pixels: np.ndarray, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format, **options)
    return out.getvalue()


def score(reference: np.ndarray, output: bytes) -> float:
    return pixpress.ssimulacra2(reference, pixpress.decode(output))
