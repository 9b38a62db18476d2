"""GIF against Pillow: every frame, its time, the loop count, and what damaged files end with."""

from __future__ import annotations

import csv
import io
import itertools
import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from played_gif import played

import pixpress

Frames = list[np.ndarray]
DISPOSALS = (0, 1, 2, 3)
CORPUS = Path(
    os.environ.get("PIXPRESS_CORPUS", Path(__file__).parents[2].parent / "shared" / "corpus")
)


@pytest.fixture(scope="module")
def corpus() -> Path:
    if not CORPUS.is_dir():
        pytest.skip("the corpus of real images is not beside the project")
    return CORPUS


def timeline(data: bytes) -> tuple[list[bytes], list[int]]:
    """Return what is seen and for how long: equal canvases in a row are one."""
    seen: list[bytes] = []
    durations: list[int] = []
    canvases, times, _ = played(data)
    for canvas, duration in zip(canvases, times, strict=True):
        pixels = np.where(canvas[..., 3:] == 0, 0, canvas).tobytes()
        if seen and seen[-1] == pixels:
            durations[-1] += duration
        else:
            seen.append(pixels)
            durations.append(duration)
    return seen, durations


def as_rgba(frames: np.ndarray) -> np.ndarray:
    if frames.shape[-1] == 4:
        return frames
    return np.concatenate([frames, np.full((*frames.shape[:-1], 1), 255, np.uint8)], axis=-1)


def assert_decodes_as_pillow(data: bytes) -> None:
    canvases = played(data)[0]
    frames = as_rgba(pixpress.decode(data, frames=True))
    assert len(frames) == len(canvases) == pixpress.probe(data).frames
    for index, (own, theirs) in enumerate(zip(frames, canvases, strict=True)):
        assert np.array_equal(own, theirs), f"frame {index}"


def assert_recompresses_without_loss(data: bytes) -> None:
    result = pixpress.compress(data)
    assert result.format == "gif"
    assert len(result.data) <= len(data)
    assert timeline(result.data) == timeline(data)
    assert played(result.data)[2] == played(data)[2]


def lzw(indices: list[int]) -> bytes:
    """Return plain codes of 3 bits, cleared often enough that they stay so wide."""
    bits = []
    for index, value in enumerate(indices):
        for code in ([4] if index % 2 == 0 else []) + [value]:
            bits += [code >> i & 1 for i in range(3)]
    bits += [1, 0, 1]
    packed = np.packbits(np.array(bits, np.uint8), bitorder="little").tobytes()
    blocks = [packed[i : i + 255] for i in range(0, len(packed), 255)]
    return b"\x02" + b"".join(bytes([len(b)]) + b for b in blocks) + b"\0"


def word(value: int) -> bytes:
    return value.to_bytes(2, "little")


def make_gif(
    size: tuple[int, int], frames: list[dict[str, object]], background: int = 0, extra: bytes = b""
) -> bytes:
    """Return a GIF of four colors from frames of rect, indices, disposal and transparent."""
    table = bytes([250, 1, 2, 3, 240, 5, 6, 7, 230, 99, 98, 97])
    out = b"GIF89a" + word(size[0]) + word(size[1]) + bytes([0x81, background, 0]) + table + extra
    for frame in frames:
        transparent = frame.get("transparent")
        flags = int(frame.get("disposal", 0)) << 2 | (transparent is not None)  # type: ignore[call-overload]
        out += b"!\xf9\x04" + bytes([flags]) + word(7) + bytes([transparent or 0, 0])  # type: ignore[list-item]
        out += b"," + b"".join(word(v) for v in frame["rect"]) + b"\0"  # type: ignore[attr-defined]
        out += lzw(frame["indices"])  # type: ignore[arg-type]
    return out + b";"


def table_sizes(data: bytes) -> list[int]:
    """Return the colors of each table of a well-formed GIF."""
    sizes = [2 << (data[10] & 7)] if data[10] & 0x80 else []
    at = 13 + 3 * sum(sizes)
    while data[at] != 0x3B:
        if data[at] == 0x2C:
            flags = data[at + 9]
            sizes += [2 << (flags & 7)] if flags & 0x80 else []
            at += 11 + (3 * sizes[-1] if flags & 0x80 else 0)
        else:
            at += 2
        while data[at]:
            at += data[at] + 1
        at += 1
    return sizes


def random_frames(
    rng: np.random.Generator, disposals: tuple[int, ...], transparents: tuple[int | None, ...]
) -> list[dict[str, object]]:
    frames: list[dict[str, object]] = []
    for disposal, transparent in zip(disposals, transparents, strict=True):
        x, y = int(rng.integers(0, 4)), int(rng.integers(0, 3))
        width, height = int(rng.integers(1, 6 - x)), int(rng.integers(1, 5 - y))
        indices = [int(i) for i in rng.integers(0, 4, width * height)]
        rect = (x, y, width, height)
        frames.append(
            {"rect": rect, "indices": indices, "disposal": disposal, "transparent": transparent}
        )
    return frames


