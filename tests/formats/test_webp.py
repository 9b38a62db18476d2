"""WebP against Pillow, on real files and on made ones."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

import pixpress


def chunks_of(data: bytes) -> dict[bytes, bytes]:
    assert data[:4] == b"RIFF"
    assert data[8:12] == b"WEBP"
    assert len(data) == struct.unpack("<I", data[4:8])[0] + 8
    at, chunks = 12, {}
    while at < len(data):
        (length,) = struct.unpack("<I", data[at + 4 : at + 8])
        chunks[data[at : at + 4]] = data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    return chunks


def test_decoding_is_exact(webp, opened) -> None:
    array = pixpress.decode(webp.path)
    image = opened(webp.path)
    assert array.shape == (webp.height, webp.width, len(image.mode))
    assert np.array_equal(array, np.asarray(image))


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("effort", [1, 5, 10])
def test_lossless_is_exact_below_alpha_0_too(channels: int, effort: int, opened) -> None:
    array = np.random.default_rng(channels).integers(0, 256, (61, 47, channels), np.uint8)
    if channels == 4:
        array[..., 3] = np.where(array[..., 3] < 128, 0, array[..., 3])
    data = pixpress.encode(array, "webp", lossless=True, effort=effort)
    assert b"VP8L" in chunks_of(data)
    assert np.array_equal(np.asarray(opened(data)), array)
    assert np.array_equal(pixpress.decode(data), array)


def test_lossy_alpha_survives_exactly(photo, opened) -> None:
    alpha = (np.indices(photo.shape[:2]).sum(axis=0) % 256).astype(np.uint8)
    data = pixpress.encode(np.dstack([photo, alpha]), "webp", quality=70)
    image = opened(data)
    assert image.mode == "RGBA"
    assert np.array_equal(np.asarray(image)[..., 3], alpha)


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    y, x = np.mgrid[0:120, 0:160]
    waves = [128 + 90 * np.sin(x / 23 + p) * np.cos(y / 31 - p) for p in range(3)]
    noise = np.random.default_rng(7).normal(0, 4, (120, 160, 3))
    return np.clip(np.stack(waves, axis=-1) + noise, 0, 255).astype(np.uint8)


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x8298] = "Ada"
    exif.get_ifd(0x8825)[1] = "N"
    return exif


@pytest.mark.parametrize("kind", ["lossy", "alpha", "lossless"])
@pytest.mark.parametrize("policy", ["none", "safe", "all"])
def test_a_kept_file_has_the_same_image_data(kind: str, policy: str, photo: np.ndarray) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels = np.dstack([photo, photo[..., 0]]) if kind == "alpha" else photo
    out = io.BytesIO()
    Image.fromarray(pixels).save(
        out,
        "WEBP",
        lossless=kind == "lossless",
        quality=100 if kind == "lossless" else 1,
        method=6,
        alpha_quality=0,
        exif=exif_of(6),
        icc_profile=profile,
        xmp=b"<x:xmpmeta/>",
    )
    source = out.getvalue()
    worse = {"quality": 100, "lossless": kind == "lossless", "effort": 1}
    result = pixpress.compress(source + b"tail", metadata=policy, **worse)
    assert result.skipped_reason is pixpress.SkippedReason.NOT_SMALLER
    old, new = chunks_of(source), chunks_of(result.data)
    for name in (b"VP8 ", b"VP8L", b"ALPH", b"ICCP"):
        assert old.get(name) == new.get(name)
    if policy == "all":
        assert result.data == source
    else:
        assert b"XMP " not in new
        exif = Image.open(io.BytesIO(result.data)).getexif()
        assert exif[0x0112] == 6
        assert (0x8298 in exif) == (policy == "safe")
        assert 0x8825 not in exif


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_resized_image_is_upright(orientation: int, photo: np.ndarray, opened) -> None:
    from PIL import ImageOps

    out = io.BytesIO()
    Image.fromarray(photo).save(out, "WEBP", exif=exif_of(orientation))
    image = opened(pixpress.compress(out.getvalue(), width=60, height=60, lossless=True).data)
    expected = ImageOps.exif_transpose(opened(out.getvalue()))
    expected.thumbnail((60, 60), Image.Resampling.LANCZOS)
    assert image.size == expected.size
    assert image.getexif().get(0x0112, 1) == 1
    difference = np.abs(np.asarray(image, np.int16) - np.asarray(expected, np.int16))
    assert difference.mean() < 2


def test_block_modes_that_do_not_fit_are_coded_with_fewer_bits(opened) -> None:
    side = 4096
    array = np.random.default_rng(1).integers(0, 256, (side, side), np.uint8)
    data = pixpress.encode(array, "webp", quality=100, effort=1)
    rows = slice(0, side, 64)
    difference = np.asarray(opened(data).convert("L"))[rows].astype(np.int16) - array[rows]
    assert np.abs(difference).mean() < 8
