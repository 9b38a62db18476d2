"""Every good file of the corpus, compressed to every format, opens elsewhere as it should."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

import pixpress

# Above this many pixels, another format is made at this width: what is claimed does not change.
LARGE_PX = 2_000_000
SMALL_WIDTH = 480
PILLOW_NAMES = {"JPEG": "jpeg", "MPO": "jpeg", "PNG": "png", "WEBP": "webp"}
# Mean difference of what Pillow shows: lossy formats at quality 80, and other filters of resizing.
MOST_DIFFERENCE = {"jpeg": 8.0, "webp": 8.0, "png": 2.5}


def is_gray(data: bytes, image: Image.Image) -> bool:
    # Pillow opens gray with alpha of 16 bits as RGBA; the color type of PNG says what is stored.
    return data[25] in (0, 4) if image.format == "PNG" else image.mode == "L"


def expected_profile(source: Image.Image, has_gray: bool) -> bytes | None:
    """The source's profile, if it is of the colors that the output has."""
    profile = source.info.get("icc_profile")
    return profile if profile and profile[16:20] == (b"GRAY" if has_gray else b"RGB ") else None


def shown(image: Image.Image) -> np.ndarray:
    """Gray values on white at a small size, the same from every mode."""
    if image.mode == "I;16":
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    turned = ImageOps.exif_transpose(image).convert("RGBA")
    white = Image.new("RGBA", turned.size, "white")
    flat = Image.alpha_composite(white, turned).convert("L")
    return np.asarray(flat.resize((64, 64), Image.Resampling.BOX), np.float64)


def meant(image: Image.Image) -> np.ndarray:
    """What `shown` would be if Pillow did what gAMA of PNG says: to sRGB, where it is not that."""
    gamma = image.info.get("gamma")
    if gamma is None or abs(gamma - 0.45455) < 0.01 or "icc_profile" in image.info:
        return shown(image)
    if image.mode == "I;16":
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    color = image.convert("RGBA")
    linear = [(value / 255) ** (1 / gamma) for value in range(256)]
    coded = [
        255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055)
        for light in linear
    ]
    return shown(color.point([*map(round, coded)] * 3 + [*range(256)]))


@pytest.mark.parametrize("target", ["keep", "jpeg", "png", "webp"])
def test_output_opens_with_the_right_size_turn_and_profile(still, target: str, opened) -> None:
    source = opened(still.path)
    name = PILLOW_NAMES[source.format]
    if target == name:
        pytest.skip("the same as keep")
    width = SMALL_WIDTH if target != "keep" and still.width * still.height > LARGE_PX else None
    settings = {} if width is None else {"width": width}
    result = pixpress.compress(still.path, format=target, effort=1, **settings)
    output = opened(result.data)

    is_kept = target == "keep"
    assert PILLOW_NAMES[output.format] == (name if is_kept else target)
    assert (result.width, result.height) == output.size
    turn = source.getexif().get(0x0112, 1)
    size = source.size if is_kept or turn < 5 else source.size[::-1]
    if width is not None:
        size = (width, max(1, round(size[1] * width / size[0])))
    assert output.size == size
    assert output.getexif().get(0x0112, 1) == (turn if is_kept else 1)
    assert output.info.get("icc_profile") == expected_profile(source, is_gray(result.data, output))
    if is_kept:
        assert result.compressed_size <= result.original_size
    if is_kept and result.format == "png":
        assert np.array_equal(shown(output), shown(source))
    elif source.mode != "CMYK":
        difference = np.abs(shown(output) - meant(source)).mean()
        assert difference <= MOST_DIFFERENCE[result.format]
