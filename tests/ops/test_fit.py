"""Every fit with position and background, in every format that is written."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import pixpress

FORMATS = pixpress.features()["write"]
# What quality 95, or a palette, change of a flat color: near borders blocks of 8 x 8 ring.
MOST, MOST_MEAN = 24, 3.0
LEFT, RIGHT = (220, 40, 40), (40, 60, 220)
SIZES = {
    "inside": (60, 30),
    "cover": (60, 60),
    "contain": (60, 60),
    "fill": (60, 60),
    "outside": (120, 60),
}


def wide() -> np.ndarray:
    """200 x 100: the left half in one color, the right in another."""
    pixels = np.empty((100, 200, 3), np.uint8)
    pixels[:, :100] = LEFT
    pixels[:, 100:] = RIGHT
    return pixels


def made(format: str, **settings: object) -> np.ndarray:
    data = pixpress.encode(wide(), format, quality=95, width=60, height=60, **settings)
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGBA")).astype(int)


def is_color(pixels: np.ndarray, color: tuple[int, ...]) -> bool:
    difference = np.abs(pixels - (*color, 255))
    return bool(difference.max() <= MOST and difference.mean() <= MOST_MEAN)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("fit", SIZES)
def test_each_fit_has_its_size_and_shows_its_part(format: str, fit: str) -> None:
    pixels = made(format, fit=fit)
    height, width = pixels.shape[:2]
    assert (width, height) == SIZES[fit]
    top = 15 if fit == "contain" else 0
    shown = pixels[top : height - top]
    middle = width // 2
    assert is_color(shown[2:-2, 2 : middle - 4], LEFT)
    assert is_color(shown[2:-2, middle + 4 : -2], RIGHT)
    if fit == "contain":  # White is the background where none is given.
        assert is_color(np.concatenate([pixels[:13], pixels[-13:]]), (255, 255, 255))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("position", "color"),
    [("left", LEFT), ("right", RIGHT), ((0.0, 0.5), LEFT), ((1.0, 0.5), RIGHT)],
)
def test_cover_keeps_the_part_at_the_position(
    format: str, position: str | tuple[float, float], color: tuple[int, int, int]
) -> None:
    pixels = made(format, fit="cover", position=position)
    assert pixels.shape[:2] == (60, 60)
    assert is_color(pixels[2:-2, 4:-4], color)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("position", "first_row"), [("top", 0), ("center", 15), ("bottom", 30)])
def test_contain_puts_the_image_at_the_position_on_the_background(
    format: str, position: str, first_row: int
) -> None:
    pixels = made(format, fit="contain", position=position, background=(20, 200, 60))
    shown = pixels[first_row : first_row + 30]
    rest = np.delete(pixels, np.s_[max(0, first_row - 2) : first_row + 32], axis=0)
    assert is_color(shown[2:-2, 2:26], LEFT)
    assert is_color(rest, (20, 200, 60))


@pytest.mark.parametrize("format", FORMATS)
def test_a_transparent_background_is_that_where_there_is_alpha(format: str) -> None:
    pixels = made(format, fit="contain", background=(20, 200, 60, 0))
    border = pixels[:13]
    if format == "jpeg":
        assert is_color(border, (20, 200, 60))
    else:
        assert border[..., 3].max() == 0
        assert pixels[20:40, ..., 3].min() == 255


@pytest.mark.parametrize("format", FORMATS)
def test_a_position_means_the_upright_image(format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # What is stored as the left is shown at the top.
    out = io.BytesIO()
    Image.fromarray(wide()).save(out, "JPEG", quality=100, subsampling=0, exif=exif)
    result = pixpress.compress(
        out.getvalue(), format=format, quality=95, width=40, height=40, fit="cover", position="top"
    )
    with Image.open(io.BytesIO(result.data or b"")) as image:
        assert image.size == (40, 40)
        assert image.getexif().get(0x0112, 1) == 1
        pixels = np.asarray(image.convert("RGBA")).astype(int)
    assert is_color(pixels[2:-4, 2:-2], LEFT)


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "jpeg"])
def test_alpha_is_padded_without_seams(format: str) -> None:
    pixels = np.dstack([wide(), np.full((100, 200), 255, np.uint8)])
    pixels[:, :50, 3] = 0
    data = pixpress.encode(
        pixels, format, quality=95, width=60, height=60, fit="contain", background=(0, 0, 0, 0)
    )
    with Image.open(io.BytesIO(data)) as image:
        own = np.asarray(image.convert("RGBA")).astype(int)
    assert own[:13, ..., 3].max() == 0
    assert own[17:43, :11, 3].max() == 0
    assert own[17:43, 19:, 3].min() == 255
    assert is_color(own[17:43, 34:], RIGHT)
