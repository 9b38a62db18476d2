"""What may be passed as an image, and what is refused with which words."""

from __future__ import annotations

import array
import errno
import io
import mmap
import pathlib
from pathlib import Path

import numpy as np
import pytest
from busy_pools import Blocker
from descriptors import no_more_files
from PIL import Image

import pixpress


def as_png(source: object, mode: str | None = None) -> np.ndarray:
    data = pixpress.compress(source, format="png").data
    assert data is not None
    return pixpress.decode(data, mode=mode)


class Path2:
    """Only a path by protocol, and of bytes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> bytes:
        return bytes(self.path)


def test_every_way_to_give_encoded_bytes_gives_the_same(photo_jpeg: bytes, tmp_path: Path) -> None:
    path = tmp_path / "ä b.jpg"
    path.write_bytes(photo_jpeg)
    spread = bytearray(2 * len(photo_jpeg))
    spread[::2] = photo_jpeg
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        sources = {
            "str": str(path),
            "Path": path,
            "PurePath": pathlib.PurePath(path),
            "bytes path": Path2(path),
            "bytes": photo_jpeg,
            "bytearray": bytearray(photo_jpeg),
            "memoryview": memoryview(photo_jpeg),
            "strided memoryview": memoryview(spread)[::2],
            "array": array.array("B", photo_jpeg),
            "BytesIO": io.BytesIO(photo_jpeg),
            "file": file,
            "mmap": mapped,
        }
        made = {name: pixpress.compress(src, format="webp").data for name, src in sources.items()}
    expected = pixpress.compress(photo_jpeg, format="webp").data
    assert [name for name, data in made.items() if data != expected] == []


def test_a_file_is_read_from_where_it_stands(photo_jpeg: bytes) -> None:
    file = io.BytesIO(b"prefix" + photo_jpeg)
    file.seek(6)
    assert pixpress.compress(file).width == 320


def test_dst_may_be_text_or_a_path(photo_jpeg: bytes, tmp_path: Path) -> None:
    for dst in (str(tmp_path / "a.webp"), tmp_path / "b.webp", Path2(tmp_path / "c.webp")):
        result = pixpress.compress(photo_jpeg, dst)
        assert result.data is None
        assert result.output_path is not None
        assert Path(result.output_path).stat().st_size == result.compressed_size


@pytest.mark.parametrize(
    "source",
    [None, 7, ["a.jpg"], io.StringIO("text"), "", "a\0b.jpg", "a\ud800.jpg", object()],
    ids=["None", "int", "list", "text file", "empty path", "NUL", "surrogate", "object"],
)
def test_other_sources_are_refused_before_anything_is_queued(source: object) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        with pytest.raises(pixpress.OptionError, match="Expected "):
            pool.submit(source)
        assert pool.stats()["submitted"] == 0


@pytest.mark.parametrize("dst", ["a\0.png", "a\ud800.png", "", 7, "a.xyz"])
def test_wrong_outputs_are_refused_before_anything_is_queued(dst: object) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        with pytest.raises(pixpress.OptionError, match="Expected "):
            pool.submit(b"", dst)  # type: ignore[arg-type]
        assert pool.stats()["submitted"] == 0


def test_a_missing_file_is_an_oserror_with_its_name(tmp_path: Path) -> None:
    missing = tmp_path / "missing.jpg"
    with pytest.raises(OSError, match=r"missing\.jpg") as caught:
        pixpress.compress(missing)
    assert isinstance(caught.value, pixpress.InputError)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, str(missing))


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "PPM", "ICO"])
def test_a_file_that_could_not_be_looked_at_is_not_called_unknown(
    kind: str, photo_jpeg: bytes, tmp_path: Path
) -> None:
    for_pillow, for_core = tmp_path / "first", tmp_path / "second"
    Image.new("RGB", (5, 4)).save(for_pillow, kind)
    for_core.write_bytes(photo_jpeg)
    with pixpress.Pool(max_workers=1) as pool:
        blocker = Blocker(pool)
        with no_more_files():
            futures = [pool.submit(path, format="webp") for path in (for_pillow, for_core)]
        blocker.release()
        error = futures[0].exception(timeout=60)
        assert futures[1].result(timeout=60).width == 320
        assert pool.submit(for_pillow, format="webp").result(timeout=60).width == 5
    assert isinstance(error, pixpress.InputError)
    assert (error.errno, error.retryable) == (errno.EMFILE, True)
    assert (error.filename, error.stage) == (str(for_pillow), "probe")


def test_a_probe_that_cannot_look_says_why(photo_jpeg: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(photo_jpeg)
    with no_more_files(), pytest.raises(pixpress.InputError) as caught:
        pixpress.probe(tmp_path / "a")
    assert caught.value.errno == errno.EMFILE
    assert pixpress.probe(tmp_path / "a").format == "jpeg"


def test_an_output_that_cannot_be_written_is_named(photo_jpeg: bytes, tmp_path: Path) -> None:
    target = tmp_path / "no folder" / "a.jpg"
    with pytest.raises(pixpress.OutputError) as caught:
        pixpress.compress(photo_jpeg, target)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, str(target))


def test_a_file_that_fails_to_read_keeps_its_errno() -> None:
    class Broken(io.RawIOBase):
        name = "broken.jpg"

        def read(self, size: int = -1) -> bytes:
            raise OSError(errno.EIO, "the disk is gone")

    with pytest.raises(pixpress.InputError, match=r"broken\.jpg: the disk is gone") as caught:
        pixpress.compress(Broken())
    assert caught.value.errno == errno.EIO


def test_a_file_that_is_open_for_writing_is_told_so(tmp_path: Path) -> None:
    with (
        open(tmp_path / "new.png", "wb") as file,
        pytest.raises(pixpress.InputError, match=r"new\.png: cannot be read"),
    ):
        pixpress.compress(file)


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2"])
@pytest.mark.parametrize("shape", [(9, 13), (9, 13, 1), (9, 13, 2), (9, 13, 3), (9, 13, 4)])
def test_arrays_of_any_byte_order_and_strides_keep_every_value(
    dtype: str, shape: tuple[int, ...]
) -> None:
    kind = np.dtype(dtype)
    values = np.random.default_rng(2).integers(0, 256**kind.itemsize, (3 * shape[0], *shape[1:]))
    whole = values.astype(kind)
    layouts = {
        "contiguous": np.ascontiguousarray(whole[: shape[0]]),
        "every third row": whole[::3],
        "backwards": whole[: shape[0]][::-1, ::-1],
        "column order": np.asfortranarray(whole[: shape[0]]),
        "read only": np.frombuffer(whole[: shape[0]].tobytes(), kind).reshape(shape),
    }
    mode = "L" if len(shape) == 2 else ["L", "LA", "RGB", "RGBA"][shape[2] - 1]
    for name, source in layouts.items():
        assert np.array_equal(as_png(source, mode).reshape(shape), source), name


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((4, 4), bool),
        np.zeros((4, 4), float),
        np.zeros((4, 4), np.int16),
        np.zeros((4, 4), np.uint32),
        np.zeros(4, np.uint8),
        np.zeros((4, 4, 5), np.uint8),
        np.zeros((2, 4, 4, 3), np.uint8),
        np.zeros((0, 4), np.uint8),
    ],
    ids=lambda wrong: f"{wrong.dtype}{wrong.shape}",
)
def test_arrays_that_are_no_pixels_are_refused_with_their_type(wrong: np.ndarray) -> None:
    match = rf"Expected uint8 or uint16 pixels .*got '{wrong.dtype} \({wrong.shape[0]}"
    with pytest.raises(pixpress.OptionError, match=match):
        pixpress.compress(wrong, format="png")
    with pytest.raises(pixpress.OptionError, match=match):
        pixpress.encode(wrong, "png")


def test_pixels_need_a_format() -> None:
    with pytest.raises(pixpress.OptionError, match="format"):
        pixpress.compress(np.zeros((4, 4), np.uint8))


@pytest.mark.parametrize(
    ("mode", "shown_as"),
    [
        ("1", "L"),
        ("L", "L"),
        ("LA", "LA"),
        ("La", "LA"),
        ("P", "RGB"),
        ("PA", "RGBA"),
        ("RGB", "RGB"),
        ("RGBX", "RGB"),
        ("RGBA", "RGBA"),
        ("RGBa", "RGBA"),
        ("CMYK", "RGB"),
        ("YCbCr", "RGB"),
        ("HSV", "RGB"),
        ("LAB", "RGB"),
    ],
)
def test_pillow_images_of_every_mode_look_as_pillow_shows_them(
    mode: str, shown_as: str, photo: np.ndarray
) -> None:
    image = Image.fromarray(photo)
    for step in {"La": ["LA"], "RGBa": ["RGBA"], "PA": ["P"]}.get(mode, []):
        image = image.convert(step)
    if mode == "LAB":
        from PIL import ImageCms

        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.applyTransform(image, ImageCms.buildTransform(srgb, lab, "RGB", "LAB"))
    else:
        image = image.convert(mode)
    assert np.array_equal(as_png(image, shown_as), np.asarray(image.convert(shown_as)))


@pytest.mark.parametrize("mode", ["L", "P", "RGB"])
def test_a_transparent_color_of_a_pillow_image_becomes_alpha(mode: str) -> None:
    image = Image.new("RGB", (4, 4), (200, 200, 200)).convert(mode)
    image.putpixel((1, 2), 0 if mode != "RGB" else (0, 0, 0))
    image.info["transparency"] = 0 if mode != "RGB" else (0, 0, 0)
    made = as_png(image)
    assert made[2, 1, -1] == 0
    assert np.count_nonzero(made[..., -1] == 255) == 15


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I"])
def test_pillow_images_of_16_bits_keep_the_low_byte(mode: str) -> None:
    values = np.arange(60, dtype=np.uint16).reshape(6, 10) * 1091
    if mode == "I":
        image = Image.fromarray(values.astype(np.int32))
    else:
        raw = values.astype(">u2" if mode.endswith("B") else "<u2").tobytes()
        image = Image.frombytes(mode, (10, 6), raw)
    assert image.mode == mode
    assert np.array_equal(as_png(image), values)


def test_pillow_images_beyond_16_bits_are_refused() -> None:
    with pytest.raises(pixpress.OptionError, match="mode F"):
        pixpress.compress(Image.new("F", (2, 2)), format="png")
    with pytest.raises(pixpress.OptionError, match="0 to 65535"):
        pixpress.compress(Image.new("I", (2, 2), 65536), format="png")


def test_a_pillow_image_that_cannot_be_loaded_is_corrupt(photo_jpeg: bytes) -> None:
    image = Image.open(io.BytesIO(photo_jpeg[: len(photo_jpeg) // 2]))
    with pytest.raises(pixpress.CorruptImageError, match="truncated"):
        pixpress.compress(image, format="png")


def test_a_bytearray_is_borrowed_only_while_the_job_lives(photo_jpeg: bytes) -> None:
    data = bytearray(photo_jpeg)
    with pixpress.Pool(max_workers=1) as pool:
        future = pool.submit(data)
        future.result()
        data.append(0)  # BufferError if it were still pinned.


class Named(io.BytesIO):
    name = np.str_("upload.jpg")


def test_texts_of_numpy_and_other_subclasses_are_paths(photo_jpeg: bytes, tmp_path: Path) -> None:
    class Place(str):
        def __str__(self) -> str:
            return "somewhere else"

    source = tmp_path / "a.jpg"
    source.write_bytes(photo_jpeg)
    for path in (np.str_(source), Place(source.as_posix())):
        result = pixpress.compress(path, np.str_(tmp_path / "b.webp"))
        assert (type(result.source), result.source) == (str, str(source))
        assert (type(result.output_path), result.output_path) == (str, str(tmp_path / "b.webp"))
        assert pixpress.probe(path).format == "jpeg"
    assert pixpress.compress(Named(photo_jpeg)).source == "upload.jpg"
