"""`lossless=True` keeps every pixel, or fails and says why."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

import pixpress


def colorful(colors: int, seed: int = 0) -> np.ndarray:
    """32 x 32 pixels of so many colors."""
    numbers = np.arange(32 * 32) % colors + seed * 1000
    planes = [numbers % 251, numbers // 251 * 40, numbers * 7 % 256]
    return np.stack(planes, -1).astype(np.uint8).reshape(32, 32, 3)


def animated(colors: int) -> bytes:
    frames = [Image.fromarray(colorful(colors, seed)) for seed in range(3)]
    out = io.BytesIO()
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    return out.getvalue()


@pytest.mark.parametrize("colors", [2, 255, 256])
def test_gif_of_few_colors_is_exact(colors: int) -> None:
    pixels = colorful(colors)
    made = pixpress.encode(pixels, "gif", lossless=True)
    assert np.array_equal(pixpress.decode(made, mode="RGB"), pixels)


def test_gif_of_many_colors_is_refused() -> None:
    assert pixpress.encode(colorful(257), "gif")
    with pytest.raises(pixpress.OptionError, match="more than 256 colors"):
        pixpress.encode(colorful(257), "gif", lossless=True)


def test_animated_gif_has_a_palette_for_each_frame() -> None:
    made = pixpress.compress(animated(250), format="gif", lossless=True).data
    with Image.open(io.BytesIO(made or b"")) as image:
        frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]
    assert all(np.array_equal(frame, colorful(250, i)) for i, frame in enumerate(frames))
    assert pixpress.compress(animated(600), format="gif").format == "gif"
    with pytest.raises(pixpress.OptionError, match="lossless is not possible"):
        pixpress.compress(animated(600), format="gif", lossless=True)


def test_palette_that_was_asked_for_must_hold_all_colors() -> None:
    for format in ("png", "gif"):
        made = pixpress.encode(colorful(16), format, lossless=True, colors=16)
        assert np.array_equal(pixpress.decode(made, mode="RGB"), colorful(16))
        with pytest.raises(pixpress.OptionError, match="more than 15 colors"):
            pixpress.encode(colorful(16), format, lossless=True, colors=15)


def test_gif_cannot_hold_what_is_partly_transparent() -> None:
    pixels = np.dstack([colorful(4), np.full((32, 32), 255, np.uint8)])
    pixels[0, 0, 3] = 0
    made = pixpress.decode(pixpress.encode(pixels, "gif", lossless=True), mode="RGBA")
    assert np.array_equal(made[pixels[..., 3] > 0], pixels[pixels[..., 3] > 0])
    pixels[0, 0, 3] = 200
    with pytest.raises(pixpress.OptionError, match="partly transparent"):
        pixpress.encode(pixels, "gif", lossless=True)
    frames = [Image.fromarray(pixels), Image.fromarray(pixels[::-1])]
    out = io.BytesIO()
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    with pytest.raises(pixpress.OptionError, match="partly transparent"):
        pixpress.compress(out.getvalue(), format="gif", lossless=True)


def test_jpeg_is_refused() -> None:
    with pytest.raises(pixpress.OptionError, match="not possible for jpeg"):
        pixpress.encode(colorful(4), "jpeg", lossless=True)
