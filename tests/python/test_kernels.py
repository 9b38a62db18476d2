"""decode, encode, resize, quantize and probe on arrays, with Pillow as the oracle."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import PIL
import pytest
from PIL import Image

import pixpress


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P"])
def test_png_decodes_to_the_exact_pixels(mode: str, photo: np.ndarray) -> None:
    image = Image.fromarray(photo).convert(mode)
    expected = np.asarray(image.convert("RGB") if mode == "P" else image)
    assert np.array_equal(pixpress.decode(png(image)), expected)


def test_jpeg_decodes_as_pillow_does(photo_jpeg: bytes) -> None:
    expected = np.asarray(Image.open(io.BytesIO(photo_jpeg))).astype(int)
    assert np.abs(pixpress.decode(photo_jpeg).astype(int) - expected).mean() <= 1.0


@pytest.mark.parametrize("shape", [(1, 1), (7, 13), (33, 17, 3), (33, 17, 4), (20, 20, 2)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_round_trips_every_layout(shape: tuple[int, ...], dtype: type) -> None:
    rng = np.random.default_rng(3)
    array = rng.integers(0, np.iinfo(dtype).max, shape, dtype=dtype)
    decoded = pixpress.decode(pixpress.encode(array, "png"))
    assert np.array_equal(decoded.reshape(array.shape), array)


def test_few_colors_become_a_palette_of_the_same_pixels() -> None:
    rng = np.random.default_rng(4)
    colors = rng.integers(0, 256, (9, 3), dtype=np.uint8)
    array = colors[rng.integers(0, 9, (50, 61))]
    data = pixpress.encode(array, "png")
    assert Image.open(io.BytesIO(data)).mode == "P"
    assert np.array_equal(pixpress.decode(data), array)


def test_lossless_webp_keeps_every_pixel(photo: np.ndarray) -> None:
    data = pixpress.encode(photo, "webp", lossless=True)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), photo)
    assert np.array_equal(pixpress.decode(data), photo)


@pytest.mark.parametrize("resample", ["box", "bilinear", "hamming", "bicubic", "lanczos"])
@pytest.mark.parametrize("size", [(100, 75), (37, 200), (640, 480)])
def test_resize_agrees_with_pillow(resample: str, size: tuple[int, int], photo: np.ndarray) -> None:
    expected = Image.fromarray(photo).resize(size, Image.Resampling[resample.upper()])
    error = pixpress.resize(photo, size, resample=resample).astype(float) - np.asarray(expected)
    assert 10 * np.log10(255**2 / max(1e-9, (error**2).mean())) > 45


def test_resize_keeps_constants() -> None:
    array = np.full((31, 47, 3), 77, np.uint8)
    assert np.all(pixpress.resize(array, (20, 90)) == 77)
    assert np.all(pixpress.resize(array, (20, 90), linear=True) == 77)


def test_transparent_colors_do_not_bleed() -> None:
    array = np.zeros((8, 8, 4), np.uint8)
    array[:, :4] = (255, 0, 0, 255)
    array[:, 4:] = (0, 255, 0, 0)
    small = pixpress.resize(array, (4, 4), resample="bilinear")
    assert small[..., 1].max() == 0


def test_quantize_keeps_few_colors_exactly() -> None:
    rng = np.random.default_rng(5)
    colors = rng.integers(0, 256, (12, 3), dtype=np.uint8)
    array = colors[rng.integers(0, 12, (40, 40))]
    indices, palette = pixpress.quantize(array, 16)
    assert np.array_equal(palette[indices][..., :3], array)


def test_probe_reads_the_header(photo_jpeg: bytes) -> None:
    info = pixpress.probe(photo_jpeg)
    assert (info.format, info.width, info.height) == ("jpeg", 320, 240)


@pytest.mark.parametrize("folder", ["photos_png", "graphics_png", "webp"])
def test_lossless_corpus_equals_pillow(folder: str, corpus: Path) -> None:
    compared = 0
    for path in sorted((corpus / folder).iterdir()):
        with Image.open(path) as image:
            is_lossless = image.format == "PNG" or b"VP8L" in path.read_bytes()[:40]
            is_plain = image.mode in ("L", "LA", "RGB", "RGBA") and not getattr(
                image, "is_animated", False
            )
            if not is_lossless or not is_plain:
                continue
            image.load()
            mode = "RGBA" if "transparency" in image.info else image.mode
            expected = np.asarray(image.convert(mode))
        decoded = pixpress.decode(path)
        if decoded.dtype == np.uint16 or decoded.shape != expected.shape:
            continue
        assert np.array_equal(decoded, expected), path.name
        compared += 1
    assert compared > 0


def test_bad_corpus_ends_in_typed_errors(corpus: Path) -> None:
    refused = []
    decoded = []
    for path in sorted((corpus / "bad").iterdir()):
        if path.suffix not in (".jpg", ".jpeg", ".png", ".webp"):
            continue
        try:
            pixpress.decode(path)
            decoded.append(path.name)
        except pixpress.PixpressError as error:
            refused.append((path.name, str(error)))
    assert all(message for _, message in refused)
    assert len(refused) > 3 * len(decoded), decoded


def test_features_say_what_is_built_in() -> None:
    found = pixpress.features()
    assert found["version"] == pixpress.__version__
    assert set(found["write"]) >= {"jpeg", "png", "webp"}
    assert set(found["codecs"]) >= set(found["read"])
    assert re.search(r"libwebp \d+\.\d+\.\d+", found["codecs"]["webp"])
    assert re.search(r"libpng .*zlib .*libdeflate ", found["codecs"]["png"])
    assert re.fullmatch(r"lcms2 2\.\d+", found["codecs"]["color"])
    assert found["extensions"]["jpeg"][0] == "jpg"
    # Pillow reads these.
    foreign = ["bmp", "tiff", "ppm", "ico", "tga"]
    assert found["read"][-5:] == foreign
    assert not set(foreign) & set(found["write"])
    assert {found["codecs"][name] for name in foreign} == {f"Pillow {PIL.__version__}"}
    assert found["extensions"]["tiff"] == ["tif", "tiff"]
    assert found["simd"]


@pytest.mark.parametrize(
    ("cpus", "free_bytes", "workers"),
    [
        (1, 1 << 40, 1),
        (2, 1 << 40, 1),
        (4, 1 << 40, 3),
        (64, 1 << 40, 8),
        (64, 150 << 20, 3),
        (64, (150 << 20) - 1, 2),
        (64, 1 << 20, 1),
    ],
)
def test_optimal_worker_count_is_the_formula(
    cpus: int, free_bytes: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixpress._native.machine", lambda: (cpus, 1 << 40, free_bytes))
    assert pixpress.optimal_worker_count() == workers


def test_free_memory_is_part_of_the_allowed_memory() -> None:
    from pixpress import _native

    cpus, allowed_bytes, free_bytes = _native.machine()
    assert cpus >= 1
    assert 0 < free_bytes <= allowed_bytes
