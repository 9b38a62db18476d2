"""gAMA, cHRM, sRGB, iCCP and cICP of PNG mean the same after a resize and in every format."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

import pixpress

GAMMA_1 = (b"gAMA", struct.pack(">I", 100000))
GAMMA_SRGB = (b"gAMA", struct.pack(">I", 45455))
P3 = (b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))
SRGB = (b"sRGB", b"\0")
CICP_P3 = (b"cICP", bytes([12, 13, 0, 1]))
CICP_SRGB = (b"cICP", bytes([1, 13, 0, 1]))
OTHERS = [name for name in pixpress.features()["write"] if name != "png"]
# A color of Display P3, and what it is in sRGB by the matrices of both and the curve of sRGB.
WIDE, NARROW = (200, 60, 60), (217, 42, 52)


def png(pixels: np.ndarray, *chunks: tuple[bytes, bytes]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    made = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return out.getvalue()[:33] + made + out.getvalue()[33:]


def chunks_of(data: bytes | None) -> dict[bytes, bytes]:
    assert data is not None
    found, at = {}, 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        found[data[at + 4 : at + 8]] = data[at + 8 : at + 8 + length]
        at += 12 + length
    return found


def flat(color: tuple[int, ...], size: tuple[int, int] = (48, 64)) -> np.ndarray:
    return np.broadcast_to(np.array(color, np.uint8), (*size, len(color))).copy()


def middle(data: bytes | None) -> np.ndarray:
    with Image.open(io.BytesIO(data or b"")) as image:
        pixels = np.asarray(image.convert("RGB")).astype(float)
    height, width = pixels.shape[:2]
    return pixels[height // 4 : -height // 4, width // 4 : -width // 4].mean((0, 1))


def lossless(format: str) -> dict[str, object]:
    return {"quality": 98, "subsampling": "4:4:4"} if format in ("jpeg", "webp", "avif") else {}


@pytest.mark.parametrize("settings", [{}, {"width": 32}, {"width": 32, "fit": "cover"}], ids=str)
@pytest.mark.parametrize(
    "chunks", [[GAMMA_1], [P3, GAMMA_SRGB], [SRGB], [CICP_P3], [CICP_P3, P3, GAMMA_1]], ids=str
)
def test_png_keeps_what_says_its_colors(
    chunks: list[tuple[bytes, bytes]], settings: dict[str, object]
) -> None:
    rng = np.random.default_rng(1)
    source = png(rng.integers(0, 256, (48, 64, 3), np.uint8), *chunks)
    kept = chunks_of(pixpress.compress(source, **settings).data)
    assert {kind: kept.get(kind) for kind, _ in chunks} == dict(chunks)


@pytest.mark.parametrize("width", [None, 32])
@pytest.mark.parametrize("format", OTHERS)
@pytest.mark.parametrize("level", [10, 64, 128, 200])
def test_linear_samples_become_srgb(format: str, width: int | None, level: int) -> None:
    source = png(flat((level, level, level // 2)), GAMMA_1)
    result = pixpress.compress(source, format=format, width=width, **lossless(format))
    linear = np.array([level, level, level // 2]) / 255
    expected = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(middle(result.data) - expected * 255).max() <= 3
    assert not result.warnings


@pytest.mark.parametrize("width", [None, 32])
@pytest.mark.parametrize("format", OTHERS)
@pytest.mark.parametrize("chunks", [[P3], [P3, GAMMA_SRGB], [CICP_P3], [CICP_P3, GAMMA_1]], ids=str)
def test_wide_primaries_become_srgb(
    format: str, width: int | None, chunks: list[tuple[bytes, bytes]]
) -> None:
    result = pixpress.compress(
        png(flat(WIDE), *chunks), format=format, width=width, **lossless(format)
    )
    assert np.abs(middle(result.data) - NARROW).max() <= 3


@pytest.mark.parametrize("format", OTHERS)
@pytest.mark.parametrize(
    "chunks", [[], [SRGB], [GAMMA_SRGB], [SRGB, GAMMA_1, P3], [CICP_SRGB, P3]], ids=str
)
def test_what_is_srgb_by_its_first_chunk_in_rank_stays(
    format: str, chunks: list[tuple[bytes, bytes]]
) -> None:
    result = pixpress.compress(png(flat(WIDE), *chunks), format=format, **lossless(format))
    assert np.abs(middle(result.data) - WIDE).max() <= 3


@pytest.mark.parametrize("width", [None, 32])
@pytest.mark.parametrize("format", pixpress.features()["write"])
def test_a_profile_outranks_the_other_chunks(format: str, width: int | None) -> None:
    """The profile goes along; where there is none, the pixels are converted by it."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    out = io.BytesIO()
    Image.fromarray(flat(WIDE)).save(out, "PNG", icc_profile=profile)
    data = out.getvalue()
    gamma = struct.pack(">I", 4) + b"gAMA" + GAMMA_1[1]
    gamma += struct.pack(">I", zlib.crc32(b"gAMA" + GAMMA_1[1]))
    source = data[:33] + gamma + data[33:]
    result = pixpress.compress(source, format=format, width=width, **lossless(format))
    assert np.abs(middle(result.data) - WIDE).max() <= 3
    with Image.open(io.BytesIO(result.data or b"")) as image:
        assert image.info.get("icc_profile") == (None if format == "gif" else profile)
