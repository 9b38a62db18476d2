"""What every Python test may use."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CORPUS = Path(
    os.environ.get("PIXPRESS_CORPUS", Path(__file__).parents[2].parent / "shared" / "corpus")
)


def make_photo(width: int = 320, height: int = 240) -> np.ndarray:
    """Return smooth shapes with some noise: compressible like a photograph."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    planes = [
        128 + 90 * np.sin(x / 23 + phase) * np.cos(y / 31 - phase) for phase in (0.0, 1.0, 2.0)
    ]
    noisy = np.stack(planes, axis=-1) + rng.normal(0, 4, (height, width, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    return make_photo()


@pytest.fixture(scope="session")
def photo_jpeg(photo: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(photo).save(out, "JPEG", quality=95)
    return out.getvalue()


@pytest.fixture(scope="session")
def corpus() -> Path:
    if not CORPUS.is_dir():
        pytest.skip("the corpus of real images is not beside the project")
    return CORPUS
