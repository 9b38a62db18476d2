"""Animations from each format to each: canvas, order, timing and loop count stay."""

from __future__ import annotations

import io
import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixpress

FORMATS = ("gif", "png", "webp")
PAIRS = list(itertools.product(FORMATS, FORMATS))
DURATIONS = [70, 30, 120, 250, 10, 40]
SIZE = (96, 64)


def frames(count: int = 6) -> list[np.ndarray]:
    """Return a square of two colors that wanders over a ramp with a transparent corner."""
    canvases = []
    for index in range(count):
        canvas = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
        canvas[..., 0] = np.arange(SIZE[0])[None, :] // 4 * 8
        canvas[..., 3] = 255
        canvas[:16, -16:] = 0
        canvas[12:40, 4 + 11 * index : 30 + 11 * index] = (10, 200, 90, 255)
        canvas[20:30, 8 + 11 * index : 20 + 11 * index] = (250, 250, 10, 255)
        canvases.append(canvas)
    return canvases


def indexed(canvas: np.ndarray) -> Image.Image:
    """Return the canvas with a palette that has exactly its colors; 0 is transparent."""
    colors, indices = np.unique(canvas.reshape(-1, 4), axis=0, return_inverse=True)
    order = np.argsort(colors[:, 3], kind="stable")
    rank = np.argsort(order)
    image = Image.fromarray(rank[indices].reshape(canvas.shape[:2]).astype(np.uint8), "P")
    image.putpalette(colors[order][:, :3].tobytes())
    image.info["transparency"] = 0
    return image


def saved(name: str, loop: int = 3) -> bytes:
    """Return the animation as Pillow writes it; `loop` counts plays."""
    make = indexed if name == "gif" else Image.fromarray
    images = [make(canvas) for canvas in frames()]
    options: dict[str, object] = {"duration": DURATIONS, "loop": loop}
    if name == "webp":
        options["lossless"] = True
    if name == "gif":
        options["disposal"] = 2
        # The entry counts repeats, 0 for ever; without it there is one play.
        options["loop"] = {0: 0, 1: None}.get(loop, loop - 1)
    out = io.BytesIO()
    images[0].save(out, name.upper(), save_all=True, append_images=images[1:], **options)
    return out.getvalue()


def visible(canvas: np.ndarray) -> np.ndarray:
    return np.where(canvas[..., 3:] == 0, 0, canvas)


def psnr(own: np.ndarray, theirs: np.ndarray) -> float:
    seen = (own[..., 3] == 255) & (theirs[..., 3] == 255)
    error = (own[..., :3].astype(float) - theirs[..., :3])[seen]
    return float(10 * np.log10(255**2 / max(np.mean(error**2), 1e-9)))


def plays(name: str, loop: int | None) -> int:
    if name == "gif":
        return 1 if loop is None else loop and loop + 1
    assert loop is not None
    return loop


@pytest.mark.parametrize("loop", [0, 1, 3])
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_lossless_conversions_keep_everything(source: str, target: str, loop: int, played) -> None:
    data = saved(source, loop)
    settings = {} if target == "gif" else {"lossless": True}
    result = pixpress.compress(data, format=target, **settings)
    canvases, durations, entry = played(result.data)
    assert Image.open(io.BytesIO(result.data)).format == target.upper()
    assert durations == pytest.approx(DURATIONS)
    assert plays(target, entry) == loop
    for own, theirs, drawn in zip(canvases, played(data)[0], frames(), strict=True):
        assert np.array_equal(visible(own), visible(theirs))
        assert np.array_equal(visible(own), drawn)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_resized_conversions_have_no_corrupted_frames(source: str, target: str, played) -> None:
    result = pixpress.compress(saved(source), format=target, width=48, quality=90)
    canvases, durations, entry = played(result.data)
    assert (result.width, result.height) == (48, 32)
    assert durations == pytest.approx(DURATIONS)
    assert plays(target, entry) == 3
    for own, drawn in zip(canvases, frames(), strict=True):
        expected = np.asarray(Image.fromarray(drawn).resize((48, 32), Image.Resampling.LANCZOS))
        assert own.shape == expected.shape
        assert psnr(own, expected) > 24
        assert np.array_equal(own[..., 3] >= 128, expected[..., 3] >= 128)


@pytest.mark.parametrize("source", FORMATS)
def test_lossy_webp_stays_near_in_every_frame(source: str, played) -> None:
    result = pixpress.compress(saved(source), format="webp", quality=90)
    canvases = played(result.data)[0]
    for own, drawn in zip(canvases, frames(), strict=True):
        assert psnr(own, drawn) > 28
        assert np.array_equal(own[..., 3], drawn[..., 3])


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_max_frames_keeps_the_first_ones(source: str, target: str, played) -> None:
    result = pixpress.compress(saved(source), format=target, max_frames=4, lossless=target != "gif")
    canvases, durations, _ = played(result.data)
    assert durations == pytest.approx(DURATIONS[:4])
    for own, drawn in zip(canvases, frames(4), strict=True):
        assert np.array_equal(visible(own), drawn)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_without_animation_there_is_the_first_frame_and_a_warning(
    source: str, target: str, opened
) -> None:
    result = pixpress.compress(
        saved(source), format=target, animated=False, lossless=target != "gif"
    )
    image = opened(result.data)
    assert getattr(image, "n_frames", 1) == 1
    assert np.array_equal(visible(np.asarray(image.convert("RGBA"))), frames(1)[0])
    assert any("first of 6 frames" in warning for warning in result.warnings)


