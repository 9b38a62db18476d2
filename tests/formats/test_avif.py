"""AVIF, still images in and out, and sequences in; test_avif_sequence.py has sequences out."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageOps, features

import pixpress

try:
    pixpress.encode(np.zeros((1, 1, 3), np.uint8), "avif")
except pixpress.EncoderUnavailableError:
    pytest.skip("libavif is not built in", allow_module_level=True)
pillow_reads_avif = pytest.mark.skipif(
    not features.check("avif"), reason="this Pillow has no AVIF to compare with"
)


def smooth(width: int = 150, height: int = 100, channels: int = 3) -> np.ndarray:
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (height // 10, width // 10, channels), dtype=np.uint8)
    return pixpress.resize(coarse, (width, height))


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    error = np.square(first.astype(float) - second.astype(float)).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def open_rgb(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize("channels", [3, 4])
def test_lossless_keeps_every_sample(channels: int) -> None:
    pixels = smooth(37, 23, channels) if channels == 3 else np.dstack([smooth(37, 23)] * 2)[..., :4]
    data = pixpress.encode(np.ascontiguousarray(pixels), "avif", lossless=True)
    assert np.array_equal(pixpress.decode(data), pixels)


@pillow_reads_avif
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:2:2", "4:4:4"])
def test_lossy_output_opens_in_pillow_and_looks_alike(subsampling: str) -> None:
    pixels = smooth()
    data = pixpress.encode(pixels, "avif", quality=85, subsampling=subsampling)
    assert psnr(open_rgb(data), pixels) > 34
    # Decoders differ in how they interpolate chroma, and in nothing else.
    assert psnr(open_rgb(data), pixpress.decode(data)) > 45


def test_quality_trades_bytes_for_fidelity() -> None:
    pixels = smooth()
    coarse = pixpress.encode(pixels, "avif", quality=30)
    fine = pixpress.encode(pixels, "avif", quality=90)
    assert len(coarse) < len(fine)
    assert psnr(pixpress.decode(coarse), pixels) < psnr(pixpress.decode(fine), pixels)


def test_sixteen_bits_keep_more_than_eight() -> None:
    ramp = np.linspace(0, 65535, 256 * 64).reshape(64, 256).astype(np.uint16)
    pixels = np.ascontiguousarray(np.dstack([ramp] * 3))
    decoded = pixpress.decode(pixpress.encode(pixels, "avif", quality=100, subsampling="4:4:4"))
    assert decoded.dtype == np.uint16
    assert np.abs(decoded.astype(int) - pixels).mean() < 100  # 8 bits have steps of 257.


def test_sixteen_bits_without_loss_are_refused() -> None:
    with pytest.raises(pixpress.OptionError, match="12 bits"):
        pixpress.encode(np.zeros((8, 8, 3), np.uint16), "avif", lossless=True)


def test_gray_stays_gray() -> None:
    gray = smooth()[..., 0].copy()
    decoded = pixpress.decode(pixpress.encode(gray, "avif", quality=90))
    assert np.array_equal(decoded[..., 0], decoded[..., 1])
    assert psnr(decoded[..., 0], gray) > 38


@pillow_reads_avif
def test_a_jpeg_goes_over_in_its_planes() -> None:
    out = io.BytesIO()
    Image.fromarray(smooth(400, 300)).save(out, "JPEG", quality=95)
    photo_jpeg = out.getvalue()
    result = pixpress.compress(photo_jpeg, format="avif", quality=80)
    assert result.data is not None
    assert len(result.data) < len(photo_jpeg)
    assert psnr(open_rgb(result.data), open_rgb(photo_jpeg)) > 30


@pillow_reads_avif
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_shown_as_pillow_shows_it(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    Image.fromarray(smooth(48, 32)).save(out, "JPEG", quality=95, exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(out)).convert("RGB"))
    # Same size and another format: the pixels are turned.
    turned = pixpress.compress(out.getvalue(), format="avif", quality=95).data
    assert turned is not None
    assert psnr(open_rgb(turned), upright) > 25
    # Without turning, the file says how to.
    tagged = pixpress.compress(out.getvalue(), format="avif", quality=95, auto_orient=False).data
    assert tagged is not None
    assert pixpress.probe(tagged).orientation == orientation
    again = pixpress.compress(tagged, format="png").data
    assert again is not None
    assert psnr(open_rgb(again), upright) > 25


def test_metadata_follows_the_policy() -> None:
    exif = Image.Exif()
    exif[0x8298] = "Copyright Somebody"
    exif[0x010F] = "Camera Maker"
    icc = pixpress_icc()
    out = io.BytesIO()
    Image.fromarray(smooth()).save(out, "JPEG", quality=95, exif=exif, icc_profile=icc)
    for policy, has_owner, has_maker in (
        ("none", False, False),
        ("safe", True, False),
        ("all", True, True),
    ):
        data = pixpress.compress(out.getvalue(), format="avif", metadata=policy).data
        assert data is not None
        assert (b"Copyright Somebody" in data) is has_owner
        assert (b"Camera Maker" in data) is has_maker
        assert icc in data


def pixpress_icc() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pillow_reads_avif
def test_a_kept_original_loses_its_metadata_and_nothing_else() -> None:
    exif = Image.Exif()
    exif[0x8298] = "Copyright Somebody"
    exif[0x010F] = "Camera Maker"
    pixels = smooth()
    out = io.BytesIO()
    Image.fromarray(pixels).save(
        out, "AVIF", quality=20, exif=exif, xmp=b"<x:xmpmeta>secret</x:xmpmeta>"
    )
    source = out.getvalue() + b"trailing secret"
    result = pixpress.compress(source, quality=100)
    assert result.data is not None
    assert result.skipped_reason is pixpress.SkippedReason.NOT_SMALLER
    assert b"Camera Maker" not in result.data
    assert b"secret" not in result.data
    assert b"Copyright Somebody" in result.data
    assert np.array_equal(open_rgb(result.data), open_rgb(source))
    assert Image.open(io.BytesIO(result.data)).getexif()[0x8298] == "Copyright Somebody"


@pillow_reads_avif
def test_all_frames_of_a_sequence_decode() -> None:
    frames = [np.roll(smooth(64, 48), 8 * step, axis=1) for step in range(4)]
    out = io.BytesIO()
    images = [Image.fromarray(frame) for frame in frames]
    images[0].save(
        out,
        "AVIF",
        save_all=True,
        append_images=images[1:],
        duration=[40, 80, 120, 160],
        quality=90,
    )
    info = pixpress.probe(out.getvalue())
    assert info.frames == 4
    stack = pixpress.decode(out.getvalue(), frames=True)
    assert stack.shape == (4, 48, 64, 4)
    for decoded, frame in zip(stack, frames, strict=True):
        assert psnr(decoded[..., :3], frame) > 30


@pytest.mark.parametrize("parts", range(1, 16))
def test_truncated_files_are_refused(parts: int) -> None:
    data = pixpress.encode(smooth(), "avif")
    with pytest.raises(pixpress.PixpressError) as error:
        pixpress.compress(data[: len(data) * parts // 16], format="png")
    assert isinstance(error.value, (pixpress.CorruptImageError, pixpress.UnidentifiedImageError))


def test_a_huge_canvas_is_refused_by_its_header() -> None:
    data = pixpress.encode(smooth(), "avif")
    with pytest.raises(pixpress.LimitExceededError, match="max_pixels"):
        pixpress.compress(data, format="png", limits=pixpress.Limits(max_pixels=1000))


@pillow_reads_avif
@pytest.mark.parametrize("size", [(40_000, 8), (8, 40_000)])
def test_sides_that_we_do_not_write_are_read(size: tuple[int, int]) -> None:
    made = io.BytesIO()
    Image.new("RGB", size, (200, 40, 90)).save(made, "AVIF", quality=90, subsampling="4:4:4")
    decoded = pixpress.decode(made.getvalue())
    assert decoded.shape == (size[1], size[0], 3)
    assert np.abs(decoded.astype(int) - (200, 40, 90)).max() <= 3
    limits = pixpress.Limits(max_pixels=300_000)
    with pytest.raises(pixpress.LimitExceededError, match="max_pixels is 300000"):
        pixpress.compress(made.getvalue(), format="png", limits=limits)


def with_extents(data: bytes, width: int, height: int) -> bytes:
    """The file with another size in its header."""
    at = data.index(b"ispe") + 8
    return data[:at] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + data[at + 8 :]


@pytest.mark.parametrize("size", [(40_000, 30_000), (2**32 - 1, 2), (70_000, 70_000)])
def test_a_canvas_beyond_what_the_library_takes_is_too_large_not_corrupt(
    size: tuple[int, int],
) -> None:
    data = with_extents(pixpress.encode(smooth(), "avif"), *size)
    with pytest.raises(pixpress.LimitExceededError, match=f"{size[0]} x {size[1]} .*max_pixels"):
        pixpress.compress(data, format="png")
    with pytest.raises(pixpress.LimitExceededError, match="libavif takes at most 268435456"):
        pixpress.compress(data, format="png", limits=pixpress.Limits(max_pixels=2**62))


def test_an_empty_canvas_is_corrupt() -> None:
    data = with_extents(pixpress.encode(smooth(), "avif"), 0, 100)
    with pytest.raises(pixpress.CorruptImageError):
        pixpress.compress(data, format="png")


def test_mutated_files_never_crash() -> None:
    data = pixpress.encode(smooth(32, 24), "avif")
    rng = np.random.default_rng(11)
    failed = 0
    for _ in range(300):
        mutant = bytearray(data)
        for _ in range(int(rng.integers(1, 6))):
            mutant[int(rng.integers(0, len(mutant)))] = int(rng.integers(0, 256))
        try:
            pixpress.compress(mutant, format="png", effort=1)
        except pixpress.PixpressError:
            failed += 1
    assert failed > 0


def test_no_side_is_longer_than_readers_take() -> None:
    source = pixpress.encode(np.full((1, 32769, 3), 70, np.uint8), "png")
    with pytest.raises(pixpress.LimitExceededError, match="32768"):
        pixpress.compress(source, format="avif", effort=1)
    longest = pixpress.compress(source, format="avif", effort=1, width=32768).data
    assert pixpress.decode(longest).shape == (1, 32768, 3)
    assert pixpress.compress(source, format="auto", effort=1).format != "avif"
