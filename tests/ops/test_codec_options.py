"""Options of formats act: bytes and fidelity change as each says, for every format that has it."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from PIL import Image

import pixpress

HAS_AVIF = "avif" in pixpress.features()["write"]
ALPHA_FORMATS = ["webp", *(["avif"] if HAS_AVIF else [])]
PALETTE_FORMATS = ["png", "gif"]
SIZE = (96, 128)


def photo() -> np.ndarray:
    """Smooth shapes with a little noise."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]].astype(float)
    planes = [128 + 90 * np.sin(x / 23 + p) * np.cos(y / 31 - p) for p in (0.0, 1.0, 2.0)]
    noisy = np.stack(planes, axis=-1) + rng.normal(0, 3, (*SIZE, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def with_alpha(pixels: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(8)
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]].astype(float)
    alpha = 128 + 120 * np.sin(x / 17) * np.cos(y / 13) + rng.normal(0, 6, SIZE)
    return np.dstack([pixels, np.clip(alpha, 1, 255).astype(np.uint8)])


def shown(data: bytes | None) -> np.ndarray:
    with Image.open(io.BytesIO(data or b"")) as image:
        return np.asarray(image.convert("RGBA")).astype(int)


def error(own: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.abs(own.astype(int) - theirs).mean())


def colors_in(data: bytes | None) -> int:
    return len(np.unique(shown(data).reshape(-1, 4), axis=0))


def rises(values: list[float], by: float) -> bool:
    return all(after >= before * by for before, after in itertools.pairwise(values))


@pytest.mark.parametrize("effort", [1, 5, 9])
def test_near_lossless_webp_saves_bytes_by_small_changes(effort: int) -> None:
    levels = (0, 40, 60, 80, 100)
    pixels = photo()
    made = [
        pixpress.encode(pixels, "webp", lossless=True, near_lossless=level, effort=effort)
        for level in levels
    ]
    sizes = [len(data) for data in made]
    errors = [error(shown(data)[..., :3], pixels) for data in made]
    assert rises(sizes, by=0.98)
    assert sizes[0] < sizes[3] * 0.9 < sizes[4] * 0.8
    assert errors == sorted(errors, reverse=True)
    assert errors[4] == 0 < errors[3]
    assert errors[0] < 6
    # As libwebp documents it: from 0 to 5 bits, of which the lowest are rounded away.
    for data, most in zip(made, (16, 16, 8, 4, 0), strict=True):
        assert np.abs(shown(data)[..., :3] - pixels).max() <= most


def test_near_lossless_alone_means_lossless_webp() -> None:
    alone = pixpress.encode(photo(), "webp", near_lossless=60)
    assert alone == pixpress.encode(photo(), "webp", near_lossless=60, lossless=True)


def test_near_lossless_acts_on_frames() -> None:
    frames = [Image.fromarray(np.roll(photo(), 9 * index, axis=1)) for index in range(3)]
    out = io.BytesIO()
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:], duration=50)
    sizes = [
        len(pixpress.compress(out.getvalue(), format="webp", near_lossless=level).data)
        for level in (0, 60)
    ]
    exact = pixpress.compress(out.getvalue(), format="webp", lossless=True).data
    assert sizes[0] <= sizes[1] < len(exact) * 0.8


@pytest.mark.parametrize("format", ALPHA_FORMATS)
def test_alpha_quality_trades_bytes_for_alpha_and_leaves_colors(format: str) -> None:
    pixels = with_alpha(photo())
    levels = (10, 40, 70, 100)
    made = [pixpress.encode(pixels, format, alpha_quality=level) for level in levels]
    assert rises([len(data) for data in made], by=1.05)
    errors = [error(shown(data)[..., 3], pixels[..., 3]) for data in made]
    assert errors[3] == 0
    assert rises(errors[::-1], by=1.15)
    assert errors[2] > 0
    colors = [shown(data)[..., :3] for data in made]
    assert all(np.array_equal(color, colors[0]) for color in colors)


@pytest.mark.parametrize("format", ALPHA_FORMATS)
def test_alpha_quality_means_nothing_without_alpha(format: str) -> None:
    made = {pixpress.encode(photo(), format, alpha_quality=level) for level in (10, 100)}
    assert len(made) == 1


@pytest.mark.parametrize("format", PALETTE_FORMATS)
@pytest.mark.parametrize("has_alpha", [False, True])
def test_colors_bound_the_palette_and_more_of_them_are_nearer(format: str, has_alpha: bool) -> None:
    pixels = with_alpha(photo()) if has_alpha else photo()
    levels = (2, 8, 64, 256)
    made = [pixpress.encode(pixels, format, colors=level, dither=0.0) for level in levels]
    for data, most in zip(made, levels, strict=True):
        assert colors_in(data) <= most
        assert colors_in(data) > most // 2
    sizes = [len(data) for data in made]
    assert sizes == sorted(sizes)
    if not has_alpha:
        errors = [error(shown(data)[..., :3], pixels) for data in made]
        assert rises(errors[::-1], by=1.2)
        assert errors[-1] < 6


@pytest.mark.parametrize("format", PALETTE_FORMATS)
def test_dither_keeps_the_mean_where_plain_colors_make_bands(format: str) -> None:
    ramp = np.repeat(np.linspace(60, 190, SIZE[1]), 3).reshape(1, SIZE[1], 3)
    pixels = np.broadcast_to(ramp, (*SIZE, 3)).astype(np.uint8)

    def band_error(dither: float) -> float:
        data = pixpress.encode(pixels, format, colors=6, dither=dither)
        own = shown(data)[..., :3].reshape(12, 8, 16, 8, 3).mean((1, 3))
        return error(own, pixels.reshape(12, 8, 16, 8, 3).mean((1, 3)))

    plain, half, full = (band_error(dither) for dither in (0.0, 0.5, 1.0))
    assert full < plain / 2
    assert full < half < plain


@pytest.mark.parametrize("format", PALETTE_FORMATS)
def test_min_quality_takes_as_few_colors_as_reach_it(format: str) -> None:
    levels = (20, 40, 60, 70)
    made = [pixpress.encode(photo(), format, min_quality=level) for level in levels]
    assert rises([colors_in(data) for data in made], by=1.5)
    assert rises([error(shown(data)[..., :3], photo()) for data in made[::-1]], by=1.1)
    with pytest.raises(pixpress.OptionError, match="256 colors cannot reach min_quality 99"):
        pixpress.encode(photo(), format, min_quality=99)


@pytest.mark.parametrize("format", ["jpeg", *ALPHA_FORMATS])
def test_palettes_are_refused_where_there_are_none(format: str) -> None:
    with pytest.raises(pixpress.OptionError, match="PNG or GIF"):
        pixpress.encode(photo(), format, colors=16)
