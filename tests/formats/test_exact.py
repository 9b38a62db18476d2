"""What is lossless is pixel for pixel what went in, as Pillow and pypng decode both.

Of the corpus: small files in every run, all of them with `make stress`. The color of transparent
pixels counts, but in GIF, which has one transparent color.
"""

from __future__ import annotations

import io
import itertools

import numpy as np
import png
import pytest
from PIL import Image, ImageOps

import pixpress

EFFORTS = (1, 2, 5, 8, 10)
WRITES = pixpress.features()["write"]
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # Of the color types that PNG of 16 bits has.


def deep_pixels(data: bytes) -> np.ndarray:
    """RGBA of 16 bits of a PNG, by pypng; a transparent color is alpha."""
    width, height, rows, info = png.Reader(bytes=data).read()
    flat = np.vstack([np.asarray(row, np.uint16) for row in rows])
    assert info["bitdepth"] == 16
    planes = flat.reshape(height, width, info["planes"])
    color = planes[..., :1].repeat(3, axis=-1) if info["greyscale"] else planes[..., :3]
    if info["alpha"]:
        alpha = planes[..., -1:]
    elif "transparent" in info:
        is_clear = (planes == np.array(info["transparent"])).all(axis=-1, keepdims=True)
        alpha = np.where(is_clear, 0, 65535)
    else:
        alpha = np.full_like(planes[..., :1], 65535)
    return np.concatenate([color, alpha], axis=-1).astype(np.uint16)


def is_deep(data: bytes) -> bool:
    return data.startswith(b"\x89PNG") and data[24] == 16


def pixels(data: bytes) -> np.ndarray:
    """RGBA, of 16 bits where the data has them."""
    if is_deep(data):
        return deep_pixels(data)
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGBA"))


def assert_exact(made: bytes, source: np.ndarray) -> None:
    own = pixels(made)
    if own.dtype != source.dtype:  # 16 bits whose lower half says nothing are stored as 8.
        own = own.astype(np.uint16) * 257
    assert np.array_equal(own, source)


