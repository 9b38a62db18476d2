"""Formats that Pillow reads for us: on the import thread of a pool, and on the caller's."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from foreign_pictures import SAVED, encoded, gradient, opened
from PIL import Image, ImageCms, TiffImagePlugin

import pixpress
from pixpress.foreign import EXTENSIONS
from pixpress.tiff_frames import count_frames


def same_pixels(got: Image.Image, wanted: Image.Image) -> bool:
    mode = "RGBA" if wanted.has_transparency_data else "RGB"
    return bool(np.array_equal(np.asarray(got.convert(mode)), np.asarray(wanted.convert(mode))))


@pytest.mark.parametrize("extension", SAVED)
def test_files_of_every_such_format_become_png(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"image.{extension.upper()}"
    image = gradient("RGBA" if extension == "ico" else "RGB", (32, 32))
    path.write_bytes(encoded(image, SAVED[extension]))
    with Image.open(path) as written:
        wanted = written.convert("RGBA" if extension == "ico" else "RGB")
    result = pixpress.compress(path, tmp_path / "made.png")
    assert (result.format, result.width, result.height) == ("png", 32, 32)
    assert result.original_size == path.stat().st_size
    assert result.source == str(path)
    assert same_pixels(opened((tmp_path / "made.png").read_bytes()), wanted)
    info = pixpress.probe(path)
    assert (info.format, info.width, info.height) == (EXTENSIONS[extension], 32, 32)
    assert np.array_equal(pixpress.decode(path), np.asarray(wanted))


@pytest.mark.parametrize("format", ["BMP", "TIFF", "PPM", "ICO"])
def test_bytes_are_told_by_their_magic(format: str) -> None:
    image = gradient(size=(32, 32))
    data = encoded(image, format)
    for source in (data, bytearray(data), memoryview(data), io.BytesIO(data)):
        assert same_pixels(opened(pixpress.compress(source, format="png").data), image)


def test_tga_has_no_magic_and_is_told_by_its_name(tmp_path: Path) -> None:
    data = encoded(gradient(), "TGA")
    with pytest.raises(pixpress.UnidentifiedImageError):
        pixpress.compress(data, format="png")
    path = tmp_path / "image.tga"
    path.write_bytes(data)
    with path.open("rb") as file:
        assert pixpress.compress(file, format="png").width == 48


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_tiff_of_every_mode_keeps_its_pixels(mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.arange(48 * 32, dtype=np.uint16).reshape(32, 48) * 40)
    else:
        image = gradient(mode)
    data = encoded(image, "TIFF")
    got = opened(pixpress.compress(data, format="png").data)
    if mode == "I;16":
        assert np.array_equal(np.asarray(got), np.asarray(image))
        assert pixpress.decode(data).dtype == np.uint16
    else:
        assert same_pixels(got, image)


@pytest.mark.parametrize("extension", ["bmp", "tga"])
def test_a_file_is_what_its_content_says(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"really_png.{extension}"
    path.write_bytes(encoded(gradient(), "PNG"))
    assert pixpress.probe(path).format == "png"
    assert same_pixels(opened(pixpress.compress(path, format="png").data), gradient())
    path.write_bytes(encoded(gradient(), "TIFF"))
    assert pixpress.probe(path).format == "tiff"
    path.write_bytes(b"<html>no image at all</html>")
    if extension == "bmp":
        with pytest.raises(pixpress.UnidentifiedImageError):
            pixpress.compress(path, format="png")


@pytest.mark.parametrize("format", ["EPS", "PCX", "SGI", "DDS"])
def test_no_other_format_of_pillow_is_ever_opened(format: str, tmp_path: Path) -> None:
    path = tmp_path / "image.tif"
    path.write_bytes(encoded(gradient(), format))
    with pytest.raises((pixpress.UnidentifiedImageError, pixpress.UnsupportedFormatError)):
        pixpress.compress(path, format="png")


def test_a_format_must_be_named(tmp_path: Path) -> None:
    path = tmp_path / "image.bmp"
    path.write_bytes(encoded(gradient(), "BMP"))
    for source in (path, path.read_bytes()):
        with pytest.raises(pixpress.OptionError, match="which cannot be kept"):
            pixpress.compress(source)
    with pytest.raises(pixpress.OptionError):
        pixpress.compress(path, tmp_path / "made.bmp")


def test_profile_orientation_and_copyright_come_along() -> None:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[274], tags[33432], tags[270] = 6, "(c) Somebody", "SECRET"
    data = encoded(gradient(), "TIFF", icc_profile=icc, tiffinfo=tags, dpi=(300, 300))
    result = pixpress.compress(data, format="jpeg", quality=95)
    got = opened(result.data)
    assert got.size == (32, 48)
    assert got.getexif().get(274, 1) == 1
    assert got.info["icc_profile"] == icc
    assert got.getexif()[33432] == "(c) Somebody"
    assert b"SECRET" not in (result.data or b"")
    assert got.info["dpi"] == (300, 300)
    assert pixpress.decode(data).shape == (48, 32, 3)
    kept = pixpress.compress(data, format="jpeg", metadata="all")
    assert b"SECRET" in (kept.data or b"")


def test_cmyk_tiff_goes_through_its_profile_or_the_formula() -> None:
    image = gradient("CMYK")
    result = pixpress.compress(encoded(image, "TIFF"), format="png")
    assert same_pixels(opened(result.data), image.convert("RGB"))


def test_only_the_first_page_is_kept_and_a_warning_says_so() -> None:
    pages = [gradient(), gradient().rotate(180), gradient("L")]
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert pixpress.probe(data).frames == 3
    result = pixpress.compress(data, format="png")
    assert same_pixels(opened(result.data), pages[0])
    assert result.warnings == ("only the first of 3 frames was kept",)
    with pytest.raises(pixpress.LimitExceededError, match="max_frames"):
        pixpress.compress(data, format="png", limits=pixpress.Limits(max_frames=2))


def test_a_chain_of_pages_that_bites_its_tail_ends() -> None:
    data = bytearray(encoded(gradient(), "TIFF"))
    (first,) = struct.unpack("<I", data[4:8])
    (count,) = struct.unpack("<H", data[first : first + 2])
    data[first + 2 + 12 * count :][:4] = b""
    end = first + 2 + 12 * count
    data[end : end + 4] = struct.pack("<I", first)
    assert count_frames(io.BytesIO(data), 1000) == 1
    data[end : end + 4] = struct.pack("<I", len(data) + 5)
    assert count_frames(io.BytesIO(data), 1000) == 1


def test_sizes_are_checked_before_pixels_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("pixels were decoded")

    bomb = bytearray(encoded(gradient(), "BMP"))
    bomb[18:26] = struct.pack("<2i", 60000, 60000)
    monkeypatch.setattr("PIL.BmpImagePlugin.BmpImageFile.load", refuse)
    with pytest.raises(pixpress.LimitExceededError, match="60000 x 60000"):
        pixpress.compress(bytes(bomb), format="png")
    with pytest.raises(pixpress.LimitExceededError, match="max_input_bytes"):
        pixpress.compress(bytes(bomb), format="png", limits=pixpress.Limits(max_input_bytes=99))


def test_an_icon_with_a_huge_picture_inside_is_refused() -> None:
    png = bytearray(encoded(gradient(), "PNG"))
    png[16:24] = struct.pack(">2I", 30000, 30000)
    head = struct.pack("<3H4B2H2I", 0, 1, 1, 48, 32, 0, 0, 1, 32, len(png), 22)
    with pytest.raises(pixpress.CorruptImageError, match="30000 x 30000"):
        pixpress.compress(head + bytes(png), format="png")


def test_decoding_that_cannot_fit_the_pool_fails_at_once() -> None:
    data = encoded(Image.new("L", (6000, 6000)), "TIFF", compression="tiff_deflate")
    with pixpress.Pool(max_workers=1, memory_limit="32MB") as pool:
        job = pool.submit(data, format="png")
        error = job.exception(30)
    assert isinstance(error, pixpress.MemoryLimitError)
    assert "memory_limit" in str(error)


@pytest.mark.parametrize("format", ["BMP", "TIFF", "PPM", "ICO", "TGA"])
def test_damage_is_always_an_error_of_ours(format: str, tmp_path: Path) -> None:
    data = encoded(gradient(size=(32, 32)), format)
    random = np.random.default_rng(2)
    path = tmp_path / f"image.{format.lower()}"
    failed = 0
    for turn in range(60):
        damaged = bytearray(data)
        if turn % 2:
            del damaged[int(random.integers(8, len(data))) :]
        else:
            for place in random.integers(4, min(len(data), 200), 4):
                damaged[place] = int(random.integers(256))
        path.write_bytes(damaged)
        try:
            pixpress.decode(path)
        except pixpress.PixpressError:
            failed += 1
    assert failed > 5


def test_a_missing_file_a_folder_and_a_pipe_are_input_errors(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.bmp")
    (tmp_path / "folder.bmp").mkdir()
    for name in ("missing.bmp", "folder.bmp", "pipe.bmp"):
        with pytest.raises(pixpress.InputError) as caught:
            pixpress.compress(tmp_path / name, format="png")
        assert caught.value.errno
        assert caught.value.filename == str(tmp_path / name)


@pytest.mark.parametrize("name", ["image.jpg", "image.png", "image", "image.tar.gz"])
@pytest.mark.parametrize("format", ["TIFF", "BMP", "PPM", "ICO"])
def test_the_content_decides_whatever_the_name_says(format: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(encoded(gradient("RGBA" if format == "ICO" else "RGB", (32, 32)), format))
    with Image.open(path) as written:
        wanted = written.convert("RGB")
    assert pixpress.probe(path).format == format.lower()
    assert np.array_equal(pixpress.decode(path)[..., :3], np.asarray(wanted))
    assert same_pixels(opened(pixpress.compress(path, format="png").data).convert("RGB"), wanted)
    with pytest.raises(pixpress.OptionError, match=f"for {format.lower()} input"):
        pixpress.compress(path)
    made = pixpress.compress(path, tmp_path / "made.webp", lossless=True)
    assert made.format == "webp"


def test_what_cannot_be_looked_into_is_left_to_the_job(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo.jpg"
    os.mkfifo(fifo)
    with pixpress.Pool(max_workers=1) as pool:
        for path in (tmp_path / "missing.jpg", tmp_path, fifo):
            with pytest.raises(pixpress.InputError):
                pool.submit(path, format="png").result(10)
