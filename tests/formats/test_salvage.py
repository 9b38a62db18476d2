"""`on_damage="salvage"`: what is decoded of damaged files, compared with Pillow's whole image."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageSequence

import pixpress

Pixels = NDArray[np.uint8]
WIDTH, HEIGHT = 160, 120


def picture(seed: int = 1, alpha: bool = False) -> Image.Image:
    """Smooth with a little noise, so that damage shows; nowhere black or transparent."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [60 + x // 2, 80 + y, 40 + (x + y * seed) % 120]
    planes += [np.full_like(x, 254)] if alpha else []
    noise = rng.integers(0, 9, (HEIGHT, WIDTH, 3))
    pixels = np.stack(planes, -1)
    pixels[..., :3] += noise
    return Image.fromarray(pixels.astype(np.uint8))


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def animation(format: str, **options: Any) -> bytes:
    frames = [picture(seed) for seed in (1, 2, 3)]
    if format == "GIF":
        frames = [frame.quantize(64) for frame in frames]
    return saved(frames[0], format, save_all=True, append_images=frames[1:], **options)


def pixels_of(data: bytes | None, mode: str = "RGB") -> Pixels:
    with Image.open(io.BytesIO(data or b"")) as image:
        return np.asarray(image.convert(mode))


def canvases_of(data: bytes | None) -> list[Pixels]:
    with Image.open(io.BytesIO(data or b"")) as image:
        return [np.asarray(frame.convert("RGBA")) for frame in ImageSequence.Iterator(image)]


def salvaged(data: bytes, format: str = "png", **options: Any) -> pixpress.Result:
    """The result, after a look at what every such result must be."""
    with pixpress.Pool(max_workers=1) as pool:  # One that has not met the file before.
        refused = pool.submit(data, format=format, **options).exception()
    assert isinstance(refused, pixpress.CorruptImageError)
    result = pixpress.compress(data, format=format, on_damage="salvage", **options)
    assert result.skipped_reason is pixpress.SkippedReason.NONE
    assert result.warnings[-1].startswith("salvaged from damaged data: ")
    reason = str(refused).removeprefix("<bytes>: ")
    assert reason in result.warnings[-1]
    return result


def decoded(result: pixpress.Result, unit: str = "rows") -> int:
    found = re.search(rf"(\d+) of \d+ {unit} were decoded", result.warnings[-1])
    assert found is not None, result.warnings
    return int(found[1])


def cut(data: bytes, part: float) -> bytes:
    return data[: int(len(data) * part)]


STILLS: dict[str, Callable[[], bytes]] = {
    "png": lambda: saved(picture(), "PNG"),
    "png rgba": lambda: saved(picture(alpha=True), "PNG"),
    "png gray": lambda: saved(picture().convert("L"), "PNG"),
    "png palette": lambda: saved(picture().quantize(128), "PNG"),
    "gif": lambda: saved(picture().quantize(128), "GIF", interlace=0),
    "webp lossless": lambda: saved(picture(), "WEBP", lossless=True),
    "webp lossless rgba": lambda: saved(picture(alpha=True), "WEBP", lossless=True),
    "webp lossy": lambda: saved(picture(), "WEBP", quality=90),
}


