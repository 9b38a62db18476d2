"""Every good still of the corpus, compressed to every format, opens elsewhere as it should."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

import pixpress

# Above this many pixels, another format is made at this width: what is claimed does not change.
LARGE_PX = 2_000_000
SMALL_WIDTH = 480
PILLOW_NAMES = {
    "JPEG": "jpeg",
    "MPO": "jpeg",
    "PNG": "png",
    "WEBP": "webp",
    "GIF": "gif",
    "AVIF": "avif",
}
# Mean difference of what Pillow shows, for each of red, green and blue: lossy formats at quality
# 80, palettes, and other filters of resizing. Of CMYK, which lcms2 has made sRGB, less.
MOST_DIFFERENCE = {"jpeg": 8.0, "webp": 6.5, "avif": 6.0, "gif": 5.0, "png": 2.0}
MOST_OF_CMYK = 2.0
# Patterns whose color changes with every pixel. Lossy formats store color at half the size, so that
# only their luma is compared.
FINE_COLOR = [
    "derived_7x13.jpg",
    "pngsuite_basn3p02.png",
    "pngsuite_tbbn3p08.png",
    "pngsuite_tbrn2c08.png",
]
TARGETS = ["keep", *pixpress.features()["write"]]
SRGB = ImageCms.createProfile("sRGB")


def is_gray(data: bytes, image: Image.Image) -> bool:
    # Pillow opens gray with alpha of 16 bits as RGBA; the color type of PNG says what is stored.
    return data[25] in (0, 4) if image.format == "PNG" else image.mode == "L"


def expected_profile(source: Image.Image, target: str, has_gray: bool) -> bytes | None:
    """The source's profile, if the output can hold one and is of its colors."""
    profile = source.info.get("icc_profile")
    if target == "gif" or not profile:
        return None
    return profile if profile[16:20] == (b"GRAY" if has_gray else b"RGB ") else None


def as_rgba(image: Image.Image) -> Image.Image:
    if image.mode == "I;16":
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.convert("RGBA")


def as_srgb(image: Image.Image) -> Image.Image:
    """RGBA of what the embedded profile says, by lcms2 with the perceptual intent."""
    profile = image.info["icc_profile"]
    color = image if image.mode in ("CMYK", "L", "RGB") else as_rgba(image).convert("RGB")
    if profile[16:20] == b"GRAY":
        color = color.convert("L")
    converted = ImageCms.profileToProfile(
        color,
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        SRGB,
        renderingIntent=ImageCms.Intent.PERCEPTUAL,
        outputMode="RGB",
    )
    assert converted is not None
    if "A" in image.getbands() or "transparency" in image.info:
        converted.putalpha(as_rgba(image).getchannel("A"))
    return converted.convert("RGBA")


def of_gamma(image: Image.Image, gamma: float) -> Image.Image:
    """RGBA of sRGB from samples of this gAMA, which Pillow leaves as they are."""
    linear = [(value / 255) ** (1 / gamma) for value in range(256)]
    coded = [
        255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055)
        for light in linear
    ]
    return as_rgba(image).point([*map(round, coded)] * 3 + [*range(256)])


def meant(image: Image.Image, profile: bytes | None, target: str) -> Image.Image:
    """RGBA of the source as an output with this profile must have it, and upright."""
    gamma = image.info.get("gamma")
    has_icc = "icc_profile" in image.info
    if has_icc and image.info["icc_profile"] != profile:
        color = as_srgb(image)
    elif not has_icc and gamma and abs(gamma - 0.45455) > 0.01 and target != "png":
        color = of_gamma(image, gamma)
    else:
        color = as_rgba(image)
    if target == "gif":  # Its pixels are opaque or not.
        color.putalpha(color.getchannel("A").point(lambda alpha: 255 if alpha >= 128 else 0))
    return color


def shown(rgba: Image.Image) -> np.ndarray:
    """Red, green and blue on white at a small size."""
    white = Image.new("RGBA", rgba.size, "white")
    flat = Image.alpha_composite(white, rgba).convert("RGB")
    return np.asarray(flat.resize((64, 64), Image.Resampling.BOX), np.float64)


def luma(rgb: np.ndarray) -> np.ndarray:
    return rgb @ [0.299, 0.587, 0.114]


@lru_cache(maxsize=1)  # All targets of a file come one after the other.
def read(path: Path) -> Image.Image:
    image = Image.open(io.BytesIO(path.read_bytes()))
    image.load()
    return image


@lru_cache(maxsize=8)
def wanted(path: Path, is_turned: bool, profile: bytes | None, target: str) -> np.ndarray:
    source = read(path)
    upright = ImageOps.exif_transpose(source) if is_turned else source
    upright.info.update(source.info)
    return shown(meant(upright, profile, target if target in ("gif", "png") else "any"))


@pytest.mark.parametrize("target", TARGETS)
def test_output_opens_with_the_right_size_turn_colors_and_profile(
    still, target: str, opened
) -> None:
    source = read(still.path)
    name = PILLOW_NAMES[source.format]
    if target == name:
        pytest.skip("the same as keep")
    width = SMALL_WIDTH if target != "keep" and still.width * still.height > LARGE_PX else None
    settings = {} if width is None else {"width": width}
    result = pixpress.compress(still.path, format=target, effort=1, **settings)
    output = opened(result.data)

    is_kept = target == "keep"
    assert PILLOW_NAMES[output.format] == result.format == (name if is_kept else target)
    assert getattr(output, "n_frames", 1) == 1
    assert (result.width, result.height) == output.size
    turn = source.getexif().get(0x0112, 1)
    size = source.size if is_kept or turn < 5 else source.size[::-1]
    if width is not None:
        size = (width, max(1, round(size[1] * width / size[0])))
    assert output.size == size
    assert output.getexif().get(0x0112, 1) == (turn if is_kept else 1)
    profile = output.info.get("icc_profile")
    assert profile == expected_profile(source, result.format, is_gray(result.data, output))
    if is_kept:
        assert result.compressed_size <= result.original_size
    if is_kept and result.format in ("png", "gif"):
        assert np.array_equal(shown(as_rgba(output)), shown(as_rgba(source)))
        return
    own, theirs = shown(as_rgba(output)), wanted(still.path, not is_kept, profile, result.format)
    if still.path.name in FINE_COLOR:
        own, theirs = luma(own), luma(theirs)
    most = MOST_DIFFERENCE[result.format]
    if source.mode == "CMYK":
        most = min(most, MOST_OF_CMYK)
    assert np.abs(own - theirs).mean() <= most
