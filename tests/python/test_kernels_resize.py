"""Resize against a float64 reference, and its phase, for every filter, depth and channel count."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import pixpress

Kernel = Callable[[np.ndarray], np.ndarray]


def sinc(x: np.ndarray) -> np.ndarray:
    return np.sinc(x)


def cubic(b: float, c: float) -> Kernel:
    def evaluate(x: np.ndarray) -> np.ndarray:
        near = ((12 - 9 * b - 6 * c) * x**3 + (-18 + 12 * b + 6 * c) * x**2 + 6 - 2 * b) / 6
        far = (-b - 6 * c) * x**3 + (6 * b + 30 * c) * x**2 - (12 * b + 48 * c) * x
        return np.where(x < 1, near, np.where(x < 2, (far + 8 * b + 24 * c) / 6, 0.0))

    return evaluate


# Each filter with the radius within which it is not zero.
FILTERS: dict[str, tuple[float, Kernel]] = {
    "box": (0.5, lambda x: np.ones_like(x)),
    "bilinear": (1.0, lambda x: 1 - x),
    "hamming": (1.0, lambda x: sinc(x) * (0.54 + 0.46 * np.cos(np.pi * x))),
    "bicubic": (2.0, cubic(0, 0.5)),
    "mitchell": (2.0, cubic(1 / 3, 1 / 3)),
    "lanczos": (3.0, lambda x: sinc(x) * sinc(x / 3)),
}


def matrix(before: int, after: int, resample: str) -> np.ndarray:
    """Return the weights of all source samples (columns) for each output sample (rows)."""
    if before == after:
        return np.eye(before)
    scale = before / after
    centers = (np.arange(after) + 0.5) * scale
    if resample == "nearest":
        return np.eye(before)[centers.astype(int)]
    radius, kernel = FILTERS[resample]
    distance = (np.arange(before) + 0.5 - centers[:, None]) / max(1.0, scale)
    inside = np.abs(distance) < radius
    if resample == "box":
        inside = (distance > -0.5) & (distance <= 0.5)
    weights = np.where(inside, kernel(np.abs(distance)), 0.0)
    return weights / weights.sum(axis=1, keepdims=True)


def to_linear(x: np.ndarray) -> np.ndarray:
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def to_srgb(x: np.ndarray) -> np.ndarray:
    return np.where(x <= 0.0031308, x * 12.92, 1.055 * x ** (1 / 2.4) - 0.055)


def reference(
    image: np.ndarray, size: tuple[int, int], resample: str, linear: bool = False
) -> np.ndarray:
    """Resize H x W x C in 0 to 1; two and four channels have alpha as their last."""
    colors = image[..., : image.shape[2] - (image.shape[2] % 2 == 0)]
    alpha = image[..., colors.shape[2] :]
    if linear:
        colors = to_linear(colors)
    if alpha.shape[2]:
        colors = colors * alpha
    rows = matrix(image.shape[0], size[1], resample)
    columns = matrix(image.shape[1], size[0], resample)

    def blend(planes: np.ndarray) -> np.ndarray:
        return np.einsum("yh,hwc,xw->yxc", rows, planes, columns, optimize=True)

    colors, alpha = blend(colors), np.clip(blend(alpha), 0, 1)
    if alpha.shape[2]:
        colors = np.divide(colors, alpha, out=np.zeros_like(colors), where=alpha > 0)
    colors = np.clip(colors, 0, 1)
    return np.concatenate([to_srgb(colors) if linear else colors, alpha], axis=2)


def picture(height: int, width: int, channels: int, dtype: type) -> np.ndarray:
    """Return waves, an edge and some noise; alpha, if there is any, between a fifth and one."""
    rng = np.random.default_rng(channels)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    planes = [0.5 + 0.3 * np.sin(0.09 * x * (1 + c)) * np.cos(0.07 * y) for c in range(channels)]
    image = np.stack(planes, axis=-1) + np.where(x > width / 2, 0.12, -0.12)[..., None]
    image += rng.normal(0, 0.02, image.shape)
    if channels % 2 == 0:
        image[..., -1] = 0.6 + 0.4 * np.sin(0.05 * x + 0.04 * y)
    return np.rint(np.clip(image, 0, 1) * np.iinfo(dtype).max).astype(dtype)


def psnr(array: np.ndarray, size: tuple[int, int], resample: str, linear: bool = False) -> float:
    most = np.iinfo(array.dtype).max
    got = pixpress.resize(array.squeeze(), size, resample=resample, linear=linear) / most
    expected = reference(array / most, size, resample, linear)
    error = got.reshape(expected.shape) - expected
    return float(-10 * np.log10((error**2).mean() + 1e-12))


# Down and up, by odd ratios, by a lot, in one direction only, and in opposite ones.
SIZES = [(41, 23), (211, 157), (9, 7), (97, 30), (50, 130)]


@pytest.mark.parametrize("resample", ["nearest", *FILTERS])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_resize_is_the_reference_within_50_db(resample: str, channels: int, dtype: type) -> None:
    array = picture(61, 97, channels, dtype)
    for size in SIZES:
        assert psnr(array, size, resample) >= 50, size


@pytest.mark.parametrize("resample", ["nearest", *FILTERS])
@pytest.mark.parametrize(("channels", "dtype"), [(1, np.uint8), (3, np.uint16), (4, np.uint8)])
def test_linear_light_is_the_reference_within_50_db(
    resample: str, channels: int, dtype: type
) -> None:
    array = picture(61, 97, channels, dtype)
    for size in SIZES:
        assert psnr(array, size, resample, linear=True) >= 50, size


@pytest.mark.parametrize("resample", list(FILTERS))
@pytest.mark.parametrize("after", [80, 101, 239, 241, 500])
def test_a_ramp_keeps_its_phase(resample: str, after: int) -> None:
    # Every symmetric filter keeps a ramp a ramp away from the ends: its value is its position.
    before = 240
    ramp = np.rint(np.linspace(0, 65535, before)).astype(np.uint16)
    out = pixpress.resize(np.tile(ramp, (8, 1)), (after, 8), resample=resample)
    got = out[4] / 65535 * (before - 1)
    expected = (np.arange(after) + 0.5) * before / after - 0.5
    inner = slice(after // 8, -(after // 8))
    shift = float((got[inner] - expected[inner]).mean())
    assert abs(shift) < 0.03
    column = pixpress.resize(np.tile(ramp[:, None], (1, 8)), (8, after), resample=resample)
    assert np.array_equal(column[:, 4], out[4])


@pytest.mark.parametrize("resample", list(FILTERS))
def test_hidden_colors_do_not_change_visible_ones(resample: str) -> None:
    array = picture(40, 50, 4, np.uint8)
    array[:, 25:, 3] = 0
    loud = array.copy()
    loud[:, 25:, :3] = 255 - loud[:, 25:, :3]
    small = pixpress.resize(array, (20, 16), resample=resample)
    assert np.array_equal(pixpress.resize(loud, (20, 16), resample=resample), small)
