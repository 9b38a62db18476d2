"""PNG against Pillow and pypng, on real files and on made ones."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import png as pypng
import pytest
from PIL import Image

import pixpress

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def channels_of(array: np.ndarray) -> int:
    return 1 if array.ndim == 2 else array.shape[2]


def plain(data: bytes, channels: int) -> np.ndarray:
    """The pixels of another decoder: pypng where Pillow has no 16 bits, else Pillow."""
    depth = data[24]
    if depth == 16 and channels > 1:
        width, height, rows, info = pypng.Reader(bytes=data).asDirect()
        assert info["bitdepth"] == 16
        return np.vstack(list(map(np.uint16, rows))).reshape(height, width, info["planes"])
    image = Image.open(io.BytesIO(data))
    return np.asarray(image if depth == 16 else image.convert(MODES[channels]))


def test_decoding_is_exact(png) -> None:
    data = png.path.read_bytes()
    array = pixpress.decode(png.path)
    assert array.dtype == (np.uint16 if data[24] == 16 else np.uint8)
    assert np.array_equal(array, plain(data, channels_of(array)))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bits_survive_encoding_to_the_last_bit(channels: int) -> None:
    rng = np.random.default_rng(channels)
    shape = (37, 53) if channels == 1 else (37, 53, channels)
    array = rng.integers(0, 65536, shape, np.uint16)
    data = pixpress.encode(array, "png")
    assert np.array_equal(plain(data, channels), array)
    assert np.array_equal(pixpress.decode(data), array)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bits_whose_bytes_repeat_become_8_in_files_and_stay_16_in_arrays(
    channels: int,
) -> None:
    rng = np.random.default_rng(channels)
    shape = (37, 53) if channels == 1 else (37, 53, channels)
    narrow = rng.integers(0, 256, shape, np.uint8)
    wide = narrow.astype(np.uint16) * 257
    data = pixpress.encode(wide, "png")
    assert data[24] == 16
    again = pixpress.decode(data)
    assert again.dtype == np.uint16
    assert np.array_equal(again, wide)
    small = pixpress.compress(data).data
    assert small is not None
    assert small[24] == 8
    assert np.array_equal(pixpress.decode(small), narrow)


@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 2), (9, 7, 3), (9, 7, 4)])
@pytest.mark.parametrize("value", [0, 65535, 257])
def test_an_array_of_16_bits_and_one_value_comes_back_as_one(
    shape: tuple[int, ...], value: int
) -> None:
    array = np.full(shape, value, np.uint16)
    mode = "L" if len(shape) == 2 else ("LA", "RGB", "RGBA")[shape[2] - 2]
    made = [pixpress.encode(array, "png", effort=effort) for effort in (1, 5, 10)]
    made.append(pixpress.compress(array, format="png", post_process=True).data or b"")
    for data in made:
        again = pixpress.decode(data, mode=mode)
        assert again.dtype == np.uint16
        assert np.array_equal(again, array)


@pytest.mark.parametrize(
    ("values", "header"),
    [
        ([[0, 0, 0, 255], [255, 255, 255, 255]], (1, 0)),
        ([[0, 0, 0, 255], [85, 85, 85, 255], [170, 170, 170, 255]], (2, 0)),
        ([[i * 17, i * 17, i * 17, 255] for i in range(16)], (4, 0)),
        ([[i, i, i, 255] for i in range(256)], (8, 0)),
        ([[255, 0, 0, 255], [0, 255, 0, 255]], (1, 3)),
        ([[i, 0, 255 - i, 255] for i in range(200)], (8, 3)),
        ([[i, i // 2, 9, i] for i in range(200)], (8, 3)),
        ([[i % 251, i % 241, i % 239, 255] for i in range(2000)], (8, 2)),
        ([[i % 251, i % 241, i % 239, i % 7 * 40] for i in range(2000)], (8, 6)),
        # One transparent color that is nowhere opaque: a color key is exact.
        ([[i % 251, i % 241, i % 239, 255] for i in range(2000)] + [[1, 2, 255, 0]], (8, 2)),
        # The transparent color is opaque elsewhere: it is not.
        ([[i % 251, i % 241, i % 239, 255] for i in range(2000)] + [[0, 0, 0, 0]], (8, 6)),
        ([[i, i, i, i % 3 * 100] for i in range(256)] + [[9, 9, 9, 7]] * 300, (8, 4)),
    ],
)
def test_reductions_are_the_smallest_exact_ones(
    values: list[list[int]], header: tuple[int, int]
) -> None:
    pixels = np.array(values, np.uint8)
    array = np.tile(pixels, (-(-40000 // len(pixels)), 1))[:40000].reshape(200, 200, 4)
    data = pixpress.encode(array, "png", effort=1)
    shown = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
    assert np.array_equal(shown, array)
    assert (data[24], data[25]) == header


def chunks_of(data: bytes) -> list[tuple[bytes, bytes]]:
    at, chunks = 8, []
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks


def chunk(kind: bytes, data: bytes) -> bytes:
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


@pytest.fixture(scope="module")
def small() -> tuple[np.ndarray, bytes]:
    """Random pixels, and a PNG of them that nobody can make smaller."""
    array = np.random.default_rng(1).integers(0, 256, (40, 40, 3), np.uint8)
    return array, pixpress.encode(array, "png", effort=10)


def with_chunks(data: bytes, extra: bytes) -> bytes:
    """Put chunks behind IHDR."""
    return data[:33] + extra + data[33:]


COLOR = chunk(b"cICP", bytes([9, 16, 0, 1])) + chunk(b"gAMA", struct.pack(">I", 45455))
COLOR += chunk(b"cHRM", struct.pack(">8I", *range(31000, 31008)))
DENSITY = chunk(b"pHYs", struct.pack(">IIB", 11811, 11811, 1))
TEXT = chunk(b"tEXt", b"Comment\0private") + chunk(b"tIME", bytes(7))


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        ("none", {b"cICP", b"gAMA", b"cHRM"}),
        ("safe", {b"cICP", b"gAMA", b"cHRM", b"pHYs"}),
        ("all", {b"cICP", b"gAMA", b"cHRM", b"pHYs", b"tEXt", b"tIME"}),
    ],
)
@pytest.mark.parametrize("is_kept", [True, False], ids=["rewritten", "encoded"])
def test_policies_keep_the_same_in_old_and_new_files(
    policy: str, kept: set[bytes], is_kept: bool, small: tuple[np.ndarray, bytes]
) -> None:
    array, data = small
    if not is_kept:
        array = np.add.outer(np.arange(40), np.arange(120).reshape(40, 3)).astype(np.uint8)
        out = io.BytesIO()
        Image.fromarray(array).save(out, "PNG", compress_level=0)
        data = out.getvalue()
    source = with_chunks(data, COLOR + DENSITY + TEXT) + b"tail"
    result = pixpress.compress(source, metadata=policy, effort=1 if is_kept else 9)
    assert (result.skipped_reason is pixpress.SkippedReason.NOT_SMALLER) == is_kept
    found = dict(chunks_of(result.data))
    assert set(found) - {b"IHDR", b"PLTE", b"IDAT", b"IEND"} == kept
    original = dict(chunks_of(source[:-4]))
    assert all(found[kind] == original[kind] for kind in kept)
    assert np.array_equal(pixpress.decode(result.data), array)


def test_a_kept_file_has_its_image_data_and_no_tail(small: tuple[np.ndarray, bytes]) -> None:
    _, data = small
    result = pixpress.compress(with_chunks(data, TEXT) + b"tail after the end")
    assert result.data == data
    assert result.skipped_reason is pixpress.SkippedReason.NOT_SMALLER


def test_an_rgb_profile_keeps_gray_pixels_rgb() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    gray = np.random.default_rng(2).integers(0, 256, (64, 64, 1), np.uint8)
    array = np.repeat(gray, 3, axis=2)
    out = io.BytesIO()
    Image.fromarray(array).save(out, "PNG", compress_level=0, icc_profile=profile)
    data = pixpress.compress(out.getvalue()).data
    image = Image.open(io.BytesIO(data))
    assert image.info["icc_profile"] == profile
    assert data[25] in (2, 3)
    assert np.array_equal(np.asarray(image.convert("RGB")), array)


def gray_palette(alpha: bytes | None = None, profile: bytes | None = None) -> bytes:
    """A ramp of all levels as indices, their order turned around."""
    image = Image.fromarray(np.arange(256, dtype=np.uint8)[::-1].reshape(16, 16), "P")
    image.putpalette(bytes(level for i in range(256) for level in (i, i, i)))
    out = io.BytesIO()
    image.save(out, "PNG", transparency=alpha, icc_profile=profile)
    assert out.getvalue()[25] == 3
    return out.getvalue()


def test_a_palette_of_grays_is_gray() -> None:
    levels = np.arange(256, dtype=np.uint8)[::-1].reshape(16, 16)
    assert np.array_equal(pixpress.decode(gray_palette()), levels)
    alpha = bytes(range(0, 256))
    decoded = pixpress.decode(gray_palette(alpha))
    assert np.array_equal(decoded, np.dstack([levels, levels]))


def test_a_palette_of_grays_under_an_rgb_profile_is_rgb() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    decoded = pixpress.decode(gray_palette(profile=profile))
    assert decoded.shape == (16, 16, 3)


@pytest.mark.parametrize("effort", [1, 5, 8])
def test_a_mask_of_few_levels_comes_back_as_it_was(effort: int) -> None:
    mask = np.random.default_rng(5).integers(0, 3, (90, 70), np.uint8)
    data = pixpress.encode(mask, "png", effort=effort)
    assert np.array_equal(pixpress.decode(data), mask)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data)).convert("L")), mask)


def test_large_images_survive_every_way_of_deflating(opened) -> None:
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:1500, 0:1600]
    array = np.stack([x // 7, y // 5, (x * y) >> 12], axis=-1).astype(np.uint8)
    array[200:500] = rng.integers(0, 256, (300, 1600, 3), np.uint8)
    for effort in (1, 6):
        data = pixpress.encode(array, "png", effort=effort)
        assert np.array_equal(np.asarray(opened(data)), array)


def test_bytes_do_not_depend_on_the_number_of_workers() -> None:
    rng = np.random.default_rng(4)
    array = np.cumsum(rng.integers(0, 3, (1200, 1600, 3)), axis=1).astype(np.uint8)
    made = []
    for workers in (1, 3):
        with pixpress.Pool(max_workers=workers) as pool:
            made.append(pool.submit(array, format="png", effort=3).result().data)
    assert made[0] == made[1] == pixpress.encode(array, "png", effort=3)