@pytest.mark.parametrize("source", FORMATS)
def test_formats_without_animations_refuse_them_when_they_are_asked_for(source: str) -> None:
    with pytest.raises(pixpress.OptionError, match="jpeg has no animations"):
        pixpress.compress(saved(source), format="jpeg", animated=True)
    result = pixpress.compress(saved(source), format="jpeg")
    assert any("first of 6 frames" in warning for warning in result.warnings)


def test_durations_that_a_format_cannot_store_keep_their_sum(played) -> None:
    images = [Image.fromarray(canvas) for canvas in frames()]
    out = io.BytesIO()
    images[0].save(out, "WEBP", save_all=True, append_images=images[1:], duration=33, lossless=True)
    gif = played(pixpress.compress(out.getvalue(), format="gif").data)[1]
    assert sum(gif) == 200
    assert set(gif) == {30, 40}


@pytest.mark.parametrize("target", FORMATS)
def test_animations_do_not_depend_on_the_number_of_workers(target: str) -> None:
    outputs = set()
    for workers in (1, 2):
        with pixpress.Pool(max_workers=workers) as pool:
            outputs.add(pool.submit(saved("webp"), format=target, width=70).result().data)
    assert len(outputs) == 1


def test_an_animation_that_outgrows_its_original_is_given_up_but_read_to_its_end() -> None:
    rng = np.random.default_rng(2)
    images = [Image.fromarray(rng.integers(0, 256, (160, 240, 3), np.uint8)) for _ in range(8)]
    out = io.BytesIO()
    images[0].save(out, "WEBP", save_all=True, append_images=images[1:], duration=40, quality=10)
    source = out.getvalue()
    # Two frames alone are longer than all of the source.
    exact = pixpress.compress(source, lossless=True, max_frames=2)
    assert exact.compressed_size > len(source) + (64 << 10)
    result = pixpress.compress(source, lossless=True)
    assert result.skipped_reason is pixpress.SkippedReason.NOT_SMALLER
    assert result.data == source
    # Damage behind the point where encoding ended is found all the same.
    last = source.rindex(b"\x9d\x01\x2a")
    damaged = source[:last] + b"\0\0\0" + source[last + 3 :]
    with pytest.raises(pixpress.CorruptImageError):
        pixpress.compress(damaged, lossless=True)


CHILD = """
import json, sys
from pathlib import Path
import pixpress

def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))

with pixpress.Pool(max_workers=1, memory_limit=sys.argv[4]) as pool:
    Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    result = pool.submit(sys.argv[1], sys.argv[2], **json.loads(sys.argv[3])).result()
    print(json.dumps([status("VmHWM") - before, result.estimated_memory]))
"""


def grown_and_reserved(
    source: Path, target: Path, settings: dict[str, object], memory_limit: str
) -> tuple[int, int]:
    """Return what a fresh process has grown by for the job, and what it has reserved."""
    job = [str(source), str(target), json.dumps(settings), memory_limit]
    command = [sys.executable, "-c", CHILD, *job]
    child = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    grown, reserved = json.loads(child.stdout)
    return grown, reserved


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize(
    "settings",
    [
        {"format": "webp", "effort": 2},
        {"format": "webp", "effort": 7, "quality": 95},
        {"format": "webp", "lossless": True},
        {"format": "png", "effort": 3},
    ],
    ids=str,
)
def test_the_peak_stays_within_the_reservation(
    source: str, settings: dict[str, object], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (500, 700, 4), np.uint8)
    images = []
    for index in range(3):
        noise[100 * index : 100 * index + 80] = rng.integers(0, 256, (80, 700, 4), np.uint8)
        noise[100 * index : 100 * index + 80, ::2, 3] = 255
        images.append(Image.fromarray(noise.copy()))
    path = tmp_path / f"noise.{source}"
    images[0].save(path, save_all=True, append_images=images[1:], duration=40)
    target = tmp_path / f"out.{settings['format']}"
    grown, reserved = grown_and_reserved(path, target, settings, "1GB")
    assert grown <= reserved * 1.1 + (8 << 20)
    with Image.open(target) as image:
        assert image.n_frames == 3  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def long_gif(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a GIF of 250 frames and a megapixel each, in which a square moves."""
    path = tmp_path_factory.mktemp("animations") / "long.gif"

    def frame(index: int) -> Image.Image:
        pixels = np.zeros((1000, 1000), np.uint8)
        pixels[:] = (np.arange(1000) // 8 % 64)[None, :]
        pixels[300:500, 3 * index : 3 * index + 200] = 64 + index % 16
        image = Image.fromarray(pixels, "L").convert("P")
        image.putpalette([value for i in range(256) for value in (i, 255 - i, i * 3 % 256)])
        return image

    frame(0).save(
        path,
        save_all=True,
        append_images=(frame(i) for i in range(1, 250)),
        duration=40,
        loop=0,
        optimize=False,
    )
    return path


@pytest.mark.parametrize("format", ["webp", "gif"])
@pytest.mark.parametrize("settings", [{"effort": 1}, {}, {"width": 500}], ids=str)
def test_a_gif_of_250_megapixels_is_made_in_128_megabytes(
    settings: dict[str, object], format: str, long_gif: Path, tmp_path: Path
) -> None:
    target = tmp_path / f"out.{format}"
    grown, reserved = grown_and_reserved(long_gif, target, settings, "128MB")
    assert reserved <= 128 << 20
    assert grown <= (128 << 20) * 1.1 + (8 << 20)
    with Image.open(target) as image:
        assert image.n_frames == 250  # type: ignore[attr-defined]
        image.seek(249)
        assert image.size == ((500, 500) if "width" in settings else (1000, 1000))
