"""`format="auto"`: the smallest of the formats at one score, as docs/formats.md promises."""

from __future__ import annotations

import functools
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from busy_pools import await_running
from made_pictures import saved, score
from PIL import Image, ImageDraw

import pixpress

LOSSY = [name for name in ("jpeg", "webp", "avif") if name in pixpress.features()["write"]]
TOLERANCE = 0.25
SCORE_OF_80 = 77.0  # docs/formats.md


@functools.cache
def landscape() -> np.ndarray:
    return pixpress.decode(Path(__file__).parents[1] / "data" / "landscape_1.jpg")


def photo(width: int = 400, height: int = 300) -> np.ndarray:
    """A photograph, so much smaller than its file that nothing of JPEG is left in it."""
    return pixpress.resize(landscape(), (width, height))


def graphic(width: int = 400, height: int = 300) -> np.ndarray:
    """Lines and boxes of few colors without smoothed edges."""
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    rng = np.random.default_rng(3)
    for _ in range(60):
        x, y, w, h = (int(value) for value in rng.integers(0, 300, 4))
        color = ("#003f5c", "#bc5090", "#ffa600", "black")[int(rng.integers(4))]
        draw.rectangle([x, y, x + w // 3, y + h // 3], outline=color)
        draw.line([x, y, x + w, y + 7], fill=color)
    return np.asarray(image)


@pytest.mark.parametrize(
    ("options", "same", "goal"),
    [
        ({}, {"target": f"ssimulacra2:{SCORE_OF_80}"}, SCORE_OF_80),
        ({"target": "ssimulacra2:60"}, {"target": "ssimulacra2:60"}, 60),
        ({"min_quality": 82}, {"min_quality": 82, "target": "ssimulacra2:82"}, 82),
    ],
)
def test_a_photograph_becomes_the_smallest_lossy_format_at_the_score(
    options: dict[str, object], same: dict[str, object], goal: float
) -> None:
    image = photo()
    result = pixpress.compress(saved(image, "PNG"), format="auto", **options)
    assert score(image, result.data) == pytest.approx(result.score, abs=1e-4)
    assert result.score >= goal - TOLERANCE
    assert result.format in LOSSY
    assert pixpress.probe(result.data).format == result.format
    others = {name: pixpress.compress(image, format=name, **same) for name in LOSSY}
    for name, other in others.items():
        # Both are between the score and what a search takes for close enough.
        assert result.compressed_size <= other.compressed_size * 1.05, name
    if "avif" in LOSSY and goal > 70:
        assert result.compressed_size < others["jpeg"].compressed_size
    assert result.compressed_size < pixpress.compress(image, format="png").compressed_size / 2


@pytest.mark.parametrize("side", [24, 90, 200])
def test_a_small_photograph_is_scored_as_if_mirrored_to_256_pixels(side: int) -> None:
    image = photo(side, side * 3 // 4)
    result = pixpress.compress(saved(image, "PNG"), format="auto")
    assert result.format in LOSSY
    assert SCORE_OF_80 - TOLERANCE <= result.score < SCORE_OF_80 + 6
    mirrored = [
        np.pad(pixels, [(0, 256 - n) for n in pixels.shape[:2]] + [(0, 0)], "symmetric")
        for pixels in (image, pixpress.decode(result.data, mode="RGB"))
    ]
    assert pixpress.ssimulacra2(*mirrored) == pytest.approx(result.score, abs=1e-4)
    # By the metric as it is, such an image has no lossy output.
    assert result.compressed_size <= pixpress.compress(image, format="jpeg").compressed_size * 1.3


def test_a_target_for_a_small_image_is_the_metric_as_it_is() -> None:
    image = photo(90, 70)
    result = pixpress.compress(saved(image, "PNG"), format="auto", target="ssimulacra2:40")
    assert score(image, result.data) == pytest.approx(result.score, abs=1e-4)


def test_quality_says_which_score() -> None:
    sizes = []
    for quality, goal in ((50, 60.0), (70, 70.5), (90, 86.5)):
        result = pixpress.compress(photo(), format="auto", quality=quality)
        assert goal - TOLERANCE <= result.score < goal + 4
        sizes.append(result.compressed_size)
    assert sizes == sorted(sizes)


def test_a_graphic_stays_exact_where_that_is_smallest() -> None:
    image = graphic()
    result = pixpress.compress(image, format="auto")
    assert result.format in ("png", "webp")
    assert result.score is None
    np.testing.assert_array_equal(pixpress.decode(result.data), image)
    png = pixpress.compress(image, format="png")
    webp = pixpress.compress(image, format="webp", lossless=True)
    assert result.compressed_size == min(png.compressed_size, webp.compressed_size)
    for name in LOSSY:
        lossy = pixpress.compress(image, format=name, target="ssimulacra2:77")
        assert result.compressed_size <= lossy.compressed_size


def test_near_lossless_is_about_lossless_webp_only() -> None:
    source = saved(photo(), "PNG")
    plain, near = (
        pixpress.compress(source, format="auto", near_lossless=level) for level in (100, 60)
    )
    assert near.format == plain.format
    assert near.data == plain.data


def test_what_no_lossy_format_reaches_is_lossless() -> None:
    image = photo(120, 90)
    result = pixpress.compress(image, format="auto", target="ssimulacra2:99.9")
    assert result.format in ("png", "webp")
    assert result.warnings == ()
    np.testing.assert_array_equal(pixpress.decode(result.data), image)


@pytest.mark.parametrize("make", [photo, graphic])
def test_alpha_is_kept(make: object) -> None:
    alpha = np.broadcast_to(np.linspace(0, 255, 400).astype(np.uint8), (300, 400))
    image = np.dstack([make(), alpha])
    result = pixpress.compress(image, format="auto")
    assert result.format != "jpeg"
    decoded = pixpress.decode(result.data, mode="RGBA")
    assert np.abs(decoded[..., 3].astype(int) - alpha).mean() < 4


def test_an_alpha_channel_without_transparent_pixels_forbids_nothing() -> None:
    image = photo()
    opaque = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
    assert pixpress.compress(opaque, format="auto").format == (
        pixpress.compress(image, format="auto").format
    )
    opaque[5, 5, 3] = 254
    assert pixpress.compress(opaque, format="auto").format != "jpeg"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("make", [photo, graphic])
def test_it_is_never_larger_than_the_source(make: object, format: str) -> None:
    options = {"quality": 30} if format != "PNG" else {"optimize": True}
    source = saved(make(), format, **options)
    result = pixpress.compress(source, format="auto", quality=95)
    assert result.compressed_size <= len(source)
    if result.skipped_reason is pixpress.SkippedReason.NOT_SMALLER:
        assert result.format == format.lower()
        np.testing.assert_array_equal(pixpress.decode(result.data), pixpress.decode(source))
    else:
        assert result.compressed_size < len(source)


def test_a_source_that_nothing_beats_is_kept() -> None:
    source = pixpress.compress(photo(), format="auto", quality=20).data
    result = pixpress.compress(source, format="auto", quality=98)
    assert result.skipped_reason is pixpress.SkippedReason.NOT_SMALLER
    assert result.format == pixpress.probe(source).format
    assert result.compressed_size <= len(source)


def test_a_tiny_jpeg_of_a_photograph_stays_one_or_shrinks() -> None:
    source = saved(photo(64, 48), "JPEG", quality=85)
    result = pixpress.compress(source, format="auto")
    assert result.compressed_size <= len(source)


def test_lossless_makes_png_or_webp_of_the_same_pixels() -> None:
    image = photo()
    result = pixpress.compress(image, format="auto", lossless=True)
    np.testing.assert_array_equal(pixpress.decode(result.data), image)
    png = pixpress.compress(image, format="png")
    webp = pixpress.compress(image, format="webp", lossless=True)
    assert result.compressed_size == min(png.compressed_size, webp.compressed_size)


def test_lossless_keeps_sixteen_bits() -> None:
    image = photo(90, 60).astype(np.uint16) * 251
    result = pixpress.compress(image, format="auto", lossless=True)
    assert result.format == "png"
    np.testing.assert_array_equal(pixpress.decode(result.data), image)


def test_a_gif_animation_stays_animated_and_gets_smaller() -> None:
    frames = [Image.fromarray(np.roll(graphic(), 9 * step, axis=1)) for step in range(6)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=70, loop=0)
    result = pixpress.compress(out.getvalue(), format="auto")
    assert result.format in ("gif", "webp")
    assert pixpress.probe(result.data).frames == 6
    ways = [
        pixpress.compress(out.getvalue(), format=name).compressed_size for name in ("gif", "webp")
    ]
    assert result.compressed_size == min(*ways, len(out.getvalue()))
    still = pixpress.compress(out.getvalue(), format="auto", animated=False)
    assert pixpress.probe(still.data).frames == 1
    assert still.format != "gif"
    assert still.warnings == ("only the first of 6 frames was kept",)
    with pytest.raises(pixpress.OptionError, match="still image"):
        pixpress.compress(out.getvalue(), format="auto", target="ssimulacra2:70")


def test_resized_and_turned_images_are_scored_as_they_come_out() -> None:
    image = Image.fromarray(photo(640, 480))
    exif = image.getexif()
    exif[0x112] = 6
    out = io.BytesIO()
    image.save(out, "JPEG", quality=95, exif=exif)
    result = pixpress.compress(out.getvalue(), format="auto", width=240, target="ssimulacra2:70")
    assert (result.width, result.height) == (240, 320)
    exact = pixpress.compress(out.getvalue(), format="png", width=240).data
    assert score(pixpress.decode(exact), result.data) == pytest.approx(result.score, abs=0.5)


def test_max_bytes_goes_before_the_score() -> None:
    image = photo()
    free = pixpress.compress(image, format="auto")
    limit = free.compressed_size // 2
    result = pixpress.compress(image, format="auto", max_bytes=limit)
    assert result.compressed_size <= limit
    assert result.score < SCORE_OF_80
    assert "target was not reached" in result.warnings[0]
    with pytest.raises(pixpress.LimitExceededError, match="max_bytes"):
        pixpress.compress(image, format="auto", max_bytes=40)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"colors": 16}, "colors"),
        ({"lossless": True, "target": "ssimulacra2:80"}, "lossless"),
        ({"lossless": True, "min_quality": 80}, "lossless"),
        ({"target": "ssimulacra2:60", "min_quality": 70}, "min_quality"),
    ],
)
def test_what_contradicts_auto_is_refused(options: dict[str, object], match: str) -> None:
    with pytest.raises(pixpress.OptionError, match=match):
        pixpress.compress(photo(40, 30), format="auto", **options)


