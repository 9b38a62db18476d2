"""compress(): every kind of source, every format, and what must never happen."""

from __future__ import annotations

import asyncio
import io
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixpress


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def mean_difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


@pytest.mark.parametrize("name", ["jpeg", "webp", "png"])
def test_every_format_opens_in_pillow_and_shows_the_image(
    name: str, photo: np.ndarray, photo_jpeg: bytes
) -> None:
    result = pixpress.compress(photo_jpeg, format=name)
    image = opened(result.data)
    assert image.format == name.upper()
    assert (result.width, result.height) == image.size == (320, 240)
    assert mean_difference(np.asarray(image.convert("RGB")), photo) < 6
    assert result.compressed_size == len(result.data)


def test_a_file_becomes_a_smaller_file_of_the_extension(tmp_path: Path, photo_jpeg: bytes) -> None:
    source = tmp_path / "a.jpg"
    source.write_bytes(photo_jpeg)
    result = pixpress.compress(source, tmp_path / "b.webp", width=160)
    assert opened((tmp_path / "b.webp").read_bytes()).size == (160, 120)
    assert result.format == "webp"
    assert result.compressed_size < len(photo_jpeg)
    assert source.read_bytes() == photo_jpeg
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "b.webp"]


def test_input_may_be_output(tmp_path: Path, photo_jpeg: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(photo_jpeg)
    pixpress.compress(path, path)
    assert opened(path.read_bytes()).size == (320, 240)
    assert path.stat().st_size < len(photo_jpeg)


def test_a_result_is_never_larger_than_a_source_of_the_same_format(photo: np.ndarray) -> None:
    out = io.BytesIO()
    Image.fromarray(photo).save(out, "JPEG", quality=20)
    result = pixpress.compress(out.getvalue(), quality=95)
    # Pixels cannot get better: the same coefficients, in better Huffman codes.
    assert result.compressed_size < len(out.getvalue())
    assert np.array_equal(np.asarray(opened(result.data)), np.asarray(opened(out.getvalue())))
    again = pixpress.compress(result.data, quality=95)
    assert again.data == result.data
    assert again.skipped_reason is pixpress.SkippedReason.NOT_SMALLER


def test_arrays_and_pillow_images_are_sources(photo: np.ndarray) -> None:
    from_array = pixpress.compress(photo, format="png")
    from_pillow = pixpress.compress(Image.fromarray(photo), format="png")
    assert np.array_equal(np.asarray(opened(from_array.data)), photo)
    assert np.array_equal(np.asarray(opened(from_pillow.data)), photo)


def test_alpha_is_blended_over_the_background_for_jpeg() -> None:
    rgba = np.zeros((16, 16, 4), np.uint8)
    result = pixpress.compress(rgba, format="jpeg", background=(255, 0, 0))
    assert np.asarray(opened(result.data))[8, 8, 0] > 250


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_resized_image_is_upright(orientation: int) -> None:
    stored = np.zeros((60, 80, 3), np.uint8)
    stored[:30, :40] = 255  # The stored top left is white.
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    Image.fromarray(stored).save(out, "JPEG", quality=95, exif=exif)
    result = pixpress.compress(out.getvalue(), format="png", width=20, height=20)
    from PIL import ImageOps

    expected = ImageOps.exif_transpose(opened(out.getvalue())).convert("L")
    expected.thumbnail((20, 20))
    image = opened(result.data).convert("L")
    assert image.size == expected.size
    assert mean_difference(np.asarray(image), np.asarray(expected)) < 12


def test_gps_is_dropped_and_the_profile_kept(photo: np.ndarray) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x8298] = "Ada"
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    Image.fromarray(photo).save(out, "JPEG", quality=95, exif=exif, icc_profile=profile)
    image = opened(pixpress.compress(out.getvalue()).data)
    assert image.info["icc_profile"] == profile
    assert image.getexif()[0x8298] == "Ada"
    assert 0x8825 not in image.getexif()


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (b"", pixpress.UnidentifiedImageError),
        (b"<html>", pixpress.UnidentifiedImageError),
        ("/nonexistent/a.jpg", pixpress.InputError),
    ],
)
def test_bad_sources_raise_typed_errors(
    source: object, error: type[pixpress.PixpressError]
) -> None:
    with pytest.raises(error):
        pixpress.compress(source)


def test_a_truncated_image_is_corrupt(photo_jpeg: bytes) -> None:
    with pytest.raises(pixpress.CorruptImageError):
        pixpress.compress(photo_jpeg[: len(photo_jpeg) // 2])


@pytest.mark.parametrize("setting", [{"quality": 0}, {"fit": "round"}, {"nonsense": 1}])
def test_wrong_settings_raise(setting: dict[str, object], photo_jpeg: bytes) -> None:
    with pytest.raises(pixpress.OptionError):
        pixpress.compress(photo_jpeg, **setting)


def test_compress_async_gives_the_same_bytes(photo_jpeg: bytes) -> None:
    result = asyncio.run(pixpress.compress_async(photo_jpeg, format="webp"))
    assert result.data == pixpress.compress(photo_jpeg, format="webp").data


def test_results_and_header_facts_can_be_pickled(photo_jpeg: bytes) -> None:
    result = pixpress.compress(photo_jpeg)
    assert pickle.loads(pickle.dumps(result)).to_dict() == result.to_dict()
    info = pixpress.probe(photo_jpeg)
    assert pickle.loads(pickle.dumps(info)).to_dict() == info.to_dict()


def test_results_are_ready_for_json(photo_jpeg: bytes) -> None:
    result = pixpress.compress(photo_jpeg)
    row = json.loads(json.dumps(result.to_dict()))
    assert row["compressed_size"] == result.compressed_size
    assert row["saved"] == len(photo_jpeg) - result.compressed_size
    assert "data" not in row
    assert sum(row["timings"].values()) <= row["processing_time"]


def test_configure_keeps_jobs_of_the_old_pool_and_refuses_wrong_options(photo_jpeg: bytes) -> None:
    pending = asyncio.run(_configured_meanwhile(photo_jpeg))
    assert pending.width == 320
    with pytest.raises(pixpress.OptionError):
        pixpress.configure(max_workers=0)
    assert pixpress.compress(photo_jpeg).width == 320


async def _configured_meanwhile(photo_jpeg: bytes) -> pixpress.Result:
    task = asyncio.ensure_future(pixpress.compress_async(photo_jpeg))
    await asyncio.sleep(0)  # Starts the task, which submits.
    pixpress.configure(max_workers=1)
    return await task
