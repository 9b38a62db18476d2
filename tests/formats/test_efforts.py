"""More effort is never more bytes, on made graphics and photographs."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

import pixpress

EFFORTS = (2, 5, 8)
# What two searches of nearly the same work may differ by on one image.
TOLERANCE = 1.002


def chart() -> Image.Image:
    """Return shapes and lines with smooth edges, and a legend that repeats."""
    rng = np.random.default_rng(5)
    image = Image.new("RGB", (640, 480), "white")
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        x, y, size = (int(n) for n in rng.integers(0, 400, 3))
        draw.ellipse((x, y, x + size, y + size // 2), fill=tuple(rng.integers(0, 256, 3)))
    for row in range(24):
        draw.text((8, 20 * row), "pixpress  quality  effort", fill="black")
    return image.resize((320, 240), Image.Resampling.LANCZOS)


def sprites() -> Image.Image:
    """Return a few shapes with alpha, repeated over a sheet."""
    rng = np.random.default_rng(6)
    tiles = [Image.new("RGBA", (24, 24)) for _ in range(6)]
    for tile in tiles:
        draw = ImageDraw.Draw(tile)
        for _ in range(4):
            x, y = (int(n) for n in rng.integers(0, 14, 2))
            draw.rectangle((x, y, x + 9, y + 9), fill=tuple(rng.integers(0, 256, 4)))
    sheet = Image.new("RGBA", (288, 240))
    for index in range(120):
        place = (index % 12 * 24, index // 12 * 24)
        sheet.paste(tiles[int(rng.integers(len(tiles)))], place)
    return sheet


def photograph() -> Image.Image:
    """Return soft shapes of many sizes with noise over them."""
    rng = np.random.default_rng(7)
    pixels = np.zeros((240, 320, 3))
    for cells in (4, 9, 20, 45, 100):
        coarse = rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        pixels += pixpress.resize(coarse, (320, 240), "bicubic").astype(float) * (4 / cells)
    pixels *= 235 / pixels.max()
    pixels += rng.normal(0, 3, pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


IMAGES = {"chart": chart, "sprites": sprites, "photograph": photograph}


@pytest.mark.parametrize("format", ["png", "webp"])
@pytest.mark.parametrize("name", IMAGES)
def test_more_effort_is_fewer_bytes_without_loss(name: str, format: str) -> None:
    pixels = np.asarray(IMAGES[name]())
    outputs = [pixpress.encode(pixels, format, effort=effort, lossless=True) for effort in EFFORTS]
    for output in outputs:
        assert np.array_equal(pixpress.decode(output), pixels)
    quick, usual, small = (len(output) for output in outputs)
    assert usual <= quick * TOLERANCE
    assert small <= usual * TOLERANCE
    # Huffman codes alone are best for noise, and every effort finds them in PNG.
    assert small < quick or (format == "png" and name == "photograph" and small == quick)


# Mean squared errors that every effort reaches at some quality.
ERRORS = {"chart": (40, 45, 50), "photograph": (10, 12, 15)}


def bytes_at_equal_error(name: str, effort: int) -> float:
    """Return the mean logarithm of the bytes that the errors take."""
    pixels = np.asarray(IMAGES[name]())
    points = []
    for quality in (50, 70, 85, 95):
        data = pixpress.encode(pixels, "webp", quality=quality, effort=effort)
        shown = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float)
        points.append((np.log(np.mean(np.square(shown - pixels))), np.log(len(data))))
    errors, sizes = zip(*sorted(points), strict=True)
    return float(np.mean(np.interp(np.log(ERRORS[name]), errors, sizes)))


@pytest.mark.parametrize("name", ERRORS)
def test_more_effort_is_fewer_bytes_of_lossy_webp_at_equal_error(name: str) -> None:
    quick, usual, small = (bytes_at_equal_error(name, effort) for effort in EFFORTS)
    assert small < usual < quick


def test_the_widest_search_finds_what_others_miss_in_graphics() -> None:
    y, x = np.mgrid[0:160, 0:160]
    colors = np.random.default_rng(1).integers(0, 256, (16, 3), dtype=np.uint8)
    pixels = colors[((x // 5) * (y // 7) + x // 11) % 16]
    usual, small = (
        len(pixpress.encode(pixels, "webp", effort=effort, lossless=True)) for effort in (5, 8)
    )
    assert small < 0.8 * usual


def test_pieces_of_a_large_png_cost_next_to_nothing() -> None:
    tile = np.asarray(chart())
    once = np.tile(tile, (8, 2, 1))  # 3.7 MB: one piece.
    thrice = np.tile(tile, (24, 2, 1))  # 11 MB: three pieces.
    one, three = (len(pixpress.encode(pixels, "png")) for pixels in (once, thrice))
    assert three <= 3 * one * TOLERANCE
    assert np.array_equal(pixpress.decode(pixpress.encode(thrice, "png")), thrice)