def repeats_a_disposal(disposals: tuple[int, ...]) -> bool:
    """Whether Pillow disposes of a frame of disposal 0 as of an earlier one."""
    return any(
        now == 0 and any(before >= 2 for before in disposals[:index])
        for index, now in enumerate(disposals[:-1])
    )


REAL = (
    "chi dispose_bgnd_transparency dispose_prev gifplayer-muybridge harvesters hopper_resized "
    "invert magnifer mixed-disposal rotating-squares transparent"
)


@pytest.mark.parametrize("name", REAL.split())
def test_real_files_decode_as_in_pillow_and_recompress_without_loss(
    name: str, corpus: Path
) -> None:
    data = (corpus / "gif" / f"{name}.gif").read_bytes()
    assert_decodes_as_pillow(data)
    assert_recompresses_without_loss(data)


def test_every_combination_of_disposals_is_composed_as_in_pillow() -> None:
    # Exceptions. Pillow disposes of a frame whose disposal is 0, unspecified, as of the last frame
    # that specified one; the specification, browsers and libwebp keep it, and so does pixpress.
    seed = 5
    rng = np.random.default_rng(seed)
    compared = 0
    for disposals in itertools.product(DISPOSALS, repeat=4):
        if repeats_a_disposal(disposals):
            continue
        for transparents in itertools.product((None, 2), repeat=4):
            frames = random_frames(rng, disposals, transparents)
            data = make_gif((5, 4), frames, background=int(rng.integers(0, 4)))
            try:
                assert_decodes_as_pillow(data)
            except AssertionError as error:
                raise AssertionError(f"seed {seed} {disposals} {transparents} {error}") from error
            compared += 1
    assert compared > 1500


def test_unspecified_disposal_keeps_the_frame_whatever_came_before() -> None:
    whole = {"rect": (0, 0, 2, 1), "transparent": 3}
    frames = [
        {**whole, "indices": [0, 0], "disposal": 2},
        {**whole, "indices": [1, 3], "disposal": 0},
        {**whole, "indices": [3, 2], "disposal": 1},
    ]
    last = pixpress.decode(make_gif((2, 1), frames), frames=True)[-1]
    assert last.tolist() == [[[3, 240, 5, 255], [6, 7, 230, 255]]]


def test_generated_animations_recompress_without_loss() -> None:
    seed = 6
    rng = np.random.default_rng(seed)
    for round_ in range(150):
        disposals = tuple(int(d) for d in rng.integers(1, 4, 5))
        transparents = tuple(2 if rng.integers(0, 2) else None for _ in range(5))
        data = make_gif((5, 4), random_frames(rng, disposals, transparents))
        # A comment that is dropped makes room for an answer that is not the original.
        data = data[:25] + b"!\xfe\xff" + b"c" * 255 + b"\0" + data[25:]
        try:
            assert_recompresses_without_loss(data)
        except AssertionError as error:
            raise AssertionError(f"seed {seed} round {round_}: {error}") from error


@pytest.mark.parametrize(("loop", "plays"), [(None, None), (0, 0), (1, 1), (6, 6)])
def test_loop_counts_stay(loop: int | None, plays: int | None) -> None:
    extra = b"" if loop is None else b"!\xff\x0bNETSCAPE2.0\x03\x01" + word(loop) + b"\0"
    frames: list[dict[str, object]] = [
        {"rect": (0, 0, 40, 40), "indices": [i % 3] * 1600} for i in range(3)
    ]
    data = make_gif((40, 40), frames, extra=extra)
    for settings in ({}, {"width": 20}):
        assert played(pixpress.compress(data, **settings).data)[2] == plays


def animation(frames: int = 6, size: tuple[int, int] = (120, 80)) -> bytes:
    """Return a square that wanders over a gradient, shown for 70 ms a frame, for ever."""
    ramp = np.linspace(0, 255, size[0]).astype(np.uint8)
    images = []
    for index in range(frames):
        pixels = np.zeros((size[1], size[0], 3), np.uint8)
        pixels[..., 0] = ramp
        pixels[20:50, 10 + 9 * index : 40 + 9 * index] = (10, 200, 90)
        images.append(Image.fromarray(pixels).quantize(200, dither=Image.Dither.NONE))
    out = io.BytesIO()
    images[0].save(
        out, "GIF", save_all=True, append_images=images[1:], duration=70, loop=0, optimize=False
    )
    return out.getvalue()


def test_resized_animations_keep_their_frames_and_times() -> None:
    data = animation()
    result = pixpress.compress(data, width=60)
    canvases, durations, loop = played(result.data)
    assert (result.width, result.height) == (60, 40)
    assert (len(canvases), durations, loop) == (6, [70] * 6, 0)
    for own, source in zip(canvases, played(data)[0], strict=True):
        expected = np.asarray(Image.fromarray(source).resize((60, 40), Image.Resampling.LANCZOS))
        assert np.abs(own.astype(int) - expected).mean() < 3
        assert own[..., 3].min() == 255


