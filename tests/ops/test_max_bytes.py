"""`max_bytes`: the output is as small as asked, at the best quality that is, or the job fails."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image

import pixpress

LOSSY = [name for name in ("jpeg", "webp", "avif") if name in pixpress.features()["write"]]


def _photo(width: int = 320, height: int = 240) -> np.ndarray:
    """Smooth shapes and noise, so that the quality decides about the size."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    planes = [128 + 90 * np.sin(x / 23 + p) * np.cos(y / 31 - p) for p in (0.0, 1.0, 2.0)]
    noisy = np.stack(planes, axis=-1) + rng.normal(0, 9, (height, width, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def _encoded(pixels: np.ndarray, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format, **options)
    return out.getvalue()


@pytest.mark.parametrize("format", LOSSY)
def test_lossy_outputs_fit_at_nearly_the_best_quality_that_does(format: str) -> None:
    photo = _photo()
    sizes = {
        quality: pixpress.compress(photo, format=format, quality=quality).compressed_size
        for quality in (20, 80)
    }
    limit = (sizes[20] + sizes[80]) // 2
    result = pixpress.compress(photo, format=format, quality=80, max_bytes=limit)
    assert result.compressed_size == len(result.data) <= limit
    assert 20 <= result.quality < 80
    better = min(80, result.quality + 4)
    above = pixpress.compress(photo, format=format, quality=better).compressed_size
    assert above > limit or result.compressed_size >= limit - limit // 14
    # The search changes nothing but the quality.
    plain = pixpress.compress(photo, format=format, quality=result.quality)
    assert plain.data == result.data


@pytest.mark.parametrize("format", LOSSY)
def test_a_limit_that_the_asked_quality_keeps_changes_nothing(format: str) -> None:
    photo = _photo()
    plain = pixpress.compress(photo, format=format, quality=60)
    limited = pixpress.compress(photo, format=format, quality=60, max_bytes=plain.compressed_size)
    assert limited.data == plain.data
    assert limited.quality == plain.quality == 60


@pytest.mark.parametrize("format", LOSSY)
def test_an_impossible_limit_fails_with_the_smallest_size(format: str) -> None:
    photo = _photo()
    smallest = pixpress.compress(photo, format=format, quality=1).compressed_size
    with pytest.raises(pixpress.LimitExceededError) as caught:
        pixpress.compress(photo, format=format, max_bytes=smallest - 1)
    numbers = [int(text) for text in re.findall(r"\d+", str(caught.value))]
    assert smallest - 1 in numbers
    assert smallest in numbers


@pytest.mark.parametrize("options", [{"format": "png"}, {"format": "webp", "lossless": True}])
def test_lossless_outputs_are_not_searched_but_checked(options: dict[str, object]) -> None:
    photo = _photo()
    plain = pixpress.compress(photo, **options)
    assert pixpress.compress(photo, max_bytes=plain.compressed_size, **options).data == plain.data
    assert plain.quality is None
    with pytest.raises(pixpress.LimitExceededError, match=str(plain.compressed_size)):
        pixpress.compress(photo, max_bytes=plain.compressed_size - 1, **options)


def test_a_jpeg_of_the_same_size_is_searched_from_its_coefficients() -> None:
    source = _encoded(_photo(), "JPEG", quality=95)
    limit = len(source) // 4
    result = pixpress.compress(source, quality=90, max_bytes=limit)
    assert result.compressed_size <= limit
    assert result.skipped_reason is pixpress.SkippedReason.NONE
    assert result.data == pixpress.compress(source, quality=result.quality).data


def test_an_original_that_fits_is_never_made_worse() -> None:
    source = _encoded(_photo(), "WEBP", quality=30)
    assert pixpress.compress(_photo(), format="webp", quality=95).compressed_size > len(source)
    result = pixpress.compress(source, quality=95, max_bytes=len(source))
    assert result.skipped_reason is pixpress.SkippedReason.NOT_SMALLER
    assert result.quality is None
    assert result.compressed_size <= len(source)


def test_a_resized_output_fits_too() -> None:
    source = _encoded(_photo(), "PNG")
    full = pixpress.compress(source, format="jpeg", width=200, quality=90)
    limit = full.compressed_size // 2
    result = pixpress.compress(source, format="jpeg", width=200, quality=90, max_bytes=limit)
    assert (result.width, result.height) == (200, 150)
    assert result.compressed_size <= limit


@pytest.mark.parametrize("format", LOSSY)
def test_the_search_needs_no_more_memory_than_was_planned(format: str) -> None:
    source = _encoded(_photo(1600, 1200), "PNG", compress_level=1)
    options = {"format": format, "width": 1200, "effort": 2}
    size = pixpress.compress(source, **options).compressed_size
    result = pixpress.compress(source, max_bytes=size // 2, **options)
    assert result.peak_memory <= result.estimated_memory


def test_sizes_are_numbers_or_texts() -> None:
    photo = _photo()
    as_number = pixpress.compress(photo, format="jpeg", max_bytes=8 << 10)
    as_text = pixpress.compress(photo, format="jpeg", max_bytes="8KB")
    assert as_number.data == as_text.data
    assert as_number.compressed_size <= 8 << 10


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "many", "0KB"])
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(pixpress.OptionError, match="max_bytes"):
        pixpress.Settings(max_bytes=value)


def test_a_file_that_is_too_large_is_not_written(tmp_path) -> None:
    with pytest.raises(pixpress.LimitExceededError):
        pixpress.compress(_photo(), tmp_path / "out.png", max_bytes=100)
    assert not list(tmp_path.iterdir())
