"""What quantize promises for any image, found by hypothesis, and its error beside Pillow's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

import pixpress

images = hnp.arrays(
    np.uint8,
    st.tuples(st.integers(1, 24), st.integers(1, 24), st.sampled_from([3, 4])),
    elements=st.integers(0, 255),
)
few_colors = hnp.arrays(
    np.uint8,
    st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([3, 4])),
    elements=st.sampled_from([0, 1, 255]),
)


def restored(array: np.ndarray, colors: int, dither: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels as RGBA, and the palette."""
    indices, palette = pixpress.quantize(array, colors, dither=dither)
    assert indices.shape == array.shape[:2]
    assert indices.max() < len(palette) <= colors
    return palette[indices], palette


def as_rgba(array: np.ndarray) -> np.ndarray:
    """Return what is visible: transparent pixels have no color."""
    alpha = array[..., 3:] if array.shape[2] == 4 else np.full((*array.shape[:2], 1), 255, np.uint8)
    return np.concatenate([np.where(alpha > 0, array[..., :3], 0), alpha], axis=2)


@settings(max_examples=60, deadline=None)
@given(array=images, colors=st.integers(2, 256), dither=st.sampled_from([0.0, 0.5, 1.0]))
def test_indices_and_palette_stay_in_their_bounds(
    array: np.ndarray, colors: int, dither: float
) -> None:
    pixels, palette = restored(array, colors, dither)
    wanted = as_rgba(array)
    assert len(np.unique(palette, axis=0)) == len(palette)
    # Opaque pixels stay opaque if the palette has room for an opaque color.
    if (palette[:, 3] == 255).any():
        assert (pixels[wanted[..., 3] == 255][:, 3] == 255).all()
    assert (pixels[wanted[..., 3] == 0] == 0).all()


@settings(max_examples=60, deadline=None)
@given(array=few_colors, dither=st.sampled_from([0.0, 1.0]))
def test_few_colors_are_exact(array: np.ndarray, dither: float) -> None:
    wanted = as_rgba(array)
    distinct = len(np.unique(wanted.reshape(-1, 4), axis=0))
    pixels, palette = restored(array, max(2, distinct), dither)
    assert len(palette) == distinct
    assert np.array_equal(pixels, wanted)


@settings(max_examples=20, deadline=None)
@given(array=images, colors=st.integers(2, 256))
def test_the_same_image_gives_the_same_bytes(array: np.ndarray, colors: int) -> None:
    first = pixpress.quantize(array, colors)
    again = pixpress.quantize(array.copy(), colors)
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])


def weighted_error(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mean squared error with the weights that the quantizer minds."""
    squares = (a[..., :3].astype(float) - b[..., :3].astype(float)) ** 2
    return float((squares * (9, 16, 4)).sum(axis=2).mean() / 29)


@pytest.mark.parametrize("colors", [16, 64, 256])
def test_the_error_is_well_below_that_of_median_cut(colors: int, photo: np.ndarray) -> None:
    pixels, _ = restored(photo, colors, 0.0)
    image = Image.fromarray(photo)
    for method in (Image.Quantize.MEDIANCUT, Image.Quantize.FASTOCTREE):
        theirs = image.quantize(colors, method=method, dither=Image.Dither.NONE)
        assert weighted_error(pixels, photo) < 0.75 * weighted_error(
            np.asarray(theirs.convert("RGB")), photo
        )


def test_dithering_keeps_the_mean_of_a_gradient() -> None:
    ramp = np.repeat(np.tile(np.arange(256, dtype=np.uint8), (64, 1))[..., None], 3, axis=2)
    for dither, most in ((1.0, 3.0), (0.0, 100.0)):
        pixels, palette = restored(ramp, 6, dither)
        assert len(palette) == 6
        blocks = pixels[:, 32:224, 1].astype(float).reshape(64, 12, 16).mean(axis=(0, 2))
        wanted = ramp[:, 32:224, 1].astype(float).reshape(64, 12, 16).mean(axis=(0, 2))
        assert np.abs(blocks - wanted).max() < most
    assert np.abs(blocks - wanted).max() > 6  # Without dithering the bands show.


def test_min_quality_takes_fewer_colors_for_less(photo: np.ndarray) -> None:
    counts = [len(pixpress.quantize(photo, 256, min_quality=quality)[1]) for quality in (1, 20, 40)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1] <= 256
    with pytest.raises(pixpress.OptionError, match="min_quality"):
        pixpress.quantize(photo, 8, min_quality=95)