def test_resized_transparent_animations_have_clean_edges(corpus: Path) -> None:
    data = (corpus / "gif" / "rotating-squares.gif").read_bytes()
    canvases, durations, _ = played(pixpress.compress(data, width=40).data)
    assert sum(durations) == sum(played(data)[1])
    assert {canvas.shape for canvas in canvases} == {(40, 40, 4)}
    assert set(np.unique(canvases[0][..., 3])) == {0, 255}


def test_max_frames_keeps_the_first_ones() -> None:
    canvases, durations, _ = played(pixpress.compress(animation(), max_frames=4).data)
    assert (len(canvases), durations) == (4, [70] * 4)


@pytest.mark.parametrize("name", ["png", "jpeg"])
def test_other_formats_get_the_first_frame_with_a_warning(name: str) -> None:
    data = animation()
    result = pixpress.compress(data, format=name, quality=95, animated=False)
    first = np.asarray(Image.open(io.BytesIO(result.data)).convert("RGB")).astype(int)
    assert np.abs(first - played(data)[0][0][..., :3]).mean() < 3
    assert any("first of 6 frames" in warning for warning in result.warnings)


def test_png_becomes_a_still_gif_with_transparency() -> None:
    pixels = np.zeros((30, 50, 4), np.uint8)
    pixels[5:25, 5:40] = (200, 30, 40, 255)
    pixels[8:12, 8:12] = (0, 90, 0, 130)
    pixels[14:18, 8:12] = (0, 90, 0, 120)
    source = io.BytesIO()
    Image.fromarray(pixels).save(source, "PNG")
    result = pixpress.compress(source.getvalue(), format="gif")
    (canvas,), _, loop = played(result.data)
    assert loop is None
    assert np.array_equal(canvas[..., 3], np.where(pixels[..., 3] >= 128, 255, 0))
    opaque = pixels[..., 3] >= 128
    assert np.abs(canvas[opaque][:, :3].astype(int) - pixels[opaque][:, :3]).max() <= 2


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_arrays_of_few_colors_are_exact(channels: int) -> None:
    levels = np.random.default_rng(3).integers(0, 6, (33, 47, channels)).astype(np.uint8) * 50
    if channels == 4:
        levels[..., 3] = 255
    levels[..., 1:3] = 100
    array = levels[..., 0] if channels == 1 else levels
    (canvas,), _, _ = played(pixpress.encode(array, "gif"))
    expected = np.asarray(Image.fromarray(array).convert("RGBA"))
    assert np.array_equal(canvas, expected)


def test_fewer_colors_are_used_when_asked_for() -> None:
    y, x = np.mgrid[0:90, 0:120].astype(np.uint8)
    photo = np.stack([x * 2, y * 2, x + y], axis=-1)
    (canvas,), _, _ = played(pixpress.encode(photo, "gif", colors=16))
    assert len(np.unique(canvas.reshape(-1, 4), axis=0)) <= 16
    resized = pixpress.compress(animation(), width=61, colors=8, dither=0.0).data
    assert max(table_sizes(resized)) == 8


def test_privacy_no_comment_or_trailing_byte_is_left() -> None:
    frames: list[dict[str, object]] = [{"rect": (0, 0, 1, 1), "indices": [0]}]
    secret = b"!\xfe\x06secret\0!\xff\x0bXMP DataXMPsecret\0"
    data = make_gif((1, 1), frames, extra=secret[:10]) + b"secret behind the end"
    out = pixpress.compress(data).data
    assert out is not None
    assert b"secret" not in out


def bad_gifs() -> list[str]:
    manifest = CORPUS / "manifest.csv"
    if not manifest.is_file():
        return []
    rows = csv.DictReader(manifest.read_text().splitlines())
    wanted = (row for row in rows if row["file"].startswith("bad/"))
    return [r["file"] for r in wanted if r["file"].endswith(".gif") and "expect error" in r["kind"]]


@pytest.mark.parametrize("name", bad_gifs())
@pytest.mark.parametrize("settings", [{}, {"format": "png", "animated": False}], ids=["gif", "png"])
def test_bad_files_end_as_the_manifest_expects(
    name: str, settings: dict[str, object], corpus: Path
) -> None:
    path = corpus / name
    started = time.process_time()
    with pytest.raises(pixpress.PixpressError, match=path.name) as caught:
        pixpress.compress(path, **settings)
    assert isinstance(caught.value, (pixpress.CorruptImageError, pixpress.LimitExceededError))
    assert time.process_time() - started < 1


def test_hostile_headers_cost_no_memory() -> None:
    bomb = b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\x02L\x01\0;"
    with pytest.raises(pixpress.LimitExceededError):
        pixpress.probe(bomb)
    dot = b",\0\0\0\0\1\0\1\0\0\x02\x02D\x01\0"
    many = b"GIF89a\x10\0\x10\0\x80\0\0" + b"\0" * 6 + dot * 10_001
    with pytest.raises(pixpress.LimitExceededError, match="max_frames"):
        pixpress.compress(many + b";")
