"""16 bits through every path: PNG to PNG against a float reference, and rounded to 8 elsewhere."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

import pixpress

DEEP, EIGHT = 65535.0, 257.0
SIZE = (60, 92)
SMALL = (23, 35)
CHANNELS = [1, 2, 3, 4]
WITH_ALPHA = (2, 4)


def scene(channels: int) -> np.ndarray:
    """Smooth waves with 16 bits of detail; alpha is never 0."""
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]].astype(float)
    rng = np.random.default_rng(channels)
    planes = [
        32768 + 26000 * np.sin(x / 9 + p) * np.cos(y / 7 - p) + rng.normal(0, 300, SIZE)
        for p in range(channels)
    ]
    if channels in WITH_ALPHA:
        planes[-1] = 40000 + 20000 * np.sin(x / 11)
    pixels = np.stack(planes, axis=-1).clip(0, DEEP).astype(np.uint16)
    return pixels[..., 0] if channels == 1 else pixels


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def animated(*frames: np.ndarray) -> bytes:
    """An APNG of 16 bits, which our own encoder does not write."""
    height, width = frames[0].shape[:2]
    made = b"\x89PNG\r\n\x1a\n" + chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    )
    made += chunk(b"acTL", struct.pack(">II", len(frames), 0))
    sequence = 0
    for frame in frames:
        control = struct.pack(">IIIIIHHBB", sequence, width, height, 0, 0, 1, 10, 0, 0)
        made += chunk(b"fcTL", control)
        sequence += 1
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in frame)
        if sequence == 1:
            made += chunk(b"IDAT", zlib.compress(rows))
        else:
            made += chunk(b"fdAT", struct.pack(">I", sequence) + zlib.compress(rows))
            sequence += 1
    return made + chunk(b"IEND", b"")


def decoded(data: bytes | None) -> np.ndarray:
    """The stored samples of an output of 16 bits."""
    assert data is not None
    pixels = pixpress.decode(data)
    assert pixels.dtype == np.uint16
    return pixels


def float_resized(
    pixels: np.ndarray, size: tuple[int, int], filter: Image.Resampling
) -> np.ndarray:
    """What Pillow makes of float samples, color weighted by alpha."""
    planes = np.atleast_3d(pixels).astype(np.float64)
    has_alpha = planes.shape[2] in WITH_ALPHA
    if has_alpha:
        planes[..., :-1] *= planes[..., -1:] / DEEP
    small = [
        np.asarray(Image.fromarray(plane.astype(np.float32), "F").resize(size, filter), np.float64)
        for plane in np.moveaxis(planes, 2, 0)
    ]
    made = np.stack(small, axis=-1)
    if has_alpha:
        made[..., :-1] /= made[..., -1:] / DEEP
    return made.clip(0, DEEP)


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize(
    ("name", "filter"), [("box", "BOX"), ("bilinear", "BILINEAR"), ("lanczos", "LANCZOS")]
)
def test_png_of_16_bits_is_resized_as_in_float(channels: int, name: str, filter: str) -> None:
    source = pixpress.encode(scene(channels), "png")
    settings = {"width": SMALL[1], "height": SMALL[0], "fit": "fill", "resample": name}
    own = np.atleast_3d(decoded(pixpress.compress(source, **settings).data))
    expected = float_resized(scene(channels), SMALL[::-1], Image.Resampling[filter])
    assert own.shape == expected.shape
    # An eighth of a step of 8 bits: more than 10 bits are right in every sample.
    assert np.abs(own - expected).max() <= EIGHT / 8
    assert np.abs(own - expected).mean() <= EIGHT / 64


@pytest.mark.parametrize("channels", CHANNELS)
def test_png_of_16_bits_is_recompressed_to_the_last_bit(channels: int) -> None:
    source = pixpress.encode(scene(channels), "png", effort=1)
    again = pixpress.compress(source, effort=7).data
    assert np.array_equal(decoded(again), scene(channels))


@pytest.mark.parametrize("fit", ["cover", "contain", "outside"])
def test_16_bits_survive_cropping_and_padding(fit: str) -> None:
    source = pixpress.encode(scene(3), "png")
    own = decoded(pixpress.compress(source, width=30, height=30, fit=fit).data)
    assert len(np.unique(own & 255)) > 100


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_turning_16_bits_moves_samples_only(channels: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = pixpress.encode(scene(channels), "png")
    chunk = exif.tobytes().removeprefix(b"Exif\0\0")
    packed = struct.pack(">I", len(chunk)) + b"eXIf" + chunk
    packed += struct.pack(">I", zlib.crc32(b"eXIf" + chunk))
    turned = data[:33] + packed + data[33:]
    height, width = SIZE
    settings = {"width": height, "height": width * 2, "fit": "contain", "background": "black"}
    own = decoded(pixpress.compress(turned, **settings).data)
    upright = np.rot90(scene(channels), -1)
    first = (own.shape[0] - upright.shape[0]) // 2
    shown = own[first : first + upright.shape[0]]
    assert np.array_equal(shown[..., : upright.shape[-1]] if channels > 1 else shown, upright)


@pytest.mark.parametrize("format", ["jpeg", "webp", "gif", "avif"])
@pytest.mark.parametrize("settings", [{}, {"width": 20}])
def test_lossless_means_all_16_bits(format: str, settings: dict[str, object]) -> None:
    if format not in pixpress.features()["write"]:
        pytest.skip("not built in")
    pixels = scene(3) // 20000 * 20000 + 77  # Few colors: a palette would have room for them.
    for source in (pixels, pixpress.encode(pixels, "png")):
        with pytest.raises(pixpress.OptionError, match="loss"):
            pixpress.compress(source, format=format, lossless=True, **settings)
    kept = pixpress.compress(pixels, format="png", lossless=True, **settings).data
    if not settings:
        assert np.array_equal(decoded(kept), pixels)


def test_a_palette_is_named_as_what_16_bits_cannot_have() -> None:
    with pytest.raises(pixpress.OptionError, match="without colors"):
        pixpress.compress(scene(3), format="png", lossless=True, colors=200)


def test_near_lossless_webp_may_narrow() -> None:
    source = pixpress.encode(scene(3), "png")
    data = pixpress.compress(source, format="webp", lossless=True, near_lossless=80).data
    difference = pixpress.decode(data).astype(float) - scene(3) / EIGHT
    assert np.abs(difference).max() < 4


def test_frames_that_are_narrowed_are_told_or_refused() -> None:
    source = animated(scene(3), scene(3)[::-1])
    assert (pixpress.probe(source).frames, pixpress.probe(source).bits) == (2, 16)
    result = pixpress.compress(source, width=30)
    assert result.warnings == ("frames of 16 bits were narrowed to 8",)
    for format in ("png", "webp", "auto"):
        with pytest.raises(pixpress.OptionError, match="lossless"):
            pixpress.compress(source, format=format, lossless=True)
        assert pixpress.compress(source, format=format).width == SIZE[1]
    still = pixpress.compress(source, format="png", lossless=True, animated=False).data
    assert np.array_equal(decoded(still), scene(3))


@pytest.mark.parametrize("format", ["jpeg", "webp", "avif"])
def test_lossy_outputs_are_near_the_nearest_8_bits(format: str) -> None:
    if format not in pixpress.features()["write"]:
        pytest.skip("not built in")
    pixels = scene(3)
    source = pixpress.encode(pixels, "png")
    result = pixpress.compress(source, format=format, quality=98, subsampling="4:4:4")
    with Image.open(io.BytesIO(result.data or b"")) as image:
        own = np.asarray(image.convert("RGB")).astype(float)
    difference = own - pixels / EIGHT
    assert np.abs(difference).mean() <= 3.0
    assert abs(difference.mean()) <= 0.3  # Rounded, not cut off.


@pytest.mark.parametrize("format", ["png", "gif"])
def test_palettes_are_made_of_the_nearest_8_bits(format: str) -> None:
    levels = np.random.default_rng(5).integers(0, 4, (20, 30, 3)) * 20000 + 77
    pixels = levels.astype(np.uint16)
    data = pixpress.compress(
        pixpress.encode(pixels, "png"), format=format, colors=256, dither=0.0
    ).data
    assert np.array_equal(
        pixpress.decode(data, mode="RGB"), np.rint(pixels / EIGHT).astype(np.uint8)
    )


def test_resizing_in_linear_light_keeps_16_bits() -> None:
    source = pixpress.encode(scene(3), "png")
    own = decoded(pixpress.compress(source, width=SMALL[1], linear=True, resample="box").data)
    assert own.shape[1] == SMALL[1]
    assert len(np.unique(own & 255)) > 100