def test_an_extension_contradicts_auto(tmp_path: Path) -> None:
    with pytest.raises(pixpress.OptionError, match="extension"):
        pixpress.compress(photo(40, 30), tmp_path / "out.webp", format="auto")
    assert not list(tmp_path.iterdir())
    result = pixpress.compress(photo(40, 30), tmp_path / "out", format="auto")
    assert pixpress.probe(tmp_path / "out").format == result.format
    with pytest.raises(pixpress.OptionError):
        pixpress.encode(photo(40, 30), "auto")


def test_pools_of_any_size_make_the_same_bytes() -> None:
    sources = [saved(photo(200 + 40 * i, 150), "PNG") for i in range(3)]
    sources.append(saved(graphic(), "PNG"))
    made = []
    for workers in (1, 2):
        with pixpress.Pool(max_workers=workers) as pool:
            made.append([result.data for result in pool.map(sources, format="auto")])
    assert made[0] == made[1]


def test_caches_journals_and_worker_processes_know_it(tmp_path: Path) -> None:
    source = tmp_path / "source.png"
    source.write_bytes(saved(photo(), "PNG"))
    plain = pixpress.compress(source, format="auto")
    pools = {
        "cached": {"cache": str(tmp_path / "cache")},
        "journalled": {"journal": str(tmp_path / "jobs.db")},
        "isolated": {"isolation": "process"},
    }
    for name, options in pools.items():
        output = tmp_path / name
        with pixpress.Pool(max_workers=1, **options) as pool:
            results = [pool.submit(source, output, format="auto").result() for _ in range(2)]
        assert output.read_bytes() == plain.data, name
        assert {result.format for result in results} == {plain.format}
        assert [result.score for result in results] == [plain.score] * 2
        assert [result.from_cache for result in results] == [False, name == "cached"]