@pytest.mark.parametrize("part", [0.5, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("kind", STILLS)
def test_rows_before_the_cut_are_those_of_the_whole_image(kind: str, part: float) -> None:
    data = STILLS[kind]()
    whole = pixels_of(data, "RGBA")
    result = salvaged(cut(data, part))
    got = pixels_of(result.data, "RGBA")
    rows = decoded(result)
    assert got.shape == whole.shape
    assert 0 < rows < HEIGHT
    assert np.array_equal(got[:rows], whole[:rows])
    if kind in ("png rgba", "webp lossless rgba"):
        assert not got[rows:].any()  # Transparent.
    elif not kind.startswith("gif"):
        assert not got[rows:, :, :3].any()  # Black.
        assert (got[..., 3] == 255).all()


def test_more_of_a_file_gives_more_rows() -> None:
    for kind, make in STILLS.items():
        data = make()
        rows = [decoded(salvaged(cut(data, part))) for part in (0.6, 0.75, 0.9)]
        assert rows == sorted(set(rows)), kind


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("part", [0.5, 0.7, 0.9])
def test_jpeg_is_gray_after_the_cut(part: float, format: str) -> None:
    data = saved(picture(), "JPEG", quality=92)
    whole = pixels_of(data).astype(int)
    result = salvaged(cut(data, part), format, quality=95)
    got = pixels_of(result.data).astype(int)
    rows = decoded(result)
    assert 0 < rows < HEIGHT
    assert np.abs(got[:rows] - whole[:rows]).mean() < 3
    assert np.abs(got[-8:, :, :] - 128).mean() < 3


def test_progressive_jpeg_is_coarse_after_the_cut() -> None:
    data = saved(picture(), "JPEG", quality=92, progressive=True)
    whole = pixels_of(data).astype(int)
    errors = []
    for part in (0.3, 0.6, 0.9):
        result = salvaged(cut(data, part))
        assert "later scans" in result.warnings[-1]
        errors.append(np.abs(pixels_of(result.data) - whole).mean())
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 4


def test_jpeg_equals_what_pillow_makes_of_a_truncated_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from PIL import ImageFile

    data = cut(saved(picture(), "JPEG", quality=92), 0.5)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    wanted = pixels_of(data)
    rows = decoded(salvaged(data))
    assert np.array_equal(pixels_of(salvaged(data).data)[:rows], wanted[:rows])


def test_interlaced_png_is_coarse_where_passes_are_missing() -> None:
    pixels = np.asarray(picture())
    data = interlaced(pixels)
    assert np.array_equal(pixels_of(data), pixels)
    result = salvaged(cut(data, 0.7))
    passes = decoded(result, "passes")
    assert 0 < passes < 7
    got = pixels_of(result.data)
    assert np.array_equal(got[::8, ::8], pixels[::8, ::8])
    assert np.abs(got.astype(int) - pixels).mean() < 12


def test_interlaced_gif_repeats_rows_where_passes_are_missing() -> None:
    data = saved(picture().quantize(128), "GIF", interlace=1)
    pixels = pixels_of(data)
    result = salvaged(cut(data, 0.4))
    assert HEIGHT // 4 < decoded(result) < HEIGHT // 2  # Two passes, and a part of the third.
    got = pixels_of(result.data)
    assert np.array_equal(got[::4], pixels[::4])
    assert np.array_equal(got[3::4], got[2::4])


def interlaced(pixels: Pixels) -> bytes:
    """Adam7, which Pillow cannot write."""
    starts = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
              (0, 1, 1, 2))  # fmt: skip
    raw = b"".join(b"\0" + row.tobytes() for x, y, dx, dy in starts for row in pixels[y::dy, x::dx])

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 1)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(raw))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["png", "gif"])
def test_a_file_that_ends_in_zeros_keeps_its_rows(kind: str) -> None:
    data = STILLS[kind]()
    half = len(data) // 2
    result = salvaged(data[:half] + bytes(len(data) - half))
    rows = HEIGHT // 4
    assert np.array_equal(pixels_of(result.data)[:rows], pixels_of(data)[:rows])


def test_pixels_behind_a_wrong_checksum_are_kept() -> None:
    data = bytearray(STILLS["png"]())
    at = data.rindex(b"IEND") - 5  # The last byte of the checksum of the last IDAT.
    data[at] ^= 1
    result = salvaged(bytes(data))
    assert np.array_equal(pixels_of(result.data), pixels_of(STILLS["png"]()))


@pytest.mark.parametrize("target", ["gif", "png", "webp"])
@pytest.mark.parametrize("source", ["GIF", "PNG", "WEBP"])
def test_animations_keep_the_frames_before_the_damage(source: str, target: str) -> None:
    data = animation(source, lossless=True) if source == "WEBP" else animation(source)
    whole = canvases_of(data)
    options = {"lossless": True} if target == "webp" else {}
    result = salvaged(cut(data, 0.9), target, **options)
    assert decoded(result, "frames") == 2
    got = canvases_of(result.data)
    assert len(got) == 2
    if target != "gif":
        assert all(np.array_equal(a, b) for a, b in zip(got, whole, strict=False))


@pytest.mark.parametrize("target", ["png", "jpeg"])
@pytest.mark.parametrize("source", ["GIF", "PNG", "WEBP"])
def test_of_the_first_frame_a_part_is_enough(source: str, target: str) -> None:
    data = animation(source, lossless=True) if source == "WEBP" else animation(source)
    whole = canvases_of(data)[0][..., :3].astype(int)
    result = salvaged(cut(data, 0.2), target, quality=95)
    rows = decoded(result)
    got = pixels_of(result.data).astype(int)
    assert 0 < rows < HEIGHT
    assert np.abs(got[: rows - 8] - whole[: rows - 8]).mean() < (3 if target == "jpeg" else 0.01)