def is_plain(data: bytes) -> bool:
    """No colors that another format has to be given as sRGB."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        facts = image.info
    return not facts.keys() & {"icc_profile", "gamma", "chromaticity"}


def assert_becomes(data: bytes, format: str, effort: int) -> None:
    wanted = pixels(data)
    found = pixpress.probe(data)
    source: object = data
    if found.format != format and not is_plain(data):
        source = wanted
    elif found.format != format and found.orientation != 1:
        with Image.open(io.BytesIO(data)) as image:
            wanted = np.asarray(ImageOps.exif_transpose(image).convert("RGBA"))
    settings = {"lossless": True, "animated": False, "metadata": "none"}
    assert_exact(pixpress.compress(source, format=format, effort=effort, **settings).data, wanted)


def formats_of(data: bytes) -> list[str]:
    """The formats of true color that may hold these pixels exactly."""
    names = ["png"] if is_deep(data) else ["png", "webp", "avif"]
    return [name for name in names if name in WRITES]


@pytest.mark.parametrize("effort", EFFORTS)
def test_small_files_of_the_corpus(small_exact, effort: int) -> None:
    data = small_exact.path.read_bytes()
    for format in formats_of(data):
        assert_becomes(data, format, effort)


@pytest.mark.long
@pytest.mark.parametrize("effort", [2, 5, 8])
def test_all_files_of_the_corpus(exact, effort: int) -> None:
    data = exact.path.read_bytes()
    for format in formats_of(data):
        if format == "png" or effort == 5:
            assert_becomes(data, format, effort)


@pytest.mark.long
def test_all_photographs_of_the_corpus_as_pixels(jpeg) -> None:
    with Image.open(jpeg.path) as image:
        image.draft("RGB", (1200, 1200))
        source = np.asarray(image.convert("RGBA"))
    for format in ("png", "webp", "avif"):
        if format in WRITES:
            assert_exact(pixpress.encode(source, format, lossless=True), source)


def palette_or_none(data: bytes) -> np.ndarray | None:
    """RGBA if GIF has room for its colors."""
    source = pixels(data)
    if source.dtype != np.uint8 or not np.isin(source[..., 3], (0, 255)).all():
        return None
    shown = np.where(source[..., 3:] == 0, 0, source)
    return shown if len(np.unique(shown.reshape(-1, 4), axis=0)) <= 256 else None


@pytest.mark.parametrize("effort", EFFORTS)
def test_small_files_of_few_colors_as_gif(small_exact, effort: int) -> None:
    data = small_exact.path.read_bytes()
    shown = palette_or_none(data)
    if shown is None:
        pytest.skip("GIF has no room for it")
    made = pixels(pixpress.encode(shown, "gif", lossless=True, effort=effort))
    assert np.array_equal(np.where(made[..., 3:] == 0, 0, made), shown)


@pytest.mark.long
def test_all_files_of_few_colors_as_gif(exact) -> None:
    data = exact.path.read_bytes()
    shown = palette_or_none(data)
    if shown is None:
        pytest.skip("GIF has no room for it")
    made = pixels(pixpress.encode(shown, "gif", lossless=True))
    assert np.array_equal(np.where(made[..., 3:] == 0, 0, made), shown)


def colorful(channels: int, kind: type, height: int = 37, width: int = 53) -> np.ndarray:
    """Noise and flat parts; a third is transparent, over every color."""
    rng = np.random.default_rng(channels)
    most = np.iinfo(kind).max
    made = rng.integers(0, most + 1, (height, width, channels)).astype(kind)
    made[:9] = most // 3
    if channels in (2, 4):
        made[..., -1] = most
        made[::3, :, -1] = 0
        made[1::9, :, -1] = most // 2
    return made


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize(
    ("channels", "kind"), [*itertools.product((1, 2, 3, 4), (np.uint8, np.uint16))]
)
def test_arrays_with_the_color_of_transparent_pixels(
    channels: int, kind: type, effort: int
) -> None:
    source = colorful(channels, kind)
    color = source[..., :1].repeat(3, axis=-1) if channels < 3 else source[..., :3]
    alpha = (
        source[..., -1:] if channels in (2, 4) else np.full_like(color[..., :1], np.iinfo(kind).max)
    )
    rgba = np.concatenate([color, alpha], axis=-1)
    for format in ["png"] if kind is np.uint16 else ["png", "webp", "avif"]:
        if format in WRITES:
            made = pixpress.encode(
                source if channels > 1 else source[..., 0], format, lossless=True, effort=effort
            )
            assert_exact(made, rgba)


def stored_as(array: np.ndarray, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(array).save(out, "JPEG", **options)
    return out.getvalue()


def assert_pixels_stay(data: bytes, **settings: object) -> None:
    """JPEG that is quantized as coarsely as was asked for keeps its coefficients."""
    made = pixpress.compress(data, quality=100, **settings).data
    assert len(made or b"") <= len(data)
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(made)) as after:
        assert np.array_equal(np.asarray(before), np.asarray(after))


@pytest.mark.parametrize("effort", [1, 5, 7, 10])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_a_jpeg_of_lower_quality_keeps_its_pixels(subsampling: int, effort: int) -> None:
    y, x = np.mgrid[0:80, 0:120]
    scene = np.stack([x * 2, y * 3, (x + y) % 256], axis=-1).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(scene).save(out, "JPEG", quality=60, subsampling=subsampling)
    for settings in ({}, {"metadata": "none"}, {"post_process": True}):
        assert_pixels_stay(out.getvalue(), effort=effort, **settings)


@pytest.mark.long
@pytest.mark.parametrize("effort", [1, 5, 7])
def test_all_jpeg_of_the_corpus_of_lower_quality(jpeg, effort: int) -> None:
    data = jpeg.path.read_bytes()
    with Image.open(jpeg.path) as image:
        if image.mode == "CMYK":
            pytest.skip("it becomes sRGB")
    assert_pixels_stay(data, effort=effort, metadata="all")