def test_a_damaged_source_fails_or_is_salvaged() -> None:
    source = saved(photo(), "JPEG", quality=90)
    damaged = source[: len(source) // 2]
    with pytest.raises(pixpress.CorruptImageError):
        pixpress.compress(damaged, format="auto")
    result = pixpress.compress(damaged, format="auto", on_damage="salvage")
    assert (result.width, result.height) == (400, 300)
    assert any("salvaged" in line for line in result.warnings)


def test_every_trial_can_be_cancelled() -> None:
    with pixpress.Pool(max_workers=1) as pool:
        future = pool.submit(photo(3000, 2250), format="auto")  # Seconds of work.
        await_running(future)
        assert future.cancel()
        after = pool.submit(photo(40, 30), format="auto")
        assert after.result().format


def test_the_command_makes_one_output_without_an_extension(tmp_path: Path) -> None:
    source = tmp_path / "source.png"
    source.write_bytes(saved(photo(120, 90), "PNG"))
    command = [sys.executable, "-m", "pixpress", "compress", str(source), "-f", "auto", "-o"]

    def run(output: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([*command, str(output)], capture_output=True, check=False)

    wanted = pixpress.compress(source, format="auto").data
    assert run("-").stdout == wanted
    assert run(tmp_path / "out").returncode == 0
    assert (tmp_path / "out").read_bytes() == wanted
    done = run(tmp_path / "out.webp")
    assert done.returncode == 2
    assert b"auto" in done.stderr
