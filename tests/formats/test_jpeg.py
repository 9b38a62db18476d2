"""JPEG against Pillow, on real files."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from PIL import Image

import pixpress

# Pillow and pixpress may use different versions of libjpeg-turbo.
MOST_DIFFERENCE = 1.0


def test_decoding_equals_pillow(jpeg, opened) -> None:
    array = pixpress.decode(jpeg.path)
    assert array.dtype == np.uint8
    assert array.shape[:2] == (jpeg.height, jpeg.width)
    image = opened(jpeg.path)
    expected = np.asarray(image)
    assert array.shape == expected.shape
    assert np.abs(array.astype(np.int16) - expected).mean() <= MOST_DIFFERENCE


def test_kinds_that_are_not_supported_say_so(unsupported_jpeg) -> None:
    with pytest.raises(pixpress.UnsupportedFormatError, match=unsupported_jpeg.path.name):
        pixpress.compress(unsupported_jpeg.path)


def generated(side: int, seed: int) -> Image.Image:
    """Waves, an edge and noise of three strengths."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side]
    waves = 128 + 50 * np.sin(x / (7 + seed)) * np.cos(y / 19) + 40 * (x + y > side)
    noise = random.normal(0, 1, (side, side, 3)) * (2 + 10 * (3 * x // side))[:, :, None]
    colors = np.array([1.0, 0.9, 0.7])
    return Image.fromarray(np.clip(waves[:, :, None] * colors + noise, 0, 255).astype(np.uint8))


def saved(image: Image.Image, format_name: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format_name, **options)
    return file.getvalue()


def psnr_db(data: bytes, reference: Image.Image) -> float:
    with Image.open(io.BytesIO(data)) as image:
        difference = np.subtract(np.asarray(image.convert("RGB")), reference, dtype=np.float64)
    return 10 * math.log10(255**2 / float(np.mean(difference**2)))


@pytest.mark.parametrize("source", ["JPEG", "PNG"])
@pytest.mark.parametrize("quality", [60, 80, 90])
def test_the_default_effort_needs_fewer_bytes_than_effort_2(source: str, quality: int) -> None:
    for seed in range(3):
        image = generated(256, seed)
        options = {"quality": 97} if source == "JPEG" else {}
        data = saved(image, source, **options)
        fast, small = (
            pixpress.compress(data, format="jpeg", quality=quality, effort=effort).data
            for effort in (2, 5)
        )
        lost_db = psnr_db(fast, image) - psnr_db(small, image)
        assert lost_db < 1.5
        # Six decibels are a bit of each coefficient that is not 0, of about 5: a tenth per decibel
        # that is lost is more, and a 40th of one that is won is less.
        assert len(small) < len(fast) * (1 - lost_db / (10 if lost_db > 0 else 40))


@pytest.mark.parametrize("source", ["JPEG", "PNG"])
def test_more_effort_still_looks_like_the_image(source: str) -> None:
    image = generated(200, 1)
    smooth = image.resize((40, 40), Image.Resampling.BOX).resize((200, 200))
    data = saved(smooth, source, **({"quality": 98} if source == "JPEG" else {}))
    for effort, least_db in ((4, 36), (5, 36), (7, 36), (9, 36)):
        made = pixpress.compress(data, format="jpeg", quality=80, effort=effort).data
        assert psnr_db(made, smooth) > least_db
        with Image.open(io.BytesIO(made)) as opened:
            assert bool(opened.info.get("progressive")) == (effort >= 7)


def test_effort_7_shifts_blocks_by_a_step_of_dc_at_most() -> None:
    data = saved(generated(200, 3).convert("L"), "PNG")
    small, smaller = (
        pixpress.compress(data, format="jpeg", quality=50, effort=effort, progressive=True).data
        for effort in (5, 7)
    )
    with Image.open(io.BytesIO(smaller)) as opened:
        step = opened.quantization[0][0] / 8
    shifts = np.subtract(pixpress.decode(smaller), pixpress.decode(small), dtype=np.int16)
    blocks = np.abs(shifts).reshape(25, 8, 25, 8).max(axis=(1, 3))
    assert blocks.max() <= step + 1
    assert 0 < np.count_nonzero(blocks) < blocks.size / 2


@pytest.mark.parametrize("source", ["JPEG", "PNG"])
def test_progressive_shows_the_same_pixels_as_baseline(source: str) -> None:
    data = saved(generated(203, 2), source, **({"quality": 95} if source == "JPEG" else {}))
    pixels = [
        pixpress.decode(
            pixpress.compress(data, format="jpeg", quality=70, progressive=progressive).data
        )
        for progressive in (True, False)
    ]
    assert np.array_equal(*pixels)
