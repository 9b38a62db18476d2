"""Lossy GIF as Pillow sees it: how far pixels are off, and that times stay."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from played_gif import played

import pixpress


def animation(frames: int) -> bytes:
    """Return a square that wanders over a gradient, shown for 70 ms a frame, for ever."""
    ramp = np.linspace(0, 255, 120).astype(np.uint8)
    images = []
    for index in range(frames):
        pixels = np.zeros((80, 120, 3), np.uint8)
        pixels[..., 0] = ramp
        pixels[20:50, 10 + 9 * index : 40 + 9 * index] = (10, 200, 90)
        images.append(Image.fromarray(pixels).quantize(200, dither=Image.Dither.NONE))
    out = io.BytesIO()
    images[0].save(out, "GIF", save_all=True, append_images=images[1:], duration=70, loop=0)
    return out.getvalue()


def seen_distance(own: np.ndarray, wanted: np.ndarray) -> float:
    """Return the largest difference in units of one gray level, in the space of palettes."""
    difference = own[..., :3].astype(int) - wanted[..., :3]
    squares = ((difference * [3, 4, 2]) ** 2).sum(axis=-1)
    return float(np.sqrt(squares.max() / 29))


def test_loss_keeps_times_and_stays_within_its_bound() -> None:
    data = animation(frames=8)
    exact = pixpress.compress(data)
    for quality in (70, 40):
        result = pixpress.compress(data, quality=quality)
        assert len(result.data) < len(exact.data)
        canvases, durations, loop = played(result.data)
        assert (durations, loop) == ([70] * 8, 0)
        for own, wanted in zip(canvases, played(data)[0], strict=True):
            assert 0 < seen_distance(own, wanted) <= 80 - quality


def test_still_images_lose_colors_below_the_default_quality_only() -> None:
    levels = np.random.default_rng(8).integers(90, 130, (80, 80)).astype(np.uint8)
    exact = pixpress.encode(levels, "gif")
    assert np.array_equal(played(exact)[0][0][..., 0], levels)
    lossy = pixpress.encode(levels, "gif", quality=50)
    assert len(lossy) < len(exact) * 0.7
    wanted = np.repeat(levels[..., None], 3, axis=-1)
    assert 0 < seen_distance(played(lossy)[0][0], wanted) <= 15