@pytest.mark.parametrize("kind", ["png", "gif", "webp lossless", "webp lossy"])
def test_without_one_row_there_is_nothing_to_salvage(kind: str) -> None:
    data = STILLS[kind]()
    at = {"png": data.find(b"IDAT") + 5, "gif": data.find(b"\x2c") + 11, "webp lossless": 30}
    with pytest.raises(pixpress.CorruptImageError):
        pixpress.compress(data[: at.get(kind, 60)], format="png", on_damage="salvage")


def test_a_damaged_header_fails_all_the_same() -> None:
    for data in (
        b"",
        b"\xff\xd8\xff",
        STILLS["png"]()[:30],
        b"GIF89a",
        STILLS["webp lossy"]()[:20],
    ):
        with pytest.raises((pixpress.CorruptImageError, pixpress.UnidentifiedImageError)):
            pixpress.compress(data, format="png", on_damage="salvage")


def test_avif_says_that_it_cannot_be_salvaged() -> None:
    if "avif" not in pixpress.features()["read"]:
        pytest.skip("AVIF is not built in")
    data = saved(picture(), "AVIF")
    with pytest.raises(pixpress.CorruptImageError, match="AVIF: damaged images cannot be salvaged"):
        pixpress.compress(data[:-10], format="png", on_damage="salvage")


@pytest.mark.parametrize("kind", ["jpeg", *STILLS])
def test_what_is_sound_is_compressed_as_ever(kind: str) -> None:
    data = saved(picture(), "JPEG", quality=60) if kind == "jpeg" else STILLS[kind]()
    for options in ({}, {"width": 50}, {"format": "webp"}):
        plain = pixpress.compress(data, **options)
        careful = pixpress.compress(data, on_damage="salvage", **options)
        assert careful.data == plain.data
        assert careful.skipped_reason == plain.skipped_reason
        assert careful.warnings == plain.warnings


def test_damaged_bytes_are_never_kept() -> None:
    """The same format, and at a quality that makes the file larger."""
    data = cut(saved(picture(), "JPEG", quality=30), 0.7)
    result = salvaged(data, "jpeg", quality=100)
    assert result.compressed_size > len(data)
    with pixpress.Pool(max_workers=1) as pool:
        assert pool.submit(result.data, format="png").result().warnings == ()


def test_max_bytes_holds_for_what_is_salvaged() -> None:
    data = cut(saved(picture(), "JPEG", quality=90), 0.7)
    result = salvaged(data, "jpeg", quality=95, max_bytes=len(data) // 2)
    assert result.compressed_size <= len(data) // 2


def test_memory_stays_below_what_was_reserved() -> None:
    for kind, make in STILLS.items():
        result = salvaged(cut(make(), 0.7), "webp", width=64)
        assert result.peak_memory <= result.estimated_memory, kind


def test_a_listed_file_can_still_be_salvaged(tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    path.write_bytes(cut(STILLS["png"](), 0.5))
    with pixpress.Pool(max_workers=1) as pool:
        with pytest.raises(pixpress.CorruptImageError):
            pool.submit(path, tmp_path / "a.webp").result()
        with pytest.raises(pixpress.BlacklistedFileError):
            pool.submit(path, tmp_path / "a.webp").result()
        result = pool.submit(path, tmp_path / "a.webp", on_damage="salvage").result()
    assert decoded(result) > 0
    assert (tmp_path / "a.webp").exists()


def test_truncated_files_of_the_corpus_are_salvaged(bad_files) -> None:
    files = [file for file in bad_files if "truncated at" in file.kind and file.width]
    assert files
    outcomes = {}
    for file in files:
        try:
            result = pixpress.compress(file.path, format="png", on_damage="salvage")
        except pixpress.CorruptImageError:
            outcomes[file.path.name] = False
            continue
        assert result.warnings[-1].startswith("salvaged")
        assert pixels_of(result.data).shape[:2] == (file.height, file.width)
        outcomes[file.path.name] = True
    assert all(outcomes.values()), outcomes
